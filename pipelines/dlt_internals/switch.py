"""Whether dlt's insides are used: one switch for all of them. Without, a sync does the same, slower."""

from __future__ import annotations

import dlt

SEEN = ("1.31",)
"""Versions of dlt with which they were seen to be as they are taken to be here; see docs/dlt-internals.md."""


def in_use() -> bool:
    """Whether dlt's insides are used: with versions that were seen, unless ``dlt_internals = false`` is configured."""
    return is_seen() and dlt.config.get("sources.sim_source.dlt_internals", bool) is not False


def is_seen() -> bool:
    """Whether the installed dlt is one of those."""
    return dlt.__version__.startswith(tuple(f"{version}." for version in SEEN))
