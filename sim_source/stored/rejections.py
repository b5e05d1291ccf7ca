"""Finds the rows that a destination rejects, by trial: insert, halve what is rejected, roll back.

This takes as long as loading, so it is done only after a load was rejected because of its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from ..schema import Row, Table
from .warehouse import Warehouse, in_steps

AT_ONCE = 500
"""Rows tried together."""
Insert = Callable[[Sequence[Row]], str | None]
"""Tries to insert rows; returns why they are rejected, or None if they are accepted."""


def refused(warehouse: Warehouse, table: Table, rows: pa.Table) -> dict[int, str]:
    """Returns the rows that the destination rejects, by position, with the kind of error.

    The error message is not kept, because it quotes the row. A destination that cannot be queried rejects nothing.
    """
    if not rows.num_rows or not warehouse.has(table.name):
        return {}
    told = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    found: dict[int, str] = {}
    for begin in range(0, len(told), AT_ONCE):
        some = told[begin : begin + AT_ONCE]
        found |= dict(bisected(lambda tried: warehouse.refusal(table, tried), some, begin))
    return found


def bisected(insert: Insert, rows: Sequence[Row], begin: int = 0) -> Iterator[tuple[int, str]]:
    """Yields the positions of rejected rows, and why they are rejected.

    Args:
        insert: Tries rows.
        rows: The rows, at least one.
        begin: Position of the first row.
    """
    why = insert(rows)
    if why is None:
        return
    if len(rows) == 1:
        yield begin, why
        return
    middle = len(rows) // 2
    yield from bisected(insert, rows[:middle], begin)
    yield from bisected(insert, rows[middle:], begin + middle)


def stored_rejections(warehouse: Warehouse, record_ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yields stored rejected rows by id: table_name, record_id, reason, and row_json as the warehouse formats it."""
    for some in in_steps(record_ids):
        yield from warehouse.ask(_STORED, ids=some)


_STORED = (
    "SELECT table_name, record_id, reason, CAST(row_json AS VARCHAR) FROM {rejected_rows} WHERE record_id IN ({ids})"
)
