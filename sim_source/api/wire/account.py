"""Structures of audit logs, workflows and usage."""

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
