"""Queries for stored audit logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .warehouse import Warehouse

_MADE_BETWEEN = "SELECT id FROM {audit_logs} WHERE created_at >= %s AND created_at <= %s"


def newest_audit_log(warehouse: Warehouse) -> datetime | None:
    """Returns when the newest stored audit log was created; None if there is none."""
    return warehouse.latest("SELECT max(created_at) FROM {audit_logs}")


def stored_audit_logs(warehouse: Warehouse, first: datetime, last: datetime) -> set[str]:
    """Returns ids of stored audit logs created in ``[first, last]``; audit logs never change."""
    return {row[0] for row in warehouse.ask(_MADE_BETWEEN, first, last)}


def kinds_of_audit_logs(
    warehouse: Warehouse, columns: Mapping[str, bool], first: datetime, last: datetime
) -> set[tuple[str | None, ...]]:
    """Returns the combinations of values in audit logs stored outside of ``[first, last]``.

    Args:
        warehouse: The destination.
        columns: Columns to return; if mapped to True, "" is returned for any value, and None for none.
        first: First moment to exclude.
        last: Last moment to exclude.
    """
    looked_at = [f"CASE WHEN {name} IS NOT NULL THEN '' END" if anew else name for name, anew in columns.items()]
    query = f"SELECT DISTINCT {', '.join(looked_at)} FROM {{audit_logs}} WHERE created_at < %s OR created_at > %s"
    return {tuple(row) for row in warehouse.ask(query, first, last)}
