"""What all walks share: chunks, gaps, page sizes, the next position, and the detection of endless walks.

Pure.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from .. import errors
from ..api import wire
from ..api.decode import Page, Rejected
from ..timestamps import iso, utc

LARGEST_PAGE = 1000
"""Most runs per page: 2026-08 clamps to it; 2026-03 has no limit."""
PAGE_BYTES = 16 * 1024 * 1024
"""Target size of a page of full rows."""
PATIENCE = 64
"""Successful pages before a size that kept failing is tried again."""
TRUSTED_ROWS = 10
"""From this many rows on, the date of the last row alone does not decide where to continue."""
STALE_PAGES = 3
"""Pages without a new row before a walk, or an instant of it, is given up."""


T = TypeVar("T")
R = TypeVar(
    "R",
    wire.Run,
    wire.Shown,
    wire.AuditLog,
    wire.BillingEvent,
    wire.Workflow,
    wire.WorkflowPlace,
    wire.WorkflowVersion,
    wire.ReadableWorkspace,
    wire.RunState,
)
S = TypeVar("S", wire.Run, wire.Shown)
C = TypeVar("C", wire.Run, wire.Shown, wire.AuditLog, wire.BillingEvent)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time range of which the API did not return all rows, or not provably all.

    Attributes:
        first: Its first moment.
        last: Its last moment, inclusive.
        read: How many of its rows were read.
        reason: Why rows may be missing.
    """

    first: datetime
    last: datetime
    read: int
    reason: str

    def __str__(self) -> str:
        between = f"at {iso(self.first)}" if self.first == self.last else f"from {iso(self.first)} to {iso(self.last)}"
        return f"rows may be missing {between}: {self.reason}; {self.read:,} rows were read and kept"


@dataclass(slots=True)
class Chunk(Generic[T]):
    """New rows of a walk.

    Attributes:
        rows: Rows not yielded before.
        rejected: Rows that could not be parsed.
        position: For runs: every row that started before it has been yielded. For audit logs: every row created after
            it has been yielded.
        final: The server has no more rows.
        size: Size of their page in bytes.
        body: For runs: the page as the server sent it.
        seen: Ids of rows yielded before, some of which may be on that page.
        part: Other rows of that page are left out; they come later.
        gap: Rows that the walk could not read; it continues after them.
    """

    rows: list[T]
    rejected: list[Rejected]
    position: datetime
    final: bool = False
    size: int = 0
    body: bytes | None = None
    seen: frozenset[str] = frozenset()
    part: bool = False
    gap: Gap | None = None


@dataclass(slots=True)
class PageSize:
    """Rows per page: as many as the server allows, fewer if rows are large or a page fails."""

    largest: int = LARGEST_PAGE
    budget: int = PAGE_BYTES
    current: int = field(default=0)
    _failures: list[int] = field(default_factory=list)
    _held: int = field(default=0)

    def __post_init__(self) -> None:
        self.current = self.current or self.largest

    def worked(self, page: Page[Any]) -> None:
        """Adjusts the size after a page: the next one fits the byte budget and at most doubles."""
        if page.count:
            fits = self.budget * page.count // max(page.size, 1)
            self.current = max(1, min(self._grown(), fits))

    def _grown(self) -> int:
        """Doubles the size.

        A size that failed twice, with no larger one working since, is tried only once in a while: each failure costs
        retries.
        """
        self._failures = [size for size in self._failures if size > self.current]
        grown = min(self.largest, self.current * 2)
        if sum(size <= grown for size in self._failures) < 2:
            return grown
        self._held = (self._held + 1) % PATIENCE
        return self.current if self._held else grown

    def failed(self) -> bool:
        """Halves the size after a page failed; returns whether a smaller one can be tried."""
        if self.current <= 1:
            return False
        self._failures.append(self.current)
        self.current //= 2
        return True


class StalePages:
    """Stops a walk without progress, for example when a server always reports more rows."""

    def __init__(self) -> None:
        self._stale = 0

    def made(self) -> None:
        """Records progress: a new row, or a new position."""
        self._stale = 0

    def missed(self, where: str) -> None:
        """Records a page without new rows from a server that reports more.

        Args:
            where: Position of the walk, for the message.

        Raises:
            NoProgress: There were too many such pages in a row.
        """
        self._stale += 1
        if self._stale > STALE_PAGES:
            raise errors.NoProgress(
                f"the server reports more rows, but its last {self._stale} pages had no new ones "
                f"({where}); reading stopped there, and the next sync tries again"
            )


def has_fixed_order(cursor: str) -> bool:
    """Whether a cursor comes from a server that orders ties by id: only those cursors name their order.

    2026-08 (v0.8.9) cursors hold ``{"startedAt", "id", "order"}``; earlier ones have no ``order``, and can skip rows
    that share a startedAt.
    """
    try:
        return "order" in json.loads(base64.b64decode(cursor))
    except (binascii.Error, ValueError, TypeError):
        return False


def moments_of(page: Page[R], of: Callable[[R], datetime]) -> dict[str, datetime]:
    """Returns the times of a page's rows by id, where they can be read."""
    times = {row.id: at if (at := of(row)).tzinfo is UTC else utc(at) for row in page.rows}
    times |= {row.id: utc(row.at) for row in page.rejected if row.id is not None and row.at is not None}
    return times


def places_to_go_on(
    names: Sequence[str], inside: Mapping[str, datetime], *, newest_first: bool = False
) -> list[datetime]:
    """Returns the positions where a walk may continue after a page, best first.

    This is normally the time of the last row. But one row with a wrong date must not make the walk skip all others: on
    a page with ``TRUSTED_ROWS`` or more, the middle one of the last three times comes first. One row is then returned
    again, and none is skipped.

    Args:
        names: Ids of the page's rows, in page order.
        inside: Times by id of the rows that lie in the requested range, including rows that could not be parsed.
        newest_first: The order of the page.
    """
    shown = [inside[name] for name in names if name in inside]
    rest = inside.keys() - set(names)
    unreadable = sorted((inside[name] for name in rest), reverse=not newest_first)
    if len(shown) < TRUSTED_ROWS:
        return [*reversed(shown), *unreadable]
    last = shown[-3:]
    return [sorted(last)[1], *reversed(last), *unreadable]


def out_of_place(names: Sequence[str], inside: Mapping[str, datetime]) -> set[str]:
    """Returns rows between those of the requested range whose own date lies outside it: that date is wrong.

    Rows before the first one inside the range do not count: the server returns those again.

    Args:
        names: Ids of the page's rows, in page order.
        inside: Times by id of the rows that lie in the requested range.
    """
    return {name for name in tail_of(names, inside.__contains__) if name not in inside}


def tail_of(names: Sequence[str], passed: Callable[[str], bool]) -> Sequence[str]:
    """Returns the rows of a page from the first one that ``passed`` accepts: those after it may be returned again."""
    return names[next((place for place, name in enumerate(names) if passed(name)), len(names)) :]


def as_chunks(pages: Generator[Page[C], None, T], chunk: Callable[[Page[C]], Chunk[C]]) -> Generator[Chunk[C], None, T]:
    """Turns pages into chunks; returns what the generator of pages returns."""
    while True:
        try:
            page = next(pages)
        except StopIteration as stop:
            returned: T = stop.value
            return returned
        yield chunk(page)


def name_of(row: Rejected) -> str | bytes:
    """Identifies a rejected row: by its id, or else by its whole content."""
    return row.id if row.id is not None else bytes(row.row)
