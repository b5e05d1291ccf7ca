"""Walks the billing ledger, newest first: the API has no other order. Pure except for ``ask``.

The API's cursor loses events: createdAt has microseconds in the database and milliseconds in the response (120 rows in
pages of 25: 116 came). So the walk goes by ``endDate``.

Credits are whole numbers that the server shares out over the events of each page: the sum of a page is right to half a
credit, an event alone only to one. So the walk takes the events of a page as a whole: if the last instant of a page may
go on beyond it, the page is requested again with a lower limit, without that instant. And it tells where pages end, so
that a later walk that reads events again begins at such an edge, and replaces whole pages.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from ..api import wire
from ..api.decode import Page
from ..api.query import Query
from ..timestamps import MILLISECOND, iso, utc
from .chunks import Chunk, Gap, StalePages, as_chunks, moments_of, name_of
from .filters import ByValue, Met
from .narrowing import Narrowing

LEDGER_PAGE = 100
"""Most events per page."""
FILTERS = (ByValue("source", "source"), ByValue("workspaceId", "workspace_id"))
"""All filters that the ledger has."""

Ask = Callable[[Query], Page[wire.BillingEvent]]
Names = set[str | bytes]


def walk_billing_logs(ask: Ask, start: datetime, end: datetime) -> Iterator[Chunk[wire.BillingEvent]]:
    """Walks the events created in ``[start, end]``, newest first.

    Args:
        ask: Requests a page.
        start: First moment.
        end: Last moment.

    Yields:
        Chunks; no page spans their positions.

    Raises:
        NoProgress: The server keeps reporting more events without returning a new one.
    """
    upper, seen, met, progress = end, Names(), Met(FILTERS), StalePages()
    earlier = Names()
    while upper >= start:
        query = Query(start, upper, LEDGER_PAGE, order="desc")
        page = ask(query)
        if page.next_cursor is None:
            yield _new(page.rows, page, seen, start, final=True)
            return
        times = {name: _floor(at) for name, at in moments_of(page, lambda row: row.created_at).items()}
        last = min((at for at in times.values() if at <= upper), default=None)
        if last is None:  # not one readable date in the range that was asked for
            progress.missed(f"billing ledger up to {iso(upper)}")
            continue
        whole = sum(at > last for at in times.values())
        if whole:
            page = ask(replace(query, limit=whole)) if whole < page.count else page
            position = last + MILLISECOND
            yield _new([row for row in page.rows if _floor(utc(row.created_at)) > last], page, seen, position)
        else:  # more than a page within one millisecond
            position = last if last < upper else last - MILLISECOND  # its query includes .000 of the next one
            part = Query(position, position + MILLISECOND, LEDGER_PAGE, order="desc")
            yield from _millisecond(ask, part, seen, met)
        met.add(page.rows)
        if position >= upper:
            progress.missed(f"billing ledger up to {iso(upper)}")
        else:
            progress.made()
        upper = position
        seen -= earlier
        earlier = set(seen)


def _floor(moment: datetime) -> datetime:
    """A moment in whole milliseconds, as the API tells it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _new(
    rows: Iterable[wire.BillingEvent],
    page: Page[wire.BillingEvent],
    seen: Names,
    position: datetime,
    *,
    final: bool = False,
) -> Chunk[wire.BillingEvent]:
    """Returns the events that are not in ``seen``, and adds them to it.

    An event created at .000 of a millisecond is returned on both sides of an edge there.
    """
    fresh = [row for row in rows if row.id not in seen]
    odd = [row for row in page.rejected if name_of(row) not in seen]
    seen.update(row.id for row in fresh)
    seen.update(map(name_of, odd))
    return Chunk(fresh, odd, position, final=final)


def _millisecond(ask: Ask, query: Query, seen: Names, met: Met) -> Generator[Chunk[wire.BillingEvent], None, None]:
    """Reads a millisecond with more events than a page, in parts."""
    before = len(seen)

    def chunk(page: Page[wire.BillingEvent]) -> Chunk[wire.BillingEvent]:
        return _new(page.rows, page, seen, query.end)

    if not (yield from as_chunks(Narrowing(ask, met).pages(query), chunk)):
        reason = f"more than {LEDGER_PAGE} events in one millisecond, and the API's filters do not provably return all"
        yield Chunk([], [], query.end, gap=Gap(query.start or query.end, query.end, len(seen) - before, reason))
