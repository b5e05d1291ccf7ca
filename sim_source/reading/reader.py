"""Everything a sync reads, in order: usage, workflows, audit logs, then the runs of each workspace.

One flow of pages feeds all tables. A resource that fails ends alone: what was read of it is kept, the
others go on, and it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import pyarrow as pa

from .. import errors
from ..api import wire
from ..api.decode import Rejected
from ..api.endpoints import SimApi
from ..paging import resync, walk_audit, walk_list, windows
from ..paging.chunks import Chunk
from ..paging.filters import Kind
from ..paging.walk_audit import walk_audit_logs
from ..rows import account, rejecting
from ..schema import Row
from ..stored.audit_queries import kinds_of_audit_logs, newest_audit_log, stored_audit_logs
from ..stored.queries import WorkspaceQueries
from ..stored.warehouse import Warehouse
from ..tables import AUDIT_LOGS, EXECUTION_SNAPSHOTS, LOGS, REJECTED_ROWS, TABLES, USAGE, WORKFLOW_STATES, WORKFLOWS
from ..timestamps import MILLISECOND, utc
from .batch import Batch, Tables
from .gaps import Gaps
from .plan import Bounds, ReadPlan
from .row_checks import RowChecks
from .run_reader import LIST_TABLES, RunReader
from .session import SyncSession
from .words import refused_workspace, wrong_key
from .workspace import Workspace

W = TypeVar("W", bound=msgspec.Struct)

RUN_TABLES = (*LIST_TABLES, EXECUTION_SNAPSHOTS.name, WORKFLOW_STATES.name)


def in_full(selected: Collection[str]) -> bool:
    """Whether lists of runs are asked for in full: plain ones fill ``logs`` alone."""
    return any(table in selected for table in RUN_TABLES[1:])


@dataclass(slots=True)
class Reader:
    """Reads what the selected tables need.

    Attributes:
        plan: What is to be read.
        bounds: How much of it, at most; counted down.
        warehouse: Asks the destination.
        state: dlt's source state; changed in place, committed with the data.
        selected: Names of the tables that are wanted.
        restored: dlt's working folder is new, the destination is not: a load that was cut in the middle is lost.
    """

    session: SyncSession
    plan: ReadPlan
    bounds: Bounds
    warehouse: Warehouse
    state: windows.State
    selected: frozenset[str]
    restored: bool = False
    _is_first: bool = field(init=False)
    _handover: RowChecks = field(init=False)

    def __post_init__(self) -> None:
        self._is_first = self.session.end is None
        self._handover = RowChecks(self.warehouse, self.plan.pseudonyms)

    def pages(self, existing: Iterable[str]) -> Iterator[Tables]:
        """All pages; first an empty one for tables the destination does not have yet."""
        missing = self.selected - set(existing)
        if missing:
            yield {name: TABLES[name].empty() for name in TABLES if name in missing}
        for step in (self._usage, self._audit_logs):
            yield from self._counted(step())
        for workspace_id in self.plan.workspace_ids:
            if self.session.out_of_time:
                return
            yield from self._counted(self._workspace(workspace_id))

    def _counted(self, pages: Iterator[Tables]) -> Iterator[Tables]:
        for tables in pages:
            for name, table in tables.items():
                self.session.log.extracted(name, table.num_rows)
                if name == REJECTED_ROWS.name:
                    self._tell_rejected(table)
            yield tables
            if refused := self._handover.refused():
                rows = self._handover(REJECTED_ROWS, REJECTED_ROWS.arrow_of(refused))
                yield from self._counted(iter([{REJECTED_ROWS.name: rows}] if rows.num_rows else []))

    def _tell_rejected(self, rows: pa.Table) -> None:
        told = zip(rows["table_name"].to_pylist(), rows["workspace_id"].to_pylist(), strict=True)
        for table, workspace_id in sorted(set(told), key=str):
            where = f" of workspace {workspace_id}" if workspace_id else ""
            self.session.log.warn(
                f"{table}{where}: rows were set aside, or stored without a part that cannot be; rejected_rows has each "
                "of them with the reason"
            )

    @contextmanager
    def _kept_apart(self, resource: str, workspace_id: str | None) -> Iterator[None]:
        """A failure ends this resource only; running out of time ends it without one."""
        try:
            yield
        except errors.OutOfTime:
            self.session.extraction.out_of_time = True
        except errors.AccessDenied as denied:
            if denied.status == 401:
                raise wrong_key(denied) from denied
            told = denied if workspace_id is None else refused_workspace(workspace_id, denied)
            if self.session.strict:
                raise told from denied
            self.session.log.failed(resource, workspace_id, told)
        except errors.SimError as error:
            if self.session.strict or isinstance(error, errors.ConfigurationError):
                raise
            self.session.log.failed(resource, workspace_id, error)

    def _batch(self, *names: str) -> Batch:
        wanted = [name for name in (*names, REJECTED_ROWS.name) if name in self.selected]
        return Batch(wanted, last_look=self._handover)

    def _usage(self) -> Iterator[Tables]:
        """Also the proof of the key: a wrong one ends the sync here, before anything is written."""
        if USAGE.name not in self.selected or not self.bounds.audit_logs:
            return
        try:
            usage = self.client_api().usage()
        except errors.AccessDenied as denied:
            raise wrong_key(denied) from denied
        except errors.SimError as error:
            if self.session.strict:
                raise
            self.session.log.failed(USAGE.name, None, error)
            return
        batch = self._batch(USAGE.name)
        told, odd = ([], [usage]) if isinstance(usage, Rejected) else ([usage], [])
        self._add(USAGE.name, told, lambda found: account.usage_row(found, datetime.now(UTC)), odd, None, batch)
        yield from batch.flush()

    def client_api(self) -> SimApi:
        """The endpoints; lists are asked for in full only where a table needs that."""
        return SimApi(self.session.client, full=self._full)

    @property
    def _full(self) -> bool:
        return in_full(self.selected)

    def _audit_logs(self) -> Iterator[Tables]:
        if AUDIT_LOGS.name not in self.selected or not self.bounds.audit_logs:
            return
        batch = self._batch(AUDIT_LOGS.name)
        with self._kept_apart(AUDIT_LOGS.name, None):
            try:
                yield from self._walk_audit(batch)
            except errors.AccessDenied as denied:
                if denied.status != 403:
                    raise
                self.session.log.warn(
                    f"audit logs are left out: {denied.reason}. They need the Enterprise plan and a key of an "
                    "organization owner or admin"
                )
        yield from batch.flush()

    def _wanted(self, walked: bool = False) -> windows.Span:
        """What this sync is to cover: up to ``until``, or now; never what the server has not lived yet.

        Args:
            walked: This sync has read something of it already.
        """
        plan, now = self.plan, self.session.client.server_time
        end = self.session.end or plan.until or now or datetime.now(UTC)
        self.session.end = end = end if now is None else min(end, now)
        fresh = plan.until is None and self._is_first and not walked
        only = None if plan.resync is None else resync.KEY
        return windows.Span(end, plan.since, plan.lookback, plan.reconcile, fresh, only)

    def _trusted(self, state: windows.State) -> windows.State:
        """A resource's state, its watermark taken back where it lies in the server's future."""
        now = self.session.client.server_time or datetime.now(UTC)
        if windows.distrust(state, now, self.plan.reconcile):
            self.session.log.warn(
                "the last sync ended in the future of the server's clock; the last days are read again"
            )
        return state

    def _walk_audit(self, batch: Batch) -> Iterator[Tables]:
        settings, api = self.plan, self.client_api()
        state = self._trusted(self.state.setdefault(AUDIT_LOGS.name, {}))
        windows.cover_departed(state)
        if settings.resync is not None:
            resync.begin(state, settings.resync, newest_first=True)
        gaps = Gaps(state, self.session, AUDIT_LOGS.name)
        left, walked, newest = self.bounds.audit_logs, False, newest_audit_log(self.warehouse)
        while window := windows.next_window(state, self._wanted(walked), newest_first=True):
            for number, chunk in enumerate(walk_audit_logs(api.audit_logs, window.start, window.end, self._met_before)):
                if number == 0:  # access is proven: only now is the walk remembered
                    windows.started(state, window, newest_first=True)
                self._add_audit(chunk, newest, batch)
                gaps.note(chunk.gap)
                windows.reached(state, chunk.position, window.key)
                yield from batch.full()
                left -= len(chunk.rows)
                # as with runs: a piece must get further than where it began
                full = left <= 0 and chunk.position < window.end
                if (full or self.session.client.out_of_time) and not chunk.final:
                    self.session.extraction.more = True
                    gaps.walked(chunk.position + MILLISECOND, window.end)
                    return
            windows.finished(state, window.key, self.session.client.server_time)
            gaps.walked(window.start, window.end)
            walked = True
        yield from self._missing_audit(gaps, newest, batch)

    def _missing_audit(self, gaps: Gaps, newest: datetime | None, batch: Batch) -> Iterator[Tables]:
        """Walks stretches again that may lack rows."""
        for first, last in gaps.again():
            for chunk in walk_audit_logs(self.client_api().audit_logs, first, last, self._met_before):
                self._add_audit(chunk, newest, batch)
                gaps.note(chunk.gap)
                yield from batch.full()
                if self.session.client.out_of_time and not chunk.final:
                    return
            gaps.walked(first, last)

    def _met_before(self, first: datetime, last: datetime) -> set[Kind]:
        """Kinds of audit logs that are stored outside of a stretch: where that fills pages it is asked for by them."""
        columns = {each.field: each.anew for each in walk_audit.FILTERS}
        return kinds_of_audit_logs(self.warehouse, columns, first, last)

    def _add_audit(self, chunk: Chunk[wire.AuditLog], newest: datetime | None, batch: Batch) -> None:
        self._add(AUDIT_LOGS.name, self._fresh_audit(chunk, newest), account.audit_row, chunk.rejected, None, batch)

    def _fresh_audit(self, chunk: Chunk[wire.AuditLog], newest: datetime | None) -> list[wire.AuditLog]:
        """Rows that are not stored yet."""
        made = [utc(row.created_at) for row in chunk.rows]
        if not made or newest is None or min(made) > newest:
            return chunk.rows
        stored = stored_audit_logs(self.warehouse, min(made), max(made))
        return [row for row in chunk.rows if row.id not in stored]

    def _workspace(self, workspace_id: str) -> Iterator[Tables]:
        state = self.state.setdefault("workspaces", {}).setdefault(workspace_id, {})
        first_sync = "until" not in state.get(LOGS.name, {})
        rows_before = self.session.log.rows[LOGS.name]
        failures = len(self.session.log.failures)
        workflows = [0]
        if self.bounds.audit_logs:  # the first piece of a sync
            with self._kept_apart(WORKFLOWS.name, workspace_id):
                yield from self._workflows(workspace_id, state, workflows)
        refused = any(
            isinstance(failure.error, errors.AccessDenied) for failure in self.session.log.failures[failures:]
        )
        if refused or not self.selected.intersection(RUN_TABLES):
            return
        batch = self._batch(*RUN_TABLES)
        with self._kept_apart(LOGS.name, workspace_id):
            yield from self._runs(workspace_id, state, batch, alive=bool(workflows[0]))
        yield from batch.flush()
        nothing = self.session.log.rows[LOGS.name] == rows_before and not workflows[0]
        cut = self.session.out_of_time or self.session.extraction.more or len(self.session.log.failures) > failures
        if first_sync and nothing and not cut:
            self.session.log.warn(
                f"workspace {workspace_id} looks empty: either nothing ran there yet, or the id is wrong or the "
                "key may not read it (servers before mid 2026 answer that with an empty list)"
            )

    def _runs(self, workspace_id: str, state: windows.State, batch: Batch, *, alive: bool) -> Iterator[Tables]:
        settings = self.plan
        logs = self._trusted(state.setdefault(LOGS.name, {}))
        if settings.resync is None:
            windows.cover(logs, self.selected.intersection(RUN_TABLES))
        else:
            resync.begin(logs, settings.resync)
        workspace = Workspace(
            id=workspace_id,
            api=self.client_api(),
            session=self.session,
            memory=WorkspaceQueries(self.warehouse, workspace_id),
            options=replace(settings.options, logs_only=not self._full),
            batch=batch,
            bounds=self.bounds,
        )
        yield from RunReader(
            workspace,
            settings.snapshots,
            logs,
            self._wanted,
            mend=self.restored,
            alive=alive,
        ).tables()

    def _workflows(self, workspace_id: str, state: windows.State, count: list[int]) -> Iterator[Tables]:
        if WORKFLOWS.name not in self.selected:
            return
        api, batch = self.client_api(), self._batch(WORKFLOWS.name)
        found: list[wire.Workflow] = []
        odd: list[Rejected] = []
        stuck: errors.NoProgress | None = None
        try:
            for page in walk_list.walk_by_cursor(lambda cursor: api.workflows(workspace_id, cursor)):
                found += page.rows
                odd += page.rejected
        except errors.NoProgress as error:  # what came before is kept
            stuck = error
        count[0] = len(found) + len(odd)
        rows, more = _read(found, lambda row: account.workflow_row(row, workspace_id))
        self._set_aside(WORKFLOWS.name, [*odd, *more], workspace_id, batch)
        digest = account.rows_hash(rows)
        if state.get(WORKFLOWS.name) != digest:  # a sync with nothing new loads nothing
            batch.add(WORKFLOWS.name, rows)
            state[WORKFLOWS.name] = digest
        yield from batch.flush()
        if stuck is not None:
            raise stuck

    def _add(
        self,
        table: str,
        found: list[W],
        read: Callable[[W], Row],
        odd: list[Rejected],
        workspace_id: str | None,
        batch: Batch,
    ) -> None:
        rows, more = _read(found, read)
        batch.add(table, rows)
        self._set_aside(table, [*odd, *more], workspace_id, batch)

    def _set_aside(self, table: str, odd: list[Rejected], workspace_id: str | None, batch: Batch) -> None:
        for row in odd:
            seen_at = datetime.now(UTC)  # part of the key: two odd rows of one id are two
            shown = account.rejected_row(table, row.id, bytes(row.row), row.reason, workspace_id, seen_at)
            batch.add(REJECTED_ROWS.name, [shown])


def _read(found: list[W], read: Callable[[W], Row]) -> tuple[list[Row], list[Rejected]]:
    """Rows of what fits, and what does not fit any table."""
    gated = [rejecting.read_or_reject(read, each) for each in found]
    return [row for row, _ in gated if row is not None], [odd for _, odd in gated if odd is not None]
