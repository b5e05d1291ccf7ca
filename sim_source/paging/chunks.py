"""What walks have in common: what is asked, what a walk gives, how large pages are, and when a walk is without end.

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
"""Of runs: 2026-08 clamps to it; 2026-03 has no bound."""
PAGE_BYTES = 16 * 1024 * 1024
"""A page of full rows is kept about this small."""
PATIENCE = 64
"""Good pages after which a size that kept failing is tried again."""
TRUSTED_ROWS = 10
"""Rows from which on a page's last row is not believed alone."""
STALE_PAGES = 3
"""Pages without a new row after which a walk, or an instant of it, is left."""


T = TypeVar("T")
R = TypeVar("R", wire.Run, wire.Shown, wire.AuditLog, wire.Workflow)
S = TypeVar("S", wire.Run, wire.Shown)
C = TypeVar("C", wire.Run, wire.Shown, wire.AuditLog)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of which the API did not show all rows, or not provably all.

    Attributes:
        first: Its first moment.
        last: Its last moment, inclusive.
        read: Rows of it that were given.
        reason: Why there may be more.
    """

    first: datetime
    last: datetime
    read: int
    reason: str

    def __str__(self) -> str:
        between = f"at {iso(self.first)}" if self.first == self.last else f"from {iso(self.first)} to {iso(self.last)}"
        return f"rows may be missing {between}: {self.reason}; {self.read:,} were read"


@dataclass(slots=True)
class Chunk(Generic[T]):
    """New rows of a walk.

    Attributes:
        rows: Rows not given before.
        rejected: Rows that could not be read.
        position: Of runs: every row that started before it has been given. Of audit logs: every
            row made after it has been given.
        final: The server has no more.
        size: Bytes of the page they came with.
        body: Of runs: that page as the server sent it.
        seen: Ids of rows given before, some of which may be on that page.
        part: Further rows of that page are left out: they come later.
        gap: Rows that the walk could not get at; it goes on behind them.
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
    """Rows per page: as many as the server allows, fewer where they are heavy or the page fails."""

    largest: int = LARGEST_PAGE
    budget: int = PAGE_BYTES
    current: int = field(default=0)
    _failures: list[int] = field(default_factory=list)
    _held: int = field(default=0)

    def __post_init__(self) -> None:
        self.current = self.current or self.largest

    def worked(self, page: Page[Any]) -> None:
        """A page came: the next one holds what fits the budget, growing at most twofold."""
        if page.count:
            fits = self.budget * page.count // max(page.size, 1)
            self.current = max(1, min(self._grown(), fits))

    def _grown(self) -> int:
        """Twice as many, but not what failed twice with nothing larger working since: that costs tries."""
        self._failures = [size for size in self._failures if size > self.current]
        grown = min(self.largest, self.current * 2)
        if sum(size <= grown for size in self._failures) < 2:
            return grown
        self._held = (self._held + 1) % PATIENCE
        return self.current if self._held else grown

    def failed(self) -> bool:
        """A page failed; returns whether a smaller one can be tried."""
        if self.current <= 1:
            return False
        self._failures.append(self.current)
        self.current //= 2
        return True


class StalePages:
    """Proves that a walk gets on: a server that says "there is more" for ever must not hold it for ever."""

    def __init__(self) -> None:
        self._stale = 0

    def made(self) -> None:
        """A new row came, or the walk stands elsewhere."""
        self._stale = 0

    def missed(self, where: str) -> None:
        """A page came that says there is more, and told nothing new.

        Args:
            where: Where the walk stands, for the message.

        Raises:
            NoProgress: It was one too many.
        """
        self._stale += 1
        if self._stale > STALE_PAGES:
            raise errors.NoProgress(
                f"{self._stale} pages in a row told nothing new, yet the server says that there is more "
                f"({where}); the walk ended there"
            )


def has_fixed_order(cursor: str) -> bool:
    """Whether a cursor is of a server that orders ties by id: only those name their order in it.

    2026-08 (v0.8.9) cursors hold ``{"startedAt", "id", "order"}``; earlier ones have no ``order``, and
    under them rows that share a startedAt can be skipped.
    """
    try:
        return "order" in json.loads(base64.b64decode(cursor))
    except (binascii.Error, ValueError, TypeError):
        return False


def moments_of(page: Page[R], of: Callable[[R], datetime]) -> dict[str, datetime]:
    """When the rows of a page started or were made, by id, as far as they tell."""
    times = {row.id: at if (at := of(row)).tzinfo is UTC else utc(at) for row in page.rows}
    times |= {row.id: utc(row.at) for row in page.rejected if row.id is not None and row.at is not None}
    return times


def places_to_go_on(
    names: Sequence[str], inside: Mapping[str, datetime], *, newest_first: bool = False
) -> list[datetime]:
    """Where a walk may go on after a page, best first.

    That is the last row's moment. One row whose date is wrong must not lead the walk past all others, so of a page of
    some rows the middle one of the last three is believed: one row is shown again, none is passed over.

    Args:
        names: The ids of the page's rows, in its order.
        inside: Moments of those that lie where they were asked for, and of rows that could not be read, by id.
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
    """Rows that a page shows among those it was asked for, though their own date lies elsewhere: it is wrong.

    Rows before the first that was asked for are none: the server shows again what it has shown.

    Args:
        names: The ids of the page's rows, in its order.
        inside: Those that lie where they were asked for.
    """
    return {name for name in tail_of(names, inside.__contains__) if name not in inside}


def tail_of(names: Sequence[str], passed: Callable[[str], bool]) -> Sequence[str]:
    """Rows of a page from the first on that is passed over: what is shown after it may be shown again."""
    return names[next((place for place, name in enumerate(names) if passed(name)), len(names)) :]


def as_chunks(pages: Generator[Page[C], None, T], chunk: Callable[[Page[C]], Chunk[C]]) -> Generator[Chunk[C], None, T]:
    """Chunks of pages; returns what the pages return."""
    while True:
        try:
            page = next(pages)
        except StopIteration as stop:
            returned: T = stop.value
            return returned
        yield chunk(page)


def name_of(row: Rejected) -> str | bytes:
    """What tells an odd row from others: its id, or all of it."""
    return row.id if row.id is not None else bytes(row.row)
