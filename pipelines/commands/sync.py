"""One sync: everything that came since the last, in committed pieces; logs first, then what they still lack."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import dlt
import duckdb
from dlt.common.exceptions import DltException

from sim_source import SimClient, SyncSession, Watch, errors, sim_source
from sim_source.api.endpoints import SimApi
from sim_source.api.throttle import Throttle
from sim_source.parallel import gc_tuning
from sim_source.reading.words import refused_workspace, wrong_key
from sim_source.rows import life
from sim_source.stored.queries import WorkspaceQueries
from sim_source.stored.warehouse import Warehouse

from ..destination import comments, drivers, duckdb_file, lock, pipeline
from ..dlt_internals import append_new_rows
from ..screen import console
from ..settings import RunSettings, readable_secrets
from ..views import keep
from .outcome import Outcome

PIECE_RUNS = 500_000
"""List rows per committed piece: bounds what a kill can lose, as the next two do."""
PIECE_ROWS = 500_000
"""Rows of all tables per committed piece that lists give: a full run is nine of them."""
PIECE_SECONDS = 120.0
"""Seconds after which a piece is committed: under a low rate limit this is the bound that counts."""
PIECE_AUDIT_LOGS = 50_000
"""Audit rows per committed piece: 500 requests."""
PIECE_CALLS = 2_000
"""Per-run details or snapshots per committed piece."""
DIRECT_ROWS = 5_000
"""Rows of a table from which a DuckDB file is asked whether they are all new to it."""
AT_ONCE = 1_000
"""Details that a short tail asks for together with its list rows."""
SHORT_TAIL = timedelta(days=1)
BACKOFF_S = 0.5
"""First wait after a transient fault; it doubles."""


A = TypeVar("A")


def watched(chosen: RunSettings) -> Outcome:
    """A sync that is shown while it runs."""
    watch = Watch()
    open_file = readable_secrets()
    if open_file is not None:
        watch.warn(f"{open_file} can be read by others on this machine; chmod 600 {open_file}")
    with console.progress(watch):
        return Sync(chosen, watch, console.line).run()


@dataclass(slots=True)
class Sync:
    """A sync in hand.

    Attributes:
        settings: What is to be done.
        watch: What is seen of it.
        tell: Says a line to whoever watches.
    """

    settings: RunSettings
    watch: Watch
    tell: Callable[[str], None]
    deadline: float | None = None
    pipeline: dlt.Pipeline = field(init=False)
    warehouse: Warehouse = field(init=False)
    hold: duckdb_file.Hold = field(init=False)
    feed: SyncSession = field(init=False)
    _attached: bool = False
    _schema: str | None = None
    _viewed: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hold = duckdb_file.Hold(self.settings.target, self.tell, spans="trace_spans" in self.settings.resources)
        if self.settings.max_minutes is not None:
            self.deadline = time.time() + self.settings.max_minutes * 60

    def run(self) -> Outcome:
        """Does it; faults that are known end up in the outcome."""
        started = time.monotonic()
        outcome = Outcome(self.watch, self.settings.target, len(self.settings.workspace_ids))
        try:
            self._first_proof()
            target = self.settings.target
            self.pipeline = pipeline.pipeline_for(target)
            if not self._is_file:
                drivers.proven(self.pipeline)
            with (
                lock.locked(target, self.pipeline),
                self.hold,
                SyncSession(self.client()) as self.feed,
                gc_tuning.tuned(),
            ):
                self._pieces(outcome)
        except (errors.SimError, DltException, duckdb.Error, OSError) as error:
            outcome.fault = duckdb_file.explained(error, self.settings.target)
        outcome.duration_s = time.monotonic() - started
        return outcome

    def _first_proof(self) -> None:
        """Before a database is made: is the key taken, may one of the workspaces be read?"""
        file = self.settings.target.database
        if file is None or file.exists():
            return
        refusals: list[errors.ConfigurationError] = []
        with self.client() as client:
            try:
                SimApi(client).usage()
            except errors.AccessDenied as denied:
                raise wrong_key(denied) from denied
            for workspace_id in self.settings.workspace_ids:
                try:
                    SimApi(client).workflows(workspace_id, None)
                except errors.AccessDenied as denied:
                    refusals.append(refusal(workspace_id, denied))
                else:
                    return
        raise refusals[0]

    def client(self) -> SimClient:
        """A client of this run's settings."""
        settings = self.settings
        throttle = Throttle(
            deadline=self.deadline,
            on_wait=self.watch.on_wait,
            pacer=self.watch.pacer,
            counters=self.watch.counters,
        )
        return SimClient(
            settings.api_key,
            settings.base_url,
            allow_http=settings.allow_http,
            backoff_s=BACKOFF_S,
            throttle=throttle,
        )

    def _pieces(self, outcome: Outcome) -> None:
        self.pipeline, self.warehouse = self._patiently(
            lambda: pipeline.attached(self.settings.target, self.pipeline, self.watch.warn)
        )
        self.watch.warehouse, self._attached = self.warehouse, True
        self._patiently(self._finish_pending)
        self._lists()
        self._backlogs(outcome)
        comments.keep(self.pipeline, self._schema, self.watch.warn)

    def _patiently(self, step: Callable[[], A]) -> A:
        """Takes a step; where somebody opened the database in between, waits for them, bounded, and takes it again.

        So, too, where DuckDB has too little memory: it gets more, as long as there is more to give.
        """
        again = False
        while True:
            try:
                if again and self._attached:
                    self._finish_pending()
                return step()
            except (DltException, duckdb.Error) as error:
                if duckdb_file.is_out_of_memory(error):
                    if not self.hold.be_generous():
                        raise
                elif not isinstance(duckdb_file.explained(error, self.settings.target), duckdb_file.TryLater):
                    raise
            self.hold.take()
            again = True

    @property
    def _is_file(self) -> bool:
        """Whether the destination is a DuckDB file, which this sync has to itself."""
        return self.settings.target.database is not None

    def _finish_pending(self) -> None:
        """Loads what was read and not loaded: dlt would otherwise take up no new rows."""
        if self.pipeline.has_pending_data:
            self.tell("finishing what the last run left")
            pipeline.note_loads(self.settings.target, self.pipeline, self.warehouse)
            if self._is_file:
                append_new_rows.take_back(self.pipeline, self.warehouse)
            self.pipeline.normalize()
            self.pipeline.load()
            self.warehouse.loaded()
            # a kill may have come before dlt wrote down its state
            pipeline.restore(self.settings.target, self.pipeline, self.warehouse)

    def _lists(self) -> None:
        """Usage, workflows and audit logs with the first piece, then lists until all are read."""
        at_once = AT_ONCE if self._short_tail() else 0
        audit_logs = PIECE_AUDIT_LOGS
        while True:
            self.watch.more = False
            self._load(PIECE_RUNS, at_once, at_once, audit_logs)
            if not self.watch.more or self.watch.out_of_time:
                return
            self.hold.settle()
            self.tell(f"{self.watch.rows['logs']:,} runs so far")
            in_hand = self._state().get("audit_logs", {}).keys() & {"walk", "again"}
            audit_logs = PIECE_AUDIT_LOGS if in_hand else 0

    def _short_tail(self) -> bool:
        """Whether every workspace was synced within a day: only then may details go before older logs."""
        state = self._state_of_workspaces()
        for workspace_id in self.settings.workspace_ids:
            logs = state.get(workspace_id, {}).get("logs", {})
            if "walk" in logs or "until" not in logs:
                return False
            if (self.settings.until or datetime.now(UTC)) - datetime.fromisoformat(logs["until"]) > SHORT_TAIL:
                return False
        return True

    def _state(self) -> dict[str, Any]:
        """What the source remembers."""
        found: dict[str, Any] = self.pipeline.state.get("sources", {}).get("sim_source", {})
        return found

    def _state_of_workspaces(self) -> dict[str, Any]:
        """What is remembered of each configured workspace."""
        state = self._state().get("workspaces", {})
        return {id_: state.get(id_, {}) for id_ in self.settings.workspace_ids}

    def _backlogs(self, outcome: Outcome) -> None:
        """Details and snapshots, newest first, piece by piece; logs have been committed before."""
        left = self._patiently(lambda: self._unfinished(outcome))
        while any(left) and not self.watch.out_of_time:
            self.tell(f"still to ask for: {left[0]:,} details, {left[1]:,} snapshots")
            self._load(0, PIECE_CALLS, PIECE_CALLS, 0)
            before, left = left, self._patiently(lambda: self._unfinished(outcome))
            if sum(left) >= sum(before):
                break  # nothing came of it: it is said in the failures, and tried again by the next run

    def _unfinished(self, outcome: Outcome) -> tuple[int, int]:
        """How many details and snapshots are still to be asked for; noted in the outcome."""
        settings = self.settings
        details = settings.details if "log_details" in settings.resources else "none"
        snapshots = settings.snapshots if "execution_snapshots" in settings.resources else "none"
        found = [
            WorkspaceQueries(self.warehouse, workspace_id).unfinished(details, snapshots=snapshots)
            for workspace_id in settings.workspace_ids
        ]
        outcome.open_runs = sum(each.open_runs for each in found) - sum(
            life.count_closed(held.get("logs", {})) for held in self._state_of_workspaces().values()
        )
        outcome.detail_backlog = sum(each.details for each in found)
        return outcome.detail_backlog, sum(each.snapshots for each in found)

    def _load(self, runs: int, details: int, snapshots: int, audit_logs: int) -> None:
        """Reads a piece and commits it.

        Where the destination refuses what is in it, the piece is read once more, and each row tried before it is
        handed over: those that are refused are set aside. No package is left behind that would be refused again.
        """
        self._patiently(lambda: self._read(runs, details, snapshots, audit_logs))
        try:
            self._patiently(self._commit)
        except DltException as error:
            if not duckdb_file.is_refusal(error):
                raise
            self.tell(f"{self.settings.target} refuses rows; reading them again to find out which")
            self._drop()
            self.warehouse.doubted = True
            self._patiently(lambda: self._read(runs, details, snapshots, audit_logs))
            try:
                self._patiently(self._commit)
            except DltException:
                self._drop()
                raise
            self.warehouse.drop_orphans()

    def _drop(self) -> None:
        """Drops what waits to be loaded: the state is that of the destination again."""
        self.feed.leave_all()
        self.watch.more = False
        self.pipeline.drop()
        pipeline.restore(self.settings.target, self.pipeline, self.warehouse)

    def _commit(self) -> None:
        pipeline.note_loads(self.settings.target, self.pipeline, self.warehouse)
        self.pipeline.normalize()
        with self.hold.sparing():
            straight = self._is_file and append_new_rows.straighten(self.pipeline, self.warehouse, DIRECT_ROWS)
        with self.hold.sparing() if straight else nullcontext():
            loaded = self.pipeline.load()
        self.warehouse.loaded()
        if loaded.load_packages:
            self._schema = self.pipeline.default_schema.version_hash
        if self._schema not in self._viewed:  # once a sync, and again where tables came or changed
            keep.keep(self.pipeline, self.warehouse, self.watch.warn)
            self._viewed.add(self._schema)

    def _read(self, runs: int, details: int, snapshots: int, audit_logs: int) -> None:
        settings = self.settings
        until = self.watch.end or settings.until  # every piece of a sync ends where its first one does
        source = sim_source(
            workspace_id=list(settings.workspace_ids),
            api_key=settings.api_key,
            base_url=settings.base_url,
            since=settings.since.isoformat() if settings.since else None,
            until=until.isoformat() if until else None,
            details=settings.details,
            snapshots=settings.snapshots,
            payloads=settings.payloads,
            redact_people=settings.redact_people,
            redact_salt=settings.redact_salt,
            lookback_minutes=settings.lookback_minutes,
            reconcile_days=settings.reconcile_days,
            allow_http=settings.allow_http,
            max_runs=runs,
            max_details=details,
            max_snapshots=snapshots,
            max_audit_logs=audit_logs,
            max_rows=PIECE_ROWS,
            max_seconds=PIECE_SECONDS,
            catch_up=runs == 0,
            deadline=self.deadline,
            backoff_s=BACKOFF_S,
            watch=self.watch,
            feed=self.feed,
            resync=settings.resync,
        )
        self.pipeline.extract(source.with_resources(*settings.resources))


def refusal(workspace_id: str, denied: errors.AccessDenied) -> errors.ConfigurationError:
    """What to say where the server refuses before anything was read."""
    if denied.status == 401:
        return wrong_key(denied)
    return errors.ConfigurationError(str(refused_workspace(workspace_id, denied)))
