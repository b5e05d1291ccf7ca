"""Adds rows of answers to a batch; what does not fit goes to ``rejected_rows``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from ..account_tables import REJECTED_ROWS
from ..api.decode import Rejected
from ..rows import account_rows, rejecting
from ..schema import Row
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
        batch: Receives them.
        table: The table.
        found: Answers.
        read: Converts an answer to a row.
        odd: Answers that could not be parsed.
        workspace_id: Their workspace, if it is known.
    """
    rows, more = rows_and_rejected(found, read)
    batch.add(table, rows)
    set_aside(batch, table, [*odd, *more], workspace_id)


def add_one(
    batch: Batch, table: str, answer: W | Rejected, read: Callable[[W], Row], workspace_id: str | None = None
) -> None:
    """Adds the row of a single answer; as ``add``."""
    found, odd = ([], [answer]) if isinstance(answer, Rejected) else ([answer], [])
    add(batch, table, found, read, odd, workspace_id)


def set_aside(batch: Batch, table: str, odd: list[Rejected], workspace_id: str | None) -> None:
    """Adds rows to ``rejected_rows``."""
    for row in odd:
        seen_at = datetime.now(UTC)  # part of the key: keeps two rejected rows with the same id apart
        shown = account_rows.rejected_row(table, row.id, bytes(row.row), row.reason, workspace_id, seen_at)
        batch.add(REJECTED_ROWS.name, [shown])


def rows_and_rejected(found: list[W], read: Callable[[W], Row]) -> tuple[list[Row], list[Rejected]]:
    """Returns the rows of answers that fit, and the answers that do not."""
    gated = [rejecting.read_or_reject(read, each) for each in found]
    return [row for row, _ in gated if row is not None], [odd for _, odd in gated if odd is not None]
