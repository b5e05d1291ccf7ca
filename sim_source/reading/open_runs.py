"""Reads runs again that are not final, until they are, and runs whose tables disagree after an interrupted load."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from .. import errors
from ..api import wire
from ..paging.chunks import Chunk
from ..paging.state import ResourceState
from ..paging.walk_runs import walk_runs
from ..rows import life, v2_status
from ..rows.life import OpenRun, Reading
from ..rows.stored_run import StoredRun
from ..rows.v2_status import States
from ..run_tables import LOGS
from ..schema import Row
from ..timestamps import utc
from .batch import Tables
from .gaps import Gaps
from .workspace import BACKLOG_STEP, Detail, WorkspaceContext

_ID, _EXECUTION_ID, _STARTED_AT = (LOGS.column_names.index(name) for name in ("id", "execution_id", "started_at"))


def tell_split(rows: Iterable[wire.Run]) -> bool:
    """Whether a list provides the cost split by model, as in 2026-03."""
    return any(row.cost is not None and row.cost.models is not None for row in rows)


class TakesDetails(Protocol):
    """Processes the answer for a stored run; see ``DetailReader.take``."""

    def take(self, stored: StoredRun, answer: Detail, *, only_changed: bool = False) -> None:
        """Processes the answer."""


@dataclass(slots=True)
class OpenRunReader:
    """Reads single runs of one workspace again.

    Attributes:
        details: Processes per-run details.
        take: Processes a chunk of a list, as a walk does.
        state: The state of this workspace's runs; changed in place.
        alive: The server has returned data of this workspace in this sync. If it returns none at all, the API key may
            have lost its access (2026-03 answers 200 with no rows), and no run is treated as gone.
        gaps: Gaps of the runs; no run in an incomplete time range is treated as gone.
        lists_tell: Lists of this sync have provided the cost split by model.
        walked: Time ranges that this extraction has walked: rows that a list returns from them again are skipped.
        taken: Stored runs that this extraction has already processed. A run handed over twice in one load would keep
            the items of both.
    """

    workspace: WorkspaceContext
    details: TakesDetails
    take: Callable[[Chunk[wire.Run]], None]
    state: ResourceState
    alive: bool
    gaps: Gaps
    lists_tell: bool = False
    walked: Sequence[tuple[datetime, datetime]] = ()
    taken: Collection[str] = ()

    def _is_walked(self, started_at: datetime) -> bool:
        return any(start <= utc(started_at) <= end for start, end in self.walked)

    def _is_taken(self, row: wire.Run) -> bool:
        return row.id in self.taken or self._is_walked(row.started_at)

    def open_runs(self) -> Iterator[Tables]:
        """Reads open runs again, except those in time ranges that this extraction has just walked.

        If v2 can be asked, only runs that have gone on according to v2 are read, wherever they started: the row that v1
        has just returned of a run may not show it.
        """
        closed, stored = self.state.closed, self.workspace.queries.open_runs()
        logs = {log[_ID]: log for log in stored if log[_ID] not in closed and log[_ID] not in self.taken}
        runs = [OpenRun(id_, log[_STARTED_AT]) for id_, log in logs.items()]
        walked = [run for run in runs if self._is_walked(run.started_at)][: life.MOST_FOLLOWED]
        others = [run for run in runs if not self._is_walked(run.started_at)]
        chosen, self.state.next_turn = life.in_turn(others, self.state.next_turn)
        asked = [logs[run.id] for run in (*chosen, *walked)]
        told = self.workspace.v2_states(asked)
        still = self._restate(asked, told)
        yield from self._read([run for run in chosen if run.id not in still])
        gone_on = [run for run in walked if run.id not in still and logs[run.id][_EXECUTION_ID] in told]
        yield from self._by_id(gone_on)
        self.workspace.batch.add(LOGS.name, self.workspace.restated.values())
        yield from self.workspace.batch.flush()

    def _restate(self, logs: Iterable[Row], told: States) -> set[str]:
        """Notes the statuses of v2; returns the ids of runs that are as they are stored, except for their status."""
        still = set[str]()
        for log in logs:
            state = told.get(log[_EXECUTION_ID])
            if state is None:
                continue
            if not v2_status.shows_progress(log, state):
                still.add(log[_ID])
            restated = v2_status.stored_with_state(log, state)
            if restated is not None:
                self.workspace.restated[log[_ID]] = restated
        return still

    def torn(self) -> Iterator[Tables]:
        """Reads runs again whose tables disagree, from scratch, like new runs."""
        queries, wants = self.workspace.queries, self.workspace.batch.wants
        half_read = [] if self.lists_tell else queries.half_read(wants)
        for runs, lists_may_tell in ((queries.torn(wants), False), (half_read, True)):
            left = [run for run in runs if run.id not in self.taken]
            for group in life.readings(queries.ranked(left), life.FRESH_PAGE):
                if self.workspace.over() or not self._torn(group, lists_may_tell):
                    break
                yield from self.workspace.batch.full()
        yield from self.workspace.batch.flush()

    def _torn(self, group: Reading, lists_may_tell: bool) -> bool:
        """Reads a group of runs again whose tables may disagree, and none of the runs between them.

        Args:
            group: The runs.
            lists_may_tell: If lists provide the cost split by model, these runs are complete.

        Returns:
            Whether the other groups may be incomplete, too.
        """
        ids, seen = {run.id for run in group.runs}, set[str]()
        first, last = group.runs[0].started_at, group.runs[-1].started_at
        for chunk in walk_runs(lambda query: self.workspace.api.runs(self.workspace.id, query), first, last):
            if lists_may_tell and tell_split(chunk.rows):
                return False
            seen.update(row.id for row in chunk.rows)
            seen.update(row.id for row in chunk.rejected if row.id is not None)
            self.take(replace(chunk, rows=[row for row in chunk.rows if row.id in ids], rejected=[]))
            self.gaps.note(chunk.gap)
        self.alive = self.alive or bool(seen)
        self._end([run for run in group.runs if run.id not in seen and not self.state.may_miss_rows(run.started_at)])
        return True

    def _read(self, runs: list[OpenRun]) -> Iterator[Tables]:
        if not runs:
            return
        groups = life.readings(self.workspace.queries.ranked(runs), life.FRESH_PAGE)
        yield from self._by_id([group.runs[0] for group in groups if not group.by_list])
        for group in groups:
            if self.workspace.over():
                return
            if group.by_list:
                self._by_list(group)
                yield from self.workspace.batch.full()
        yield from self.workspace.batch.flush()

    def _by_list(self, group: Reading) -> None:
        seen: set[str] = set()
        first, last = group.runs[0].started_at, group.runs[-1].started_at
        for chunk in walk_runs(lambda query: self.workspace.api.runs(self.workspace.id, query), first, last):
            seen.update(row.id for row in chunk.rows)
            seen.update(row.id for row in chunk.rejected if row.id is not None)
            self.take(replace(chunk, rows=[row for row in chunk.rows if not self._is_taken(row)]))
            self.gaps.note(chunk.gap)
        self.gaps.walked(first, last)
        self.alive = self.alive or bool(seen)
        self._end([run for run in group.runs if run.id not in seen and not self.state.may_miss_rows(run.started_at)])

    def _by_id(self, runs: list[OpenRun]) -> Iterator[Tables]:
        missing: list[OpenRun] = []
        for at in range(0, len(runs), BACKLOG_STEP):
            if self.workspace.over():
                return
            step = {run.id: run for run in runs[at : at + BACKLOG_STEP]}
            stored = self.workspace.queries.stored(step.values())
            for id_, answer in self.workspace.concurrently(self.workspace.detail, list(stored), LOGS.name):
                if isinstance(answer, errors.NotFound):
                    missing.append(step[id_])
                elif answer is not None:
                    self.alive = True
                    self.workspace.handled.add(id_)
                    self.details.take(stored[id_], answer, only_changed=True)
            yield from self.workspace.batch.full()
        self._end(missing)

    def _end(self, runs: list[OpenRun]) -> None:
        """Stops following runs that the server no longer has; what is stored of them stays."""
        if not self.alive or not runs:
            return
        stored = self.workspace.queries.stored(runs)
        for run in runs:
            if run.id not in stored:
                continue
            self.details.take(stored[run.id], errors.NotFound(run.id))
            if stored[run.id].fingerprint.status in life.OPEN:
                self.state.close(run.id, run.started_at)
