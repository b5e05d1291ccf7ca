"""Rows gathered into Arrow tables: every table handed to dlt costs it about 2 ms, whatever its size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from .runs import Row
from .tables import TABLES

BATCH_ROWS = 10_000
"""Rows of all tables together that are handed over at once."""

Tables = dict[str, pa.Table]


class Batch:
    """Rows by table, waiting to be handed over.

    Args:
        names: Tables that are wanted; rows of others are dropped.
        size: Rows after which the batch is full.
    """

    def __init__(self, names: Iterable[str], size: int = BATCH_ROWS) -> None:
        self._rows: dict[str, list[Row]] = {name: [] for name in names}
        self._size = size
        self._count = 0

    def wants(self, name: str) -> bool:
        """Whether rows of this table are kept."""
        return name in self._rows

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """Adds rows, in the order of the table's columns."""
        held = self._rows.get(name)
        if held is not None:
            before = len(held)
            held.extend(rows)
            self._count += len(held) - before

    def full(self) -> Iterator[Tables]:
        """Hands over what is held, if that is enough."""
        if self._count >= self._size:
            yield from self.flush()

    def flush(self) -> Iterator[Tables]:
        """Hands over all that is held."""
        tables = {name: TABLES[name].arrow(_transposed(rows)) for name, rows in self._rows.items() if rows}
        for rows in self._rows.values():
            rows.clear()
        self._count = 0
        if tables:
            yield tables


def _transposed(rows: list[Row]) -> list[tuple[object, ...]]:
    return list(zip(*rows, strict=True))
