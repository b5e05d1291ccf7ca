"""One sync: reads what is new since the last one, in committed pieces; first the lists, then details and snapshots."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import dlt

from sim_source import Bounds, SimClient, SyncLog, SyncSession, Throttle, errors
from sim_source.api.rate import Pacer
from sim_source.api.v2_endpoints import SimV2Api
from sim_source.options import ALL
from sim_source.paging.state import ResourceState, WalkInHand
from sim_source.paging.stretches import Stretch
from sim_source.parallel import gc_tuning
from sim_source.reading.all_workspaces import named
from sim_source.stored.queries import WorkspaceQueries

from ..destination import drivers, load_faults, lock, pipeline
from ..destination.duckdb_hold import Hold
from ..settings import RunSettings
from ..shared_pacer import shared_pacers
from .first_access import check_access_first
from .outcome import Outcome
from .parts import parts_of, without_busy
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
SHORTEST_PAUSE_S = 0.5
"""Seconds from which on a wait for the API is worth closing the DuckDB file and opening it again."""
BACKOFF_S = 0.5
"""Seconds to wait after the first transient error; the wait doubles with each retry."""


@dataclass(slots=True)
class Sync:
    """A sync.

    Attributes:
        settings: Settings of the sync.
        log: Records counters, rows, warnings and failures.
        tell: Prints a progress line.
        deadline: Epoch seconds at which the sync stops; None for no limit.
        decoders: Processes that decode pages; None for as many as the machine has cores for.
        loader: Loads the pieces.
    """

    settings: RunSettings
    log: SyncLog
    tell: Callable[[str], None]
    deadline: float | None = None
    decoders: int | None = None
    loader: PieceLoader = field(init=False)
    _pacer_of: Callable[[str], Pacer] = field(init=False)
    _hold: Hold = field(init=False)

    def __post_init__(self) -> None:
        if self.deadline is None and self.settings.max_minutes is not None:
            self.deadline = time.time() + self.settings.max_minutes * 60
        self._pacer_of = cache(shared_pacers(self.settings.source.base_url, str(self.settings.source.api_key)))
        self._hold = Hold(self.settings.target, self.tell, spans="trace_spans" in self.settings.resources)

    def run(self) -> Outcome:
        """Runs the sync. Errors of the API, the destination and the machine are returned in the outcome."""
        started = time.monotonic()
        settings = self.settings
        outcome = Outcome(self.log, settings.target, len(settings.plan.workspace_ids))
        try:
            self._name_workspaces()
            settings = self.settings
            outcome.workspace_ids = settings.plan.workspace_ids
            outcome.workspaces = len(outcome.workspace_ids)
            check_access_first(settings, self.client)
            with (
                self._server() as server,
                lock.admitted(
                    settings.target, parts_of(settings), self._finish_leftovers, server, self.tell
                ) as admission,
                self._hold,
                SyncSession(self.client(), self.log, processes=self.decoders) as session,
                gc_tuning.tuned(),
            ):
                self.settings = without_busy(settings, admission.busy, self.log)
                self.loader = self._attached(session, admission)
                self._lists()
                self._rest_of_v2()
                self._backlogs(outcome)
                self.loader.describe()
                outcome.out_of_time = session.out_of_time
        except Exception as error:
            if not load_faults.is_known(error):
                raise
            outcome.fault = load_faults.explained(error, settings.target)
        outcome.duration_s = time.monotonic() - started
        return outcome

    def _name_workspaces(self) -> None:
        """Finds out which workspaces there are, if all of them are to be synced."""
        if self.settings.plan.workspace_ids == (ALL,):
            with self.client() as client:
                plan = named(self.settings.plan, SimV2Api(client))
            self.settings = self.settings.of_workspaces(plan.workspace_ids)
            self.tell(f"workspaces of this API key: {', '.join(plan.workspace_ids)}")

    def named(self) -> RunSettings | errors.SimError:
        """Returns the settings with the ids of all workspaces, or why they could not be found out."""
        try:
            self._name_workspaces()
        except errors.SimError as error:
            return error
        return self.settings

    @contextmanager
    def _server(self) -> Iterator[dlt.Pipeline | None]:
        """Checks driver and credentials of a destination other than a DuckDB file, and returns a pipeline for it."""
        if self.settings.target.database:
            yield None
        else:
            with pipeline.reached(self.settings.target) as reached:
                yield drivers.proven(reached)

    def _attached(self, session: SyncSession, admission: lock.Admission) -> PieceLoader:
        target = self.settings.target
        made = pipeline.pipeline_for(target, admission.writer, self._hold.credentials)
        loader = PieceLoader(self.settings, session, self._hold, admission, self.tell, made)
        loader.attach()
        return loader

    def _finish_leftovers(self, admission: lock.Admission) -> None:
        """Loads what a killed writer has read, before any of its workspaces is read again."""
        with self._hold, SyncSession(self.client(), self.log, processes=0) as session:
            self._attached(session, admission)

    def client(self) -> SimClient:
        """Creates an API client with the settings of this sync."""
        source = self.settings.source
        throttle = Throttle(
            deadline=self.deadline, on_wait=self._on_wait, pacer_of=self._pacer_of, counters=self.log.counters
        )
        return SimClient(
            source.api_key,
            source.base_url,
            allow_http=source.allow_http,
            backoff_s=BACKOFF_S,
            throttle=throttle,
        )

    def _on_wait(self, seconds: float, why: str) -> None:
        """Closes the DuckDB file during a wait, so that others can open it."""
        if seconds >= SHORTEST_PAUSE_S:
            self._hold.let_go()
        if self.log.on_wait is not None:
            self.log.on_wait(seconds, why)

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
            audit_logs = (
                PIECE_AUDIT_LOGS
                if self.loader.state().account(self.settings.source.account).audit_logs.in_hand("walk", "back", "again")
                else 0
            )

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
