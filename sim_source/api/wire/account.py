"""Structures of audit logs, workflows and usage; of the v2 API, workspaces, versions and billing."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .base import NO_RAW, Id, Money, Number, Wire


class AuditLog(Wire):
    """A row of ``/api/v1/audit-logs``."""

    id: Id
    created_at: datetime
    workspace_id: str | None = None
    actor_id: str | None = None
    actor_name: str | None = None
    actor_email: str | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    description: str | None = None
    metadata: msgspec.Raw = NO_RAW


class Workflow(Wire):
    """A row of ``/api/v1/workflows``."""

    id: Id
    workspace_id: str | None = None
    name: str | None = None
    description: str | None = None
    folder_id: str | None = None
    color: str | None = None
    is_deployed: bool | None = None
    deployed_at: datetime | None = None
    run_count: Number | None = None
    last_run_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ExecutionLimits(Wire):
    """Rate limit of synchronous or asynchronous workflow executions; not the rate limit of this API."""

    is_limited: bool | None = None
    requests_per_minute: Number | None = None
    max_burst: Number | None = None
    remaining: Number | None = None
    reset_at: datetime | None = None


class UsageRateLimit(Wire):
    """Rate limits of synchronous and asynchronous workflow executions."""

    sync: ExecutionLimits | None = None
    # "async" in the API, a reserved word in Python
    async_: ExecutionLimits | None = msgspec.field(name="async", default=None)
    auth_type: str | None = None


class UsageSpend(Wire):
    """Spend in the current billing period and its limit, USD."""

    current_period_cost: Money = None
    limit: Money = None
    plan: str | None = None
    is_exceeded: bool | None = None


class UsageStorage(Wire):
    """Storage used by the account and its limit."""

    used_bytes: Number | None = None
    limit_bytes: Number | None = None
    percent_used: Number | None = None


class Usage(Wire):
    """The response of ``/api/users/me/usage-limits``."""

    success: bool | None = None
    rate_limit: UsageRateLimit | None = None
    usage: UsageSpend | None = None
    storage: UsageStorage | None = None


class WorkflowPlace(msgspec.Struct, rename="camel", gc=False):
    """What only v2 tells of a workflow: its folder, and when it was last deployed. A row of ``/api/v2/workflows``."""

    id: Id
    folder_path: str | None = None
    deployed_at: datetime | None = None


class ReadableWorkspace(Wire):
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


class BillingWorkflow(Wire):
    """The workflow of a ledger event."""

    id: str | None = None
    name: str | None = None


class BillingEvent(Wire):
    """A row of ``/api/v2/billing/logs``."""

    id: Id
    created_at: datetime
    source: str | None = None
    workspace_id: str | None = None
    workflow: BillingWorkflow | None = None
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
