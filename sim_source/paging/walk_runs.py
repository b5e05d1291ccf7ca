"""Walks runs by start time, oldest first. Pure except for ``ask``.

Each page starts at the last row's ``startedAt``, inclusive; ids already seen there are dropped. This works on every
server generation: 2026-03 answers 500 to any cursor (``recordings/sim-2026-03/logs_walk_asc_50_p01.http``). Cursors
are used only where many runs start at the same instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from .. import errors
from ..api import wire
from ..api.decode import Page
from ..api.query import Query
from ..timestamps import MILLISECOND, iso
from .chunks import Chunk, PageSize, S, StalePages, has_fixed_order, moments_of, out_of_place, places_to_go_on, tail_of
from .same_instant import rest_of_instant, rest_of_unreadable

TIES_WORTH_A_CURSOR = 25
"""A cursor is used if more than one row in 25 would otherwise be read twice."""


def walk_runs(
    ask: Callable[[Query], Page[S]],
    start: datetime,
    end: datetime,
    size: PageSize | None = None,
) -> Iterator[Chunk[S]]:
    """Walks the runs that started in ``[start, end]``, oldest first.

    Args:
        ask: Requests a page.
        start: First instant.
        end: Last instant; fixed for the whole walk, so that the walk ends.
        size: Page size; can be shared by several walks.

    Raises:
        Unavailable: A page of one row still fails.
        NoProgress: The server keeps reporting more rows without returning a new one.
    """
    size, progress = size or PageSize(), StalePages()
    position, cursor, given = start, None, _Given(start)
    while position <= end:
        page = _ask_smaller(ask, Query(position, end, size.current, cursor), size)
        times = moments_of(page, _start)
        inside = {name: at for name, at in times.items() if at >= position}  # all, unless the server ignores startDate
        if cursor is not None and len(inside) < len(times):
            cursor = None  # the server ignored the cursor and sent page 1
            continue
        names = [row.id for row in page.rows]
        last = next((at for at in places_to_go_on(names, inside) if position < at <= end), position)
        yield _chunk(page, given.among(names, times, inside), last, size)
        if page.next_cursor is None:
            return
        cursor = None
        if last > position or inside.keys() - given.ahead.keys():
            given.went_on(names, inside, last, stood=last == position)
            position = last
            cursor = page.next_cursor if _worth_a_cursor(page, len(given.ahead)) else None
        elif page.count > len(times):  # a page full of rows whose start cannot be read
            query = Query(position, end, size.current)
            position = yield from rest_of_unreadable(ask, query, frozenset(given.ahead), page.rejected)
            given.ahead = {}
        elif inside and len(inside) == len(times):
            smaller = partial(_ask_smaller, ask, size=size)
            yield from rest_of_instant(smaller, ask, position, size, frozenset(given.ahead))
            position += MILLISECOND
            given.left_behind(position)
        else:
            progress.missed(f"runs from {iso(position)}")
            continue
        progress.made()


Moments = Mapping[str, datetime]
"""Start times of runs, by id."""


@dataclass(slots=True)
class _Given:
    """Rows that a walk has yielded and that the server may return again.

    Attributes:
        start: Where the walk began.
        ahead: Start times, by id, of rows at or after the current position.
        strays: Ids of rows with a wrong date: the server may return them again at any time.
    """

    start: datetime
    ahead: dict[str, datetime] = field(default_factory=dict)
    strays: set[str] = field(default_factory=set)

    def among(self, names: Sequence[str], times: Moments, inside: Moments) -> frozenset[str]:
        """Returns the ids on a page that need not be yielded again.

        Rows with a wrong date, or a date before the start of the walk (such as year 1), are yielded: no other walk does
        it.
        """
        if len(inside) == len(times):
            return frozenset(self.ahead.keys() | self.strays)
        early = {name for name, at in times.items() if at < self.start}
        again = times.keys() - inside.keys() - early - out_of_place(names, inside)
        given = frozenset(self.ahead.keys() | again | self.strays)
        self.strays |= times.keys() - inside.keys() - given
        return given

    def went_on(self, names: Sequence[str], inside: Moments, position: datetime, *, stood: bool) -> None:
        """Moves the walk to a position; ``stood`` means that it was there before."""
        ahead = {name: at for name, at in inside.items() if at >= position}
        for name in tail_of(names, ahead.__contains__):
            ahead.setdefault(name, position)
        self.ahead = ahead | self.ahead if stood else ahead

    def left_behind(self, position: datetime) -> None:
        """Forgets runs that started before a position: they are not returned any more."""
        self.ahead = {name: at for name, at in self.ahead.items() if at >= position}


def _start(run: wire.Shown) -> datetime:
    return run.started_at


def _chunk(page: Page[S], given: frozenset[str], position: datetime, size: PageSize) -> Chunk[S]:
    """Returns the rows of a page that were not yielded before.

    A page without new rows does not change the page size.
    """
    rows = {row.id: row for row in page.rows if row.id not in given}  # if a run appears twice, the later row wins
    chunk = Chunk(
        list(rows.values()),
        [row for row in page.rejected if row.id not in given],
        position,
        final=page.next_cursor is None,
        size=page.size,
        body=page.body,
        seen=given,
    )
    if chunk.rows or chunk.rejected:
        size.worked(page)
    return chunk


def _ask_smaller(ask: Callable[[Query], Page[S]], query: Query, size: PageSize) -> Page[S]:
    """Requests a page; if it fails, requests a smaller one, or the same one without the cursor."""
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
