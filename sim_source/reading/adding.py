"""Rows of answers into a batch; what does not fit goes to ``rejected_rows``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from ..api.decode import Rejected
from ..rows import account_rows, rejecting
from ..schema import Row
from ..tables import REJECTED_ROWS
from .batch import Batch

W = TypeVar("W", bound=msgspec.Struct)


def add(
    batch: Batch,
    table: str,
    found: list[W],
    read: Callable[[W], Row],
    odd: list[Rejected],
    workspace_id: str | None = None,
) -> None:
    """Adds the rows of a table.

    Args:
        batch: Takes them.
        table: The table.
        found: Answers.
        read: Makes a row of one.
        odd: Answers that could not be read.
        workspace_id: Where they belong, where that is known.
    """
    rows, more = rows_and_rejected(found, read)
    batch.add(table, rows)
    set_aside(batch, table, [*odd, *more], workspace_id)


def set_aside(batch: Batch, table: str, odd: list[Rejected], workspace_id: str | None) -> None:
    """Adds rows of ``rejected_rows``."""
    for row in odd:
        seen_at = datetime.now(UTC)  # part of the key: two odd rows of one id are two
        shown = account_rows.rejected_row(table, row.id, bytes(row.row), row.reason, workspace_id, seen_at)
        batch.add(REJECTED_ROWS.name, [shown])


def rows_and_rejected(found: list[W], read: Callable[[W], Row]) -> tuple[list[Row], list[Rejected]]:
    """Rows of what fits, and what does not fit any table."""
    gated = [rejecting.read_or_reject(read, each) for each in found]
    return [row for row, _ in gated if row is not None], [odd for _, odd in gated if odd is not None]
