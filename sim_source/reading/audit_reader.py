"""Reads audit logs of the account, newest first; stored ones are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..account_tables import AUDIT_LOGS
from ..api import wire
from ..api.endpoints import SimApi
from ..paging import resync, walk_audit, windows
from ..paging.chunks import Chunk
from ..paging.filters import Kind
from ..paging.state import ResourceState
from ..paging.walk_audit import walk_audit_logs
from ..rows import account_rows
from ..schema import Row
from ..stored.audit_queries import kinds_of_audit_logs, newest_audit_log, stored_audit_logs
from ..stored.warehouse import Warehouse
from ..timestamps import utc
from . import adding
from .batch import Batch, Tables
from .coverage import Coverage
from .newest_first_reader import NewestFirstReader


@dataclass(slots=True)
class AuditReader:
    """Reads audit logs.

    Attributes:
        coverage: Which time range to read.
        api: The endpoints.
        warehouse: Queried for stored rows.
        state: The state of audit logs; changed in place.
        batch: Receives the rows.
        most: Most rows that this extraction reads.
    """

    coverage: Coverage
    api: SimApi
    warehouse: Warehouse
    state: ResourceState
    batch: Batch
    most: int

    def tables(self) -> Iterator[Tables]:
        """Reads audit logs, and rejected rows.

        Raises:
            AccessDenied: 403 without the Enterprise plan, or if the key's owner is not an organization admin.
        """
        state = self.coverage.trusted(self.state)
        state.cover_departed()
        if self.coverage.plan.resync is not None:
            resync.begin_resync(state, self.coverage.plan.resync, newest_first=True)
        newest = newest_audit_log(self.warehouse, self._account)
        reader = NewestFirstReader[wire.AuditLog](
            AUDIT_LOGS.name,
            self.coverage.session,
            state,
            self.batch,
            walk=lambda first, last: walk_audit_logs(self.api.audit_logs, first, last, self._met_before),
            wanted=self._wanted,
            take=lambda chunk: self._add(chunk, newest),
        )
        finished = yield from reader.tables(self.most)
        if not finished:
            self.coverage.session.extraction.more = True

    def _wanted(self, lowest: datetime | None) -> windows.Extent:
        """What this sync covers; audit logs never change, so there is no reconcile."""
        return replace(self.coverage.wanted(lowest is not None), reconcile=timedelta(0))

    def _met_before(self, first: datetime, last: datetime) -> set[Kind]:
        """Returns the kinds of audit logs stored outside a time range: a range that fills pages is queried by them."""
        columns = {each.field: each.anew for each in walk_audit.FILTERS}
        return kinds_of_audit_logs(self.warehouse, self._account, columns, first, last)

    def _add(self, chunk: Chunk[wire.AuditLog], newest: datetime | None) -> None:
        adding.add(self.batch, AUDIT_LOGS.name, self._fresh(chunk, newest), self._row, chunk.rejected)

    def _row(self, row: wire.AuditLog) -> Row:
        return account_rows.audit_row(row, self._account)

    @property
    def _account(self) -> str:
        return self.coverage.plan.account

    def _fresh(self, chunk: Chunk[wire.AuditLog], newest: datetime | None) -> list[wire.AuditLog]:
        """Returns rows that are not stored yet."""
        made = [utc(row.created_at) for row in chunk.rows]
        if not made or newest is None or min(made) > newest:
            return chunk.rows
        stored = stored_audit_logs(self.warehouse, min(made), max(made))
        return [row for row in chunk.rows if row.id not in stored]
