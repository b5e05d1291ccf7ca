"""Collects rows into Arrow tables: each table handed to dlt has a fixed cost, whatever its size.

Rows become Arrow one page at a time and are then released. Arrow columns are smaller; they wait until there are enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any

import pyarrow as pa

from ..schema import Row, Table
from ..tables import TABLES

CHUNK_ROWS = 1_000
"""Rows of a table that are converted to Arrow at once."""
BATCH_ROWS = 20_000
"""Rows of a table that are handed over at once."""

Tables = dict[str, pa.Table]
LastLook = Callable[[Table, pa.Table], pa.Table]
"""Checks rows of a table before they are handed over; returns the rows to hand over."""


class _Held:
    """Rows held of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows: list[Row] = []
        self._chunks: list[pa.Table] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, rows: Iterable[Row]) -> None:
        before = len(self._rows)
        self._rows.extend(rows)
        self._count += len(self._rows) - before
        if len(self._rows) >= CHUNK_ROWS:
            self._to_arrow()

    def add_arrow(self, rows: pa.Table) -> None:
        self._chunks.append(rows)
        self._count += rows.num_rows

    def taken(self) -> pa.Table:
        """Returns everything held, as one table, and clears it."""
        if self._rows:
            self._to_arrow()
        found = pa.concat_tables(self._chunks)
        self._chunks, self._count = [], 0
        return found

    def _to_arrow(self) -> None:
        self._chunks.append(self._table.arrow_of(self._rows))
        self._rows.clear()


class Batch:
    """Rows by table, waiting to be handed over.

    Args:
        names: Tables that are wanted; rows of others are dropped.
        size: Rows after which a table is handed over.
        last_look: The final check of each table.

    Attributes:
        count: Rows added so far, of all tables.
    """

    def __init__(self, names: Iterable[str], size: int = BATCH_ROWS, last_look: LastLook | None = None) -> None:
        self._held = {name: _Held(TABLES[name]) for name in names}
        self._size = size
        self._last_look = last_look or _as_they_are
        self._awaited: deque[tuple[Future[Any], Callable[[], None]]] = deque()
        self.count = 0

    def wants(self, name: str) -> bool:
        """Whether rows of this table are kept."""
        return name in self._held

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """Adds rows, in the order of the table's columns."""
        held = self._held.get(name)
        if held is not None:
            before = len(held)
            held.add(rows)
            self.count += len(held) - before

    def add_arrow(self, name: str, rows: pa.Table) -> None:
        """Adds rows that are already an Arrow table."""
        self._held[name].add_arrow(rows)
        self.count += rows.num_rows

    def later(self, answer: Future[Any], add: Callable[[], None]) -> None:
        """Registers a call that adds rows once an answer is there; at the latest before everything is handed over."""
        self._awaited.append((answer, add))

    def full(self) -> Iterator[Tables]:
        """Hands over the tables that hold enough rows."""
        self._take_awaited(all_of_it=False)
        return self._hand_over(self._size)

    def flush(self) -> Iterator[Tables]:
        """Hands over all rows, including those still awaited."""
        self._take_awaited(all_of_it=True)
        return self._hand_over(1)

    def _take_awaited(self, *, all_of_it: bool) -> None:
        while self._awaited and (all_of_it or self._awaited[0][0].done()):
            self._awaited.popleft()[1]()

    def _hand_over(self, least: int) -> Iterator[Tables]:
        full = {name: held.taken() for name, held in self._held.items() if len(held) >= least}
        looked_at = {name: self._last_look(TABLES[name], rows) for name, rows in full.items()}
        tables = {name: rows for name, rows in looked_at.items() if rows.num_rows}
        if tables:
            yield tables


def _as_they_are(_: Table, rows: pa.Table) -> pa.Table:
    return rows
