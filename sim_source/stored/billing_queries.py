"""Queries for stored events of the billing ledger, and for stored paths of folders."""

from __future__ import annotations

from datetime import datetime

from ..account_tables import BILLING_LOGS
from ..schema import Row
from .warehouse import Warehouse, as_sent

_BETWEEN = "SELECT {billing_logs:b} FROM {billing_logs} b WHERE b.created_at >= %s AND b.created_at <= %s"
_FOLDERS = "SELECT w.id, w.folder_path FROM {workflows} w WHERE w.workspace_id = %s AND w.folder_path IS NOT NULL"


def newest_event(warehouse: Warehouse) -> datetime | None:
    """Returns when the newest stored event was created; None if there is none."""
    return warehouse.latest("SELECT max(created_at) FROM {billing_logs}")


def stored_events(warehouse: Warehouse, first: datetime, last: datetime) -> dict[str, Row]:
    """Returns the stored events created in ``[first, last]`` by id."""
    return {row[0]: as_sent(BILLING_LOGS, row) for row in warehouse.ask(_BETWEEN, first, last)}


def folder_paths(warehouse: Warehouse, workspace_id: str) -> dict[str, str]:
    """Returns the stored folder paths of a workspace's workflows by id; none if no load has stored that column yet."""
    if "folder_path" not in warehouse.columns("workflows"):
        return {}
    return dict(warehouse.ask(_FOLDERS, workspace_id))
