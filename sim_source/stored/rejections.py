"""Which rows a destination refuses, found by trying: insert, halve what is refused, roll back.

Only done where a load was refused for what is in it, since that takes as long as loading does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from ..schema import Row, Table
from .warehouse import Warehouse, in_steps

AT_ONCE = 500
"""Rows that are tried together."""
Insert = Callable[[Sequence[Row]], str | None]
"""Tries rows; returns why they are refused, None where they are taken."""


def refused(warehouse: Warehouse, table: Table, rows: pa.Table) -> dict[int, str]:
    """Rows that the destination does not take, by their place, and the kind of error it answers with.

    Its words are not kept: they quote what is in the row. A destination that cannot be asked refuses nothing.
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
    """Places of rows that are refused, and why.

    Args:
        insert: Tries rows.
        rows: The rows, at least one.
        begin: Place of the first.
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


def stored_rejections(warehouse: Warehouse, row_ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Of stored rejected rows with these ids: table_name, row_id, reason, and row_json as the warehouse writes it."""
    for some in in_steps(row_ids):
        yield from warehouse.ask(_STORED, ids=some)


_STORED = "SELECT table_name, row_id, reason, CAST(row_json AS VARCHAR) FROM {rejected_rows} WHERE row_id IN ({ids})"
