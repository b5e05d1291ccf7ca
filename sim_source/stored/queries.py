"""What the destination already holds of a workspace: asked for instead of remembered.

Changes are told by comparison, and what is still to be asked for is found where the rows are. So dlt's state stays a
few timestamps however many runs there are, and losing it costs nothing. A destination that
cannot be asked (or holds nothing yet) counts as empty: rows are then sent again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..options import Details
from ..rows import life
from ..rows.fingerprint import Fingerprint
from ..rows.life import OpenRun
from ..rows.stored_run import StoredRun
from ..schema import Row
from ..tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS
from ..timestamps import utc
from .snapshot_queries import SnapshotQueries
from .warehouse import IDS_AT_ONCE, Warehouse, as_sent, columns_of

TORN_AT_ONCE = 5_000
"""Runs whose tables disagree that one sync reads again."""


class Unfinished(NamedTuple):
    """How many runs may still change, wait for their detail, wait for their snapshot."""

    open_runs: int
    details: int
    snapshots: int


class WorkspaceQueries:
    """What a destination holds of one workspace.

    Attributes:
        snapshots: What it holds of snapshots.
    """

    def __init__(self, warehouse: Warehouse, workspace_id: str) -> None:
        self._warehouse = warehouse
        self._workspace = workspace_id
        self.snapshots = SnapshotQueries(warehouse, workspace_id)

    def newest(self) -> datetime | None:
        """When the newest stored run started: of runs that started later nothing is stored. None: there is none."""
        rows = self._ask("SELECT max(l.started_at) FROM {logs} l WHERE l.workspace_id = %s")
        return utc(rows[0][0]) if rows and rows[0][0] else None

    def fingerprints(self, first: datetime, last: datetime, *, details: bool = True) -> dict[str, Fingerprint]:
        """Stored runs that started in ``[first, last]``: what tells whether they changed.

        With ``details`` (rows of ``log_details`` are loaded, too), a run without its row there, or with one of
        another cost, counts as having fewer spans than any answer: it is sent again.
        """
        where = "WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s"
        if details and self._warehouse.has(LOG_DETAILS.name):
            sql = (
                "SELECT l.id, l.ended_at, l.cost_total, l.level, l.status, "
                "CASE WHEN d.id IS NULL OR d.cost_total IS DISTINCT FROM l.cost_total THEN -1 ELSE d.span_count END, "
                "d.finalization_path, d.error IS NOT NULL "
                f"FROM {{logs}} l LEFT JOIN {{log_details}} d ON d.id = l.id {where}"
            )
        else:
            sql = f"SELECT l.id, l.ended_at, l.cost_total, l.level, l.status, NULL FROM {{logs}} l {where}"
        rows = self._ask(sql, first, last)
        return {row[0]: Fingerprint(utc(row[1]) if row[1] else None, *row[2:]) for row in rows}

    def stored(self, runs: Iterable[OpenRun], *, anew: bool = False) -> dict[str, StoredRun]:
        """These runs as stored.

        Args:
            runs: Which.
            anew: They are read again on purpose: with their spans, and with all doubts of what is stored.
        """
        wanted = sorted(runs, key=lambda run: run.started_at)
        found: dict[str, StoredRun] = {}
        for at in range(0, len(wanted), IDS_AT_ONCE):
            found |= self._stored(wanted[at : at + IDS_AT_ONCE], anew)
        return found

    def _stored(self, runs: Sequence[OpenRun], anew: bool) -> dict[str, StoredRun]:
        ids = [run.id for run in runs]
        between = (runs[0].started_at, runs[-1].started_at)
        marks = ", ".join(["%s"] * len(ids))
        where = f"l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s AND l.id IN ({marks})"
        columns, details, join = columns_of("l", LOGS), "", ""
        if self._warehouse.has(LOG_DETAILS.name):
            details, join = ", " + columns_of("d", LOG_DETAILS), "LEFT JOIN {log_details} d ON d.id = l.id "
        rows = self._ask(f"SELECT {columns}{details} FROM {{logs}} l {join}WHERE {where}", *between, *ids)
        items: dict[str, list[Row]] = {}
        if self._warehouse.has(COST_ITEMS.name):
            where = f"i.workspace_id = %s AND i.started_at >= %s AND i.started_at <= %s AND i.log_id IN ({marks})"
            sql = f"SELECT {columns_of('i', COST_ITEMS)} FROM {{cost_items}} i WHERE {where} ORDER BY i.kind, i.name"
            for row in self._ask(sql, *between, *ids):
                items.setdefault(row[0], []).append(as_sent(COST_ITEMS, row))
        spans = self._spans(ids) if anew else None
        width = len(LOGS.columns)
        return {
            row[0]: StoredRun(
                as_sent(LOGS, row[:width]),
                as_sent(LOG_DETAILS, row[width:]) if row[width:] and row[width] is not None else None,
                items.get(row[0], []),
                None if spans is None else spans.get(row[0], []),
            )
            for row in rows
        }

    def _spans(self, ids: Sequence[str]) -> dict[str, list[Row]]:
        """Stored spans of runs, in their order."""
        found: dict[str, list[Row]] = {}
        if self._warehouse.has(TRACE_SPANS.name):
            marks = ", ".join(["%s"] * len(ids))
            sql = (
                f"SELECT {columns_of('t', TRACE_SPANS)} FROM {{trace_spans}} t "
                f"WHERE t.workspace_id = %s AND t.log_id IN ({marks}) ORDER BY t.log_id, t.span_index"
            )
            for row in self._ask(sql, *ids):
                found.setdefault(row[0], []).append(as_sent(TRACE_SPANS, row))
        return found

    def open_runs(self) -> list[OpenRun]:
        """Stored runs that are not final."""
        rows = self._ask("SELECT l.id, l.started_at FROM {logs} l WHERE l.workspace_id = %s AND " + _IS_OPEN)
        return [OpenRun(row[0], utc(row[1])) for row in rows]

    def ranked(self, runs: Sequence[OpenRun]) -> list[OpenRun]:
        """The same runs with their places among all stored runs, so that pages can be counted."""
        if len(runs) < 2:
            return list(runs)
        first, last = min(run.started_at for run in runs), max(run.started_at for run in runs)
        marks = ", ".join(["%s"] * len(runs))
        rows = self._ask(
            "SELECT r.id, r.place FROM (SELECT l.id, row_number() OVER (ORDER BY l.started_at, l.id) AS place "
            "FROM {logs} l WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s) r "
            f"WHERE r.id IN ({marks})",
            first,
            last,
            *(run.id for run in runs),
        )
        places = {row[0]: int(row[1]) for row in rows}
        return [OpenRun(run.id, run.started_at, places.get(run.id)) for run in runs]

    def torn(self, wanted: Callable[[str], bool]) -> list[OpenRun]:
        """Runs whose tables do not agree: a load was cut between them, and what it held is lost.

        Args:
            wanted: Tells which tables are loaded; others cannot be mended.
        """
        details, items, spans = (
            wanted(table) and self._warehouse.has(table) for table in (LOG_DETAILS.name, COST_ITEMS.name, "trace_spans")
        )
        joins, clauses = [], []
        if details:
            joins.append("LEFT JOIN {log_details} d ON d.id = l.id ")
            clauses.append("d.id IS NULL OR d.cost_total IS DISTINCT FROM l.cost_total")
        if items:
            joins.append(_SUM_OF_ITEMS)
            clauses.append("coalesce(l.cost_total, 0) <> coalesce(c.total, 0)")
        if details and spans:
            joins.append(_COUNT_OF_SPANS)
            clauses.append("coalesce(d.span_count, 0) <> coalesce(t.spans, 0)")
        if details and items:  # the detail's row arrived without its split
            clauses.append("d.detail_source = 'detail' AND c.unread = 1 AND d.span_count > 0")
        if not clauses:
            return []
        return self._disagreeing(joins, " OR ".join(clauses))

    def half_read(self, wanted: Callable[[str], bool]) -> list[OpenRun]:
        """Runs whose split is stored, and of their detail only what lists tell.

        Either lists tell the split (2026-03), or a load was cut before the detail's row arrived.
        """
        if not all(wanted(table) and self._warehouse.has(table) for table in (LOG_DETAILS.name, COST_ITEMS.name)):
            return []
        joins = ["LEFT JOIN {log_details} d ON d.id = l.id ", _SUM_OF_ITEMS]
        told = "c.split = 1"
        if self._warehouse.has(TRACE_SPANS.name):  # a model that cost nothing has no item, and a split all the same
            named = "SELECT t.log_id FROM {trace_spans} t WHERE t.model IS NOT NULL"
            told += f" OR (c.unread = 0 AND c.total > 0 AND l.id IN ({named}))"
        return self._disagreeing(joins, f"d.detail_source = 'list' AND ({told})")

    def _disagreeing(self, joins: Sequence[str], where: str) -> list[OpenRun]:
        """Runs of which this is so, newest first."""
        sql = (
            f"SELECT l.id, l.started_at FROM {{logs}} l {''.join(joins)}WHERE l.workspace_id = %s "
            f"AND ({where}) ORDER BY l.started_at DESC LIMIT {TORN_AT_ONCE}"
        )
        rows = self._warehouse.ask(sql, *[self._workspace] * sql.count("%s"))
        return [OpenRun(row[0], utc(row[1])) for row in rows]

    def unfinished(self, details: Details, *, snapshots: str) -> Unfinished:
        """How much of the stored runs is not final or not complete.

        Args:
            details: Which runs' detail is wanted.
            snapshots: Whose snapshot is wanted: version, all or none.
        """
        parts = ["SELECT count(*) FROM {logs} l WHERE l.workspace_id = %s AND " + _IS_OPEN]
        # of tables that nobody selected nothing is missing, and asking for them would answer nothing at all
        details = details if self._warehouse.has(LOG_DETAILS.name) else "none"
        parts.append(f"SELECT count(*) {self._waiting(details)}" if details != "none" else _NOTHING)
        waiting = self.snapshots.waiting(snapshots)
        parts += [f"SELECT count(*) FROM ({query}) waiting" for query in waiting]
        sql = "SELECT " + ", ".join(f"({part})" for part in parts)
        rows = self._warehouse.ask(sql, *[self._workspace] * len(parts))
        counts = [int(count) for count in rows[0]] if rows else [0, 0]
        return Unfinished(counts[0], counts[1], sum(counts[2:]))

    def pending(self, mode: Details, limit: int) -> list[OpenRun]:
        """Stored runs whose detail is still to be asked for, newest first."""
        if mode == "none" or limit <= 0 or not self._warehouse.has(LOG_DETAILS.name):
            return []
        rows = self._ask(
            f"SELECT l.id, l.started_at {self._waiting(mode)}ORDER BY l.started_at DESC, l.id LIMIT {int(limit)}"
        )
        return [OpenRun(row[0], utc(row[1])) for row in rows]

    def _waiting(self, mode: Details) -> str:
        """The part of a question that finds runs whose detail is still to be asked for."""
        if mode == "all":
            return _UNREAD
        found = [runs for table, runs in _COSTLY.items() if mode == "costly" and self._warehouse.has(table)]
        return f"{_UNREAD}AND l.id IN ({' UNION ALL '.join(found)}) " if found else f"{_UNREAD}AND 1 = 0 "

    def _ask(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self._warehouse.ask(sql, self._workspace, *args)


_IS_OPEN = "l.status IN (" + ", ".join(f"'{status}'" for status in life.OPEN) + ")"
_NOTHING = "SELECT count(*) FROM {logs} WHERE workspace_id = %s AND 1 = 0"
_UNREAD = (
    "FROM {logs} l JOIN {log_details} d ON d.id = l.id "
    "WHERE l.workspace_id = %s AND d.detail_source = 'list' AND l.ended_at IS NOT NULL "
)
_COSTLY = {
    COST_ITEMS.name: "SELECT c.log_id FROM {cost_items} c WHERE c.kind = 'unknown'",
    "trace_spans": "SELECT t.log_id FROM {trace_spans} t JOIN {logs} n ON n.id = t.log_id "
    "WHERE n.cost_total IS NULL AND t.model IS NOT NULL",
    LOGS.name: "SELECT p.id FROM {logs} p WHERE p.status = 'paused'",
}
"""Runs whose detail is worth asking for, by the table that tells; found first, since they are few: three times as fast
as looking at each run."""
_SUM_OF_ITEMS = (
    "LEFT JOIN (SELECT log_id, sum(total_cost) AS total, max(CASE WHEN kind = 'unknown' THEN 1 ELSE 0 END) AS unread, "
    "max(CASE WHEN kind = 'model' THEN 1 ELSE 0 END) AS split FROM {cost_items} WHERE workspace_id = %s "
    "GROUP BY log_id) c ON c.log_id = l.id "
)
_COUNT_OF_SPANS = (
    "LEFT JOIN (SELECT log_id, count(*) AS spans FROM {trace_spans} WHERE workspace_id = %s GROUP BY log_id) t "
    "ON t.log_id = l.id "
)
