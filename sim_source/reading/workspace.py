"""One workspace during a sync: what the readers of its lists, details and snapshots share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from .. import errors
from ..account_tables import REJECTED_ROWS
from ..api import wire
from ..api.client import CONNECTIONS
from ..api.decode import Rejected
from ..api.endpoints import SimApi
from ..rows import account_rows, merge, rejecting, run_rows, runs
from ..rows.run_rows import ROW_FAULTS, RunOptions, RunRows
from ..rows.stored_run import StoredRun
from ..run_tables import LOG_DETAILS, LOGS
from ..stored.queries import WorkspaceQueries
from .batch import Batch
from .plan import UNLIMITED, Bounds
from .session import SyncSession

BACKLOG_STEP = 200
"""Details or snapshots requested between two checks of the clock."""
Detail = wire.Run | Rejected | errors.NotFound
"""A run's detail, one that could not be parsed, or the error that it no longer exists."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass(slots=True)
class WorkspaceContext:
    """A workspace, its endpoints, and where its rows go.

    Attributes:
        batch: Receives the rows.
        handled: Ids of runs, executions and states that this extraction has finished.
    """

    id: str
    api: SimApi
    session: SyncSession
    queries: WorkspaceQueries
    options: RunOptions
    batch: Batch
    bounds: Bounds = field(default_factory=Bounds)
    handled: set[str] = field(default_factory=set)

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

        rows, odd = rejecting.read_or_reject(read, run, answer if isinstance(answer, wire.Run) else None)
        if odd is not None:
            self.reject(LOGS.name if answer is None else LOG_DETAILS.name, run.id, bytes(odd.row), odd.reason)
        return rows

    def add(self, rows: Sequence[RunRows]) -> None:
        """Adds rows of runs to the batch."""
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
        """Sends requests concurrently, as the rate limit allows; yields None for one that failed, and records it."""
        if not wanted:
            return
        with ThreadPoolExecutor(min(CONNECTIONS, len(wanted))) as pool:
            answers = [(entry, pool.submit(ask, entry)) for entry in wanted]
            for entry, answer in answers:
                try:
                    yield entry, answer.result()
                except errors.OutOfTime:
                    self.session.extraction.out_of_time = True
                    pool.shutdown(wait=False, cancel_futures=True)
                    return
                except (
                    errors.Unavailable,
                    errors.BadRequest,
                ) as fault:  # only this one failed; the others are still read
                    self.session.log.failed(resource, self.id, fault)
                    yield entry, None
                except ROW_FAULTS as fault:
                    self.session.log.failed(
                        resource, self.id, errors.UnreadableAnswer(f"an answer has an unexpected format: {fault}")
                    )
                    yield entry, None

    def set_aside(self, rejected: Sequence[Rejected]) -> None:
        """Records list rows that could not be read."""
        for row in rejected:
            self.reject(LOGS.name, row.id, bytes(row.row), row.reason)

    def reject(self, table: str, row_id: str | None, row: bytes, reason: object) -> None:
        """Records a row that does not fit, with the reason."""
        if table == LOG_DETAILS.name:
            self.session.log.warn(
                f"{table} of workspace {self.id}: some details cannot be read and are requested again by every sync; "
                "see table rejected_rows for the runs and the reasons"
            )
        found = account_rows.rejected_row(table, row_id, row, str(reason), self.id, datetime.now(UTC))
        self.batch.add(REJECTED_ROWS.name, [found])
