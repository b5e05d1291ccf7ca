"""Reads runs that a walk by time cannot pass: more in one instant than fit on a page, or without a start. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from .. import errors
from ..api import wire
from ..api.decode import Page, Rejected
from ..api.query import Query
from ..timestamps import MILLISECOND
from .chunks import STALE_PAGES, Chunk, Gap, PageSize, S, as_chunks, has_fixed_order, moments_of, name_of
from .filters import ByRange, ByValue, Met
from .narrowing import Narrowing
from .unreadable_dates import way_past

LARGEST_INSTANT = 64_000
"""Most rows of one instant requested at once, on servers without a limit."""
FILTERS = (
    ByValue("level", "level", every=("info", "error")),
    ByValue("workflowIds", "workflow_id"),
    ByValue("triggers", "trigger"),
    ByRange("duration", "total_duration_ms", "minDurationMs", "maxDurationMs"),
)
"""Filters that split the runs of one instant; ``folderIds``, ``model`` and cost follow from workflow and duration."""


def rest_of_instant(
    in_parts: Callable[[Query], Page[S]],
    ask: Callable[[Query], Page[S]],
    instant: datetime,
    size: PageSize,
    seen: frozenset[str],
) -> Iterator[Chunk[S]]:
    """Reads the rest of an instant that fills a whole page: larger pages, then a cursor, in both orders; then filters.

    Args:
        in_parts: Requests a page, or a smaller one if it fails.
        ask: Requests a page.
        instant: The instant.
        size: Page size.
        seen: Ids of runs already yielded.
    """
    known = set(seen)
    for order in ("asc", "desc"):
        if (yield from _one_way(ask, Query(instant, instant, size.current, order=order), known)):
            return

    def part(query: Query) -> Page[S]:
        return in_parts(replace(query, limit=size.current))

    # pages left to a worker have no level or trigger yet; queries with filters are parsed in full
    parts = Narrowing(part, Met(FILTERS), lambda row: isinstance(row, wire.Run))
    complete = yield from as_chunks(
        parts.pages(Query(instant, instant, size.largest)), lambda page: _new(page, known, instant)
    )
    if not complete:
        reason = (
            "more runs share this start than fit on a page, and neither the API's cursor nor its filters return all"
        )
        yield Chunk([], [], instant, gap=Gap(instant, instant, len(known), reason))


def _one_way(ask: Callable[[Query], Page[S]], query: Query, known: set[str]) -> Generator[Chunk[S], None, bool]:
    """Reads an instant with larger pages, then a cursor; returns whether that provably returned all of it."""
    shown, fixed, stale = set[str](), True, 0
    for page, by_cursor in _growing_pages(ask, query):
        ids = {row.id for row in page.rows}
        # if a cursor returns a run twice, it may have skipped another
        fixed = not by_cursor or (fixed and not (ids & shown))
        shown = ids | (shown if by_cursor else set())
        stale = 0 if ids - known else stale + 1
        yield _new(page, known, query.end)
        if page.next_cursor is None:
            return fixed
        fixed = fixed and has_fixed_order(page.next_cursor)
        if stale > STALE_PAGES:  # the cursor makes no progress
            break
    return False


def _new(page: Page[S], known: set[str], position: datetime) -> Chunk[S]:
    """Returns the rows of a page whose ids are not in ``known``, and adds their ids to it."""
    before = frozenset(known)
    rows = list({row.id: row for row in page.rows if row.id not in known}.values())
    odd = [row for row in page.rejected if row.id not in known]
    known.update(row.id for row in rows)
    known.update(row.id for row in odd if row.id is not None)
    return Chunk(rows, odd, position, size=page.size, body=page.body, seen=before)


def rest_of_unreadable(
    ask: Callable[[Query], Page[S]], query: Query, seen: frozenset[str], odd: Iterable[Rejected]
) -> Generator[Chunk[S], None, datetime]:
    """Skips runs whose start cannot be read: with larger pages, then a cursor, then a later start.

    Args:
        ask: Requests a page.
        query: The page that such rows fill.
        seen: Ids of runs already yielded.
        odd: Rejected rows of that page, already yielded.

    Returns:
        Where to continue: the first readable start, or a moment after the end if there are no more runs.
    """
    start, known, stale = query.start or query.end, {*seen, *map(name_of, odd)}, 0

    def chunk(page: Page[S]) -> Chunk[S]:
        times = moments_of(page, lambda row: row.started_at)
        fresh = [row for row in page.rows if times[row.id] <= start and row.id not in known]
        strange = [row for row in page.rejected if name_of(row) not in known]
        known.update(row.id for row in fresh)
        known.update(map(name_of, strange))
        return Chunk(fresh, strange, start, size=page.size, body=page.body, part=True)

    for page, _ in _growing_pages(ask, query):
        given = chunk(page)
        yield given
        later = [at for at in moments_of(page, lambda row: row.started_at).values() if at > start]
        if later:
            return min(later)
        if page.next_cursor is None:
            return query.end + MILLISECOND  # everything was returned
        stale = 0 if given.rows or given.rejected else stale + 1
        if stale > STALE_PAGES:
            break

    def behind(step: timedelta) -> Page[S] | None:
        return None if start + step > query.end else ask(replace(query, start=start + step))

    step = yield from as_chunks(
        way_past(behind, lambda page: bool(moments_of(page, lambda row: row.started_at))), chunk
    )
    reason = "more runs with an unreadable startedAt than fit on a page"
    last = min(start + step - MILLISECOND, query.end)
    yield Chunk([], [], start, gap=Gap(start, last, len(known), reason))
    return start + step


def _growing_pages(ask: Callable[[Query], Page[S]], query: Query) -> Iterator[tuple[Page[S], bool]]:
    """Requests larger and larger pages while the server fills them, then follows its cursor.

    Yields:
        A page, and whether it was requested with a cursor.

    Raises:
        Unavailable: Even a page of one row fails.
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
        yield page, query.cursor is not None
        if page.next_cursor is None or page.next_cursor == query.cursor:
            return
        growing = growing and page.count >= query.limit and query.limit < LARGEST_INSTANT
        query = replace(query, limit=query.limit * 4) if growing else replace(query, cursor=page.next_cursor)
