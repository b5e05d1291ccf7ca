"""Sets of time ranges, as a sync keeps them for the next one. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ..timestamps import MILLISECOND

MOST_STRETCHES = 50
"""Most time ranges that are kept; beyond that, the nearest are merged."""


class Stretch(NamedTuple):
    """A time range: its first and last moment, inclusive."""

    first: datetime
    last: datetime


def united(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Returns the same time ranges, oldest first; those that touch are merged, and the nearest if there are many."""
    found: list[Stretch] = []
    for stretch in sorted(stretches):
        if found and stretch.first <= found[-1].last + MILLISECOND:
            found[-1] = Stretch(found[-1].first, max(found[-1].last, stretch.last))
        else:
            found.append(stretch)
    while len(found) > MOST_STRETCHES:
        nearest = min(range(1, len(found)), key=lambda place: found[place].first - found[place - 1].last)
        found[nearest - 1 : nearest + 1] = [Stretch(found[nearest - 1].first, found[nearest].last)]
    return found


def without(stretches: Iterable[Stretch], first: datetime, last: datetime) -> list[Stretch]:
    """Returns the time ranges without ``[first, last]``."""
    left: list[Stretch] = []
    for start, end in stretches:
        left += [Stretch(start, min(end, first - MILLISECOND)), Stretch(max(start, last + MILLISECOND), end)]
    return united(stretch for stretch in left if stretch.first <= stretch.last)
