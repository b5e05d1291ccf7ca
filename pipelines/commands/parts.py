"""The parts of a dataset that a sync reads: workspaces and accounts. Each part has one writer at a time."""

from __future__ import annotations

from collections.abc import Mapping

from sim_source import SyncLog

from ..destination.file_lock import TryLater
from ..settings import RunSettings

WORKSPACE_PART, ACCOUNT_PART = "workspace ", "account "
ACCOUNT_TABLES = ("usage", "audit_logs", "workspaces", "billing_logs", "billing_status")
"""Tables of an account, as opposed to a workspace. One writer at a time reads them."""


def parts_of(settings: RunSettings) -> list[str]:
    """Returns the parts of the dataset that a sync reads, of which each may have one writer at a time."""
    parts = [ACCOUNT_PART + settings.source.account] if set(settings.resources).intersection(ACCOUNT_TABLES) else []
    if set(settings.resources) - {*ACCOUNT_TABLES, "rejected_rows"}:
        parts += [WORKSPACE_PART + id_ for id_ in settings.plan.workspace_ids]
    return parts


def without_busy(settings: RunSettings, busy: Mapping[str, str], log: SyncLog) -> RunSettings:
    """Returns the settings without the parts that other syncs are reading, and reports these as not read.

    Args:
        settings: The settings.
        busy: Who reads a part.
        log: Receives a failure for each part.
    """
    if not busy:
        return settings
    for part, who in busy.items():
        workspace_id = part.removeprefix(WORKSPACE_PART) if part.startswith(WORKSPACE_PART) else None
        error = TryLater(f"another sync is reading it ({who}); this one left it out")
        log.failed("logs" if workspace_id else "account", workspace_id, error)
    left = [id_ for id_ in settings.plan.workspace_ids if WORKSPACE_PART + id_ not in busy]
    account_is_busy = ACCOUNT_PART + settings.source.account in busy
    return settings.of_workspaces(left).without(ACCOUNT_TABLES if account_is_busy else ())
