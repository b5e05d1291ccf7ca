"""Runs of one workspace from the API to Arrow tables: each page is parsed once and feeds all its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from . import account, cost, errors, runs, snapshots, walk, windows, wire
from .api import SimApi
from .batch import Batch, Tables
from .client import CONNECTIONS, SimClient
from .decode import Rejected
from .memory import Memory, PendingRun
from .runs import Fingerprint, RunOptions, RunRows
from .tables import COST_ITEMS, EXECUTION_SNAPSHOTS, LOG_DETAILS, LOGS, TRACE_SPANS, WORKFLOW_STATES
from .watch import Watch

UNLIMITED = 1 << 62
BACKLOG_STEP = 200
"""Details or snapshots asked for between two looks at the clock."""

A = TypeVar("A")
B = TypeVar("B")

ROW_FAULTS = (msgspec.DecodeError, ArithmeticError, ValueError, OverflowError)
"""What a row that does not fit raises: it is set aside, never fatal."""


@dataclass(slots=True)
class Bounds:
    """How much one extraction reads at most, so that a first sync is committed in pieces.

    Attributes:
        runs: List rows; 0 walks no list.
        details: Per-run details.
        snapshots: Snapshots.
        audit_logs: Rows of audit logs; 0 walks none.
        catch_up: Whether details and snapshots that earlier extractions left are asked for.
    """

    runs: int = UNLIMITED
    details: int = UNLIMITED
    snapshots: int = UNLIMITED
    audit_logs: int = UNLIMITED
    catch_up: bool = True


@dataclass(slots=True)
class RunReader:
    """Reads the runs of one workspace.

    Attributes:
        state: What is remembered of this workspace's walks; changed in place.
        end: The moment up to which this sync reads; fixed for the whole sync.
        since: The earliest moment wanted, if any was named.
    """

    api: SimApi
    client: SimClient
    memory: Memory
    watch: Watch
    workspace_id: str
    options: RunOptions
    snapshot_mode: snapshots.Snapshots
    state: windows.State
    end: datetime
    since: datetime | None = None
    lookback: timedelta = windows.LOOKBACK
    bounds: Bounds = field(default_factory=Bounds)
    size: walk.PageSize = field(default_factory=walk.PageSize)
    _handled: set[str] = field(default_factory=set)
    _versions: set[str] | None = None

    def tables(self, batch: Batch) -> Iterator[Tables]:
        """Lists, then the backlog of details, then that of snapshots; within the bounds.

        Raises:
            SimError: The API refuses or stays unavailable; what was read before has been handed over.
        """
        if self.bounds.runs > 0:
            yield from self._lists(batch)
        elif windows.next_window(self.state, self.end, self.since, self.lookback):
            self.watch.more = True  # another workspace filled this piece
        if self.watch.out_of_time:
            return
        if self.bounds.catch_up:
            yield from self._detail_backlog(batch)
            yield from self._snapshot_backlog(batch)

    # lists

    def _lists(self, batch: Batch) -> Iterator[Tables]:
        while window := windows.next_window(self.state, self.end, self.since, self.lookback):
            windows.started(self.state, window)
            for chunk in walk.runs(self._ask, window.start, window.end, self.size):
                self._take(chunk, batch)
                windows.reached(self.state, chunk.position)
                windows.touched(self.state, chunk.position)
                yield from batch.full()
                self.bounds.runs -= len(chunk.rows)
                # not inside the instant it began with: the next piece would begin, and end, there again
                full = self.bounds.runs <= 0 and chunk.position > window.start
                if (full or self._over()) and not chunk.final:
                    self.watch.more = True
                    yield from batch.flush()
                    return
            windows.finished(self.state)
        yield from batch.flush()

    def _ask(self, query: walk.Query) -> Any:
        return self.api.runs(self.workspace_id, query)

    def _over(self) -> bool:
        self.watch.out_of_time = self.watch.out_of_time or self.client.out_of_time
        return self.watch.out_of_time

    def _take(self, chunk: walk.Chunk[wire.Run], batch: Batch) -> None:
        self._set_aside(chunk.rejected, batch)
        stored = self._stored(chunk)
        fresh: list[tuple[wire.Run, RunRows]] = []
        for run in chunk.rows:
            try:
                rows = runs.read(run, self.workspace_id, self.options)
            except ROW_FAULTS as fault:
                self._reject(LOGS.name, run.id, msgspec.json.encode(run), fault, batch)
                continue
            known = stored.get(run.id)
            if known is None or _changed(known, rows.fingerprint):
                fresh.append((run, rows))
        complete = self._complete_now(fresh, batch) if batch.wants(LOG_DETAILS.name) else {}
        self._add([complete.get(run.id, rows) for run, rows in fresh], batch)
        self._snapshots_now([run for run, _ in fresh], batch)

    def _stored(self, chunk: walk.Chunk[wire.Run]) -> dict[str, Fingerprint]:
        if not chunk.rows:
            return {}
        first = walk.utc(chunk.rows[0].started_at)
        if not windows.may_be_stored(self.state, first):
            return {}
        return self.memory.fingerprints(first, walk.utc(chunk.rows[-1].started_at))

    def _complete_now(self, fresh: list[tuple[wire.Run, RunRows]], batch: Batch) -> dict[str, RunRows]:
        """Asks at once for the details that cost no waiting; the others wait for their turn."""
        wanted = [run for run, rows in reversed(fresh) if rows.pending]
        wanted = wanted[: self._allowance(self.bounds.details)]
        complete: dict[str, RunRows] = {}
        for run, answer in self._concurrently(lambda run: self._detail(run), wanted):
            self.bounds.details -= 1
            if answer is None:
                continue
            self._handled.add(run.id)
            rows = self._read_complete(run, answer, batch)
            if rows is not None:
                complete[run.id] = rows
        return complete

    def _read_complete(self, run: wire.Run, answer: wire.Run | errors.NotFound, batch: Batch) -> RunRows | None:
        detail = None if isinstance(answer, errors.NotFound) else answer
        try:
            return runs.read(run, self.workspace_id, self.options, detail, asked=True)
        except ROW_FAULTS as fault:
            self._reject(LOG_DETAILS.name, run.id, msgspec.json.encode(detail or run), fault, batch)
            return None

    def _allowance(self, bound: int) -> int:
        """Requests that can be sent now: as many as the rate allows without waiting, within the bound."""
        available = self.client.available
        if bound >= UNLIMITED // 2 or available is None:
            return max(0, bound)
        return max(0, min(bound, available - 1))

    def _add(self, read: list[RunRows], batch: Batch) -> None:
        batch.add(LOGS.name, [rows.log for rows in read])
        batch.add(LOG_DETAILS.name, [rows.detail for rows in read])
        batch.add(COST_ITEMS.name, [item for rows in read for item in rows.items])
        batch.add(TRACE_SPANS.name, [span for rows in read for span in rows.spans])

    # details

    def _detail(self, run: wire.Run) -> wire.Run | errors.NotFound:
        try:
            return self.api.run(run.id)
        except errors.NotFound as gone:
            return gone

    def _detail_backlog(self, batch: Batch) -> Iterator[Tables]:
        if not batch.wants(LOG_DETAILS.name):
            return
        while self.bounds.details > 0 and not self._over():
            step = min(BACKLOG_STEP, self.bounds.details) + len(self._handled)
            waiting = [
                stored
                for stored in self.memory.pending(self.options.details, step)
                if stored.run.id not in self._handled
            ]
            if not waiting:
                return
            for stored, answer in self._concurrently(lambda stored: self._detail(stored.run), waiting):
                self._handled.add(stored.run.id)
                self.bounds.details -= 1
                if answer is not None:
                    self._add_detail(stored, answer, batch)
            yield from batch.flush()

    def _add_detail(self, stored: PendingRun, answer: wire.Run | errors.NotFound, batch: Batch) -> None:
        if isinstance(answer, errors.NotFound):
            self._close(stored, batch)
            return
        rows = self._read_complete(stored.run, answer, batch)
        if rows is None:
            return
        if rows.log != stored.log_row:
            batch.add(LOGS.name, [rows.log])
        batch.add(LOG_DETAILS.name, [rows.detail])
        batch.add(COST_ITEMS.name, rows.items)
        if rows.spans or not stored.has_spans:  # of an expired trace, what is stored is richer
            batch.add(TRACE_SPANS.name, rows.spans)

    def _close(self, stored: PendingRun, batch: Batch) -> None:
        """A run that was purged before its detail was read: what is stored stays, its cost is ``other``."""
        source = LOG_DETAILS.column_names.index("detail_source")
        row = stored.detail_row
        batch.add(LOG_DETAILS.name, [(*row[:source], "detail", *row[source + 1 :])])
        total = stored.run.cost.total if stored.run.cost else None
        items = cost.items(total, None, cost.Charges(), pending=False)
        batch.add(
            COST_ITEMS.name,
            [runs.item_row(item, stored.run, self.workspace_id, stored.workflow_id) for item in items],
        )

    # snapshots

    def _snapshots_now(self, fresh: list[wire.Run], batch: Batch) -> None:
        if self.snapshot_mode == "none" or not self.bounds.snapshots or not batch.wants(EXECUTION_SNAPSHOTS.name):
            return
        if self._versions is None:
            self._versions = self.memory.snapshot_versions()
        wanted: list[tuple[str, str | None]] = []
        for run in reversed(fresh):
            version = run.deployment_version_id
            if run.execution_id is None or run.execution_id in self._handled:
                continue
            if self.snapshot_mode == "version" and version is not None:
                if version in self._versions:
                    continue
                self._versions.add(version)
            wanted.append((run.execution_id, run.workflow_id))
        self._read_snapshots(wanted[: self._allowance(self.bounds.snapshots)], batch)

    def _snapshot_backlog(self, batch: Batch) -> Iterator[Tables]:
        if self.snapshot_mode == "none" or not batch.wants(EXECUTION_SNAPSHOTS.name):
            return
        while self.bounds.snapshots > 0 and not self._over():
            step = min(BACKLOG_STEP, self.bounds.snapshots) + len(self._handled)
            waiting = [
                entry
                for entry in self.memory.without_snapshot(by_version=self.snapshot_mode == "version", limit=step)
                if entry[0] not in self._handled
            ]
            if not waiting:
                return
            self._read_snapshots(waiting, batch)
            yield from batch.flush()

    def _read_snapshots(self, wanted: list[tuple[str, str | None]], batch: Batch) -> None:
        for (execution_id, _), answer in self._concurrently(lambda entry: self._snapshot(*entry), wanted):
            self._handled.add(execution_id)
            self.bounds.snapshots -= 1
            if answer is None:
                continue
            batch.add(EXECUTION_SNAPSHOTS.name, [answer.snapshot])
            if answer.state is not None and answer.state[0] not in self._handled:
                self._handled.add(answer.state[0])
                batch.add(WORKFLOW_STATES.name, [answer.state])

    def _snapshot(self, execution_id: str, workflow_id: str | None) -> snapshots.SnapshotRows:
        try:
            return snapshots.read(self.api.execution(execution_id), self.workspace_id)
        except errors.NotFound:
            return snapshots.gone(execution_id, self.workspace_id, workflow_id)

    # what both share

    def _concurrently(self, ask: Callable[[A], B], wanted: list[A]) -> Iterator[tuple[A, B | None]]:
        """Asks for many at once, as the client's pacing lets them; None where one failed."""
        if not wanted:
            return
        with ThreadPoolExecutor(min(CONNECTIONS, len(wanted))) as pool:
            answers = [(entry, pool.submit(ask, entry)) for entry in wanted]
            for entry, answer in answers:
                try:
                    yield entry, answer.result()
                except errors.OutOfTime:
                    self.watch.out_of_time = True
                    pool.shutdown(wait=False, cancel_futures=True)
                    return
                except errors.Unavailable as fault:
                    self.watch.failed("log_details", self.workspace_id, fault)
                    yield entry, None
                except ROW_FAULTS as fault:
                    self.watch.warn(f"workspace {self.workspace_id}: an answer could not be read: {fault}")
                    yield entry, None

    def _set_aside(self, rejected: list[Rejected], batch: Batch) -> None:
        for row in rejected:
            self._reject(LOGS.name, row.id, bytes(row.row), row.reason, batch)

    def _reject(self, table: str, row_id: str | None, row: bytes, reason: object, batch: Batch) -> None:
        seen_at = datetime.now(UTC)
        batch.add(
            "rejected_rows",
            [account.rejected_row(table, row_id, row, str(reason), self.workspace_id, seen_at)],
        )


def _changed(known: Fingerprint, now: Fingerprint) -> bool:
    """Whether a run tells something new: a status that only its detail told is not undone by the list."""
    same = known[:3] == now[:3]
    settled = known.status in ("cancelled", "failed") and now.status == "completed"
    return not (same and (known.status == now.status or settled))
