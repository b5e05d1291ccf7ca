"""Audit logs walked newest first, the only order they have. Pure but for ``ask``.

Their own cursor loses rows: createdAt has microseconds in the database and milliseconds on the wire
(``recordings/sim-2026-08/audit_walk_50_*``). So each page ends 1 ms after the last row, seen ids dropped; a millisecond
with more than a page is asked for in parts (``recordings/sim-v0.8.9/audit_burst_*``: behind the first 100 of 260 rows
of one millisecond, the cursor shows none).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta

from ..api import wire
from ..api.decode import Page
from ..api.query import Query
from ..timestamps import MILLISECOND, iso
from .chunks import Chunk, Gap, StalePages, as_chunks, moments_of, name_of, out_of_place, places_to_go_on, tail_of
from .filters import Before, ByValue, Met
from .narrowing import Narrowing
from .unreadable_dates import way_past

AUDIT_PAGE = 100
"""The most a page may have."""
FILTERS = (
    ByValue("action", "action"),
    ByValue("actorId", "actor_id"),
    ByValue("workspaceId", "workspace_id"),
    ByValue("resourceType", "resource_type"),
    ByValue("resourceId", "resource_id", anew=True),
)
"""All that audit logs can be filtered by."""

Ask = Callable[[Query], Page[wire.AuditLog]]
Names = frozenset[str | bytes]


def walk_audit_logs(
    ask: Ask, start: datetime | None, end: datetime, met_before: Before = lambda first, last: ()
) -> Iterator[Chunk[wire.AuditLog]]:
    """Walks the audit logs made in ``[start, end]``, newest first.

    Args:
        ask: Asks for a page.
        start: First moment; None from the beginning.
        end: Last moment.
        met_before: Tells kinds, as of ``FILTERS``, that audit logs have outside of a stretch; asked where a millisecond
            holds more than a page.

    Raises:
        NoProgress: The server says without end that there is more.
    """
    upper, seen, met, progress = end, Names(), Met(FILTERS, met_before), StalePages()
    strays: set[str] = set()  # rows whose date is wrong: nothing tells when they are shown again
    while start is None or upper >= start:
        page = ask(Query(start, upper, AUDIT_PAGE, order="desc"))
        times = _times(page)
        inside = {name: at for name, at in times.items() if at <= upper}  # all, unless the server ignores endDate
        names = [row.id for row in page.rows]
        further = (at for at in places_to_go_on(names, inside, newest_first=True) if at + MILLISECOND < upper)
        last = next(further, min(inside.values(), default=upper))
        late = {name for name, at in times.items() if at > end}
        odd = (late | out_of_place(names, inside)) - strays - seen
        strays |= odd
        met.add(row for row in page.rows if row.id in times and times[row.id] > last + MILLISECOND)
        yield Chunk(
            [row for row in page.rows if (row.id in inside and row.id not in seen) or row.id in odd],
            [row for row in page.rejected if name_of(row) not in seen],
            min(last + MILLISECOND, upper),  # its millisecond may hold more: the wire cuts microseconds off
            final=page.next_cursor is None,
        )
        if page.next_cursor is None:
            return
        if inside.keys() - seen:
            near = Names(name for name, at in inside.items() if at <= last + MILLISECOND)
            near |= Names(tail_of(names, near.__contains__))
            seen = near | (seen if last + MILLISECOND >= upper else Names())
            upper = last + MILLISECOND
        elif inside and len(inside) == len(times):  # more than a page within this millisecond
            upper = last if last < upper else last - MILLISECOND  # rows of .000 are in its last query, too
            seen = yield from _millisecond(ask, upper, seen, met)
        elif page.count and not times:
            upper = yield from _unreadable(ask, start, upper, Names(map(name_of, page.rejected)))
        else:
            progress.missed(f"audit logs up to {iso(upper)}")
            continue
        progress.made()


def _millisecond(ask: Ask, first: datetime, seen: Names, met: Met) -> Generator[Chunk[wire.AuditLog], None, Names]:
    """The rest of a millisecond, up to .000 of the next; returns the names of all rows seen."""
    known, shown, last = set(seen), set[str | bytes](), first + MILLISECOND

    def chunk(page: Page[wire.AuditLog]) -> Chunk[wire.AuditLog]:
        found = _new(page, known, last)
        shown.update(row.id for row in page.rows)
        return found

    parts = Narrowing(ask, met).pages(Query(first, last, AUDIT_PAGE, order="desc"))
    complete = yield from as_chunks(parts, chunk)
    if not complete:
        reason = f"more than {AUDIT_PAGE} audit logs, and no filter of the API provably tells them all apart"
        yield Chunk([], [], last, gap=Gap(first, last, len(shown), reason))
    return Names(known)


def _unreadable(
    ask: Ask, start: datetime | None, upper: datetime, seen: Names
) -> Generator[Chunk[wire.AuditLog], None, datetime]:
    """Gets past a page of rows that tell no moment; returns up to when to go on."""
    known = set(seen)

    def earlier(step: timedelta) -> Page[wire.AuditLog] | None:
        end = upper - step
        return None if start is not None and end < start else ask(Query(start, end, AUDIT_PAGE, order="desc"))

    def chunk(page: Page[wire.AuditLog]) -> Chunk[wire.AuditLog]:
        return Chunk([], _new(page, known, upper).rejected, upper)

    step = yield from as_chunks(way_past(earlier, lambda page: bool(_times(page))), chunk)
    reason = f"more than {AUDIT_PAGE} audit logs whose createdAt cannot be read"
    first = upper - step
    yield Chunk([], [], upper, gap=Gap(first if start is None else max(first, start), upper, len(known), reason))
    return first


def _new(page: Page[wire.AuditLog], known: set[str | bytes], position: datetime) -> Chunk[wire.AuditLog]:
    """What a page shows beyond what is known, which it then is."""
    rows = [row for row in page.rows if row.id not in known]
    odd = [row for row in page.rejected if name_of(row) not in known]
    known.update(row.id for row in rows)
    known.update(map(name_of, odd))
    return Chunk(rows, odd, position)


def _times(page: Page[wire.AuditLog]) -> dict[str, datetime]:
    return moments_of(page, lambda row: row.created_at)
