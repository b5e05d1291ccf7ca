"""Declarations of all tables: columns, types, keys and descriptions.

Arrow schemas, dlt hints, keys, and the descriptions in the warehouse and in the docs are derived from ``TABLES``;
no other module declares a column type. Names are those of Sim's API in snake_case.
Timestamps are UTC, money is USD with 12 fractional digits, durations are milliseconds.
"""

from __future__ import annotations

from typing import Final

from .schema import Column, Reference, Table

WORKSPACE_ID = Column("workspace_id", "text", "Sim workspace the row belongs to; null if the API does not name one")
EXTRA = Column("extra", "json", "Fields returned by the API that have no column of their own")
PROMPT_TOKENS = Column("prompt_tokens", "bigint", "Input tokens, as counted by the provider")
COMPLETION_TOKENS = Column("completion_tokens", "bigint", "Output tokens, as counted by the provider")
TOTAL_TOKENS = Column("total_tokens", "bigint", "Input and output tokens")

OF_RUN = Reference("log_id", "logs", "id", always=True)
OF_WORKFLOW = Reference("workflow_id", "workflows", "id")

LOGS = Table(
    "logs",
    "A workflow run (an execution log in Sim)",
    key=("id",),
    columns=(
        Column("id", "text", "Log id"),
        WORKSPACE_ID,
        Column("execution_id", "text", "Execution id; used by snapshots and webhooks"),
        Column(
            "workflow_id",
            "text",
            "Workflow that ran; taken from the run's environment if the API returns null (hard-deleted workflow)",
        ),
        Column("workflow_name", "text", "Name of the workflow when the run was last read"),
        Column("deployment_version_id", "text", "Deployment version that ran; null for drafts and on older servers"),
        Column("level", "text", "info or error, as returned by the API"),
        Column("trigger", "text", "What started the run: api, schedule, webhook, chat, manual or another trigger"),
        Column("status", "text", "running, paused, completed, failed or cancelled, as far as the API reveals it"),
        Column("started_at", "timestamp", "Start of the run; never changes"),
        Column("ended_at", "timestamp", "End of the run; also set while the run is paused; null while it is running"),
        Column("total_duration_ms", "bigint", "Duration in ms"),
        Column("cost_total", "money", "Cost of the run in USD; null until it is known"),
        Column("files", "json", "Files the run produced, without content"),
        EXTRA,
    ),
    references=(OF_WORKFLOW,),
)

LOG_DETAILS = Table(
    "log_details",
    "Details of a run, from the full list row and, if it was requested, the per-run detail",
    key=("id",),
    columns=(
        Column("id", "text", "Log id"),
        WORKSPACE_ID,
        Column("detail_source", "text", "list or detail: the most complete API response this row comes from"),
        Column("execution_id", "text", "Execution id"),
        Column("workflow_id", "text", "Workflow that ran"),
        Column("workflow_name", "text", "Name of the workflow when the run was last read"),
        Column("workflow_description", "text", "Description of the workflow"),
        Column("workflow_folder_id", "text", "Folder of the workflow; only in the per-run detail"),
        Column("workflow_deleted", "bool", "Whether the workflow was deleted when last read"),
        Column(
            "finalization_path",
            "text",
            "How the run ended (completed, paused, cancelled, force_failed); only in the per-run detail",
        ),
        Column("error", "text", "Error message of the run"),
        PROMPT_TOKENS,
        COMPLETION_TOKENS,
        TOTAL_TOKENS,
        Column("cost_total", "money", "Cost of the run in USD"),
        Column(
            "span_count",
            "bigint",
            "Number of the run's spans in trace_spans; the API's own count for an expired trace is in execution_data",
        ),
        Column("final_output", "json", "Final output; null unless payloads are loaded"),
        Column(
            "execution_data", "json", "Other fields of executionData; only non-private ones unless payloads are loaded"
        ),
        Column("created_at", "timestamp", "When the row was created in Sim; only in the per-run detail"),
        EXTRA,
    ),
    references=(Reference("id", "logs", "id", always=True),),
)

COST_ITEMS = Table(
    "cost_items",
    "One item of a run's cost; the items of a run add up to logs.cost_total exactly",
    key=("log_id", "kind", "name"),
    columns=(
        Column("log_id", "text", "Log id of the run"),
        Column("kind", "text", "model, tool, other (charged but not itemised) or unknown (cost split not known)"),
        Column("name", "text", "Model id, tool name, other or unknown"),
        WORKSPACE_ID,
        Column("workflow_id", "text", "Workflow that ran"),
        Column("execution_id", "text", "Execution id"),
        Column("started_at", "timestamp", "Start of the run"),
        Column("input_cost", "money", "Cost of input tokens in USD"),
        Column("output_cost", "money", "Cost of output tokens in USD"),
        Column("tool_cost", "money", "Cost of tools the model called, in USD; part of total_cost"),
        Column("total_cost", "money", "Cost of the item in USD"),
        PROMPT_TOKENS,
        COMPLETION_TOKENS,
        TOTAL_TOKENS,
        EXTRA,
    ),
    replaces="log_id",
    references=(OF_RUN,),
)

TRACE_SPANS = Table(
    "trace_spans",
    "A span of a run's trace; tokens and cost of a block already include its model segments",
    key=("log_id", "span_index"),
    columns=(
        Column("log_id", "text", "Log id of the run"),
        Column("span_index", "bigint", "Position in the trace in depth-first order, starting at 0"),
        WORKSPACE_ID,
        Column("parent_index", "bigint", "span_index of the parent span; null for a root span"),
        Column("depth", "bigint", "Number of ancestors; 0 for a root span"),
        Column("span_id", "text", "Span id; unique only within a run"),
        Column("block_id", "text", "Block of the workflow; repeats in loops"),
        Column("name", "text", "Name of the block, model or tool"),
        Column("type", "text", "workflow, agent, function, api, model, tool and more"),
        Column("status", "text", "success or error"),
        Column("model", "text", "Model id"),
        Column("provider", "text", "Model provider"),
        Column("started_at", "timestamp", "Start of the span"),
        Column("ended_at", "timestamp", "End of the span"),
        Column("duration_ms", "double", "Duration in ms"),
        PROMPT_TOKENS,
        COMPLETION_TOKENS,
        TOTAL_TOKENS,
        Column("cache_read_tokens", "bigint", "Input tokens read from the provider's cache"),
        Column("cache_write_tokens", "bigint", "Input tokens written to the provider's cache"),
        Column("reasoning_tokens", "bigint", "Output tokens spent on reasoning"),
        Column("total_cost", "money", "Cost in USD; the cost of a block includes its model segments"),
        Column("finish_reason", "text", "Why the model stopped"),
        Column("ttft_ms", "double", "Time to first token in ms"),
        Column("loop_id", "text", "Loop the span ran in"),
        Column("parallel_id", "text", "Parallel the span ran in"),
        Column("iteration_index", "bigint", "Iteration of the loop or branch of the parallel"),
        Column("error_type", "text", "Type of error"),
        Column("error_message", "text", "Error message"),
        Column("input", "json", "Input of the block; null unless payloads are loaded"),
        Column("output", "json", "Output of the block; null unless payloads are loaded"),
        EXTRA,
    ),
    replaces="log_id",
    references=(OF_RUN,),
)

EXECUTION_SNAPSHOTS = Table(
    "execution_snapshots",
    "Snapshot of the workflow as it was when a run started",
    key=("execution_id",),
    columns=(
        Column("execution_id", "text", "Execution id"),
        WORKSPACE_ID,
        Column("workflow_id", "text", "Workflow that ran"),
        Column("state_hash", "text", "Hash of the state, key of workflow_states; null if the server no longer has it"),
        Column("trigger", "text", "What started the run"),
        Column("started_at", "timestamp", "Start of the run"),
        Column("ended_at", "timestamp", "End of the run"),
        Column("total_duration_ms", "bigint", "Duration in ms"),
        Column("cost_total", "money", "Cost of the run in USD when the snapshot was read"),
        EXTRA,
    ),
    references=(
        Reference("execution_id", "logs", "execution_id"),
        Reference("state_hash", "workflow_states", "state_hash"),
    ),
)

WORKFLOW_STATES = Table(
    "workflow_states",
    "A distinct state of a workflow, with secrets removed",
    key=("state_hash",),
    columns=(
        Column("state_hash", "text", "SHA-256 of the state's canonical JSON, with secrets removed"),
        WORKSPACE_ID,
        Column("workflow_id", "text", "Workflow id"),
        Column("blocks", "json", "Blocks by id"),
        Column("edges", "json", "Edges between blocks"),
        Column("loops", "json", "Loops by id"),
        Column("parallels", "json", "Parallels by id"),
        Column("variables", "json", "Variables of the workflow"),
        Column("block_count", "bigint", "Number of blocks"),
        EXTRA,
    ),
    references=(OF_WORKFLOW,),
)

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
        EXTRA,
    ),
)

USAGE = Table(
    "usage",
    "Usage and limits of the account at one point in time",
    key=("observed_at",),
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

REJECTED_ROWS = Table(
    "rejected_rows",
    "An API row that could not be stored unchanged",
    key=("table_name", "row_id", "seen_at"),
    columns=(
        Column("table_name", "text", "Table the row belongs to"),
        Column("row_id", "text", "Id of the row, or a hash of the row if it has no id"),
        Column("seen_at", "timestamp", "When the row was read"),
        WORKSPACE_ID,
        Column("reason", "text", "Why it could not be stored"),
        Column("row_json", "json", "The row as JSON, with payloads and secrets removed"),
        EXTRA,
    ),
)

TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        LOGS,
        LOG_DETAILS,
        COST_ITEMS,
        TRACE_SPANS,
        EXECUTION_SNAPSHOTS,
        WORKFLOW_STATES,
        AUDIT_LOGS,
        USAGE,
        WORKFLOWS,
        REJECTED_ROWS,
    )
}
"""Every table of the dataset, by name."""
