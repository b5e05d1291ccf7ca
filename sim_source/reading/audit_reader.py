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
from ..stored.audit_queries import kinds_of_audit_logs, newest_audit_log, stored_audit_logs
from ..stored.warehouse import Warehouse
from ..timestamps import MILLISECOND, utc
from . import adding
from .batch import Batch, Tables
from .coverage import Coverage
from .gaps import Gaps


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
        gaps = Gaps(state, self.coverage.session, AUDIT_LOGS.name)
        left, walked, newest = self.most, False, newest_audit_log(self.warehouse)
        while window := windows.next_window(state, self._wanted(walked), newest_first=True):
            for number, chunk in enumerate(
                walk_audit_logs(self.api.audit_logs, window.start, window.end, self._met_before)
            ):
                if number == 0:  # access is confirmed: the walk is recorded only now
                    windows.begin_walk(state, window, newest_first=True)
                self._add(chunk, newest)
                gaps.note(chunk.gap)
                state.reached(chunk.position, window.key)
                yield from self.batch.full()
                left -= len(chunk.rows)
                # as with runs: an extraction must get past the instant where it began
                full = left <= 0 and chunk.position < window.end
                if (full or self.coverage.session.client.out_of_time) and not chunk.final:
                    self.coverage.session.extraction.more = True
                    gaps.walked(chunk.position + MILLISECOND, window.end)
                    return
            state.finished(window.key, self.coverage.session.client.server_time)
            gaps.walked(window.start, window.end)
            walked = True
        yield from self._missing(gaps, newest)

    def _wanted(self, walked: bool) -> windows.Extent:
        """What this sync covers; audit logs never change, so there is no reconcile."""
        return replace(self.coverage.wanted(walked), reconcile=timedelta(0))

    def _missing(self, gaps: Gaps, newest: datetime | None) -> Iterator[Tables]:
        """Walks time ranges again that may lack rows."""
        for first, last in gaps.again():
            for chunk in walk_audit_logs(self.api.audit_logs, first, last, self._met_before):
                self._add(chunk, newest)
                gaps.note(chunk.gap)
                yield from self.batch.full()
                if self.coverage.session.client.out_of_time and not chunk.final:
                    return
            gaps.walked(first, last)

    def _met_before(self, first: datetime, last: datetime) -> set[Kind]:
        """Returns the kinds of audit logs stored outside a time range: a range that fills pages is queried by them."""
        columns = {each.field: each.anew for each in walk_audit.FILTERS}
        return kinds_of_audit_logs(self.warehouse, columns, first, last)

    def _add(self, chunk: Chunk[wire.AuditLog], newest: datetime | None) -> None:
        adding.add(self.batch, AUDIT_LOGS.name, self._fresh(chunk, newest), account_rows.audit_row, chunk.rejected)

    def _fresh(self, chunk: Chunk[wire.AuditLog], newest: datetime | None) -> list[wire.AuditLog]:
        """Returns rows that are not stored yet."""
        made = [utc(row.created_at) for row in chunk.rows]
        if not made or newest is None or min(made) > newest:
            return chunk.rows
        stored = stored_audit_logs(self.warehouse, min(made), max(made))
        return [row for row in chunk.rows if row.id not in stored]
