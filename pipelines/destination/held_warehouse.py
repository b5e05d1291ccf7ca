"""Queries a DuckDB file that the sync opens only while it needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dlt

from sim_source.schema import Row, Table
from sim_source.stored.warehouse import Warehouse

from .duckdb_hold import Hold


class HeldWarehouse(Warehouse):
    """A warehouse whose file is opened for a query if it is closed, and stays open until the sync waits for the API.

    Args:
        pipeline: A pipeline of the destination.
        hold: Opens and closes its file; does nothing for other destinations.
    """

    def __init__(self, pipeline: dlt.Pipeline, hold: Hold) -> None:
        super().__init__(pipeline)
        self._hold = hold
        hold.on_close(self.disconnect)

    def ask(self, sql: str, *args: Any, ids: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Returns the rows of a query; see ``Warehouse.ask``."""
        with self._hold.in_use():
            return super().ask(sql, *args, ids=ids)

    def execute(self, sql: str, *args: Any) -> None:
        """Runs a statement that changes rows; see ``Warehouse.execute``."""
        with self._hold.in_use():
            super().execute(sql, *args)

    def refusal(self, table: Table, rows: Sequence[Row]) -> str | None:
        """Tries to insert rows; see ``Warehouse.refusal``."""
        with self._hold.in_use():
            return super().refusal(table, rows)

    def columns(self, table: str) -> frozenset[str]:
        """Returns the names of a table's columns; see ``Warehouse.columns``."""
        with self._hold.in_use():
            return super().columns(table)
