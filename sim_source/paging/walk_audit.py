"""Walks audit logs, newest first: the API has no other order. Pure except for ``ask``.

The API's cursor loses rows: createdAt has microseconds in the database and milliseconds in the response
(``recordings/sim-2026-08/audit_walk_50_*``). So each page ends 1 ms after the last row, and ids already seen are
dropped. A millisecond with more rows than a page is split with filters (``recordings/sim-v0.8.9/audit_burst_*``: after
the first 100 of 260 rows of one millisecond, the cursor returns none).
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
"""Most rows per page."""
FILTERS = (
    ByValue("action", "action"),
    ByValue("actorId", "actor_id"),
    ByValue("workspaceId", "workspace_id"),
    ByValue("resourceType", "resource_type"),
    ByValue("resourceId", "resource_id", anew=True),
)
"""All filters that audit logs have."""

Ask = Callable[[Query], Page[wire.AuditLog]]
Names = frozenset[str | bytes]


def walk_audit_logs(
    ask: Ask, start: datetime | None, end: datetime, met_before: Before = lambda first, last: ()
) -> Iterator[Chunk[wire.AuditLog]]:
    """Walks the audit logs created in ``[start, end]``, newest first.

    Args:
        ask: Requests a page.
        start: First moment; None reads back to the oldest.
        end: Last moment.
        met_before: Returns the kinds, by ``FILTERS``, of audit logs outside a time range; called when a millisecond
            holds more rows than a page.

    Raises:
        NoProgress: The server keeps reporting more rows without returning a new one.
    """
    upper, seen, met, progress = end, Names(), Met(FILTERS, met_before), StalePages()
    strays: set[str] = set()  # ids of rows with a wrong date: they may be returned again at any time
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
            min(last + MILLISECOND, upper),  # this millisecond may hold more rows: responses truncate microseconds
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
            upper = last if last < upper else last - MILLISECOND  # its query includes .000 of the next one
            seen = yield from _millisecond(ask, upper, seen, met)
        elif page.count and not times:
            upper = yield from _unreadable(ask, start, upper, Names(map(name_of, page.rejected)))
        else:
            progress.missed(f"audit logs up to {iso(upper)}")
            continue
        progress.made()


def _millisecond(ask: Ask, first: datetime, seen: Names, met: Met) -> Generator[Chunk[wire.AuditLog], None, Names]:
    """Reads the rest of a millisecond, up to .000 of the next; returns all names seen."""
    known, shown, last = set(seen), set[str | bytes](), first + MILLISECOND

    def chunk(page: Page[wire.AuditLog]) -> Chunk[wire.AuditLog]:
        found = _new(page, known, last)
        shown.update(row.id for row in page.rows)
        return found

    parts = Narrowing(ask, met).pages(Query(first, last, AUDIT_PAGE, order="desc"))
    complete = yield from as_chunks(parts, chunk)
    if not complete:
        reason = (
            f"more than {AUDIT_PAGE} audit logs in one millisecond, and the API's filters do not provably return all"
        )
        yield Chunk([], [], last, gap=Gap(first, last, len(shown), reason))
    return Names(known)


def _unreadable(
    ask: Ask, start: datetime | None, upper: datetime, seen: Names
) -> Generator[Chunk[wire.AuditLog], None, datetime]:
    """Skips a page of rows without a readable date; returns the moment up to which to continue."""
    known = set(seen)

    def earlier(step: timedelta) -> Page[wire.AuditLog] | None:
        end = upper - step
        return None if start is not None and end < start else ask(Query(start, end, AUDIT_PAGE, order="desc"))

    def chunk(page: Page[wire.AuditLog]) -> Chunk[wire.AuditLog]:
        return Chunk([], _new(page, known, upper).rejected, upper)

    step = yield from as_chunks(way_past(earlier, lambda page: bool(_times(page))), chunk)
    reason = f"more than {AUDIT_PAGE} audit logs with an unreadable createdAt"
    first = upper - step
    yield Chunk([], [], upper, gap=Gap(first if start is None else max(first, start), upper, len(known), reason))
    return first


def _new(page: Page[wire.AuditLog], known: set[str | bytes], position: datetime) -> Chunk[wire.AuditLog]:
    """Returns the rows of a page that are not in ``known``, and adds them to it."""
    rows = [row for row in page.rows if row.id not in known]
    odd = [row for row in page.rejected if name_of(row) not in known]
    known.update(row.id for row in rows)
    known.update(map(name_of, odd))
    return Chunk(rows, odd, position)


def _times(page: Page[wire.AuditLog]) -> dict[str, datetime]:
    return moments_of(page, lambda row: row.created_at)
