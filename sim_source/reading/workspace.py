"""One workspace during a sync: what the readers of its lists, details and snapshots share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import msgspec

from .. import errors
from ..account_tables import REJECTED_ROWS
from ..api import wire
from ..api.decode import Rejected
from ..api.endpoints import SimApi
from ..rows import account_rows, merge, rejecting, run_rows, runs
from ..rows.run_rows import ROW_FAULTS, RunOptions, RunRows
from ..rows.stored_run import StoredRun
from ..rows.v2_status import States
from ..run_tables import LOG_DETAILS, LOGS
from ..schema import Row
from ..stored.queries import WorkspaceQueries
from .batch import Batch
from .concurrent_requests import ConcurrentRequests
from .plan import UNLIMITED, Bounds
from .session import SyncSession

BACKLOG_STEP = 200
"""Details or snapshots requested between two checks of the clock."""
Detail = wire.Run | Rejected | errors.NotFound
"""A run's detail, one that could not be parsed, or the error that it no longer exists."""

A = TypeVar("A")
B = TypeVar("B")


class V2Details(Protocol):
    """Access to details of runs in the v2 API; see ``V2Session``."""

    @property
    def takes_snapshots(self) -> bool:
        """Whether snapshots are requested from v2."""

    def snapshot(self, execution_id: str) -> wire.Execution | None:
        """Requests a snapshot; None if v1 is to be asked for it."""

    def split(self, execution_id: str) -> dict[str, wire.ModelCost] | None:
        """Requests the cost of a run by model; None if v2 does not tell it."""


@dataclass(slots=True)
class WorkspaceContext:
    """A workspace, its endpoints, and where its rows go.

    Attributes:
        batch: Receives the rows.
        v2: Requests from the v2 API what only it has, or while v1 is limited.
        v2_states: Returns what v2 tells of stored runs, given their rows of ``logs``; see ``RunStates.of_open``.
        restated: Rows of ``logs`` as stored, but with another status of v2; dropped for runs that are added otherwise.
        handled: Ids of runs, executions and states that this extraction has finished.
    """

    id: str
    api: SimApi
    session: SyncSession
    queries: WorkspaceQueries
    options: RunOptions
    batch: Batch
    v2: V2Details
    v2_states: Callable[[Sequence[Row]], States]
    bounds: Bounds = field(default_factory=Bounds)
    handled: set[str] = field(default_factory=set)
    restated: dict[str, Row] = field(default_factory=dict)

    def over(self) -> bool:
        """Whether the time of this sync is up."""
        return self.session.out_of_time

    def allowance(self, bound: int) -> int:
        """Returns how many requests the rate limit allows now without waiting, within the bound."""
        available = self.session.client.available
        if bound >= UNLIMITED // 2 or available is None:
            return max(0, bound)
        return max(0, min(bound, available - 1))

    def detail(self, log_id: str) -> Detail:
        """Requests a run's detail; returns ``NotFound`` if there is none."""
        try:
            return self.api.run(log_id)
        except errors.NotFound as missing:
            return missing

    def read(
        self,
        run: wire.Run,
        answer: Detail | None = None,
        stored: StoredRun | None = None,
    ) -> RunRows | None:
        """Converts a run to rows; more complete stored values are kept. A run that does not fit is set aside.

        Args:
            run: Its list row.
            answer: Its detail, if it was requested.
            stored: The run as stored.
        """
        if isinstance(answer, Rejected):
            self.reject(LOG_DETAILS.name, run.id, bytes(answer.row), answer.reason)
            return None

        def read(run: wire.Run, detail: wire.Run | None) -> RunRows:
            rows = runs.read_run(run, self.id, self.options, detail, asked=answer is not None)
            return rows if stored is None else merge.richer(rows, stored)

        detail = answer if isinstance(answer, wire.Run) else None
        rows, odd = rejecting.read_or_reject(read, run, detail)
        if detail is not None and rows is not None and run.execution_id and merge.is_untold(rows):
            split = self.v2.split(run.execution_id)
            if split is not None:
                told = msgspec.structs.replace(
                    detail, cost=msgspec.structs.replace(detail.cost or wire.Cost(), models=split)
                )
                rows, odd = rejecting.read_or_reject(read, run, told)
        if odd is not None:
            self.reject(LOGS.name if answer is None else LOG_DETAILS.name, run.id, bytes(odd.row), odd.reason)
        return rows

    def add(self, rows: Sequence[RunRows]) -> None:
        """Adds rows of runs to the batch."""
        for each in rows if self.restated else ():
            if each.log:
                self.restated.pop(each.id, None)
        for table, found in run_rows.by_table(rows).items():
            self.batch.add(table, found)

    def add_plain(self, listed: Sequence[wire.Run]) -> bool:
        """Adds plain list rows, all at once; if one of them does not fit, adds none and returns False."""
        if any(run.cut for run in listed):
            return False
        try:
            rows = runs.plain_rows(listed, self.id)
        except ROW_FAULTS:
            return False
        self.batch.add_arrow(LOGS.name, rows)
        return True

    def concurrently(self, ask: Callable[[A], B], wanted: Sequence[A], resource: str) -> Iterator[tuple[A, B | None]]:
        """Sends requests concurrently; yields entries and answers, None for one that failed, which is recorded."""
        if wanted:
            yield from self.begun(ask, wanted, resource)

    def begun(self, ask: Callable[[A], B], wanted: Sequence[A], resource: str) -> ConcurrentRequests[A, B]:
        """Starts the same requests, whose answers are taken later."""

        def failed(error: errors.SimError) -> None:
            if isinstance(error, errors.OutOfTime):
                self.session.extraction.out_of_time = True
            else:
                self.session.log.failed(resource, self.id, error)

        return ConcurrentRequests(ask, wanted, failed)

    def set_aside(self, rejected: Sequence[Rejected]) -> None:
        """Records list rows that could not be read."""
        for row in rejected:
            self.reject(LOGS.name, row.id, bytes(row.row), row.reason)

    def reject(self, table: str, record_id: str | None, row: bytes, reason: object) -> None:
        """Records a row that does not fit, with the reason."""
        if table == LOG_DETAILS.name:
            self.session.log.warn(
                f"{table} of workspace {self.id}: some details cannot be read and are requested again by every sync; "
                "see table rejected_rows for the runs and the reasons"
            )
        found = account_rows.rejected_row(table, record_id, row, str(reason), self.id, datetime.now(UTC))
        self.batch.add(REJECTED_ROWS.name, [found])
