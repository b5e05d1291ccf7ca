"""Everything a sync reads, in order: usage, audit logs, then the workflows and runs of each workspace.

One flow of pages feeds all tables. If a resource fails, only that resource stops: the rows read so far are kept, the
others continue, and the failure is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa

from .. import errors
from ..account_tables import AUDIT_LOGS, BILLING_LOGS, REJECTED_ROWS, USAGE, WORKFLOW_VERSIONS, WORKFLOWS
from ..api import wire
from ..api.endpoints import SimApi
from ..paging import resync, walk_list
from ..paging.source_state import SourceState, WorkspaceState
from ..rows import account_rows
from ..run_tables import EXECUTION_SNAPSHOTS, LOGS, WORKFLOW_STATES
from ..schema import Row
from ..stored.queries import WorkspaceQueries
from ..stored.warehouse import Warehouse
from ..tables import TABLES
from . import adding
from .audit_reader import AuditReader
from .batch import Batch, Tables
from .coverage import Coverage
from .isolation import isolate_failure
from .ledger_reader import LedgerReader
from .list_pages import LIST_TABLES
from .plan import Bounds, ReadPlan
from .refusals import wrong_key
from .row_checks import RowChecks
from .run_reader import RunReader
from .run_states import RunStates
from .session import SyncSession
from .v2_reader import V2Reader
from .v2_session import V2Session
from .workflow_list import ListedWorkflows
from .workspace import WorkspaceContext

RUN_TABLES = (*LIST_TABLES, EXECUTION_SNAPSHOTS.name, WORKFLOW_STATES.name)


def in_full(selected: Collection[str]) -> bool:
    """Whether lists of runs are requested in full: plain ones fill only ``logs``."""
    return any(table in selected for table in RUN_TABLES[1:])


@dataclass(slots=True)
class Reader:
    """Reads what the selected tables need.

    Attributes:
        plan: What to read.
        bounds: How much of it, at most; counted down.
        warehouse: Queries the destination.
        state: The state of the source; changed in place, committed with the data.
        selected: Names of the tables that are wanted.
        agreeing: Workspaces whose tables are known to agree. Of others, a load may have been interrupted on another
            machine, or its working directory may be lost: their runs are compared with what is stored of them.
    """

    session: SyncSession
    plan: ReadPlan
    bounds: Bounds
    warehouse: Warehouse
    state: SourceState
    selected: frozenset[str]
    agreeing: frozenset[str] = frozenset()
    _listed: dict[str, ListedWorkflows] = field(default_factory=dict)
    _coverage: Coverage = field(init=False)
    _checks: RowChecks = field(init=False)
    _v2: V2Session = field(init=False)
    _states: RunStates = field(init=False)

    def __post_init__(self) -> None:
        self._coverage = Coverage(self.session, self.plan)
        self._checks = RowChecks(self.warehouse, self.plan.pseudonyms)
        self._v2 = V2Session(self.session, self.plan, self.selected)
        self._states = RunStates(self._v2, self.state, self.warehouse, self._batch(LOGS.name))

    def pages(self, existing: Iterable[str]) -> Iterator[Tables]:
        """Yields all pages; first an empty one for tables that the destination does not have yet."""
        missing = self.selected - set(existing)
        if missing:
            yield {name: TABLES[name].empty() for name in TABLES if name in missing}
        for step in (self._usage, self._audit_logs):
            yield from self._counted(step())
        for workspace_id in self.plan.workspace_ids:
            if self.session.out_of_time:
                break
            yield from self._counted(self._states.holding(workspace_id, self._workspace(workspace_id)))
        yield from self._counted(self._states.release())
        v2 = V2Reader(self._v2, self.bounds, self.warehouse, self.state, self._batch)
        yield from self._counted(v2.tables(self._listed, self._states.confirm))
        yield from self._counted(self._ledger())
        if self.session.v2.is_exhausted:
            self.session.log.warn(
                "v2 refused a request (429) until it was given up; what else only v2 tells is read by the next sync"
            )

    def _counted(self, pages: Iterator[Tables]) -> Iterator[Tables]:
        for tables in pages:
            for name, table in tables.items():
                self.session.log.extracted(name, table.num_rows)
                if name == REJECTED_ROWS.name:
                    self._tell_rejected(table)
            yield tables
            if refused := self._checks.refused():
                rows = self._checks(REJECTED_ROWS, REJECTED_ROWS.arrow_of(refused))
                yield from self._counted(iter([{REJECTED_ROWS.name: rows}] if rows.num_rows else []))

    def _tell_rejected(self, rows: pa.Table) -> None:
        told = zip(rows["table_name"].to_pylist(), rows["workspace_id"].to_pylist(), strict=True)
        for table, workspace_id in sorted(set(told), key=str):
            where = f" of workspace {workspace_id}" if workspace_id else ""
            self.session.log.warn(
                f"{table}{where}: some rows were set aside, or stored in part, because they do not fit; see table "
                "rejected_rows for each row and the reason"
            )

    def _batch(self, *names: str) -> Batch:
        wanted = [name for name in (*names, REJECTED_ROWS.name) if name in self.selected]
        return Batch(wanted, last_look=self._checks)

    def _usage(self) -> Iterator[Tables]:
        """Reads usage. This also checks the API key: a wrong one ends the sync before anything is written."""
        if USAGE.name not in self.selected or not self.bounds.audit_logs:
            return
        try:
            usage = self._api().usage()
        except errors.AccessDenied as denied:
            raise wrong_key(denied) from denied
        except errors.SimError as error:
            if self.session.strict:
                raise
            self.session.log.failed(USAGE.name, None, error)
            return
        batch = self._batch(USAGE.name)
        adding.add_one(batch, USAGE.name, usage, partial(self._usage_row, datetime.now(UTC)))
        yield from batch.flush()

    def _usage_row(self, observed_at: datetime, usage: wire.Usage) -> Row:
        return account_rows.usage_row(usage, observed_at, self.plan.account)

    def _api(self) -> SimApi:
        """Returns the endpoints; lists are requested in full only if a table needs it."""
        return SimApi(self.session.client, full=self._full)

    @property
    def _full(self) -> bool:
        return in_full(self.selected)

    def _audit_logs(self) -> Iterator[Tables]:
        if AUDIT_LOGS.name not in self.selected or not self.bounds.audit_logs:
            return
        batch = self._batch(AUDIT_LOGS.name)
        self.state.reads_account(self.plan.account)
        with isolate_failure(self.session, AUDIT_LOGS.name, None):
            try:
                state, most = self.state.account(self.plan.account).audit_logs, self.bounds.audit_logs
                yield from AuditReader(self._coverage, self._api(), self.warehouse, state, batch, most).tables()
            except errors.AccessDenied as denied:
                if denied.status != 403:
                    raise
                self.session.log.warn(
                    f"audit logs were skipped: {denied.reason}. They need the Enterprise plan and the API key of an "
                    "organization owner or admin"
                )
        yield from batch.flush()

    def _ledger(self) -> Iterator[Tables]:
        if BILLING_LOGS.name not in self.selected or not self.bounds.ledger or not self._v2.allowed:
            return
        batch = self._batch(BILLING_LOGS.name)
        self.state.reads("billing_logs", self.session.client.reader)
        ledger, most = self.state.billing_logs(self.session.client.reader), self.bounds.ledger
        with self._v2.isolate(BILLING_LOGS.name, None):
            yield from LedgerReader(self._coverage, self._v2.api, self.warehouse, ledger, batch, most).tables()
        yield from batch.flush()

    def _workspace(self, workspace_id: str) -> Iterator[Tables]:
        state = self.state.workspace(workspace_id)
        if self.selected.intersection((*RUN_TABLES, WORKFLOWS.name, WORKFLOW_VERSIONS.name)):
            self.state.reads("workspaces", workspace_id)
        first_sync = state.is_first
        runs_before = self.session.log.runs.total()
        failures = len(self.session.log.failures)
        workflows = [0]
        if self.bounds.audit_logs:  # the first piece of a sync
            with isolate_failure(self.session, WORKFLOWS.name, workspace_id):
                self._list_workflows(state, workflows)
        refused = any(
            isinstance(failure.error, errors.AccessDenied) for failure in self.session.log.failures[failures:]
        )
        if refused or not self.selected.intersection(RUN_TABLES):
            return
        batch = self._batch(*RUN_TABLES)
        with isolate_failure(self.session, LOGS.name, workspace_id):
            yield from self._runs(state, batch, alive=bool(workflows[0]))
        yield from batch.flush()
        nothing = self.session.log.runs.total() == runs_before and not workflows[0]
        cut = self.session.out_of_time or self.session.extraction.more or len(self.session.log.failures) > failures
        if first_sync and nothing and not cut:
            self.session.log.warn(
                f"workspace {workspace_id} looks empty: nothing has run there yet, or the id is wrong, or the API "
                "key has no access to it (servers before mid 2026 return an empty list in all three cases)"
            )

    def _runs(self, state: WorkspaceState, batch: Batch, *, alive: bool) -> Iterator[Tables]:
        settings = self.plan
        logs = self._coverage.trusted(state.logs)
        if settings.resync is None:
            logs.cover(self.selected.intersection(RUN_TABLES))
        else:
            resync.begin_resync(logs, settings.resync)
        workspace = WorkspaceContext(
            id=state.id,
            api=self._api(),
            session=self.session,
            queries=WorkspaceQueries(self.warehouse, state.id),
            options=replace(settings.options, logs_only=not self._full),
            batch=batch,
            v2=self._v2,
            v2_states=partial(self._states.of_open, state.id),
            bounds=self.bounds,
        )
        yield from RunReader(
            workspace,
            settings.snapshots,
            logs,
            self._coverage.wanted,
            mend=state.id not in self.agreeing,
            alive=alive,
        ).tables()

    def _list_workflows(self, state: WorkspaceState, count: list[int]) -> None:
        """Reads the workflows of a workspace; they are stored at the end, when their folders are known."""
        if WORKFLOWS.name not in self.selected:
            return
        api = self._api()
        listed = self._listed[state.id] = ListedWorkflows(state)
        try:
            for page in walk_list.walk_by_cursor(lambda cursor: api.workflows(state.id, cursor)):
                listed.found += page.rows
                listed.odd += page.rejected
        finally:  # rows read before a failure are kept
            count[0] = len(listed.found) + len(listed.odd)
