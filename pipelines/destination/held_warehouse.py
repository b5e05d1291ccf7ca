"""Queries a DuckDB file that the sync opens only while it needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

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
        hold.on_change(self.disconnect)

    @contextmanager
    def connected(self) -> Iterator[SqlClientBase[Any]]:
        """Opens the file and connects to it; for errors, see ``Warehouse.connected`` and ``Hold.take``."""
        with self._hold.in_use(), super().connected() as client:
            yield client
