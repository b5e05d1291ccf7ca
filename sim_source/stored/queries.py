"""Queries for what the destination already holds of a workspace. It is looked up there, not remembered.

Changes are found by comparing with stored rows, and what is still to be requested is found by querying them. So dlt's
state holds only a few timestamps, however many runs there are, and losing it costs nothing. A destination that is
empty or cannot be queried counts as empty: rows are then sent again, and the result is the same.
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
from ..run_tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS
from ..schema import Row
from ..timestamps import utc
from . import torn_queries
from .snapshot_queries import SnapshotQueries
from .warehouse import Warehouse, as_sent, in_steps

_NEWEST = "SELECT max(l.started_at) FROM {logs} l WHERE l.workspace_id = %s"

_ALL_COLUMNS = "(SELECT {logs:a} FROM {logs} a) l"
"""``logs`` with all declared columns; those that an earlier version did not store are null."""

_FINGERPRINTS = (
    """
    SELECT l.id, l.ended_at, l.cost_total, l.level, l.status,
        CASE WHEN d.id IS NULL OR d.cost_total IS DISTINCT FROM l.cost_total THEN -1 ELSE d.span_count END,
        d.finalization_path, d.error IS NOT NULL, l.v2_status
    FROM """
    + _ALL_COLUMNS
    + """ LEFT JOIN {log_details} d ON d.id = l.id
    WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s
"""
)
_FINGERPRINTS_WITHOUT_DETAILS = (
    """
    SELECT l.id, l.ended_at, l.cost_total, l.level, l.status, NULL, NULL, NULL, l.v2_status
    FROM """
    + _ALL_COLUMNS
    + """
    WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s
"""
)

_RUNS = """
    SELECT {logs:l}
    FROM {logs} l
    WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s AND l.id IN ({ids})
"""
_RUNS_WITH_DETAILS = """
    SELECT {logs:l}, {log_details:d}
    FROM {logs} l LEFT JOIN {log_details} d ON d.id = l.id
    WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s AND l.id IN ({ids})
"""
_ITEMS = """
    SELECT {cost_items:i}
    FROM {cost_items} i
    WHERE i.workspace_id = %s AND i.started_at >= %s AND i.started_at <= %s AND i.log_id IN ({ids})
    ORDER BY i.kind, i.name
"""
_SPANS = """
    SELECT {trace_spans:t}
    FROM {trace_spans} t
    WHERE t.workspace_id = %s AND t.log_id IN ({ids})
    ORDER BY t.log_id, t.span_index
"""

_UNCONFIRMED = f"""
    SELECT {{logs:l}}
    FROM {_ALL_COLUMNS}
    WHERE l.workspace_id = %s AND l.v2_status IS NULL AND l.started_at >= %s AND l.started_at <= %s
    ORDER BY l.started_at DESC, l.id
"""

_IS_OPEN = f"l.status IN ({', '.join(map(repr, life.OPEN))})"
_OPEN = f"SELECT {{logs:l}} FROM {{logs}} l WHERE l.workspace_id = %s AND {_IS_OPEN}"
_COUNT_OPEN = f"SELECT count(*) FROM {{logs}} l WHERE l.workspace_id = %s AND {_IS_OPEN}"

_PLACES = """
    SELECT r.id, r.place
    FROM (
        SELECT l.id, row_number() OVER (ORDER BY l.started_at, l.id) AS place
        FROM {logs} l
        WHERE l.workspace_id = %s AND l.started_at >= %s AND l.started_at <= %s
    ) r
    WHERE r.id IN ({ids})
"""

_WITHOUT_DETAIL = """
    FROM {logs} l JOIN {log_details} d ON d.id = l.id
    WHERE l.workspace_id = %s AND d.detail_source = 'list' AND l.ended_at IS NOT NULL
"""
_WORTH_ASKING = {
    COST_ITEMS.name: "SELECT c.log_id FROM {cost_items} c WHERE c.kind = 'unknown'",
    TRACE_SPANS.name: """
        SELECT t.log_id FROM {trace_spans} t JOIN {logs} n ON n.id = t.log_id
        WHERE n.cost_total IS NULL AND t.model IS NOT NULL
    """,
    LOGS.name: "SELECT p.id FROM {logs} p WHERE p.status = 'paused'",
}
"""Queries for runs whose detail is worth a request (``details = "costly"``), by the table they read. They match few
runs, so they are evaluated first: that is faster than checking each run."""


class Unfinished(NamedTuple):
    """Counts of runs that may still change, that wait for their detail, and that wait for their snapshot."""

    open_runs: int
    details: int
    snapshots: int


class WorkspaceQueries:
    """Queries for what a destination holds of one workspace.

    Attributes:
        snapshots: Queries for its snapshots.
    """

    def __init__(self, warehouse: Warehouse, workspace_id: str) -> None:
        self._warehouse = warehouse
        self._workspace = workspace_id
        self.snapshots = SnapshotQueries(warehouse, workspace_id)

    def newest(self) -> datetime | None:
        """Returns when the newest stored run started, or None: no run that started later is stored."""
        return self._warehouse.latest(_NEWEST, self._workspace)

    def fingerprints(self, first: datetime, last: datetime, *, details: bool = True) -> dict[str, Fingerprint]:
        """Returns the fingerprints of stored runs that started in ``[first, last]``: they show whether a run changed.

        With ``details`` (rows of ``log_details`` are loaded, too), a run without a row there, or with another cost
        there, counts as having fewer spans than any answer, so it is sent again.
        """
        with_details = details and self._warehouse.has(LOG_DETAILS.name)
        rows = self._ask(_FINGERPRINTS if with_details else _FINGERPRINTS_WITHOUT_DETAILS, first, last)
        return {row[0]: Fingerprint(utc(row[1]) if row[1] else None, *row[2:]) for row in rows}

    def stored(self, runs: Iterable[OpenRun], *, anew: bool = False) -> dict[str, StoredRun]:
        """Returns these runs as stored.

        Args:
            runs: The runs.
            anew: They are read again on request or for repair: their spans are returned, too, and their details are
                requested even if they are stored (see ``StoredRun.spans``).
        """
        wanted = sorted(runs, key=lambda run: run.started_at)
        found: dict[str, StoredRun] = {}
        for some in in_steps(wanted):
            found |= self._stored(some, anew)
        return found

    def _stored(self, runs: Sequence[OpenRun], anew: bool) -> dict[str, StoredRun]:
        ids = [run.id for run in runs]
        between = (runs[0].started_at, runs[-1].started_at)
        with_details = self._warehouse.has(LOG_DETAILS.name)
        rows = self._ask(_RUNS_WITH_DETAILS if with_details else _RUNS, *between, ids=ids)
        items: dict[str, list[Row]] = {}
        for row in self._ask(_ITEMS, *between, ids=ids):
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
        """Returns the stored spans of runs, in order."""
        found: dict[str, list[Row]] = {}
        for row in self._ask(_SPANS, ids=ids):
            found.setdefault(row[0], []).append(as_sent(TRACE_SPANS, row))
        return found

    def unconfirmed(self, first: datetime, last: datetime, most: int) -> list[Row]:
        """Returns rows of ``logs`` that started in ``[first, last]`` and lack the status of v2, newest first."""
        return [as_sent(LOGS, row) for row in self._ask(f"{_UNCONFIRMED} LIMIT {int(most)}", first, last)]

    def open_runs(self) -> list[Row]:
        """Returns rows of ``logs`` of stored runs that are not final."""
        return [as_sent(LOGS, row) for row in self._ask(_OPEN)]

    def ranked(self, runs: Sequence[OpenRun]) -> list[OpenRun]:
        """Returns the same runs with their positions among all stored runs, so that pages can be counted."""
        if len(runs) < 2:
            return list(runs)
        first, last = min(run.started_at for run in runs), max(run.started_at for run in runs)
        places = {
            row[0]: int(row[1])
            for some in in_steps([run.id for run in runs])
            for row in self._ask(_PLACES, first, last, ids=some)
        }
        return [OpenRun(run.id, run.started_at, places.get(run.id)) for run in runs]

    def torn(self, wanted: Callable[[str], bool]) -> list[OpenRun]:
        """Returns runs whose tables disagree: a load was interrupted between them, and the rest of it is lost.

        Args:
            wanted: Whether a table is loaded; other tables cannot be repaired.
        """
        return self._runs(torn_queries.torn(self._there(wanted)))

    def half_read(self, wanted: Callable[[str], bool]) -> list[OpenRun]:
        """Returns runs whose cost split is stored, but whose detail holds only what lists provide.

        Either lists provide the split (2026-03), or a load was interrupted before the detail's row arrived.
        """
        return self._runs(torn_queries.half_read(self._there(wanted)))

    def _there(self, wanted: Callable[[str], bool]) -> frozenset[str]:
        """Tables that are loaded and exist in the destination."""
        tables = (LOG_DETAILS.name, COST_ITEMS.name, TRACE_SPANS.name)
        return frozenset(name for name in tables if wanted(name) and self._warehouse.has(name))

    def _runs(self, question: str | None) -> list[OpenRun]:
        """Returns the runs that a query finds; the query may name the workspace any number of times."""
        if question is None:
            return []
        rows = self._warehouse.ask(question, *[self._workspace] * question.count("%s"))
        return [OpenRun(row[0], utc(row[1])) for row in rows]

    def unfinished(self, details: Details, *, snapshots: str) -> Unfinished:
        """Counts the stored runs that are not final or not complete.

        Args:
            details: Which runs' details are wanted.
            snapshots: Which snapshots are wanted: version, all or none.
        """
        questions = [_COUNT_OPEN]
        if details != "none" and self._warehouse.has(LOG_DETAILS.name):
            questions.append(f"SELECT count(*) {self._waiting(details)}")
        else:
            questions.append("SELECT 0")
        questions += [f"SELECT count(*) FROM ({query}) waiting" for query in self.snapshots.waiting(snapshots)]
        sql = "SELECT " + ", ".join(f"({question})" for question in questions)
        rows = self._warehouse.ask(sql, *[self._workspace] * sql.count("%s"))
        counts = [int(count) for count in rows[0]] if rows else [0, 0]
        return Unfinished(counts[0], counts[1], sum(counts[2:]))

    def pending(self, mode: Details, limit: int) -> list[OpenRun]:
        """Returns stored runs whose detail is still to be requested, newest first."""
        if mode == "none" or limit <= 0 or not self._warehouse.has(LOG_DETAILS.name):
            return []
        newest_first = f"ORDER BY l.started_at DESC, l.id LIMIT {int(limit)}"
        rows = self._ask(f"SELECT l.id, l.started_at {self._waiting(mode)} {newest_first}")
        return [OpenRun(row[0], utc(row[1])) for row in rows]

    def _waiting(self, mode: Details) -> str:
        """The part of a query, from FROM on, that finds runs whose detail is still to be requested."""
        if mode == "all":
            return _WITHOUT_DETAIL
        found = [runs for table, runs in _WORTH_ASKING.items() if mode == "costly" and self._warehouse.has(table)]
        return f"{_WITHOUT_DETAIL} AND l.id IN ({' UNION ALL '.join(found)})"

    def _ask(self, sql: str, *args: Any, ids: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        return self._warehouse.ask(sql, self._workspace, *args, ids=ids)
