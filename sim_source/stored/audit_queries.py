"""Queries for stored audit logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .warehouse import Warehouse

_OF_ACCOUNT = "(SELECT {audit_logs:a} FROM {audit_logs} a) l WHERE (l.account = %s OR l.account IS NULL)"
"""Audit logs of an account; null also counts, since versions without accounts stored no name."""
_MADE_BETWEEN = "SELECT id FROM {audit_logs} WHERE created_at >= %s AND created_at <= %s"


def newest_audit_log(warehouse: Warehouse, account: str) -> datetime | None:
    """Returns when the newest stored audit log of an account was created; None if there is none."""
    return warehouse.latest(f"SELECT max(l.created_at) FROM {_OF_ACCOUNT}", account)


def stored_audit_logs(warehouse: Warehouse, first: datetime, last: datetime) -> set[str]:
    """Returns ids of stored audit logs created in ``[first, last]``; audit logs never change."""
    return {row[0] for row in warehouse.ask(_MADE_BETWEEN, first, last)}


def kinds_of_audit_logs(
    warehouse: Warehouse, account: str, columns: Mapping[str, bool], first: datetime, last: datetime
) -> set[tuple[str | None, ...]]:
    """Returns the combinations of values in an account's audit logs stored outside of ``[first, last]``.

    Args:
        warehouse: The destination.
        account: The account.
        columns: Columns to return; if mapped to True, "" is returned for any value, and None for none.
        first: First moment to exclude.
        last: Last moment to exclude.
    """
    looked_at = [f"CASE WHEN {name} IS NOT NULL THEN '' END" if anew else name for name, anew in columns.items()]
    query = f"SELECT DISTINCT {', '.join(looked_at)} FROM {_OF_ACCOUNT} AND (l.created_at < %s OR l.created_at > %s)"
    return {tuple(row) for row in warehouse.ask(query, account, first, last)}
