"""The switch for all uses of dlt's internals. Without them, a sync does the same, but slower."""

from __future__ import annotations

import dlt

SEEN = ("1.31",)
"""Versions of dlt whose internals are known to work as assumed here; see docs/dlt-internals.md."""


def in_use() -> bool:
    """Whether dlt's internals are used: with known versions, unless ``dlt_internals = false`` is configured."""
    return is_seen() and dlt.config.get("sources.sim_source.dlt_internals", bool) is not False


def is_seen() -> bool:
    """Whether the installed dlt is one of the known versions."""
    return dlt.__version__.startswith(tuple(f"{version}." for version in SEEN))
