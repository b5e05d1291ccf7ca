"""Decides which time range to read next. Pure.

Each sync starts ``lookback`` before the end of the range read so far, at the latest at the watermark. Once a day it
also reads a longer range again: a reconcile.

Two walks can be unfinished at once: ``walk`` reads up to now, ``back`` reads earlier data (a backfill or a reconcile).
``walk`` goes first, so new rows never wait for old ones. A third walk, ``again``, exists only on request (``resync``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .state import STABILITY, Key, ResourceState, WalkInHand

LOOKBACK = timedelta(hours=1)
"""How much of the range already read each sync reads again."""
RECONCILE = timedelta(days=7)
"""How much of it is read again once a day."""
RECONCILE_EVERY = timedelta(days=1)
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""Before Sim's first release: the default start of a first sync."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time range to walk, both ends inclusive.

    Attributes:
        start: Where to start or resume.
        end: Fixed for the whole walk.
        key: The name under which the state keeps the walk until it is finished.
        due: For a reconcile: when it was due; recorded when the reconcile is finished.
        again: Take all rows, including stored and unchanged ones, because they may hold data that is not stored yet.
    """

    start: datetime
    end: datetime
    key: Key = "walk"
    due: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Extent:
    """The time range that a sync is asked to cover.

    Attributes:
        end: Its end, fixed when the sync began.
        since: Earliest moment to read; None keeps the start of what was read before, or ``BEGINNING``.
        lookback: How much to read again.
        reconcile: How much to read again once a day; zero for never.
        fresh: This sync has read nothing yet. The server's clock has whole seconds: the last sync may have ended in the
            same second, and rows may have arrived since.
        only: Resume the unfinished walk with this key and do nothing else.
        edges: If given, read again only from one of these moments, or from the beginning (see ``walk_ledger``).
    """

    end: datetime
    since: datetime | None = None
    lookback: timedelta = LOOKBACK
    reconcile: timedelta = RECONCILE
    fresh: bool = False
    only: Key | None = None
    edges: tuple[datetime, ...] | None = None

    def at_edge(self, moment: datetime, first: datetime) -> datetime:
        """Returns the latest moment, not after this one, from which may be read again."""
        if self.edges is None:
            return moment
        return max((edge for edge in self.edges if first <= edge <= moment), default=first)


def next_window(state: ResourceState, wanted: Extent, *, newest_first: bool = False) -> Window | None:
    """Decides what to walk next; None when everything is read.

    Args:
        state: What earlier syncs recorded.
        wanted: What this sync covers.
        newest_first: The walk goes backwards in time (audit logs, the billing ledger).

    Returns:
        The first of these that applies: the unfinished walk up to now, rows since the last sync, the unfinished walk
        through earlier data, data before the range read so far, a reconcile that is due.
    """
    if held := _in_hand(state, wanted.only or "walk", newest_first):
        return held
    return None if wanted.only is not None else _next(state, wanted, newest_first)


def begin_walk(state: ResourceState, window: Window, *, newest_first: bool = False) -> None:
    """Records that a walk has started; one that is resumed stays as it is."""
    if not state.in_hand(window.key):
        at = window.end if newest_first else window.start
        state.start_walk(window.key, WalkInHand(window.start, at, window.end, window.again, window.due))


def _next(state: ResourceState, wanted: Extent, newest_first: bool) -> Window | None:
    """What to walk when no walk up to now is unfinished."""
    read = state.read
    if read is None:
        start = wanted.since or BEGINNING
        return Window(start, wanted.end) if start <= wanted.end else None
    tail = max(min(read.last - max(wanted.lookback, STABILITY), wanted.end), read.first)
    tail = wanted.at_edge(tail, read.first)
    if wanted.end > read.last or (wanted.fresh and wanted.end == read.last):
        return Window(tail, wanted.end)
    if held := _in_hand(state, "back", newest_first):
        return held
    if wanted.since is not None and wanted.since < read.first:
        return Window(wanted.since, read.first, "back")
    start = wanted.at_edge(max(read.last - wanted.reconcile, read.first), read.first)
    due = start < tail and _reconcile_due(state.reconciled, wanted)
    return Window(start, tail, "back", wanted.end) if due else None


def _in_hand(state: ResourceState, key: Key, newest_first: bool) -> Window | None:
    """The rest of an unfinished walk."""
    walk = state.walk(key)
    if walk is None:
        return None
    start, end = (walk.start, walk.at) if newest_first else (walk.at, walk.end)
    return Window(start, end, key, again=walk.again)


def _reconcile_due(last: datetime | None, wanted: Extent) -> bool:
    return wanted.reconcile > timedelta(0) and (last is None or wanted.end - last >= RECONCILE_EVERY)
