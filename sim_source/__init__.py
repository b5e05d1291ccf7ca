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
    from .api.base_url import check_base_url
    from .api.client import SimClient
    from .parallel.session import SyncSession
    from .reading.progress import Watch
    from .source import sim_source
    from .tables import TABLES

__all__ = ["TABLES", "SimClient", "SyncSession", "Watch", "check_base_url", "errors", "sim_source"]

_HOMES = {
    "errors": "errors",
    "TABLES": "tables",
    "SyncSession": "parallel.session",
    "SimClient": "api.client",
    "Watch": "reading.progress",
    "check_base_url": "api.client",
    "sim_source": "source",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for: dlt takes half a second, and processes that only read pages need nothing of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    return home if name == _HOMES[name] else getattr(home, name)
