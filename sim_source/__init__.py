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
    from .api.client import SimClient
    from .api.throttle import Throttle
    from .reading.plan import Bounds, ReadPlan
    from .reading.session import SyncSession
    from .reading.sync_log import SyncLog
    from .settings import SimSourceSettings
    from .source import sim_source, source_in_session
    from .tables import TABLES

__all__ = [
    "TABLES",
    "Bounds",
    "ReadPlan",
    "SimClient",
    "SimSourceSettings",
    "SyncLog",
    "SyncSession",
    "Throttle",
    "errors",
    "sim_source",
    "source_in_session",
]

_HOMES = {
    "errors": "errors",
    "TABLES": "tables",
    "Bounds": "reading.plan",
    "ReadPlan": "reading.plan",
    "SimClient": "api.client",
    "SimSourceSettings": "settings",
    "SyncLog": "reading.sync_log",
    "SyncSession": "reading.session",
    "Throttle": "api.throttle",
    "sim_source": "source",
    "source_in_session": "source",
}


def __getattr__(name: str) -> Any:
    """Imports names on first use: dlt is slow to import, and worker processes do not need it (bench: noop)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    return home if name == _HOMES[name] else getattr(home, name)
