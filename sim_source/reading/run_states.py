"""Completes rows of ``logs`` with the status that only the v2 API tells.

Rows wait until v1 has been read, so that v1 never waits for v2. Then v2 is asked for their status, without waiting for
its rate limit either: what cannot be asked now is remembered as a time range, and a later extraction confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow as pa

from .. import errors
from ..api import wire
from ..api.query import Query
from ..api.v2_endpoints import RUNS_BUCKET, STATES_BUCKET
from ..paging import walk_states
from ..paging.source_state import SourceState
from ..paging.stretches import Stretch
from ..paging.walk_list import whole_list
from ..paging.walk_states import Sought, StatesWalk
from ..rows import life, v2_status
from ..rows.life import OpenRun
from ..run_tables import LOGS
from ..schema import Row
from ..stored.queries import WorkspaceQueries
from ..stored.warehouse import Warehouse
from ..timestamps import MILLISECOND
from . import adding
from .batch import Batch, Tables
from .v2_session import V2Session

MOST_HELD = 100_000
"""Rows that wait for their status at most."""
MOST_CONFIRMED = 20_000
"""Stored rows of a workspace whose status one extraction confirms at most."""
_FAR = timedelta(days=1)
"""Runs further apart are remembered as two time ranges."""
_ID, _EXECUTION_ID, _WORKFLOW_ID, _STARTED_AT = (
    LOGS.column_names.index(name) for name in ("id", "execution_id", "workflow_id", "started_at")
)


@dataclass(slots=True)
class RunStates:
    """Asks v2 for the status of runs, of all workspaces.

    Attributes:
        state: The state of the source; time ranges that are still to be confirmed are kept there.
        batch: Receives rows of v2 that do not fit.
    """

    access: V2Session
    state: SourceState
    warehouse: Warehouse
    batch: Batch
    _held: dict[str, list[pa.Table]] = field(default_factory=dict)
    _released: dict[str, list[pa.ChunkedArray]] = field(default_factory=dict)
    _unasked: dict[str, list[Stretch]] = field(default_factory=dict)
    _rows: int = 0

    def holding(self, workspace_id: str, pages: Iterator[Tables]) -> Iterator[Tables]:
        """Passes tables on; rows of ``logs`` wait until ``release``, or until there are too many.

        If v2 is not asked, and earlier syncs have met it, their time range is remembered: it may be back later.
        """
        state = self.state.workspace(workspace_id).logs
        for tables in pages:
            if LOGS.name in tables and self.access.allowed:
                rows = tables.pop(LOGS.name)
                self._held.setdefault(workspace_id, []).append(rows)
                self._rows += rows.num_rows
            elif LOGS.name in tables and state.has_met_v2:
                state.unconfirm(_stretches(tables[LOGS.name]["started_at"].to_pylist()))
            if tables:
                yield tables
            if self._rows >= MOST_HELD:
                yield from self.release()

    def release(self) -> Iterator[Tables]:
        """Hands over the rows that wait, with their status, and rows of v2 that do not fit."""
        held, self._held, self._rows = self._held, {}, 0
        for workspace_id, tables in held.items():
            rows, logs = pa.concat_tables(tables), self.state.workspace(workspace_id).logs
            starts, executions = rows["started_at"].to_pylist(), rows["execution_id"].to_pylist()
            pairs = zip(starts, executions, strict=True)
            sought = [Sought(start, execution) for start, execution in pairs if execution is not None]
            walk = self._asked(workspace_id, sought, may_wait=False)
            if walk.left and (self.access.allowed or logs.has_met_v2):
                unasked = self._unasked.setdefault(workspace_id, [])
                unasked += _stretches([run.started_at for run in walk.left])
                logs.unconfirm(unasked)
            if logs.unconfirmed or not logs.is_first:
                self._released.setdefault(workspace_id, []).append(rows["id"])
            yield {LOGS.name: v2_status.with_states(rows, walk.told) if walk.told else rows}
        yield from self.batch.flush()

    def of_open(self, workspace_id: str, logs: Sequence[Row]) -> v2_status.States:
        """Returns what v2 tells of open runs now, by execution id; nothing if it cannot be asked without waiting.

        The list of all runs needs a request for each group of runs that fits on a page; the lists of the runs with an
        open status need two for each workflow. Whichever needs fewer requests is read.

        Args:
            workspace_id: Their workspace.
            logs: Their stored rows of ``logs``.
        """
        by_id = {log[_ID]: log for log in logs if log[_EXECUTION_ID]}
        if not by_id or not self.access.allowed or workspace_id in self.access.session.states_stopped:
            return {}
        queries = WorkspaceQueries(self.warehouse, workspace_id)
        runs = queries.ranked([OpenRun(log[_ID], log[_STARTED_AT]) for log in by_id.values()])
        groups = [[_sought(by_id[run.id]) for run in group.runs] for group in life.readings(runs, life.FRESH_PAGE)]
        workflows = {log[_WORKFLOW_ID] for log in by_id.values()}
        if None not in workflows and len(workflows) * len(life.OPEN) < len(groups):
            return self._of_workflows(workspace_id, list(by_id.values()))
        return self._asked(workspace_id, *groups, may_wait=False).told

    def _of_workflows(self, workspace_id: str, logs: Sequence[Row]) -> v2_status.States:
        """Returns those of the runs that their workflows still list as open; the others have gone on."""
        api, by_execution = self.access.api, {log[_EXECUTION_ID]: log for log in logs}
        first, last = min(log[_STARTED_AT] for log in logs), max(log[_STARTED_AT] for log in logs)
        told: dict[str, wire.RunState] = {}
        for workflow_id in sorted({log[_WORKFLOW_ID] for log in logs}):
            for status in life.OPEN:
                if api.must_wait(RUNS_BUCKET) or not self.access.allowed:
                    return told
                ask = partial(api.runs_with_status, workflow_id, status, first, last)
                with self.access.isolate(LOGS.name, workspace_id):
                    rows, _ = whole_list(ask)
                    known = [(row, by_execution[row.run_id]) for row in rows if row.run_id in by_execution]
                    told |= {row.run_id: v2_status.as_in_logs(row, log) for row, log in known}
        return told

    def confirm(self, workspace_id: str, *, may_wait: bool) -> Iterator[Tables]:
        """Asks for the status of stored runs of which v2 could not be asked when they were read, newest first.

        Args:
            workspace_id: Their workspace.
            may_wait: Whether to wait for the rate limit of v2.
        """
        logs, session = self.state.workspace(workspace_id).logs, self.access.session
        if not self.access.allowed or workspace_id in session.states_stopped:
            return
        unknown = self.access.api.offered is None and not self.access.api.must_wait(STATES_BUCKET)
        if unknown and (logs.unconfirmed or not (logs.has_met_v2 or logs.is_first)):
            with self.access.isolate(LOGS.name, workspace_id):  # nothing has shown yet whether there is a v2
                now = session.client.server_time or datetime.now(UTC)
                self.access.api.run_states(workspace_id, Query(now, now, 1), walk_states.ATTEMPTS)
        if not self.access.api.offered:
            return
        logs.confirm_earlier()
        left = MOST_CONFIRMED
        for stretch in reversed(logs.unconfirmed):
            rows = WorkspaceQueries(self.warehouse, workspace_id).unconfirmed(*stretch, left)
            if left <= 0 or not self._confirmed(workspace_id, rows, may_wait=may_wait):
                break
            left -= len(rows)
            first = stretch.first if left else max(stretch.first, rows[-1][_STARTED_AT] + MILLISECOND)
            logs.confirmed(first, stretch.last)
        logs.unconfirm(self._unasked.get(workspace_id, ()))  # of runs that this extraction hands over itself
        yield from self.batch.flush()

    def _confirmed(self, workspace_id: str, rows: Sequence[Row], *, may_wait: bool) -> bool:
        """Adds the stored rows whose status is another one; returns whether v2 could be asked for all of them."""
        handed_over = {id_ for ids in self._released.get(workspace_id, ()) for id_ in ids.to_pylist()}
        mine = [row for row in rows if row[_ID] not in handed_over and row[_EXECUTION_ID]]
        walk = self._asked(workspace_id, [_sought(row) for row in mine], may_wait=may_wait)
        told = [(row, walk.told.get(row[_EXECUTION_ID])) for row in mine]
        restated = [v2_status.stored_with_state(row, state) for row, state in told if state is not None]
        self.batch.add(LOGS.name, [row for row in restated if row is not None])
        return not walk.left

    def _asked(self, workspace_id: str, *groups: Sequence[Sought], may_wait: bool) -> StatesWalk:
        """Asks for the status of runs; those of which v2 could not be asked are in ``left``."""
        api, log, stopped = self.access.api, self.access.session.log, self.access.session.states_stopped

        def may_ask() -> bool:
            return may_wait or not api.must_wait(STATES_BUCKET)

        walk = StatesWalk(partial(api.run_states, workspace_id, may_wait=may_wait), may_ask, patient=may_wait)
        sought = [run for group in groups for run in group]
        if not sought:
            return walk
        complete = False
        if self.access.allowed and workspace_id not in stopped:
            with self.access.isolate(LOGS.name, workspace_id):
                try:
                    walk.read(*groups)
                except errors.AccessDenied as denied:
                    log.warn(
                        f"logs of workspace {workspace_id}: v2 does not tell this API key the status of runs "
                        f"({denied.reason}); it is the one that v1 shows"
                    )
                    raise
                complete = True
        if not complete:
            stopped.add(workspace_id)
            walk.left[:] = [run for run in sought if run.execution_id not in walk.told]
        adding.set_aside(self.batch, LOGS.name, walk.odd, workspace_id)
        if walk.unreadable:
            log.warn(
                f"logs of workspace {workspace_id}: the v2 API cannot return {len(walk.unreadable):,} of the runs (500 "
                "in every attempt, while others are returned); their status is the one that v1 shows"
            )
        return walk


def _sought(log: Row) -> Sought:
    return Sought(log[_STARTED_AT], log[_EXECUTION_ID])


def _stretches(starts: Iterable[datetime]) -> list[Stretch]:
    """Returns the time ranges in which runs with these starts lie."""
    found: list[Stretch] = []
    for start in sorted(set(starts)):
        if found and start - found[-1].last < _FAR:
            found[-1] = Stretch(found[-1].first, start)
        else:
            found.append(Stretch(start, start))
    return found
