"""Stops dlt's log of configuration lookups, which a process keeps in memory: about 8,000 entries a sync."""

from __future__ import annotations

from dlt.common.configuration.utils import get_resolved_traces

from . import switch


def stop() -> None:
    """Has dlt log no lookups of this thread. Only its traces use them, and a sync writes none."""
    if switch.in_use():
        get_resolved_traces().logging_enabled = False
