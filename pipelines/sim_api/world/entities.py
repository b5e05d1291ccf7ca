"""The objects of a Sim account: users, organizations, workspaces, keys, workflows, runs, audit rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .truth import Json, Plan

State = Literal[
    "running",
    "paused",
    "resumed",
    "completed",
    "failed",
    "cancelled",
    "cancelled_directly",
    "swept",
    "resumed_then_swept",
    "force_failed",
]
Legacy = Literal["tool_calls", "bare_tokens"]


@dataclass(slots=True)
class Account:
    """A payer: a user or an organization. Money in USD, storage in bytes."""

    id: str
    plan: str = "free"
    usage_limit: float = 5.0
    billed_before: float = 0.0
    storage_used: int = 0
    storage_limit: int = 5_368_709_120
    members: dict[str, str] = field(default_factory=dict)
    """User id to role (owner, admin, member); empty for a single user."""


@dataclass(slots=True)
class User:
    """A person; `account_id` is the account that pays for them."""

    id: str
    name: str
    email: str
    account_id: str


@dataclass(slots=True)
class Workspace:
    """A workspace; `readers` are the users who may read it."""

    id: str
    name: str
    owner_id: str
    account_id: str
    readers: set[str] = field(default_factory=set)
    allows_personal_keys: bool = True


@dataclass(slots=True)
class ApiKey:
    """A key: personal (workspace_id None) or of one workspace. It is made up, so it may be shown."""

    key: str
    user_id: str
    workspace_id: str | None = None


@dataclass(slots=True)
class Deployment:
    """A deployed version of a workflow."""

    id: str
    version: int
    deployed_ms: int


@dataclass(slots=True)
class SimWorkflow:
    """A workflow; `revision` grows with every change that is visible in its runs' rows."""

    id: str
    workspace_id: str
    name: str
    created_ms: int
    updated_ms: int
    description: str | None = None
    folder_id: str | None = None
    color: str = "#3972F6"
    sort_order: int = 0
    model: str | None = None
    secret: str = ""
    fields: dict[str, Json] = field(default_factory=dict)
    """Further sub-blocks of its agent block, as returned in snapshots."""
    variables: dict[str, Json] = field(default_factory=dict)
    """Its variables by id, as returned in snapshots."""
    deployments: list[Deployment] = field(default_factory=list)
    undeployed: bool = False
    deleted: bool = False
    archived: bool = False
    run_count: int = 0
    last_run_ms: int | None = None
    revision: int = 0

    @property
    def deployed(self) -> Deployment | None:
        """The active deployment."""
        return self.deployments[-1] if self.deployments and not self.undeployed else None


_STATUS = {
    "resumed": "running",
    "swept": "failed",
    "resumed_then_swept": "failed",
    "cancelled_directly": "failed",
    "force_failed": "failed",
}


@dataclass(slots=True)
class SimRun:
    """One run as stored in Sim's database; times are epoch milliseconds."""

    id: str
    execution_id: str
    workspace_id: str
    workflow: SimWorkflow
    trigger: str
    started_ms: int
    seq: int
    plan: Plan
    seen: Plan
    """The part of the plan that has been executed and recorded."""
    state: State = "running"
    ended_ms: int | None = None
    duration_ms: int | None = None
    deployment_version_id: str | None = None
    was_resumed: bool = False
    has_cost_row: bool = True
    trace_expired: bool = False
    legacy: Legacy | None = None
    extra: dict[str, Json] = field(default_factory=dict)
    """Undocumented fields, put on the row, the detail and the root span."""
    more_data: dict[str, Json] = field(default_factory=dict)
    """Fields put unchanged into the detail's executionData."""
    v2_status: str | None = None
    """What v2 returns as its status, if that is not the one of its state."""
    rendered: dict[tuple[object, ...], bytes] = field(default_factory=dict)

    @property
    def level(self) -> str:
        """`info` or `error`; a run killed by the stale-run sweep stays info."""
        return "error" if self.state in ("failed", "force_failed") else "info"

    @property
    def is_final(self) -> bool:
        """Whether the run will not change any more."""
        return self.state not in ("running", "paused", "resumed")

    @property
    def has_trace(self) -> bool:
        """Whether blocks were recorded: only after the first end or pause, never for a run killed before."""
        return self.state not in ("running", "swept", "cancelled_directly", "force_failed")

    @property
    def total_cost(self) -> float | None:
        """The true cost (USD), None if the run has no cost row (yet)."""
        return self.seen.cost.total if self.has_trace and self.has_cost_row else None

    @property
    def status(self) -> str:
        """The status that a reader of the API should report: running, paused, completed, failed or cancelled.

        v1 returns a run cancelled directly like one that was swept.
        """
        return _STATUS.get(self.state, self.state)

    def changed(self) -> None:
        """Clears the rendered answers."""
        self.rendered.clear()


@dataclass(slots=True)
class AuditRow:
    """One audited action; `created_us` is epoch microseconds, as in Sim's database."""

    id: str
    created_us: int
    action: str
    resource_type: str
    workspace_id: str | None = None
    organization_id: str | None = None
    actor_id: str | None = None
    actor_name: str | None = None
    actor_email: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    description: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)

    @property
    def created_ms(self) -> int:
        """The time in a response: microseconds are truncated."""
        return self.created_us // 1000
