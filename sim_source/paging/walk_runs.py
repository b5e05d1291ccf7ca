"""Runs walked by time, oldest first. Pure but for ``ask``.

Every page starts at the last row's ``startedAt``, inclusive, and ids already seen there are dropped. This works on
every generation: 2026-03 answers 500 to any cursor (``recordings/sim-2026-03/logs_walk_asc_50_p01.http``). Cursors help
only where one instant fills pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from .. import errors
from ..api.decode import Page
from ..api.query import Query
from ..timestamps import MILLISECOND, iso
from .chunks import Chunk, PageSize, S, StalePages, has_fixed_order, moments
from .same_instant import rest_of_instant, rest_of_unreadable

TIES_WORTH_A_CURSOR = 25
"""A cursor is used where more than one row in 25 would be read twice."""


def walk_runs(
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
        NoProgress: The server says without end that there is more.
    """
    size, progress = size or PageSize(), StalePages()
    position, seen, cursor = start, frozenset[str](), None
    strays: set[str] = set()
    while position <= end:
        page = _ask_smaller(ask, Query(position, end, size.current, cursor), size)
        size.worked(page)
        times = moments(page, lambda row: row.started_at)
        inside = {name: at for name, at in times.items() if at >= position}  # all, unless the server ignores startDate
        if cursor is not None and len(inside) < len(times):
            cursor = None  # the server took the cursor for page 1
            continue
        last = max(inside.values(), default=position)
        # nobody else gives rows that are shown although they started before the walk does, as in the year 1
        early = {name for name, at in times.items() if at < start and name not in strays}
        strays |= early
        given = seen | (times.keys() - inside.keys() - early)
        yield _chunk(page, given, last)
        if page.next_cursor is None:
            return
        cursor = None
        if last > position or inside.keys() - seen:
            ties = frozenset(name for name, at in inside.items() if at == last)
            seen = ties | seen if last == position else ties
            position = last
            cursor = page.next_cursor if _worth_a_cursor(page, len(seen)) else None
        elif page.count > len(times):  # rows whose start cannot be read fill a page
            position = yield from rest_of_unreadable(ask, Query(position, end, size.current), seen, page.rejected)
            seen = frozenset()
        elif inside and len(inside) == len(times):
            yield from rest_of_instant(lambda query: _ask_smaller(ask, query, size), ask, position, size, seen)
            position, seen = position + MILLISECOND, frozenset()
        else:
            progress.missed(f"runs from {iso(position)} on")
            continue
        progress.made()


def _chunk(page: Page[S], given: frozenset[str], position: datetime) -> Chunk[S]:
    """What a page shows beyond the rows that were given."""
    return Chunk(
        [row for row in page.rows if row.id not in given],
        [row for row in page.rejected if row.id not in given],
        position,
        final=page.next_cursor is None,
        size=page.size,
        body=page.body,
        seen=given,
    )


def _ask_smaller(ask: Callable[[Query], Page[S]], query: Query, size: PageSize) -> Page[S]:
    """Asks for a page, for a smaller one where it fails; without cursor where that is what fails."""
    while True:
        try:
            return ask(query)
        except errors.NotReached:
            raise
        except (errors.Unavailable, errors.BadRequest) as error:
            refused = isinstance(error, errors.BadRequest)
            smaller = not (refused and (query.cursor or query.only)) and size.failed()
            if not smaller and query.cursor is None:
                raise
            query = replace(query, limit=size.current, cursor=query.cursor if smaller else None)


def _worth_a_cursor(page: Page[S], ties: int) -> bool:
    return (
        page.next_cursor is not None and ties * TIES_WORTH_A_CURSOR > page.count and has_fixed_order(page.next_cursor)
    )
