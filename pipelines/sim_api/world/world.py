"""The mutable in-memory data behind the embedded Sim API.

Every change goes through a method here, under one lock, so a test may change data while the server answers. The same
seed and the same calls produce the same data.
"""

from __future__ import annotations

import random
import threading
from bisect import bisect_left, insort
from collections.abc import Iterator

from .entities import Account, ApiKey, AuditRow, SimRun, SimWorkflow, State, User, Workspace
from .ids import nano_id, uuid4
from .ledger import Ledger, LedgerEvent, Source
from .truth import Json, Plan
from .world_setup import WorldSetup

Order = tuple[int, str]


def _run_order(run: SimRun) -> Order:
    return (run.started_ms, run.id)


def _audit_order(row: AuditRow) -> Order:
    return (row.created_us, row.id)


class World(WorldSetup):
    """Workspaces, keys, workflows, runs and audit rows; `now_ms` is the current time of this data.

    Attributes:
        now_ms: Epoch milliseconds; by default, new runs start and running ones end at this moment.
        lock: Held by the server while it answers, and by every method that changes something.
    """

    def __init__(self, seed: int = 0, now_ms: int = 1_767_225_600_000) -> None:
        self.random = random.Random(seed)
        self.shuffler = random.Random(seed + 1)  # separate, so that reading does not change later ids
        self.now_ms = now_ms
        self.lock = threading.RLock()
        self.revision = 0
        self.accounts: dict[str, Account] = {}
        self.users: dict[str, User] = {}
        self.workspaces: dict[str, Workspace] = {}
        self.keys: dict[str, ApiKey] = {}
        self.workflows: dict[str, SimWorkflow] = {}
        self.runs: dict[str, SimRun] = {}
        self.executions: dict[str, SimRun] = {}
        self.audit: list[AuditRow] = []
        self.ledger = Ledger(seed + 2)
        self._by_workspace: dict[str, list[SimRun]] = {}
        self._inserted = 0

    # reading ------------------------------------------------------------------------------------

    def runs_of(self, workspace_id: str) -> list[SimRun]:
        """Runs of a workspace, oldest first, ties by id."""
        return self._by_workspace.get(workspace_id, [])

    def first_at(self, workspace_id: str, started_ms: int) -> int:
        """Index in `runs_of` of the first run that started at or after this moment."""
        return bisect_left(self.runs_of(workspace_id), (started_ms, ""), key=_run_order)

    def open_runs(self, workspace_id: str) -> Iterator[SimRun]:
        """Runs that will still change."""
        return (run for run in self.runs_of(workspace_id) if not run.is_final)

    # the life of a run --------------------------------------------------------------------------

    def start_run(
        self,
        workflow_id: str,
        plan: Plan,
        *,
        trigger: str = "api",
        started_ms: int | None = None,
        draft: bool = False,
        run_id: str | None = None,
    ) -> SimRun:
        """Starts a run: its row appears at once. With a start in the past, it is a late row."""
        with self.lock:
            if run_id in self.runs:
                raise ValueError(f"there is a run {run_id} already")
            workflow = self.workflows[workflow_id]
            started = self.now_ms if started_ms is None else started_ms
            version = None if draft else self.version_at(workflow, started)
            run = SimRun(
                run_id or uuid4(self.random), uuid4(self.random), workflow.workspace_id, workflow, trigger,
                started, self._inserted, plan, plan.upto(0), deployment_version_id=version,
            )  # fmt: skip
            self._inserted += 1
            workflow.run_count += 1
            workflow.last_run_ms = max(started, workflow.last_run_ms or started)
            self.runs[run.id] = run
            self.executions[run.execution_id] = run
            rows = self._by_workspace.setdefault(run.workspace_id, [])
            if rows and _run_order(rows[-1]) > _run_order(run):
                insort(rows, run, key=_run_order)
            else:
                rows.append(run)
            self.revision += 1
            return run

    def end_run(self, run_id: str, *, ended_ms: int | None = None, plan: Plan | None = None) -> SimRun:
        """Completes a run, or fails it if a block of its plan failed; endedAt and cost become final."""
        run = self.runs[run_id]
        done = plan or run.plan
        failed = any(block.error for block in done.blocks)
        return self._close(run_id, "failed" if failed else "completed", done, ended_ms)

    def pause_run(self, run_id: str, *, blocks: int | None = None, ended_ms: int | None = None) -> SimRun:
        """Pauses a run until a human answers: endedAt and cost are set, but not final."""
        plan = self.runs[run_id].plan
        count = max(1, len(plan.blocks) // 2) if blocks is None else blocks
        return self._close(run_id, "paused", plan.upto(count), ended_ms)

    def resume_run(self, run_id: str) -> SimRun:
        """Resumes a paused run: it continues while its row still shows the old endedAt and cost."""
        with self.lock:
            run = self.runs[run_id]
            run.was_resumed = True
            return self._set(run, "resumed")

    def cancel_run(self, run_id: str, *, blocks: int = 1, ended_ms: int | None = None) -> SimRun:
        """Cancels a run after some of its blocks; 0 cancels it during the first one."""
        return self._close(run_id, "cancelled", self.runs[run_id].plan.upto(blocks), ended_ms)

    def cancel_run_directly(self, run_id: str, *, ended_ms: int | None = None) -> SimRun:
        """Cancels a run that no process was working on: its row shows no more than that of a swept run."""
        return self._close(run_id, "cancelled_directly", self.runs[run_id].plan.upto(0), ended_ms)

    def sweep_run(self, run_id: str, *, ended_ms: int | None = None) -> SimRun:
        """Ends a run by the stale-run sweep: level stays info, and newer servers do not return its error.

        A run that had paused before keeps what it showed then, and shows the error.
        """
        run = self.runs[run_id]
        if run.was_resumed:
            return self._close(run_id, "resumed_then_swept", run.seen, ended_ms)
        return self._close(run_id, "swept", run.plan.upto(0), ended_ms)

    def force_fail_run(self, run_id: str, *, ended_ms: int | None = None) -> SimRun:
        """Marks a run as failed, without a trace (recording life_4)."""
        return self._close(run_id, "force_failed", self.runs[run_id].plan.upto(0), ended_ms)

    def _close(self, run_id: str, state: State, seen: Plan, ended_ms: int | None) -> SimRun:
        with self.lock:
            run = self.runs[run_id]
            run.seen = seen
            end = run.started_ms + seen.duration_ms + 5 if ended_ms is None else ended_ms
            # After a pause, the end depends on the human's answer, not on the plan's duration.
            run.ended_ms = max(end, run.ended_ms + 1000) if run.ended_ms and ended_ms is None else end
            run.duration_ms = run.ended_ms - run.started_ms
            closed = self._set(run, state)
            self.ledger.bill(run, self.workspaces[run.workspace_id].owner_id)
            return closed

    def _set(self, run: SimRun, state: State) -> SimRun:
        run.state = state
        run.changed()
        self.revision += 1
        return run

    def change_run(self, run_id: str, **fields: Json) -> SimRun:
        """Sets fields of a run (`extra`, `legacy`, `has_cost_row`, `trigger` …)."""
        with self.lock:
            run = self.runs[run_id]
            for name, value in fields.items():
                setattr(run, name, value)
            return self._set(run, run.state)

    # retention, expiry and audit logs -----------------------------------------------------------

    def purge_run(self, run_id: str) -> None:
        """Removes a run, as retention does: its row is gone, its detail is 404."""
        with self.lock:
            run = self.runs.pop(run_id)
            del self.executions[run.execution_id]
            self._by_workspace[run.workspace_id].remove(run)
            self.revision += 1

    def purge_before(self, workspace_id: str, started_ms: int) -> int:
        """Purges every run that started earlier; returns how many."""
        gone = [run.id for run in self.runs_of(workspace_id) if run.started_ms < started_ms]
        for run_id in gone:
            self.purge_run(run_id)
        return len(gone)

    def expire_trace(self, run_id: str) -> SimRun:
        """Expires the trace data of a run; the row stays, and the detail shrinks without an error."""
        return self.change_run(run_id, trace_expired=True)

    def charge(
        self,
        source: Source,
        usd: float,
        workspace_id: str,
        *,
        actor_id: str | None = None,
        created_us: int | None = None,
    ) -> LedgerEvent:
        """Something outside of runs that is billed, in USD: a chat, a knowledge base, a voice; now unless told."""
        with self.lock:
            moment = self.now_ms * 1000 if created_us is None else created_us
            actor = actor_id or self.workspaces[workspace_id].owner_id
            self.revision += 1
            return self.ledger.add(source, usd, moment, workspace_id, actor)

    def raise_charge(self, event_id: str, usd: float) -> LedgerEvent:
        """The next request of the same chat: the event's cost grows in place."""
        with self.lock:
            self.revision += 1
            return self.ledger.raise_cost(event_id, usd)

    def add_audit(self, action: str, created_us: int | None = None, **fields: Json) -> AuditRow:
        """Adds an audited action; its time is in epoch microseconds."""
        with self.lock:
            moment = self.now_ms * 1000 if created_us is None else created_us
            fields.setdefault("resource_type", action.partition(".")[0])
            row = AuditRow(fields.pop("id", None) or nano_id(self.random), moment, action, **fields)
            actor = self.users.get(row.actor_id or "")
            if actor is not None:
                row.actor_name = row.actor_name or actor.name
                row.actor_email = row.actor_email or actor.email
            insort(self.audit, row, key=_audit_order)
            self.revision += 1
            return row
