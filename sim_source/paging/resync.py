"""A stretch that is read again on purpose, whatever is stored of it. Pure.

It is a walk in hand of its own (``windows``), beside those of ordinary syncs: one that was stopped is taken up by the
next command that wants the same. What is stored gets no poorer (``merge``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from . import windows

KEY: windows.Key = "again"


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


def begin(state: windows.State, wanted: Resync, *, newest_first: bool = False) -> None:
    """Puts the stretch in hand, or goes on with one that was stopped; once per command.

    Args:
        state: What is remembered of a resource of a workspace; changed in place.
        wanted: The stretch.
        newest_first: It is walked backwards in time (audit logs).
    """
    held = state.get(KEY)
    if state.get("again_done") == wanted.id or (held and held["id"] == wanted.id):
        return
    if held and held["scope"] == wanted.scope and windows.remembered(held["start"]) <= wanted.first:
        if not newest_first:  # what came since is at its end
            held["end"] = windows.as_text(max(windows.remembered(held["end"]), wanted.last))
    else:
        state.pop(KEY, None)
        windows.started(state, windows.Window(wanted.first, wanted.last, KEY, again=True), newest_first=newest_first)
    state[KEY] |= {"id": wanted.id, "scope": wanted.scope}
