"""A stretch that is read again on purpose, whatever is stored of it. Pure.

It is a walk in hand of its own (``windows``), beside those of ordinary syncs: one that was stopped is taken up by the
next command that wants the same. What is stored gets no poorer (``merge``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from .state import Key, ResourceState, WalkInHand

KEY: Key = "again"


@dataclass(frozen=True, slots=True)
class Resync:
    """What is wanted.

    Attributes:
        first: Earliest start of a run, or moment of an audit log.
        last: Latest.
        id: Tells this command from all others.
        scope: What is taken from rows: tables, payloads, details. A walk of another scope is not gone on with.
    """

    first: datetime
    last: datetime
    id: str
    scope: str


def begin_resync(state: ResourceState, wanted: Resync, *, newest_first: bool = False) -> None:
    """Takes the stretch in hand, or goes on with one that was stopped; once per command.

    Args:
        state: What is remembered of a resource of a workspace; changed in place.
        wanted: The stretch.
        newest_first: It is walked backwards in time (audit logs).
    """
    held = state.walk(KEY)
    if state.last_resync == wanted.id or (held and held.id == wanted.id):
        return
    if held and held.scope == wanted.scope and held.start <= wanted.first:
        end = held.end if newest_first else max(held.end, wanted.last)  # what came since is at its end
        walk = replace(held, end=end)
    else:
        walk = WalkInHand(wanted.first, wanted.last if newest_first else wanted.first, wanted.last, again=True)
    state.take(KEY, replace(walk, id=wanted.id, scope=wanted.scope))
