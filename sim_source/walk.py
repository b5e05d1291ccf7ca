"""Pages walked so that no row is skipped or doubled, whatever the server does. Pure but for ``ask``.

Runs are walked by time, oldest first: every page starts at the last row's ``startedAt``, inclusive, and ids
already seen there are dropped. This works on every generation: 2026-03 answers 500 to any cursor
(``recordings/sim-2026-03/logs_walk_asc_50_p01.http``). Cursors help only where one instant fills pages.

Audit logs come newest first only, and lose rows under their own cursor: createdAt has microseconds in
the database and milliseconds on the wire. Each page ends 1 ms after the last row, seen ids dropped.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from . import errors, wire
from .decode import Page, Rejected
from .moments import in_utc

logger = logging.getLogger("sim_source")

MILLISECOND = timedelta(milliseconds=1)
LARGEST_PAGE = 1000
"""2026-08 clamps to it; 2026-03 has no bound."""
LARGEST_INSTANT = 64_000
"""Rows of one instant that are asked for at once where the server has no bound."""
PAGE_BYTES = 16 * 1024 * 1024
"""A page of full rows is kept about this small."""
AUDIT_PAGE = 100
MOST_NARROWER = 20
"""An overfull millisecond is asked for by at most so many values of one filter."""
PATIENCE = 64
"""Good pages after which a size that kept failing is tried again."""
STALE_PAGES = 3
"""Pages of one instant without a new row after which it is left."""
TIES_WORTH_A_CURSOR = 25
"""A cursor is used where more than one row in 25 would be read twice."""


T = TypeVar("T")
R = TypeVar("R", wire.Run, wire.Shown, wire.AuditLog, wire.Workflow)
S = TypeVar("S", wire.Run, wire.Shown)


@dataclass(frozen=True, slots=True)
class Query:
    """What a page is asked for.

    Attributes:
        start: First instant, inclusive; None from the beginning.
        end: Last instant, inclusive.
        limit: Rows, at most.
        cursor: Where to go on within the same bounds.
        order: asc or desc; audit logs know only desc.
        only: Further filters.
    """

    start: datetime | None
    end: datetime
    limit: int
    cursor: str | None = None
    order: str = "asc"
    only: tuple[tuple[str, str], ...] = ()


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
    """

    rows: list[T]
    rejected: list[Rejected]
    position: datetime
    final: bool = False
    size: int = 0
    body: bytes | None = None
    seen: frozenset[str] = frozenset()
    part: bool = False


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


def runs(
    ask: Callable[[Query], Page[S]],
    start: datetime,
    end: datetime,
    size: PageSize | None = None,
) -> Iterator[Chunk[S]]:
    """Walks the runs that started in ``[start, end]``, oldest first.

    Args:
        ask: Asks for a page.
        start: First instant.
        end: Last instant; fixed for the whole walk, so that the walk ends.
        size: Page size; lives on over several walks.

    Raises:
        Unavailable: A page of one row still fails.
    """
    size = size or PageSize()
    position, seen, cursor = start, frozenset[str](), None
    while True:
        page = _ask_smaller(ask, Query(position, end, size.current, cursor), size)
        size.worked(page)
        times = _times(page, lambda row: row.started_at)
        if cursor is not None and times and min(times.values()) < position:
            cursor = None  # the server took the cursor for page 1
            continue
        last = max(times.values(), default=position)
        yield Chunk(
            [row for row in page.rows if row.id not in seen],
            [row for row in page.rejected if row.id not in seen],
            max(last, position),
            final=page.next_cursor is None,
            size=page.size,
            body=page.body,
            seen=seen,
        )
        if page.next_cursor is None:
            return
        if last <= position and not (times.keys() - seen):
            if page.count > len(times):  # rows whose start cannot be read fill a page
                known = seen | {row.id for row in page.rejected if row.id is not None}
                position = yield from _unreadable(ask, Query(position, end, size.current), known)
            else:
                yield from _instant(ask, position, size, seen)
                position += MILLISECOND
            if position > end:
                return
            seen, cursor = frozenset(), None
            continue
        ties = frozenset(name for name, at in times.items() if at == last)
        seen = ties | seen if last == position else ties
        position = last
        cursor = page.next_cursor if _worth_a_cursor(page, len(seen)) else None


def _ask_smaller(ask: Callable[[Query], Page[S]], query: Query, size: PageSize) -> Page[S]:
    """Asks for a page, for a smaller one where it fails; without cursor where that is what fails."""
    while True:
        try:
            return ask(query)
        except (errors.Unavailable, errors.BadRequest) as error:
            smaller = not (query.cursor and isinstance(error, errors.BadRequest)) and size.failed()
            if not smaller and query.cursor is None:
                raise
            query = replace(query, limit=size.current, cursor=query.cursor if smaller else None)
            logger.info("a page failed; asking for %d rows at a time", size.current)


def _instant(
    ask: Callable[[Query], Page[S]], instant: datetime, size: PageSize, seen: frozenset[str]
) -> Iterator[Chunk[S]]:
    """The rest of one instant that fills a whole page: by larger pages, then by cursor, both ways."""
    known = set(seen)
    for order in ("asc", "desc"):
        complete, fixed, stale = False, False, 0
        for page in _growing_pages(ask, Query(instant, instant, size.current, order=order)):
            fresh = [row for row in page.rows if row.id not in known]
            odd = [row for row in page.rejected if row.id not in known]
            chunk = Chunk(fresh, odd, instant, size=page.size, body=page.body, seen=frozenset(known))
            known.update(row.id for row in fresh)
            yield chunk
            fixed = page.next_cursor is None or has_fixed_order(page.next_cursor)
            complete = page.next_cursor is None
            stale = 0 if fresh else stale + 1
            if stale > STALE_PAGES:  # a cursor that leads nowhere
                break
        if complete and fixed:
            return
    logger.warning(
        "more than %d runs started at %s and this server cannot page through them in a fixed order; %d read",
        size.largest,
        iso(instant),
        len(known),
    )


def _unreadable(
    ask: Callable[[Query], Page[S]], query: Query, seen: frozenset[str]
) -> Generator[Chunk[S], None, datetime]:
    """Gets past rows that tell no start: by larger pages, then by cursor.

    Returns:
        The first start that could be read, or a moment after the end where nothing more is to be had.
    """
    known: set[str | None] = set(seen)
    start = query.start or query.end
    for page in _growing_pages(ask, query):
        times = _times(page, lambda row: row.started_at)
        fresh = [row for row in page.rows if times[row.id] <= start and row.id not in known]
        odd = [row for row in page.rejected if row.id is not None and row.id not in known]
        known.update(row.id for row in fresh)
        known.update(row.id for row in odd)
        yield Chunk(fresh, odd, start, size=page.size, body=page.body, part=True)
        later = [at for at in times.values() if at > start]
        if later:
            return min(later)
    logger.warning("runs from %s on tell no start that can be read; the walk ends there", iso(start))
    return query.end + MILLISECOND


def _growing_pages(ask: Callable[[Query], Page[S]], query: Query) -> Iterator[Page[S]]:
    """Larger and larger pages as long as the server gives them, then its cursor.

    Raises:
        Unavailable: Not even a page of one row.
    """
    growing, query = True, replace(query, limit=query.limit * 4)
    while True:
        try:
            page = ask(query)
        except (errors.Unavailable, errors.BadRequest):
            if query.cursor is not None:
                return  # 2026-03: no cursor works
            if query.limit <= 1:
                raise
            growing, query = False, replace(query, limit=query.limit // 2)
            continue
        yield page
        if page.next_cursor is None or page.next_cursor == query.cursor:
            return
        growing = growing and page.count >= query.limit and query.limit < LARGEST_INSTANT
        query = replace(query, limit=query.limit * 4) if growing else replace(query, cursor=page.next_cursor)


def _worth_a_cursor(page: Page[Any], ties: int) -> bool:
    return (
        page.next_cursor is not None and ties * TIES_WORTH_A_CURSOR > page.count and has_fixed_order(page.next_cursor)
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


def _times(page: Page[R], of: Callable[[R], datetime]) -> dict[str, datetime]:
    times = {row.id: at if (at := of(row)).tzinfo is UTC else utc(at) for row in page.rows}
    times |= {row.id: utc(row.at) for row in page.rejected if row.id is not None and row.at is not None}
    return times


def audit(
    ask: Callable[[Query], Page[wire.AuditLog]], start: datetime | None, end: datetime
) -> Iterator[Chunk[wire.AuditLog]]:
    """Walks the audit logs made in ``[start, end]``, newest first."""
    upper, seen, actions = end, frozenset[str](), set[str]()
    while True:
        page = ask(Query(start, upper, AUDIT_PAGE, order="desc"))
        actions.update(row.action for row in page.rows if row.action is not None)
        times = _times(page, lambda row: row.created_at)
        last = min(times.values(), default=upper)
        yield Chunk(
            [row for row in page.rows if row.id not in seen],
            [row for row in page.rejected if row.id not in seen],
            min(last + MILLISECOND, upper),  # its millisecond may hold more: the wire cuts microseconds off
            final=page.next_cursor is None,
        )
        if page.next_cursor is None:
            return
        if not (times.keys() - seen):  # more than a page within this millisecond
            seen = yield from _audit_millisecond(ask, last, seen, actions)
            upper = last if last < upper else last - MILLISECOND
            if start is not None and upper < start:
                return
            continue
        near = frozenset(name for name, at in times.items() if at <= last + MILLISECOND)
        seen = near | (seen if last + MILLISECOND >= upper else frozenset())
        upper = last + MILLISECOND


def _audit_millisecond(
    ask: Callable[[Query], Page[wire.AuditLog]], instant: datetime, seen: frozenset[str], actions: set[str]
) -> Generator[Chunk[wire.AuditLog], None, frozenset[str]]:
    """Rows of a millisecond with more than a page of them: asked for by what is known to differ in audit logs.

    Args:
        ask: Asks for a page.
        instant: The millisecond.
        seen: Ids of rows given already.
        actions: Actions met in the whole walk: a page that is cut need not show all of its own.

    Returns:
        All ids seen.
    """
    known = set(seen)
    open_queries = [Query(instant, instant + MILLISECOND, AUDIT_PAGE, order="desc")]
    while open_queries:
        query = open_queries.pop()
        page = ask(query)
        fresh = [row for row in page.rows if row.id not in known]
        known.update(row.id for row in fresh)
        if fresh:
            yield Chunk(fresh, [], instant + MILLISECOND)
        if page.next_cursor is None:
            continue
        open_queries += _narrower(query, page.rows, actions)
    logger.warning(
        "more than %d audit logs within one millisecond at %s; %d read, and the API cannot prove that these are all",
        AUDIT_PAGE,
        iso(instant),
        len(known),
    )
    return frozenset(known)


def _narrower(query: Query, rows: list[wire.AuditLog], actions: set[str]) -> list[Query]:
    """The same query split by the next filter."""
    used = {name for name, _ in query.only}
    for name, values in (
        ("action", {row.action for row in rows} | actions),
        ("resourceType", {row.resource_type for row in rows}),
        ("resourceId", {row.resource_id for row in rows}),
    ):
        if name not in used and len(values) <= MOST_NARROWER:
            found = sorted(value for value in values if value is not None)
            return [replace(query, only=(*query.only, (name, value))) for value in found]
    return []


def by_cursor(ask: Callable[[str | None], Page[R]]) -> Iterator[Page[R]]:
    """Walks a small list by its cursor; stops where the server starts over (a bad cursor is page 1)."""
    seen: set[str | bytes] = set()
    cursor: str | None = None
    while True:
        page = ask(cursor)
        page.rows = [row for row in page.rows if row.id not in seen]
        page.rejected = [row for row in page.rejected if bytes(row.row) not in seen]
        seen.update(row.id for row in page.rows)
        seen.update(bytes(row.row) for row in page.rejected)
        yield page
        if page.next_cursor is None or page.next_cursor == cursor or not page.count:
            return
        cursor = page.next_cursor


def utc(moment: datetime) -> datetime:
    """The moment in UTC; without a zone it is taken for UTC, as is one whose zone leads out of the calendar."""
    try:
        return in_utc(moment)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def iso(moment: datetime) -> str:
    """As the API takes and gives dates: ``YYYY-MM-DDTHH:mm:ss.sssZ``."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc(moment).microsecond // 1000:03d}Z"
