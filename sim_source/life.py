"""The life of a run, as far as one answer tells it. Pure.

A row appears when the run starts and is filled in place; ``startedAt`` never changes and nothing says "updated".
``endedAt`` null means not final, and ``endedAt`` set does not always mean final (sim-api: the life of a run;
recordings ``life_*``).

A run that is not final is followed: read again by every sync, by id or by a page of the list that shows several at
once, until it is final or the server no longer has it (404).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

Status = Literal["running", "paused", "completed", "failed", "cancelled"]
Details = Literal["costly", "all", "none"]

OPEN: tuple[Status, ...] = ("running", "paused")
"""States that are not final. A run that goes on after a pause shows none of its own: it looks paused until it ends."""
MOST_FOLLOWED = 500
"""Open runs that one sync reads again; where there are more, the oldest take turns."""
MOST_CLOSED = 1_000
"""Runs the server no longer has while they look open here, as many as are remembered."""

State = dict[str, Any]
"""What dlt keeps of a workspace's runs between two syncs: plain JSON."""

PAUSED_OUTPUT = b'{"paused":true}'
"""Final output of a paused run, on both recorded servers."""

_BY_PATH: dict[str, Status] = {"paused": "paused", "cancelled": "cancelled", "force_failed": "failed"}


def is_paused_output(final_output: bytes) -> bool:
    """Whether a final output is the one Sim writes when a run pauses for a human."""
    return final_output == PAUSED_OUTPUT or (len(final_output) < 64 and b"".join(final_output.split()) == PAUSED_OUTPUT)


def status(
    *,
    ended: bool,
    level: str | None,
    finalization_path: str | None = None,
    paused_output: bool = False,
    error: str | None = None,
) -> Status:
    """What state a run is in.

    Args:
        ended: Whether ``endedAt`` is set; it is while paused.
        level: info or error. A run killed by the stale-run sweep stays info.
        finalization_path: Only the per-run detail tells it.
        paused_output: The final output is ``{"paused": true}``.
        error: ``executionData.error``: the sweep's only trace.
    """
    if not ended:
        return "running"
    told = _BY_PATH.get(finalization_path or "")
    if told is not None:
        return told
    if paused_output and finalization_path is None:
        return "paused"
    return "failed" if level == "error" or error else "completed"


@lru_cache(maxsize=64)
def listed_status(ended: bool, level: str | None) -> Status:
    """Status of a run of which only a plain list row is known; there are few different ones, and many rows."""
    return status(ended=ended, level=level)


def needs_detail(
    mode: Details,
    *,
    ended_at: datetime | None,
    has_split: bool,
    cost_total: Decimal | None,
    names_model: bool,
    span_count: int,
) -> bool:
    """Whether the per-run detail is asked for: only for what the list cannot know.

    With ``costly``: runs whose list row gives no per-model split and whose spans name a model, or that cost
    something and show no spans (2026-08 gives only the total in lists). A run that has not ended has
    nothing to tell yet; it is read again anyway.
    """
    if mode == "none" or ended_at is None:
        return False
    if mode == "all":
        return True
    if has_split:
        return False
    return names_model or (span_count == 0 and bool(cost_total))


def tells_less(known: str, now: str, *, silent: bool = False) -> bool:
    """Whether a status is only what lists say, where a richer answer said more of the same end of a run.

    Args:
        known: As stored.
        now: As just read.
        silent: The answer says nothing of how the run ended, so not that it is paused either.
    """
    return now == "completed" and (known in ("cancelled", "failed") or (silent and known == "paused"))


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run to be read again.

    Attributes:
        rank: Its place among all stored runs of the workspace by start; None where nobody counted.
    """

    id: str
    started_at: datetime
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read some runs again: by the list from the first to the last of them, or one by its id."""

    runs: tuple[OpenRun, ...]

    @property
    def by_list(self) -> bool:
        """Whether one page of the list shows them with fewer requests than one each."""
        return len(self.runs) > 1


def readings(runs: Sequence[OpenRun], page: int) -> list[Reading]:
    """The fewest requests that read all these runs again.

    From the oldest on, each page takes in as many as it can hold with all that lies between: no other choice
    of pages needs fewer. One that would show a single run is a request by id, which tells more.

    Args:
        runs: In any order.
        page: Rows of one page of the list.
    """
    found: list[Reading] = []
    group: list[OpenRun] = []
    for run in sorted(runs, key=lambda run: (run.started_at, run.id)):
        if group and not _on_one_page(group[0], run, page):
            found.append(Reading(tuple(group)))
            group = []
        group.append(run)
    return [*found, Reading(tuple(group))] if group else []


def _on_one_page(first: OpenRun, last: OpenRun, page: int) -> bool:
    if first.started_at == last.started_at:
        return True
    return first.rank is not None and last.rank is not None and last.rank - first.rank < page


def turn(state: State, runs: Sequence[OpenRun], most: int = MOST_FOLLOWED) -> list[OpenRun]:
    """Whose turn it is: all, or the newest and in turn some of the others.

    Args:
        state: What is remembered, ``turn`` among it; changed in place.
        runs: Open runs.
        most: How many are read again at most.
    """
    newest_first = sorted(runs, key=lambda run: (run.started_at, run.id), reverse=True)
    if len(newest_first) <= most:
        state.pop("turn", None)
        return newest_first
    always, others = newest_first[: most * 4 // 5], newest_first[most * 4 // 5 :]
    start = next((at for at, run in enumerate(others) if run.id == state.get("turn")), 0)
    in_turn = (others[start:] + others[:start])[: most - len(always)]
    following = others[(start + len(in_turn)) % len(others)]
    state["turn"] = following.id
    return always + in_turn


def still_open(state: State, runs: Sequence[OpenRun]) -> list[OpenRun]:
    """Those the server still has, as far as known."""
    closed = state.get("closed", {})
    return [run for run in runs if run.id not in closed]


def close(state: State, run: OpenRun) -> None:
    """Remembers that the server no longer has a run that looks open: it is not asked for again."""
    closed: dict[str, str] = state.setdefault("closed", {})
    closed[run.id] = run.started_at.isoformat()
    if len(closed) > MOST_CLOSED:
        del closed[min(closed, key=lambda id_: closed[id_])]


def seen(state: State, ids: Iterable[str]) -> None:
    """The server shows these runs: none of them is closed."""
    for id_ in ids if state.get("closed") else ():
        state["closed"].pop(id_, None)


def count_closed(state: State) -> int:
    """Runs that look open and that the server no longer has."""
    return len(state.get("closed", {}))
