"""What the destination holds of audit logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..timestamps import utc
from .warehouse import Warehouse

_NEWEST = "SELECT max(created_at) FROM {audit_logs}"
_MADE_BETWEEN = "SELECT id FROM {audit_logs} WHERE created_at >= %s AND created_at <= %s"


def newest_audit_log(warehouse: Warehouse) -> datetime | None:
    """When the newest stored audit log was made; None: there is none."""
    rows = warehouse.ask(_NEWEST)
    return utc(rows[0][0]) if rows and rows[0][0] else None


def stored_audit_logs(warehouse: Warehouse, first: datetime, last: datetime) -> set[str]:
    """Ids of stored audit logs made in ``[first, last]``; they never change."""
    return {row[0] for row in warehouse.ask(_MADE_BETWEEN, first, last)}


def kinds_of_audit_logs(
    warehouse: Warehouse, columns: Mapping[str, bool], first: datetime, last: datetime
) -> set[tuple[str | None, ...]]:
    """Values that audit logs stored outside of ``[first, last]`` have together.

    Args:
        warehouse: Where they are.
        columns: Columns; of those that are True only whether there is a value is told, as "".
        first: First moment that does not count.
        last: Last one.
    """
    looked_at = [f"CASE WHEN {name} IS NOT NULL THEN '' END" if anew else name for name, anew in columns.items()]
    query = f"SELECT DISTINCT {', '.join(looked_at)} FROM {{audit_logs}} WHERE created_at < %s OR created_at > %s"
    return {tuple(row) for row in warehouse.ask(query, first, last)}
