"""Reads a time range again on request, whatever is stored. Pure.

This is a separate unfinished walk (see ``windows``), beside those of ordinary syncs. If it was stopped, the next
command that asks for the same resumes it. Stored values are never overwritten by less complete ones (see ``merge``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from .state import Key, ResourceState, WalkInHand

KEY: Key = "again"


@dataclass(frozen=True, slots=True)
class Resync:
    """A request to read a time range again.

    Attributes:
        first: Earliest start of a run, or time of an audit log.
        last: Latest.
        id: Identifies the command.
        scope: What is taken from each row: tables, payloads, details. A walk with another scope is not resumed.
    """

    first: datetime
    last: datetime
    id: str
    scope: str


def begin_resync(state: ResourceState, wanted: Resync, *, newest_first: bool = False) -> None:
    """Starts the walk, or resumes one that was stopped; once per command.

    Args:
        state: The state of a resource of a workspace; changed in place.
        wanted: The request.
        newest_first: The walk goes backwards in time (audit logs).
    """
    held = state.walk(KEY)
    if state.last_resync == wanted.id or (held and held.id == wanted.id):
        return
    if held and held.scope == wanted.scope and held.start <= wanted.first:
        end = held.end if newest_first else max(held.end, wanted.last)  # rows added since are at its end
        walk = replace(held, end=end)
    else:
        walk = WalkInHand(wanted.first, wanted.last if newest_first else wanted.first, wanted.last, again=True)
    state.start_walk(KEY, replace(walk, id=wanted.id, scope=wanted.scope))
