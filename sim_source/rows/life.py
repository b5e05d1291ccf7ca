"""The life of a run, as far as one answer tells it. Pure.

A row appears when the run starts and is filled in place; ``startedAt`` never changes and nothing says "updated".
``endedAt`` null means not final, and ``endedAt`` set does not always mean final (sim-api: the life of a run;
recordings ``life_*``).

A run that is not final is followed: read again by every sync, by id or by a page of the list that shows several at
once, until it is final or the server no longer has it (404).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import Literal

from ..options import Details

Status = Literal["running", "paused", "completed", "failed", "cancelled"]

OPEN: tuple[Status, ...] = ("running", "paused")
"""States that are not final. A run that goes on after a pause shows none of its own: it looks paused until it ends."""
MOST_FOLLOWED = 500
"""Open runs that one sync reads again; where there are more, the oldest take turns."""

_OUTPUTS: dict[bytes, Status] = {b'{"paused":true}': "paused", b'{"cancelled":true}': "cancelled"}
"""Final outputs that Sim itself writes where a run waits for a human (all recorded servers) or was cancelled
(``sim-v0.8.9/logs_full_cancelled_without_model``)."""
_LONGEST_OUTPUT = 64
_BY_PATH: dict[str, Status] = {"paused": "paused", "cancelled": "cancelled", "force_failed": "failed"}


class Evidence(IntEnum):
    """How much is known of how a run ended: an answer that knows less never changes what one knew that knew more."""

    PLAIN = 0
    """A plain list row: only level and cost."""
    SILENT = 1
    """An answer in full that shows no final output: nothing ended, or its trace has expired."""
    SHOWN = 2
    """A final output, or the level ``error``."""
    TOLD = 3
    """``finalizationPath`` or an error, which only the per-run detail has."""


def told_by_output(final_output: bytes) -> Status | None:
    """The state that a final output stands for, where Sim itself wrote it."""
    if len(final_output) >= _LONGEST_OUTPUT:
        return None
    return _OUTPUTS.get(final_output) or _OUTPUTS.get(b"".join(final_output.split()))


def status_of(
    *,
    ended: bool,
    level: str | None,
    finalization_path: str | None = None,
    output: Status | None = None,
    error: str | None = None,
    shows_end: bool = True,
) -> Status:
    """What state a run is in. Completed is never a guess.

    Args:
        ended: Whether ``endedAt`` is set; it is while paused.
        level: info or error. A run killed by the stale-run sweep stays info.
        finalization_path: Only the per-run detail tells it, and none of 2026-03.
        output: What the final output stands for; see ``told_by_output``.
        error: ``executionData.error``. Beside the path or output of a pause it is the newer word: the run went on and
            was swept (``sim-v0.8.9/log_detail_resumed_then_swept``).
        shows_end: Whether there is anything that a run leaves when it ends: a cost, a final output, spans, or a count
            of spans that have expired. One without was swept or cancelled at once, and the newest servers withhold
            the error that would say so (``sim-v0.8.9/log_detail_swept_timed_out``, ``log_detail_cancelled_directly``).
    """
    if not ended:
        return "running"
    failed = level == "error" or bool(error)
    told = output if finalization_path is None else _BY_PATH.get(finalization_path)
    if told is not None:
        return "failed" if told == "paused" and failed else told
    return "failed" if failed or not (shows_end or finalization_path) else "completed"


def evidence(*, told: bool, shown: bool) -> Evidence:
    """What an answer in full says of a run's end.

    Args:
        told: It has ``finalizationPath`` or an error.
        shown: It has a final output, or the level ``error``.
    """
    return Evidence.TOLD if told else Evidence.SHOWN if shown else Evidence.SILENT


@lru_cache(maxsize=64)
def listed_status(ended: bool, level: str | None, has_cost: bool) -> Status:
    """Status of a run of which only a plain list row is known; there are few different ones, and many rows.

    A plain row does not tell that a run is paused or was cancelled: with a cost and without an error it counts as
    completed. One without a cost says nothing at all (``is_doubtful``).
    """
    return status_of(ended=ended, level=level, shows_end=has_cost)


def leaves_end_open(*, ended: bool, level: str | None, has_cost: bool) -> bool:
    """Whether a plain list row leaves open how a run ended.

    Swept runs have no cost (``sim-v0.8.9/logs_full_swept_timed_out``), and completed ones may have none either
    (``sim-2026-03/logs_basic_tool``).
    """
    return ended and level != "error" and not has_cost


def needs_detail(
    mode: Details,
    *,
    ended_at: datetime | None,
    has_split: bool,
    cost_total: Decimal | None,
    names_model: bool,
    span_count: int,
    paused: bool = False,
) -> bool:
    """Whether the per-run detail is asked for: only for what the list cannot know.

    With ``costly``: runs whose list row gives no per-model split and whose spans name a model, or that cost
    something and show no spans (2026-08 gives only the total in lists); and paused ones, since the list shows one
    that went on and was swept in the same way. A run that has not ended has nothing to tell yet; it is read
    again anyway.
    """
    if mode == "none" or ended_at is None:
        return False
    if mode == "all" or paused:
        return True
    if has_split:
        return False
    return names_model or (span_count == 0 and bool(cost_total))


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


def in_turn(runs: Sequence[OpenRun], first: str | None, most: int = MOST_FOLLOWED) -> tuple[list[OpenRun], str | None]:
    """Whose turn it is: all, or the newest and in turn some of the others.

    Args:
        runs: Open runs.
        first: The one of the others with which to begin.
        most: How many are read again at most.

    Returns:
        Those to read, and with which of the others to begin the next time; none where all are read.
    """
    newest_first = sorted(runs, key=lambda run: (run.started_at, run.id), reverse=True)
    if len(newest_first) <= most:
        return newest_first, None
    always, others = newest_first[: most * 4 // 5], newest_first[most * 4 // 5 :]
    start = next((at for at, run in enumerate(others) if run.id == first), 0)
    chosen = (others[start:] + others[:start])[: most - len(always)]
    return always + chosen, others[(start + len(chosen)) % len(others)].id
