"""Status of a run, and which runs to read again. Pure functions.

Sim creates a run's row when the run starts and then updates it in place. ``startedAt`` never changes, and there is no
``updatedAt``. A run without ``endedAt`` is not final; a run with ``endedAt`` is not always final (sim-api: the life of
a run; recordings ``life_*``).

Every sync reads runs that are not final again, each by its id or several with one page of the list, until they are
final or the server no longer has them (404).
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
"""Statuses that are not final. A run that was resumed after a pause still looks paused until it ends."""
FRESH_PAGE = 900
"""Most rows between the first and last run of a group read with one page: below 1000, to leave room for late rows."""
MOST_FOLLOWED = 500
"""Maximum number of open runs that one sync reads again; if there are more, the older ones take turns."""

_OUTPUTS: dict[bytes, Status] = {b'{"paused":true}': "paused", b'{"cancelled":true}': "cancelled"}
"""Final outputs that Sim itself writes if a run waits for a human (all recorded servers) or was cancelled
(``sim-v0.8.9/logs_full_cancelled_without_model``)."""
_LONGEST_OUTPUT = 64
_BY_PATH: dict[str, Status] = {"paused": "paused", "cancelled": "cancelled", "force_failed": "failed"}


class Evidence(IntEnum):
    """How reliably a response shows the end of a run; weaker evidence never replaces a status of stronger evidence."""

    PLAIN = 0
    """A plain list row: only level and cost."""
    SILENT = 1
    """A full row or detail without a final output: the run has not ended, or its trace has expired."""
    SHOWN = 2
    """A final output, or the level ``error``."""
    TOLD = 3
    """``finalizationPath`` or an error, which only the per-run detail has."""
    OFFICIAL = 4
    """The status of a run that has ended according to v2."""


def told_by_output(final_output: bytes) -> Status | None:
    """The status that a final output written by Sim itself stands for; None for any other output."""
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
    """Returns the status of a run; ``completed`` only if something shows that the run completed.

    Args:
        ended: Whether ``endedAt`` is set; it is also set while a run is paused.
        level: info or error. A run killed by the stale-run sweep keeps the level info.
        finalization_path: ``finalizationPath``; only the per-run detail has it, and 2026-03 servers never do.
        output: Status from the final output; see ``told_by_output``.
        error: ``executionData.error``. Together with the path or output of a pause, the error is newer: the run was
            resumed and then swept (``sim-v0.8.9/log_detail_resumed_then_swept``).
        shows_end: Whether the run has anything that it gets when it ends: a cost, a final output, spans, or a count
            of expired spans. A run without any of these was swept, or cancelled at once; the newest servers do not
            send the error that would show it (``sim-v0.8.9/log_detail_swept_timed_out``,
            ``log_detail_cancelled_directly``).
    """
    if not ended:
        return "running"
    failed = level == "error" or bool(error)
    told = output if finalization_path is None else _BY_PATH.get(finalization_path)
    if told is not None:
        return "failed" if told == "paused" and failed else told
    return "failed" if failed or not (shows_end or finalization_path) else "completed"


def evidence(*, told: bool, shown: bool) -> Evidence:
    """The evidence that a full row or detail gives for the end of a run.

    Args:
        told: Whether it has ``finalizationPath`` or an error.
        shown: Whether it has a final output, or the level ``error``.
    """
    return Evidence.TOLD if told else Evidence.SHOWN if shown else Evidence.SILENT


@lru_cache(maxsize=64)
def listed_status(ended: bool, level: str | None, has_cost: bool) -> Status:
    """Status of a run of which only a plain list row is known; cached, as many rows have the same few arguments.

    A plain row does not show that a run is paused or was cancelled: if it has a cost and no error, the run counts as
    completed. A row without a cost does not show how the run ended (``leaves_end_open``).
    """
    return status_of(ended=ended, level=level, shows_end=has_cost)


def leaves_end_open(*, ended: bool, level: str | None, has_cost: bool) -> bool:
    """Whether a plain list row does not show how a run ended.

    Swept runs have no cost (``sim-v0.8.9/logs_full_swept_timed_out``), but some completed runs have none either
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
    """Whether to request the per-run detail.

    With ``costly``, the detail is requested only if the list row lacks something. That is the case if the row has no
    split by model and its spans name a model; if the run has a cost but no spans (2026-08 servers list only the total);
    and if the run is paused, since the list shows a run that was resumed and then swept in the same way. A run that has
    not ended needs no detail yet: it is read again anyway.
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
    """A run to read again.

    Attributes:
        rank: Its position among all stored runs of the workspace, ordered by start; None if not known.
    """

    id: str
    started_at: datetime
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One request that reads runs again: a page of the list for several runs, or the detail of a single one."""

    runs: tuple[OpenRun, ...]

    @property
    def by_list(self) -> bool:
        """Whether the runs are read with a page of the list."""
        return len(self.runs) > 1


def readings(runs: Sequence[OpenRun], page: int) -> list[Reading]:
    """Returns the smallest number of requests that read all these runs again.

    Starting with the oldest run, each page covers as many of the runs as fit on it together with all stored runs
    between them; no other choice of pages needs fewer requests. A page that would cover a single run is replaced by
    a request by id, which returns more fields.

    Args:
        runs: The runs, in any order.
        page: Number of rows of a page of the list.
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
    """Chooses the open runs to read again: all, or the newest plus some of the older ones in turn.

    Args:
        runs: The open runs.
        first: Id of the older run to start with, as returned by the previous sync.
        most: Maximum number of runs to read again; four fifths of it go to the newest.

    Returns:
        The runs to read, and the id of the older run to start with next time; None if all runs are read.
    """
    newest_first = sorted(runs, key=lambda run: (run.started_at, run.id), reverse=True)
    if len(newest_first) <= most:
        return newest_first, None
    always, others = newest_first[: most * 4 // 5], newest_first[most * 4 // 5 :]
    start = next((at for at, run in enumerate(others) if run.id == first), 0)
    chosen = (others[start:] + others[:start])[: most - len(always)]
    return always + chosen, others[(start + len(chosen)) % len(others)].id
