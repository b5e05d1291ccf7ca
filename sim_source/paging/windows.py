"""Which stretch of time is walked next, and what a sync remembers of it. Pure.

What a resource remembers per workspace is one contiguous stretch that was read to its end, and the walks in
hand. The watermark stays ``STABILITY`` behind the end of the stretch, since rows may appear late: the next sync
starts there, or ``lookback`` earlier. Once a day a wider stretch is read again (``reconcile``).

Two walks can be in hand: ``walk``, towards now, and ``back``, through what lies before (a backfill, a
reconcile). The first has precedence: new rows never wait for old ones. A third, ``again``, is there on purpose only
(``resync``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ..timestamps import MILLISECOND, in_utc

STABILITY = timedelta(minutes=5)
"""Rows may become visible this long after they started."""
LOOKBACK = timedelta(hours=1)
"""How far each sync reads again what it has read."""
RECONCILE = timedelta(days=7)
"""How far it is read again once a day."""
RECONCILE_EVERY = timedelta(days=1)
MOST_STRETCHES = 50
"""Stretches to be tried again that are remembered of one resource; where there are more, the nearest become one."""
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""Before Sim's first release: the start of everything."""

State = dict[str, Any]
"""What dlt keeps between runs: plain JSON."""


Key = Literal["walk", "back", "again"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch to walk, both ends inclusive.

    Attributes:
        start: Where to begin, or to go on.
        end: Fixed for the whole walk.
        key: Under which name it is remembered while it is in hand.
        due: Of a reconcile: the moment it was due; remembered once it is done.
        again: All rows are taken, also those that are stored and have not changed: there may be more to take from them.
    """

    start: datetime
    end: datetime
    key: Key = "walk"
    due: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Extent:
    """What a sync is asked to cover.

    Attributes:
        end: Its end, fixed when it began.
        since: Earliest moment wanted; None for what is there already, or the beginning.
        lookback: How far to read again.
        reconcile: How far to read again once a day; zero for never.
        fresh: Nothing was read by this sync yet. The server tells its time in whole seconds: the last sync may have
            ended at the same moment, and rows may have come since.
        only: Nothing but the walk in hand under this name.
    """

    end: datetime
    since: datetime | None = None
    lookback: timedelta = LOOKBACK
    reconcile: timedelta = RECONCILE
    fresh: bool = False
    only: Key | None = None


def next_window(state: State, wanted: Extent, *, newest_first: bool = False) -> Window | None:
    """What to walk next; None when all is read.

    Args:
        state: What is remembered.
        wanted: What this sync is to cover.
        newest_first: The walk goes backwards in time (audit logs). Its rows never change: no reconcile.

    Returns:
        In this order: the walk in hand, what came since the last sync, what is missing before the first, what is
        due to be read again.
    """
    first = wanted.only or "walk"
    if first in state:
        return _in_hand(state, first, newest_first)
    return None if wanted.only is not None else _next(state, wanted, newest_first)


def _next(state: State, wanted: Extent, newest_first: bool) -> Window | None:
    """What to walk where no walk towards now is in hand."""
    if "until" not in state:
        start = wanted.since or BEGINNING
        return Window(start, wanted.end) if start <= wanted.end else None
    until, first = remembered(state["until"]), remembered(state["from"])
    tail = max(min(until - max(wanted.lookback, STABILITY), wanted.end), first)
    if wanted.end > until or (wanted.fresh and wanted.end == until):
        return Window(tail, wanted.end)
    if "back" in state:
        return _in_hand(state, "back", newest_first)
    if wanted.since is not None and wanted.since < first:
        return Window(wanted.since, first, "back")
    start = max(until - wanted.reconcile, first)
    due = start < tail and not newest_first and _reconcile_due(state, wanted)
    return Window(start, tail, "back", wanted.end) if due else None


def _in_hand(state: State, key: Key, newest_first: bool) -> Window:
    walk, again = state[key], bool(state[key].get("again"))
    if newest_first:
        return Window(remembered(walk["start"]), remembered(walk["at"]), key, again=again)
    return Window(remembered(walk["at"]), remembered(walk["end"]), key, again=again)


def _reconcile_due(state: State, wanted: Extent) -> bool:
    last = state.get("reconciled")
    return wanted.reconcile > timedelta(0) and (last is None or wanted.end - remembered(last) >= RECONCILE_EVERY)


def started(state: State, window: Window, *, newest_first: bool = False) -> None:
    """Remembers that a walk began, or goes on."""
    first = window.end if newest_first else window.start
    walk: State = {"start": as_text(window.start), "at": as_text(first), "end": as_text(window.end)}
    if window.again:
        walk["again"] = True
    if window.due is not None:
        walk["due"] = as_text(window.due)
    state.setdefault(window.key, walk)


def cover(state: State, tables: Iterable[str]) -> None:
    """Starts over, in the same stretch, where tables are wanted that earlier walks did not fill.

    What is stored has not changed then, and is taken all the same.

    Args:
        state: What is remembered; changed in place.
        tables: The tables that this sync fills.
    """
    wanted = sorted(tables)
    if not set(wanted) <= set(state.get("tables", wanted)):
        start_over(state)
    state["tables"] = wanted


def cover_departed(state: State) -> None:
    """Starts over, once, where earlier versions read audit logs without those of people who had left."""
    if not state.get("departed"):
        start_over(state, newest_first=True)
        state["departed"] = True


def start_over(state: State, *, newest_first: bool = False) -> None:
    """Forgets what was read, and walks the same stretch again."""
    walks = [state.pop(key) for key in ("walk", "back") if key in state]
    starts = [remembered(value) for value in (state.pop("from", None), *(walk["start"] for walk in walks)) if value]
    ends = [remembered(value) for value in (state.pop("until", None), *(walk["end"] for walk in walks)) if value]
    if starts and ends:
        started(state, Window(min(starts), max(ends), again=True), newest_first=newest_first)


def reached(state: State, position: datetime, key: Key = "walk") -> None:
    """Remembers how far the walk in hand has come."""
    state[key]["at"] = as_text(position)


def finished(state: State, key: Key = "walk", now: datetime | None = None) -> None:
    """Remembers that the walk in hand was read to its end; one that was there on purpose changes nothing else.

    Args:
        state: What is remembered; changed in place.
        key: Which walk.
        now: The server's clock. What lies after it cannot have been read, whatever this machine's clock said
            when the walk began.
    """
    walk = state.pop(key)
    if key == "again":
        state["again_done"] = walk["id"]
        return
    start, end = remembered(walk["start"]), remembered(walk["end"])
    if now is not None:
        end = max(start, min(end, now))
    if "until" not in state:
        state["reconciled"] = as_text(end)  # all of it was just read
    if "due" in walk:
        state["reconciled"] = walk["due"]
    state["from"] = as_text(min(start, remembered(state["from"])) if "from" in state else start)
    state["until"] = as_text(max(end, remembered(state["until"])) if "until" in state else end)


def distrust(state: State, now: datetime, reconcile: timedelta = RECONCILE) -> bool:
    """Takes a watermark back that lies in the future of the server: a clock was wrong, or the state is no good.

    Args:
        state: What is remembered; changed in place.
        now: The server's clock.
        reconcile: How far before now is read again.

    Returns:
        Whether that was so.
    """
    if "until" not in state or remembered(state["until"]) <= now + STABILITY:
        return False
    state["until"] = as_text(max(remembered(state["from"]), now - reconcile))
    return True


def watermark(state: State) -> datetime | None:
    """Everything before this moment has been read and cannot appear late any more."""
    return remembered(state["until"]) - STABILITY if "until" in state else None


Stretch = tuple[datetime, datetime]
"""First and last moment, inclusive."""


def stretches(state: State) -> list[Stretch]:
    """Stretches of which rows may be missing, oldest first."""
    return [(remembered(first), remembered(last)) for first, last in state.get("missing", ())]


def missed(state: State, first: datetime, last: datetime) -> None:
    """Remembers that rows of a stretch may be missing; stretches that meet become one."""
    found: list[Stretch] = []
    for stretch in sorted([*stretches(state), (first, last)]):
        if found and stretch[0] <= found[-1][1] + MILLISECOND:
            found[-1] = (found[-1][0], max(found[-1][1], stretch[1]))
        else:
            found.append(stretch)
    while len(found) > MOST_STRETCHES:
        nearest = min(range(1, len(found)), key=lambda place: found[place][0] - found[place - 1][1])
        found[nearest - 1 : nearest + 1] = [(found[nearest - 1][0], found[nearest][1])]
    state["missing"] = [[as_text(start), as_text(end)] for start, end in found]


def proved(state: State, first: datetime, last: datetime) -> None:
    """Remembers that all rows of a stretch were read."""
    left: list[Stretch] = []
    for start, end in stretches(state):
        left += [(start, min(end, first - MILLISECOND)), (max(start, last + MILLISECOND), end)]
    state.pop("missing", None)
    for start, end in left:
        if start <= end:
            missed(state, start, end)


def as_text(value: datetime) -> str:
    """A moment as it is remembered."""
    return value.astimezone(UTC).isoformat()


def remembered(value: str) -> datetime:
    """A remembered moment; UTC where it names no zone."""
    return in_utc(datetime.fromisoformat(value))
