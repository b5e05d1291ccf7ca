"""Which stretch of time is walked next, and what a sync remembers of it. Pure.

What a resource remembers per workspace is one contiguous stretch that was read to its end, and the walk in
hand. The watermark stays ``STABILITY`` behind the end of the stretch, since rows may appear late: the
next sync starts there, or ``lookback`` earlier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

STABILITY = timedelta(minutes=5)
"""Rows may become visible this long after they started."""
LOOKBACK = timedelta(hours=1)
"""How far each sync reads again what it has read."""
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""Before Sim's first release: the start of everything."""

State = dict[str, Any]
"""What dlt keeps between runs: plain JSON."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch to walk, both ends inclusive.

    Attributes:
        start: Where to begin, or to go on.
        end: Fixed for the whole walk.
    """

    start: datetime
    end: datetime


def next_window(
    state: State, end: datetime, since: datetime | None, lookback: timedelta, *, newest_first: bool = False
) -> Window | None:
    """What to walk next; None when all is read.

    Args:
        state: What is remembered.
        end: End of this sync, fixed when it began.
        since: Earliest moment wanted; None for what is there already, or the beginning.
        lookback: How far to read again.
        newest_first: The walk goes backwards in time (audit logs).

    Returns:
        In this order: the walk in hand, what came since the last sync, what is missing before the first.
    """
    walk = state.get("walk")
    if walk:
        if newest_first:
            return Window(moment(walk["start"]), moment(walk["at"]))
        return Window(moment(walk["at"]), moment(walk["end"]))
    if "until" not in state:
        start = since or BEGINNING
        return Window(start, end) if start <= end else None
    until, first = moment(state["until"]), moment(state["from"])
    if end > until:
        return Window(max(min(until - max(lookback, STABILITY), end), first), end)
    if since is not None and since < first:
        return Window(since, first)
    return None


def started(state: State, window: Window, *, newest_first: bool = False) -> None:
    """Remembers that a walk began, or goes on."""
    first = window.end if newest_first else window.start
    state.setdefault("walk", {"start": text(window.start), "at": text(first), "end": text(window.end)})


def cover(state: State, tables: Iterable[str]) -> None:
    """Starts over, in the same stretch, where tables are wanted that earlier walks did not fill.

    Args:
        state: What is remembered; changed in place.
        tables: The tables that this sync fills.
    """
    wanted = sorted(tables)
    if not set(wanted) <= set(state.get("tables", wanted)):
        walk = state.get("walk", {})
        starts = [moment(value) for value in (state.get("from"), walk.get("start")) if value]
        ends = [moment(value) for value in (state.get("until"), walk.get("end")) if value]
        state.clear()
        if starts and ends:
            started(state, Window(min(starts), max(ends)))
    state["tables"] = wanted


def reached(state: State, position: datetime) -> None:
    """Remembers how far the walk in hand has come."""
    state["walk"]["at"] = text(position)


def touched(state: State, position: datetime) -> None:
    """Remembers that rows that started up to this moment may be in the destination."""
    if "high" not in state or moment(state["high"]) < position:
        state["high"] = text(position)


def finished(state: State) -> None:
    """Remembers that the walk in hand was read to its end."""
    walk = state.pop("walk")
    start, end = moment(walk["start"]), moment(walk["end"])
    state["from"] = text(min(start, moment(state["from"])) if "from" in state else start)
    state["until"] = text(max(end, moment(state["until"])) if "until" in state else end)


def watermark(state: State) -> datetime | None:
    """Everything before this moment has been read and cannot appear late any more."""
    return moment(state["until"]) - STABILITY if "until" in state else None


def may_be_stored(state: State, at: datetime) -> bool:
    """Whether rows that started at this moment may be in the destination already."""
    return "high" in state and at <= moment(state["high"])


def text(value: datetime) -> str:
    """A moment as it is remembered."""
    return value.astimezone(UTC).isoformat()


def moment(value: str) -> datetime:
    """A remembered moment; UTC where it names no zone."""
    found = datetime.fromisoformat(value)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
