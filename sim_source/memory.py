"""What the destination already holds: asked for instead of remembered.

Changes are told by comparison, and what is still to be asked for is found where the rows are. So dlt's state stays a
few timestamps however many runs there are, and losing it costs nothing. A destination that
cannot be asked (or holds nothing yet) counts as empty: rows are then sent again, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import dlt
import msgspec
from dlt.common.destination.exceptions import SqlClientNotAvailable
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from . import life, wire
from .runs import Fingerprint, json_text
from .tables import LOG_DETAILS, LOGS, TABLES, Row, Table
from .walk import utc


@dataclass(frozen=True, slots=True)
class PendingRun:
    """A stored run whose detail is still to be asked for.

    Attributes:
        run: What its list row said, as far as the detail does not say it again.
        log_row: Its row of ``logs`` as stored.
        detail_row: Its row of ``log_details`` as stored.
        has_spans: Whether spans of it are stored.
    """

    run: wire.Run
    workflow_id: str | None
    log_row: Row
    detail_row: Row
    has_spans: bool


class Unfinished(NamedTuple):
    """How many runs may still change, wait for their detail, wait for their snapshot."""

    open_runs: int
    details: int
    snapshots: int


class Warehouse:
    """Asks the destination of a pipeline; one for all questions, since making dlt's client costs more than asking.

    A destination that cannot be asked, or does not have the tables yet, answers nothing.
    """

    def __init__(self, pipeline: dlt.Pipeline) -> None:
        self._pipeline = pipeline
        self._client: SqlClientBase[Any] | None = None

    def ask(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Rows of a question; ``{logs}`` and the like stand for the tables' full names."""
        try:
            if self._client is None:
                self._client = self._pipeline.sql_client()
            with self._client as client:
                names = {name: client.make_qualified_table_name(name) for name in (*TABLES, *_DLT_TABLES)}
                with client.execute_query(sql.format(**names), *args) as cursor:
                    return list(cursor.fetchall())
        except (DatabaseUndefinedRelation, SqlClientNotAvailable, MissingDependencyException):
            return []

    def has(self, table: str) -> bool:
        """Whether a table was ever loaded: one that nobody selected is not there to be asked."""
        name = self._pipeline.default_schema_name
        return name is not None and table in self._pipeline.schemas[name].data_table_names(seen_data_only=True)

    def count(self, table: str) -> int:
        """Rows of a table; 0 where it is not there."""
        rows = self.ask(f"SELECT count(*) FROM {{{table}}}")  # noqa: S608 a name of ours
        return int(rows[0][0]) if rows else 0


_DLT_TABLES = ("_dlt_loads", "_dlt_pipeline_state")


class Memory:
    """What a destination holds of one workspace."""

    def __init__(self, warehouse: Warehouse, workspace_id: str) -> None:
        self._warehouse = warehouse
        self._workspace = workspace_id

    def fingerprints(self, first: datetime, last: datetime) -> dict[str, Fingerprint]:
        """Stored runs that started in ``[first, last]``: what tells whether they changed."""
        rows = self._ask(
            "SELECT id, ended_at, cost_total, level, status FROM {logs} "
            "WHERE workspace_id = %s AND started_at >= %s AND started_at <= %s",
            first,
            last,
        )
        return {row[0]: Fingerprint(utc(row[1]) if row[1] else None, row[2], row[3], row[4]) for row in rows}

    def unfinished(self, details: life.Details, *, snapshots: str) -> Unfinished:
        """What of the stored runs is not final or not complete.

        Args:
            details: Which runs' detail is wanted.
            snapshots: Whose snapshot is wanted: version, all or none.
        """
        parts = ["SELECT count(*) FROM {logs} WHERE workspace_id = %s AND status IN ('running', 'paused')"]
        # of tables that nobody selected nothing is missing, and asking for them would answer nothing at all
        details = details if self._warehouse.has("log_details") else "none"
        snapshots = snapshots if self._warehouse.has("execution_snapshots") else "none"
        parts.append(f"SELECT count(*) {self._waiting(details)}" if details != "none" else _NOTHING)
        missing = {"none": [], "all": [_NO_SNAPSHOT], "version": [_NEW_VERSIONS, _NO_SNAPSHOT + _UNVERSIONED]}
        parts += [f"SELECT count(*) FROM ({query}) waiting" for query in missing[snapshots]]  # noqa: S608
        sql = "SELECT " + ", ".join(f"({part})" for part in parts)
        rows = self._warehouse.ask(sql, *[self._workspace] * len(parts))
        counts = [int(count) for count in rows[0]] if rows else [0, 0]
        return Unfinished(counts[0], counts[1], sum(counts[2:]))

    def pending(self, mode: life.Details, limit: int) -> list[PendingRun]:
        """Stored runs whose detail is still to be asked for, newest first."""
        if mode == "none" or limit <= 0:
            return []
        columns = ", ".join(
            [f"l.{name}" for name in LOGS.column_names] + [f"d.{name}" for name in LOG_DETAILS.column_names]
        )
        rows = self._ask(f"SELECT {columns} {self._waiting(mode)}ORDER BY l.started_at DESC, l.id LIMIT {int(limit)}")
        return [_pending_run(row) for row in rows]

    def _waiting(self, mode: life.Details) -> str:
        """The part of a question that finds runs whose detail is still to be asked for."""
        if mode == "all":
            return _UNREAD
        clauses = [clause for table, clause in _COSTLY.items() if mode == "costly" and self._warehouse.has(table)]
        return f"{_UNREAD}AND ({' OR '.join(clauses) or '1 = 0'}) "

    def snapshot_versions(self) -> set[str]:
        """Deployment versions a snapshot of which is stored."""
        rows = self._ask(
            "SELECT DISTINCT l.deployment_version_id FROM {execution_snapshots} s "
            "JOIN {logs} l ON l.execution_id = s.execution_id "
            "WHERE l.workspace_id = %s AND s.state_hash IS NOT NULL AND l.deployment_version_id IS NOT NULL"
        )
        return {row[0] for row in rows}

    def without_snapshot(self, *, by_version: bool, limit: int) -> list[tuple[str, str | None]]:
        """Executions whose snapshot is to be asked for: (execution id, workflow id), newest first."""
        newest = f"ORDER BY l.started_at DESC LIMIT {int(limit)}"
        if not by_version:
            rows = self._ask(f"{_NO_SNAPSHOT}{newest}")
        else:
            rows = self._ask(f"{_NEW_VERSIONS} LIMIT {int(limit)}")
            rows += self._ask(f"{_NO_SNAPSHOT}{_UNVERSIONED}{newest}")
        return [(row[0], row[1]) for row in rows[:limit]]

    def _ask(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self._warehouse.ask(sql, self._workspace, *args)


def stored_audit_logs(warehouse: Warehouse, first: datetime, last: datetime) -> set[str]:
    """Ids of stored audit logs made in ``[first, last]``; they never change."""
    rows = warehouse.ask("SELECT id FROM {audit_logs} WHERE created_at >= %s AND created_at <= %s", first, last)
    return {row[0] for row in rows}


_NOTHING = "SELECT count(*) FROM {logs} WHERE workspace_id = %s AND 1 = 0"
_UNREAD = (
    "FROM {logs} l JOIN {log_details} d ON d.id = l.id "
    "WHERE l.workspace_id = %s AND d.detail_source = 'list' AND l.ended_at IS NOT NULL "
)
_COSTLY = {
    "cost_items": "EXISTS (SELECT 1 FROM {cost_items} c WHERE c.log_id = l.id AND c.kind = 'unknown')",
    "trace_spans": "(l.cost_total IS NULL AND EXISTS ("
    "SELECT 1 FROM {trace_spans} t WHERE t.log_id = l.id AND t.model IS NOT NULL))",
}
"""What makes a run's detail worth asking for, by the table that tells."""
_NO_SNAPSHOT = (
    "SELECT l.execution_id, l.workflow_id FROM {logs} l WHERE l.workspace_id = %s AND l.execution_id IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM {execution_snapshots} s WHERE s.execution_id = l.execution_id) "
)
_UNVERSIONED = "AND l.deployment_version_id IS NULL "
_NEW_VERSIONS = (
    "SELECT max(l.execution_id), max(l.workflow_id) FROM {logs} l "
    "WHERE l.workspace_id = %s AND l.deployment_version_id IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM {execution_snapshots} s WHERE s.execution_id = l.execution_id) "
    "AND l.deployment_version_id NOT IN (SELECT k.deployment_version_id FROM {execution_snapshots} s "
    "JOIN {logs} k ON k.execution_id = s.execution_id "
    "WHERE s.state_hash IS NOT NULL AND k.deployment_version_id IS NOT NULL) "
    "GROUP BY l.deployment_version_id"
)


def _pending_run(row: tuple[Any, ...]) -> PendingRun:
    width = len(LOGS.columns)
    log_row, detail_row = _stored(LOGS, row[:width]), _stored(LOG_DETAILS, row[width:])
    log: dict[str, Any] = dict(zip(LOGS.column_names, log_row, strict=True))
    run = wire.Run(
        id=log["id"],
        started_at=log["started_at"],
        execution_id=log["execution_id"],
        deployment_version_id=log["deployment_version_id"],
        level=log["level"],
        trigger=log["trigger"],
        ended_at=log["ended_at"],
        total_duration_ms=log["total_duration_ms"],
        cost=wire.Cost(total=log["cost_total"]) if log["cost_total"] is not None else None,
        files=_raw(log["files"]),
        unknown=_raw(log["extra"]),
    )
    spans = detail_row[LOG_DETAILS.column_names.index("span_count")]
    return PendingRun(run, log["workflow_id"], log_row, detail_row, bool(spans))


def _stored(table: Table, row: tuple[Any, ...]) -> Row:
    """A stored row as it was sent: JSON as text (some drivers hand it out parsed), moments in UTC."""
    return tuple(
        _as_json(value) if column.kind == "json" else utc(value) if column.kind == "timestamp" and value else value
        for column, value in zip(table.columns, row, strict=True)
    )


def _as_json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json_text(value)


def _raw(text: str | None) -> msgspec.Raw:
    return wire.NO_RAW if text is None else msgspec.Raw(text.encode())
