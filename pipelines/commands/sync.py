"""One sync: reads what is new since the last one, in committed pieces; first the lists, then details and snapshots."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import duckdb
from dlt.common.exceptions import DltException

from sim_source import Bounds, SimClient, SyncLog, SyncSession, Throttle, errors
from sim_source.api.endpoints import SimApi
from sim_source.api.rate import Pacer
from sim_source.api.v2_endpoints import SimV2Api
from sim_source.options import ALL
from sim_source.paging.state import ResourceState, WalkInHand
from sim_source.paging.stretches import Stretch
from sim_source.parallel import gc_tuning
from sim_source.reading.all_workspaces import named
from sim_source.reading.refusals import refused_workspace, wrong_key
from sim_source.stored.queries import WorkspaceQueries

from ..destination import drivers, load_faults, lock, pipeline
from ..destination.duckdb_hold import Hold
from ..screen import console
from ..settings import RunSettings, readable_secrets
from .outcome import Outcome
from .piece_loader import PieceLoader

PIECE_RUNS = 500_000
"""List rows per committed piece. Like the next two bounds, it limits what is lost if the sync is killed."""
PIECE_ROWS = 500_000
"""Rows of all tables, from lists, per committed piece. A full run is about nine rows."""
PIECE_SECONDS = 120.0
"""Seconds after which a piece is committed. Under a low rate limit, this bound is reached first."""
PIECE_AUDIT_LOGS = 50_000
"""Audit rows per committed piece; that is 500 requests."""
PIECE_EVENTS = 50_000
"""Events of the billing ledger per committed piece; that is 500 to 1,000 requests."""
FEW_EVENTS = 1_000
"""Events that are read with the first piece, so that an hourly sync needs no other; the rest is read after the runs."""
PIECE_CALLS = 2_000
"""Per-run details or snapshots per committed piece."""
AT_ONCE = 1_000
"""Details, and snapshots, that are read together with the list rows if only a short time range is missing."""
SHORT_TAIL = timedelta(days=1)
"""The longest time range that counts as short."""
BACKOFF_S = 0.5
"""Seconds to wait after the first transient error; the wait doubles with each retry."""


def run_with_progress(chosen: RunSettings) -> Outcome:
    """Runs a sync and shows its progress."""
    log = SyncLog()
    open_file = readable_secrets()
    if open_file is not None:
        log.warn(f"{open_file} is readable by other users of this machine; run: chmod 600 {open_file}")
    with console.progress(log):
        return Sync(chosen, log, console.line).run()


@dataclass(slots=True)
class Sync:
    """A sync.

    Attributes:
        settings: Settings of the sync.
        log: Records counters, rows, warnings and failures.
        tell: Prints a progress line.
        deadline: Epoch seconds at which the sync stops; None for no limit.
        loader: Loads the pieces.
    """

    settings: RunSettings
    log: SyncLog
    tell: Callable[[str], None]
    deadline: float | None = None
    loader: PieceLoader = field(init=False)
    _pacer: Pacer = field(default_factory=Pacer)

    def __post_init__(self) -> None:
        if self.settings.max_minutes is not None:
            self.deadline = time.time() + self.settings.max_minutes * 60

    def run(self) -> Outcome:
        """Runs the sync. Errors of the API, the destination and the machine are returned in the outcome."""
        started = time.monotonic()
        settings = self.settings
        outcome = Outcome(self.log, settings.target, len(settings.plan.workspace_ids))
        try:
            self._name_workspaces()
            settings = self.settings
            outcome.workspaces = len(settings.plan.workspace_ids)
            self._check_access_first()
            server = None if settings.target.database else drivers.proven(pipeline.pipeline_for(settings.target))
            hold = Hold(settings.target, self.tell, spans="trace_spans" in settings.resources)
            with (
                lock.locked(settings.target, server, self.tell),
                hold,
                SyncSession(self.client(), self.log) as session,
                gc_tuning.tuned(),
            ):
                made = server or pipeline.pipeline_for(settings.target, held=hold.credentials)
                self.loader = PieceLoader(settings, session, hold, self.tell, made)
                self.loader.attach()
                self._lists()
                self._rest_of_v2()
                self._backlogs(outcome)
                self.loader.describe()
                outcome.out_of_time = session.out_of_time
        except (errors.SimError, DltException, duckdb.Error, OSError) as error:
            outcome.fault = load_faults.explained(error, settings.target)
        outcome.duration_s = time.monotonic() - started
        return outcome

    def _name_workspaces(self) -> None:
        """Finds out which workspaces there are, if all of them are to be synced."""
        if self.settings.plan.workspace_ids == (ALL,):
            with self.client() as client:
                plan = named(self.settings.plan, SimV2Api(client))
            self.settings = replace(self.settings, plan=plan)
            self.tell(f"workspaces of this API key: {', '.join(plan.workspace_ids)}")

    def _check_access_first(self) -> None:
        """Checks the API key and access to at least one workspace before a new DuckDB file is created.

        Raises:
            ConfigurationError: The server rejected the API key, or access to every workspace.
        """
        file = self.settings.target.database
        if file is None or file.exists():
            return
        refusals: list[errors.ConfigurationError] = []
        with self.client() as client:
            try:
                SimApi(client).usage()
            except errors.AccessDenied as denied:
                raise wrong_key(denied) from denied
            for workspace_id in self.settings.plan.workspace_ids:
                try:
                    SimApi(client).workflows(workspace_id, None)
                except errors.AccessDenied as denied:
                    refusals.append(refusal(workspace_id, denied))
                else:
                    return
        raise refusals[0]

    def client(self) -> SimClient:
        """Creates an API client with the settings of this sync."""
        source, log = self.settings.source, self.log
        return SimClient(
            source.api_key,
            source.base_url,
            allow_http=source.allow_http,
            backoff_s=BACKOFF_S,
            throttle=Throttle(deadline=self.deadline, on_wait=log.on_wait, pacer=self._pacer, counters=log.counters),
        )

    def _lists(self) -> None:
        """Loads usage and workflows with the first piece, then lists of runs and audit logs until all are read."""
        at_once = AT_ONCE if self._short_tail() else 0
        audit_logs, ledger = PIECE_AUDIT_LOGS, FEW_EVENTS
        session = self.loader.session
        while True:
            self.loader.load(
                Bounds(
                    runs=PIECE_RUNS,
                    details=at_once,
                    snapshots=at_once,
                    audit_logs=audit_logs,
                    ledger=ledger,
                    rows=PIECE_ROWS,
                    seconds=PIECE_SECONDS,
                    catch_up=False,
                )
            )
            if not session.extraction.more or session.out_of_time:
                return
            self.loader.hold.checkpoint()
            self.tell(f"{self.log.rows['logs']:,} runs so far")
            ledger = 0
            audit_logs = PIECE_AUDIT_LOGS if self.loader.state().audit_logs.in_hand("walk", "back", "again") else 0

    def _rest_of_v2(self) -> None:
        """Loads the rest of the billing ledger in pieces, and statuses for which v2's rate limit was used up.

        All runs are committed before.
        """
        left = self._left_in_v2()
        while left and not self.loader.session.out_of_time:
            self.loader.load(Bounds(runs=0, details=0, snapshots=0, audit_logs=0, ledger=PIECE_EVENTS, catch_up=False))
            before, left = left, self._left_in_v2()
            if left == before:
                break  # no progress: failures are reported, and the next sync continues
            if self.log.rows["billing_logs"]:
                self.tell(f"{self.log.rows['billing_logs']:,} events of the billing ledger so far")
        if any(isinstance(each, Stretch) for each in left):
            self.log.warn("v2 could not be asked for the status of some runs yet (sim-sync status shows since when)")

    def _left_in_v2(self) -> list[WalkInHand | Stretch]:
        """Returns the unfinished walks through the ledger, and time ranges of runs whose status is to be confirmed."""
        session = self.loader.session
        state, ids = self.loader.state(), set(self.settings.plan.workspace_ids) - session.states_stopped
        can_ask = self.settings.plan.api != "v1" and session.v2.offered
        ranges = [each for id_ in sorted(ids) for each in state.workspace(id_).logs.unconfirmed] if can_ask else []
        return [*state.ledger_walks, *ranges]

    def _short_tail(self) -> bool:
        """Whether every workspace is synced up to less than a day ago.

        Only then are details read together with the list rows; otherwise, the lists come first.
        """
        end = self.settings.plan.until or datetime.now(UTC)
        for logs in self._states():
            if logs.in_hand("walk") or logs.read is None or end - logs.read.last > SHORT_TAIL:
                return False
        return True

    def _states(self) -> list[ResourceState]:
        """Returns the sync state of the runs of each configured workspace."""
        state = self.loader.state()
        return [state.workspace(id_).logs for id_ in self.settings.plan.workspace_ids]

    def _backlogs(self, outcome: Outcome) -> None:
        """Loads missing details and snapshots, newest first, in pieces. All list rows are committed before."""
        left = self.loader.with_retries(lambda: self._unfinished(outcome))
        while any(left) and not self.loader.session.out_of_time:
            self.tell(f"still to read: {left[0]:,} details, {left[1]:,} snapshots")
            self.loader.load(
                Bounds(
                    runs=0,
                    details=PIECE_CALLS,
                    snapshots=PIECE_CALLS,
                    audit_logs=0,
                    ledger=0,
                    rows=PIECE_ROWS,
                    catch_up=True,
                )
            )
            before, left = left, self.loader.with_retries(lambda: self._unfinished(outcome))
            if sum(left) >= sum(before):
                break  # no progress: the failures are reported, and the next sync tries again

    def _unfinished(self, outcome: Outcome) -> tuple[int, int]:
        """Counts the details and snapshots that are still to be read, and notes them in the outcome."""
        plan, resources = self.settings.plan, self.settings.resources
        details = plan.options.details if "log_details" in resources else "none"
        snapshots = plan.snapshots if "execution_snapshots" in resources else "none"
        found = [
            WorkspaceQueries(self.loader.warehouse, workspace_id).unfinished(details, snapshots=snapshots)
            for workspace_id in plan.workspace_ids
        ]
        outcome.open_runs = sum(each.open_runs for each in found) - sum(len(logs.closed) for logs in self._states())
        outcome.detail_backlog = sum(each.details for each in found)
        return outcome.detail_backlog, sum(each.snapshots for each in found)


def refusal(workspace_id: str, denied: errors.AccessDenied) -> errors.ConfigurationError:
    """Returns the error for a request that the server denied before anything was read."""
    if denied.status == 401:
        return wrong_key(denied)
    return errors.ConfigurationError(str(refused_workspace(workspace_id, denied)))
