"""Sim's execution logs, costs, traces, snapshots, audit trail and usage as a dlt source.

import dlt
from sim_source import sim_source

pipeline = dlt.pipeline("sim", destination="duckdb", dataset_name="sim_logs")
pipeline.run(sim_source(workspace_id="..."))          # key: SOURCES__SIM_SOURCE__API_KEY
pipeline.run(sim_source(workspace_id="...").with_resources("logs", "audit_logs"))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors
    from .client import SimClient, check_base_url
    from .feed import Feed
    from .source import sim_source
    from .tables import TABLES
    from .watch import Watch

__all__ = ["TABLES", "Feed", "SimClient", "Watch", "check_base_url", "errors", "sim_source"]

_HOMES = {
    "errors": "errors",
    "TABLES": "tables",
    "Feed": "feed",
    "SimClient": "client",
    "Watch": "watch",
    "check_base_url": "client",
    "sim_source": "source",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for: dlt takes half a second, and processes that only read pages need nothing of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    return home if name == _HOMES[name] else getattr(home, name)
