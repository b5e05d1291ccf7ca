"""Reads the billing ledger as one API key sees it, newest first; events stored with the same values are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ..account_tables import BILLING_LOGS
from ..api import wire
from ..api.v2_endpoints import SimV2Api
from ..paging import resync, windows
from ..paging.chunks import Chunk
from ..paging.resync import Resync
from ..paging.state import ResourceState
from ..paging.walk_ledger import walk_billing_logs
from ..rows import billing_rows
from ..rows.stored_run import same_row
from ..stored.billing_queries import newest_event, stored_events
from ..stored.warehouse import Warehouse
from ..timestamps import utc
from . import adding
from .batch import Batch, Tables
from .coverage import Coverage
from .newest_first_reader import NewestFirstReader


@dataclass(slots=True)
class LedgerReader:
    """Reads the ledger.

    Events of chats and copilots are raised in place while their request goes on, and credits of one page are rounded
    together. So every sync reads whole pages again, from an edge between two of them, and takes all their events as
    they are now.

    Attributes:
        coverage: Which time range to read.
        api: The endpoints.
        warehouse: Queried for stored events.
        state: The state of this key's ledger; changed in place.
        batch: Receives the rows.
        most: Most events that this extraction reads; the next one continues.
    """

    coverage: Coverage
    api: SimV2Api
    warehouse: Warehouse
    state: ResourceState
    batch: Batch
    most: int

    def tables(self) -> Iterator[Tables]:
        """Reads events, and rejected rows.

        Raises:
            NotOffered, AccessDenied, NotFound: The server, or the key, has no ledger.
        """
        state, session = self.coverage.trusted(self.state), self.coverage.session
        if self.coverage.plan.resync is not None:
            resync.begin_resync(state, self._on_edges(self.coverage.plan.resync), newest_first=True)
        newest = newest_event(self.warehouse)
        reader = NewestFirstReader[wire.BillingEvent](
            BILLING_LOGS.name,
            session,
            state,
            self.batch,
            walk=self._walk,
            wanted=self._wanted,
            take=lambda chunk: self._add(chunk, newest),
        )
        yield from reader.tables(self.most)

    def _walk(self, first: datetime, last: datetime) -> Iterator[Chunk[wire.BillingEvent]]:
        """Walks a time range, and records where its pages end."""
        upper = last
        for chunk in walk_billing_logs(self.api.ledger, first, last):
            self.state.set_edge(chunk.position, upper)
            upper = chunk.position
            yield chunk

    def _wanted(self, lowest: datetime | None) -> windows.Extent:
        """Returns what this sync covers.

        Args:
            lowest: Start of what this extraction has walked already. Another walk ends there at the latest: of an event
                that is handed over twice in one load, dlt would keep any one.
        """
        edges = tuple(edge for edge in self.state.edges if lowest is None or edge <= lowest)
        return replace(self.coverage.wanted(lowest is not None), edges=edges)

    def _on_edges(self, wish: Resync) -> Resync:
        """Widens a resync to whole pages."""
        edges = self.state.edges
        first = max((edge for edge in edges if edge <= wish.first), default=wish.first)
        return replace(wish, first=first, last=min((edge for edge in edges if edge >= wish.last), default=wish.last))

    def _add(self, chunk: Chunk[wire.BillingEvent], newest: datetime | None) -> None:
        rows, odd = adding.rows_and_rejected(chunk.rows, billing_rows.ledger_row)
        made = [utc(row.created_at) for row in chunk.rows]
        if made and newest is not None and min(made) <= newest:
            stored = stored_events(self.warehouse, min(made), max(made))
            rows = [billing_rows.kept_ledger_row(row, stored[row[0]]) if row[0] in stored else row for row in rows]
            rows = [row for row in rows if row[0] not in stored or not same_row(BILLING_LOGS, row, stored[row[0]])]
        self.batch.add(BILLING_LOGS.name, rows)
        adding.set_aside(self.batch, BILLING_LOGS.name, [*chunk.rejected, *odd], None)
