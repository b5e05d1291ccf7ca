"""Rows of ``workspaces``, ``workflow_versions``, ``billing_logs`` and ``billing_status``. Pure functions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ..account_tables import BILLING_LOGS
from ..api import wire
from ..options import DEFAULT_ACCOUNT
from ..schema import Row
from ..timestamps import in_utc, utc_or_none
from .cost import whole_number
from .extras import unknown_text

USD_PER_CREDIT = Decimal("0.005")
"""1000 credits are 5 USD (Sim's source)."""
UNCAPPED_CREDITS = 199_999_800
"""The limit that stands for none (Sim's source)."""
BILLING_OFF_CREDITS = 200_000
"""The limit that a server with billing off tells, of an account without a period (Sim's source)."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9999
"""Years of the period of an account without a subscription."""


def workspace_row(row: wire.ReadableWorkspace) -> Row:
    """Builds a row of ``workspaces``."""
    return (
        row.id,
        row.id,
        row.name,
        whole_number(row.member_count),
        utc_or_none(row.created_at),
        utc_or_none(row.updated_at),
        unknown_text(row),
    )


def version_row(row: wire.WorkflowVersion, workspace_id: str, workflow_id: str) -> Row:
    """Builds a row of ``workflow_versions``."""
    return (
        row.id,
        workspace_id,
        workflow_id,
        whole_number(row.version),
        row.name,
        row.description,
        row.is_active,
        row.deployed_by,
        row.latest_operation_status,
        utc_or_none(row.created_at),
        unknown_text(row),
    )


def ledger_row(row: wire.BillingEvent) -> Row:
    """Builds a row of ``billing_logs``."""
    workflow = row.workflow or wire.BillingWorkflow()
    credits_ = whole_number(row.credit_cost)
    return (
        row.id,
        row.workspace_id,
        in_utc(row.created_at),
        row.source,
        workflow.id,
        workflow.name,
        row.run_id,
        credits_,
        None if credits_ is None else credits_ * USD_PER_CREDIT,
        unknown_text(row),
    )


_LASTING = tuple(
    BILLING_LOGS.column_names.index(name)
    for name in ("workspace_id", "workflow_id", "workflow_name", "execution_id", "credits", "cost_usd", "extra")
)


def kept_ledger_row(new: Row, stored: Row) -> Row:
    """Returns a ledger row with stored values where the new one has none.

    The ledger forgets the workspace and the workflow of an event once they are deleted.
    """
    filled = list(new)
    for place in _LASTING:
        if filled[place] is None:
            filled[place] = stored[place]
    return tuple(filled)


def status_row(
    told: wire.BillingStatus, workspace_id: str, observed_at: datetime, account: str = DEFAULT_ACCOUNT
) -> Row:
    """Builds a row of ``billing_status``; values that stand for "none" or "unknown" become null.

    The server could not tell if nothing is used, the limit is 0 and the status is ``limit_exceeded`` (seen).
    """
    period = told.period or wire.BillingPeriod()
    sums = told.credits or wire.Credits()
    storage = told.storage or wire.UsageStorage()
    used, limit, status = whole_number(sums.used), whole_number(sums.limit), told.status
    start, end = utc_or_none(period.start), utc_or_none(period.end)
    if (start and start.year <= _FIRST_YEAR) or (end and end.year >= _LAST_YEAR):
        start = end = None
    if (used, limit, status) == (0, 0, "limit_exceeded"):
        used = limit = status = None
    if limit == UNCAPPED_CREDITS or (limit == BILLING_OFF_CREDITS and not used and start is None):
        limit = None
    return (
        observed_at,
        workspace_id,
        told.plan,
        status,
        start,
        end,
        used,
        limit,
        None if limit is None else whole_number(sums.remaining),
        whole_number(storage.used_bytes),
        whole_number(storage.limit_bytes),
        None if storage.percent_used is None else float(storage.percent_used),
        account,
        unknown_text(told),
    )
