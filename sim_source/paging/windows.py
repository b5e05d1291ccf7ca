"""Which stretch of time is walked next. Pure.

The next sync starts at the watermark, or ``lookback`` earlier. Once a day a wider stretch is read again: a reconcile.

Two walks can be in hand: ``walk``, towards now, and ``back``, through what lies before (a backfill, a
reconcile). The first has precedence: new rows never wait for old ones. A third, ``again``, is there on purpose only
(``resync``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .state import STABILITY, Key, ResourceState, WalkInHand

LOOKBACK = timedelta(hours=1)
"""How far each sync reads again what it has read."""
RECONCILE = timedelta(days=7)
"""How far it is read again once a day."""
RECONCILE_EVERY = timedelta(days=1)
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""Before Sim's first release: the start of everything."""


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


def next_window(state: ResourceState, wanted: Extent, *, newest_first: bool = False) -> Window | None:
    """What to walk next; None when all is read.

    Args:
        state: What is remembered.
        wanted: What this sync is to cover.
        newest_first: The walk goes backwards in time (audit logs). Its rows never change: no reconcile.

    Returns:
        In this order: the walk in hand, what came since the last sync, what is missing before the first, what is
        due to be read again.
    """
    if held := _in_hand(state, wanted.only or "walk", newest_first):
        return held
    return None if wanted.only is not None else _next(state, wanted, newest_first)


def begin_walk(state: ResourceState, window: Window, *, newest_first: bool = False) -> None:
    """Remembers that a walk began, or goes on."""
    if not state.in_hand(window.key):
        at = window.end if newest_first else window.start
        state.take(window.key, WalkInHand(window.start, at, window.end, window.again, window.due))


def _next(state: ResourceState, wanted: Extent, newest_first: bool) -> Window | None:
    """What to walk where no walk towards now is in hand."""
    read = state.read
    if read is None:
        start = wanted.since or BEGINNING
        return Window(start, wanted.end) if start <= wanted.end else None
    tail = max(min(read.last - max(wanted.lookback, STABILITY), wanted.end), read.first)
    if wanted.end > read.last or (wanted.fresh and wanted.end == read.last):
        return Window(tail, wanted.end)
    if held := _in_hand(state, "back", newest_first):
        return held
    if wanted.since is not None and wanted.since < read.first:
        return Window(wanted.since, read.first, "back")
    start = max(read.last - wanted.reconcile, read.first)
    due = start < tail and not newest_first and _reconcile_due(state.reconciled, wanted)
    return Window(start, tail, "back", wanted.end) if due else None


def _in_hand(state: ResourceState, key: Key, newest_first: bool) -> Window | None:
    """What is left of a walk in hand."""
    walk = state.walk(key)
    if walk is None:
        return None
    start, end = (walk.start, walk.at) if newest_first else (walk.at, walk.end)
    return Window(start, end, key, again=walk.again)


def _reconcile_due(last: datetime | None, wanted: Extent) -> bool:
    return wanted.reconcile > timedelta(0) and (last is None or wanted.end - last >= RECONCILE_EVERY)
