"""Structures of the v2 API: workspaces, deployment versions, the billing ledger and its status."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .account import UsageStorage
from .base import Id, Number, Wire


class WorkflowPlace(msgspec.Struct, rename="camel", gc=False):
    """What only v2 tells of a workflow: its folder, and when it was last deployed. A row of ``/api/v2/workflows``."""

    id: Id
    folder_path: str | None = None
    deployed_at: datetime | None = None


class Workspace(Wire):
    """A row of ``/api/v2/workspaces``."""

    id: Id
    name: str | None = None
    member_count: Number | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class WorkflowVersion(Wire):
    """A row of ``/api/v2/workflows/{id}/versions``."""

    id: Id
    version: Number | None = None
    name: str | None = None
    description: str | None = None
    is_active: bool | None = None
    created_at: datetime | None = None
    deployed_by: str | None = None
    latest_operation_status: str | None = None


class LedgerWorkflow(Wire):
    """The workflow of a ledger event."""

    id: str | None = None
    name: str | None = None


class LedgerEvent(Wire):
    """A row of ``/api/v2/billing/logs``."""

    id: Id
    created_at: datetime
    source: str | None = None
    workspace_id: str | None = None
    workflow: LedgerWorkflow | None = None
    run_id: str | None = None
    credit_cost: Number | None = None


class BillingPeriod(Wire):
    """A billing period; 1970-01-01 to 9999-12-31 if there is no subscription."""

    start: datetime | None = None
    end: datetime | None = None


class Credits(Wire):
    """Credits of a billing period."""

    used: Number | None = None
    limit: Number | None = None
    remaining: Number | None = None


class BillingStatus(Wire):
    """The ``data`` of ``/api/v2/billing/status``."""

    workspace_id: str | None = None
    period: BillingPeriod | None = None
    plan: str | None = None
    status: str | None = None
    credits: Credits | None = None
    storage: UsageStorage | None = None
