"""Declarations of the tables of accounts and workspaces, and of rejected rows.

Names are those of Sim's API in snake_case. Timestamps are UTC, money is USD with 12 fractional digits, a credit is
0.005 USD.
"""

from __future__ import annotations

from .schema import ACCOUNT, EXTRA, WORKSPACE_ID, Column, Table

AUDIT_LOGS = Table(
    "audit_logs",
    "An audited action in the organization",
    key=("id",),
    columns=(
        Column("id", "text", "Audit log id"),
        WORKSPACE_ID,
        Column("actor_id", "text", "Id of the user who performed the action"),
        Column("actor_name", "text", "Name of the actor"),
        Column("actor_email", "text", "E-mail address of the actor"),
        Column("action", "text", "Action in the form resource.verb"),
        Column("resource_type", "text", "Type of the resource"),
        Column("resource_id", "text", "Id of the resource"),
        Column("resource_name", "text", "Name of the resource"),
        Column("description", "text", "Description of the action"),
        Column("metadata", "json", "Additional data that Sim stores about the action"),
        Column("created_at", "timestamp", "When the action was performed"),
        ACCOUNT,
        EXTRA,
    ),
)

USAGE = Table(
    "usage",
    "Usage and limits of the account at one point in time",
    key=("observed_at", "account"),
    columns=(
        Column("observed_at", "timestamp", "When the usage was read"),
        WORKSPACE_ID,
        Column("plan", "text", "Plan of the account"),
        Column("current_period_cost", "money", "Spend of the billing period in USD"),
        Column("usage_limit", "money", "Spend limit of the period in USD"),
        Column("sync_is_limited", "bool", "Whether synchronous executions are limited now"),
        Column("sync_requests_per_minute", "bigint", "Synchronous executions per minute"),
        Column("sync_max_burst", "bigint", "Maximum burst of synchronous executions"),
        Column("sync_remaining", "bigint", "Synchronous executions remaining"),
        Column("sync_reset_at", "timestamp", "When the synchronous limit resets"),
        Column("async_is_limited", "bool", "Whether asynchronous executions are limited now"),
        Column("async_requests_per_minute", "bigint", "Asynchronous executions per minute"),
        Column("async_max_burst", "bigint", "Maximum burst of asynchronous executions"),
        Column("async_remaining", "bigint", "Asynchronous executions remaining"),
        Column("async_reset_at", "timestamp", "When the asynchronous limit resets"),
        Column("storage_used_bytes", "bigint", "Storage used in bytes"),
        Column("storage_limit_bytes", "bigint", "Storage limit in bytes"),
        Column("storage_percent_used", "double", "Storage used in percent"),
        ACCOUNT,
        EXTRA,
    ),
)

WORKFLOWS = Table(
    "workflows",
    "A workflow; the row stays after the workflow is archived or deleted",
    key=("id",),
    columns=(
        Column("id", "text", "Workflow id"),
        WORKSPACE_ID,
        Column("name", "text", "Name"),
        Column("description", "text", "Description"),
        Column("folder_id", "text", "Id of the workflow's folder"),
        Column("folder_path", "text", "Path of the workflow's folder, / for the root; only on servers with the v2 API"),
        Column("color", "text", "Color in Sim's editor; only on older servers"),
        Column("is_deployed", "bool", "Whether the workflow is deployed"),
        Column("deployed_at", "timestamp", "When the workflow was last deployed"),
        Column("run_count", "bigint", "Number of runs, as counted by Sim"),
        Column("last_run_at", "timestamp", "Time of the last run"),
        Column("created_at", "timestamp", "When the workflow was created"),
        Column("updated_at", "timestamp", "When the workflow was last changed"),
        EXTRA,
    ),
)

WORKSPACES = Table(
    "workspaces",
    "A workspace that the API key may read; only on servers with the v2 API",
    key=("id",),
    columns=(
        Column("id", "text", "Workspace id"),
        WORKSPACE_ID,
        Column("name", "text", "Name"),
        Column("member_count", "bigint", "Number of members"),
        Column("created_at", "timestamp", "When the workspace was created"),
        Column("updated_at", "timestamp", "When the workspace was last changed"),
        EXTRA,
    ),
)

WORKFLOW_VERSIONS = Table(
    "workflow_versions",
    "A deployment version of a workflow; only on servers with the v2 API",
    key=("id",),
    columns=(
        Column("id", "text", "Id of the deployment version, as in logs.deployment_version_id"),
        WORKSPACE_ID,
        Column("workflow_id", "text", "Workflow id"),
        Column("version", "bigint", "Number of the version, starting at 1"),
        Column("name", "text", "Name of the version"),
        Column("description", "text", "Description of the version"),
        Column("is_active", "bool", "Whether this version is deployed now"),
        Column("deployed_by", "text", "Name of the person who deployed it"),
        Column("latest_operation_status", "text", "Status of the last deployment operation"),
        Column("created_at", "timestamp", "When the version was created"),
        EXTRA,
    ),
)

BILLING_LOGS = Table(
    "billing_logs",
    "An event of Sim's billing ledger: runs and everything else that is charged; only on servers with the v2 API",
    key=("id",),
    columns=(
        Column("id", "text", "Id of the event"),
        WORKSPACE_ID,
        Column(
            "created_at", "timestamp", "When the event was charged; a run's events are created when it ends or pauses"
        ),
        Column("source", "text", "What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more"),
        Column(
            "workflow_id", "text", "Workflow that ran; null if it was deleted, or the event does not belong to a run"
        ),
        Column("workflow_name", "text", "Name of that workflow when the event was last read"),
        Column("execution_id", "text", "Execution id of the run; null if the event does not belong to a run"),
        Column(
            "credits",
            "bigint",
            "Credits charged, as returned by the API: whole credits, shared out over a page of 100 events, so that a "
            "sum may be off by half a credit for each page",
        ),
        Column("cost_usd", "money", "credits times 0.005 USD"),
        EXTRA,
    ),
)

BILLING_STATUS = Table(
    "billing_status",
    "Credits of whoever pays for a workspace, at one point in time; only on servers with the v2 API",
    key=("observed_at", "workspace_id"),
    columns=(
        Column("observed_at", "timestamp", "When the status was read"),
        WORKSPACE_ID,
        Column("plan", "text", "Plan of the payer"),
        Column("status", "text", "active, limit_exceeded or billing_blocked"),
        Column("period_start", "timestamp", "Start of the billing period; null without a subscription"),
        Column("period_end", "timestamp", "End of the billing period; null without a subscription"),
        Column("credits_used", "bigint", "Credits used in the period; null unless the key's owner may see them"),
        Column("credits_limit", "bigint", "Credit limit of the period; null if there is none"),
        Column("credits_remaining", "bigint", "Credits left in the period; null if there is no limit"),
        Column("storage_used_bytes", "bigint", "Storage used in bytes"),
        Column("storage_limit_bytes", "bigint", "Storage limit in bytes"),
        Column("storage_percent_used", "double", "Storage used in percent"),
        ACCOUNT,
        EXTRA,
    ),
)

REJECTED_ROWS = Table(
    "rejected_rows",
    "An API row that could not be stored unchanged",
    key=("table_name", "record_id", "seen_at"),
    columns=(
        Column("table_name", "text", "Table the row belongs to"),
        Column("record_id", "text", "Id of the row, or a hash of the row if it has no id", earlier="row_id"),
        Column("seen_at", "timestamp", "When the row was read"),
        WORKSPACE_ID,
        Column("reason", "text", "Why it could not be stored"),
        Column("row_json", "json", "The row as JSON, with payloads and secrets removed"),
        EXTRA,
    ),
)
