"""Everything a sync reads, in order: usage, audit logs, then the workflows and runs of each workspace.

One flow of pages feeds all tables. If a resource fails, only that resource stops: the rows read so far are kept, the
others continue, and the failure is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import pyarrow as pa

from .. import errors
from ..account_tables import (
    AUDIT_LOGS,
    BILLING_LOGS,
    BILLING_STATUS,
    REJECTED_ROWS,
    USAGE,
    WORKFLOW_VERSIONS,
    WORKFLOWS,
    WORKSPACES,
)
from ..api.endpoints import SimApi
from ..paging import resync, walk_list
from ..paging.source_state import SourceState, WorkspaceState
from ..rows import account_rows
from ..run_tables import EXECUTION_SNAPSHOTS, LOGS, WORKFLOW_STATES
from ..stored.queries import WorkspaceQueries
from ..stored.warehouse import Warehouse
from ..tables import TABLES
from . import adding
from .account_lists import AccountLists
from .audit_reader import AuditReader
from .batch import Batch, Tables
from .coverage import Coverage
from .ledger_reader import LedgerReader
from .list_pages import LIST_TABLES
from .plan import Bounds, ReadPlan
from .refusals import refused_workspace, wrong_key
from .row_checks import RowChecks
from .run_reader import RunReader
from .session import SyncSession
from .workflow_list import ListedWorkflows
from .workspace import WorkspaceContext

A = TypeVar("A")

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
        restored: dlt's working directory is new and the destination is not: a load that was interrupted is lost.
    """

    session: SyncSession
    plan: ReadPlan
    bounds: Bounds
    warehouse: Warehouse
    state: SourceState
    selected: frozenset[str]
    restored: bool = False
    _listed: dict[str, ListedWorkflows] = field(default_factory=dict)
    _coverage: Coverage = field(init=False)
    _checks: RowChecks = field(init=False)

    def __post_init__(self) -> None:
        self._coverage = Coverage(self.session, self.plan)
        self._checks = RowChecks(self.warehouse, self.plan.pseudonyms)

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
            yield from self._counted(self._workspace(workspace_id))
        yield from self._counted(self._workflows_and_v2())

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

    @contextmanager
    def _isolate_failure(self, resource: str, workspace_id: str | None) -> Iterator[None]:
        """Limits a failure to this resource; running out of time ends the resource without a failure."""
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

    @contextmanager
    def _v2(self, resource: str, workspace_id: str | None) -> Iterator[None]:
        """Lets a resource of v2 be missing, or denied to this key; other failures as ``_isolate_failure``."""
        with self._isolate_failure(resource, workspace_id):
            try:
                yield
            except (errors.NotOffered, errors.NotFound):
                return
            except errors.AccessDenied as denied:
                if denied.status == 401:  # v1 accepts the key, or would have said so
                    raise errors.Unavailable(f"{denied}") from denied

    def _from_v2(self, resource: str, workspace_id: str | None, read: Callable[[], A]) -> A | None:
        """Reads a resource of v2; returns None if nothing was read."""
        if resource in self.selected and self._reads_v2:
            with self._v2(resource, workspace_id):
                return read()
        return None

    @property
    def _reads_v2(self) -> bool:
        """Whether v2 is to be read, not known to be missing, and the server not out of reach."""
        return self.plan.api != "v1" and self.session.v2.offered is not False and self.session.client.reached

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
        adding.add_one(batch, USAGE.name, usage, lambda found: account_rows.usage_row(found, datetime.now(UTC)))
        yield from batch.flush()

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
        with self._isolate_failure(AUDIT_LOGS.name, None):
            try:
                state, most = self.state.audit_logs, self.bounds.audit_logs
                yield from AuditReader(self._coverage, self._api(), self.warehouse, state, batch, most).tables()
            except errors.AccessDenied as denied:
                if denied.status != 403:
                    raise
                self.session.log.warn(
                    f"audit logs were skipped: {denied.reason}. They need the Enterprise plan and the API key of an "
                    "organization owner or admin"
                )
        yield from batch.flush()

    def _workspace(self, workspace_id: str) -> Iterator[Tables]:
        state = self.state.workspace(workspace_id)
        first_sync = state.is_first
        rows_before = self.session.log.rows[LOGS.name]
        failures = len(self.session.log.failures)
        workflows = [0]
        if self.bounds.audit_logs:  # the first piece of a sync
            with self._isolate_failure(WORKFLOWS.name, workspace_id):
                self._list_workflows(state, workflows)
        refused = any(
            isinstance(failure.error, errors.AccessDenied) for failure in self.session.log.failures[failures:]
        )
        if refused or not self.selected.intersection(RUN_TABLES):
            return
        batch = self._batch(*RUN_TABLES)
        with self._isolate_failure(LOGS.name, workspace_id):
            yield from self._runs(state, batch, alive=bool(workflows[0]))
        yield from batch.flush()
        nothing = self.session.log.rows[LOGS.name] == rows_before and not workflows[0]
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
            bounds=self.bounds,
        )
        yield from RunReader(
            workspace,
            settings.snapshots,
            logs,
            self._coverage.wanted,
            mend=self.restored,
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

    def _workflows_and_v2(self) -> Iterator[Tables]:
        """Stores workflows, and reads what only the v2 API tells; v1 never waits for it."""
        batch = self._batch(WORKFLOWS.name, WORKFLOW_VERSIONS.name, WORKSPACES.name, BILLING_STATUS.name)
        lists = AccountLists(self.session.v2, self.state, batch)
        for id_ in self.plan.workspace_ids if self.bounds.audit_logs else ():
            places = self._from_v2(WORKFLOWS.name, id_, partial(lists.places, id_))
            if places is not None:
                state = self.state.workspace(id_)
                self._from_v2(WORKFLOW_VERSIONS.name, id_, partial(lists.versions, state, places))
            if id_ in self._listed:
                self._listed.pop(id_).add_to(batch, self.warehouse, places)
            self._from_v2(BILLING_STATUS.name, id_, partial(lists.status, id_))
        if self.bounds.audit_logs:
            self._from_v2(WORKSPACES.name, None, lists.workspaces)
        yield from batch.flush()
        if BILLING_LOGS.name in self.selected and self.bounds.ledger and self._reads_v2:
            batch = self._batch(BILLING_LOGS.name)
            ledger = self.state.billing_logs(self.session.client.reader)
            with self._v2(BILLING_LOGS.name, None):
                most = self.bounds.ledger
                yield from LedgerReader(self._coverage, self.session.v2, self.warehouse, ledger, batch, most).tables()
            yield from batch.flush()
