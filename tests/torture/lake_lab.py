"""The laboratory with a lake instead of a DuckDB file: SQLite catalog, files on disk."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from tests.helpers import lake
from tests.torture.lab import Lab

FEW_PIECES = {
    sync: {"PIECE_RUNS": 300, "PIECE_AUDIT_LOGS": 300, "PIECE_CALLS": 300, "PIECE_EVENTS": 500, "FEW_EVENTS": 500}
    for sync in ("first", "second")
}
"""Each piece takes seconds in a lake."""


@dataclass(slots=True)
class LakeLab(Lab):
    """The same, in a lake."""

    pieces: dict[str, dict[str, int]] = field(default_factory=lambda: FEW_PIECES)

    def settings(self, dialect: str, sync: str) -> dict[str, str]:
        """The environment of a sync."""
        found = Lab.settings(self, dialect, sync) | {"SOURCES__SIM_SOURCE__DESTINATION": "ducklake"}
        del found["SOURCES__SIM_SOURCE__DATABASE"]
        return found | lake.on_disk(self.here)

    def opened(self) -> duckdb.DuckDBPyConnection:
        """A connection that reads the lake."""
        return lake.opened(f"sqlite:{self.here}/catalog.sqlite")

    def _torn(self) -> int:
        return 0  # not looked at
