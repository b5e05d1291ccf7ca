"""The tables: one declaration each, from which all else follows.

Arrow schemas, dlt hints, keys, descriptions in the warehouse and in the docs are derived from
``TABLES``; no other module names a column's type. Names are those of Sim's API in snake_case.
Timestamps are UTC, money is USD with 12 fractional digits, durations are milliseconds.
"""

from __future__ import annotations

from typing import Final

from .schema import Column, Reference, Table

WORKSPACE_ID = Column("workspace_id", "text", "Sim workspace the row belongs to; null where the API names none")
EXTRA = Column("extra", "json", "Fields the API sent that have no column of their own")
PROMPT_TOKENS = Column("prompt_tokens", "bigint", "Input tokens, as the provider counts them")
COMPLETION_TOKENS = Column("completion_tokens", "bigint", "Output tokens, as the provider counts them")
TOTAL_TOKENS = Column("total_tokens", "bigint", "Input and output tokens")

OF_RUN = Reference("log_id", "logs", "id", always=True)
OF_WORKFLOW = Reference("workflow_id", "workflows", "id")

LOGS = Table(
    "logs",
    "A run of a workflow (Sim: execution log)",
    key=("id",),
    columns=(
        Column("id", "text", "Log id"),
        WORKSPACE_ID,
        Column("execution_id", "text", "Execution id; key of snapshots and webhooks"),
        Column(
            "workflow_id",
            "text",
            "Workflow that ran; null in the API once hard-deleted, then taken from the run's environment",
        ),
        Column("workflow_name", "text", "Workflow's name when last read"),
        Column("deployment_version_id", "text", "Deployment version that ran; null for drafts and older servers"),
        Column("level", "text", "info or error, as the API says"),
        Column("trigger", "text", "What started the run: api, schedule, webhook, chat, manual or another"),
        Column("status", "text", "running, paused, completed, failed or cancelled, as far as the API has told"),
        Column("started_at", "timestamp", "Start of the run; never changes"),
        Column("ended_at", "timestamp", "End of the run; also set while a run is paused; null while it runs"),
        Column("total_duration_ms", "bigint", "Duration in ms"),
        Column("cost_total", "money", "Cost of the run in USD; null while none is known"),
        Column("files", "json", "Files the run produced, without content"),
        EXTRA,
    ),
    references=(OF_WORKFLOW,),
)

LOG_DETAILS = Table(
    "log_details",
    "A run in depth: from the full list row, completed by the per-run detail where that was asked",
    key=("id",),
    columns=(
        Column("id", "text", "Log id"),
        WORKSPACE_ID,
        Column("detail_source", "text", "list or detail: the richest answer this row comes from"),
        Column("execution_id", "text", "Execution id"),
        Column("workflow_id", "text", "Workflow that ran"),
        Column("workflow_name", "text", "Workflow's name when last read"),
        Column("workflow_description", "text", "Workflow's description"),
        Column("workflow_folder_id", "text", "Folder of the workflow; told only by the per-run detail"),
        Column("workflow_deleted", "bool", "Whether the workflow was deleted when last read"),
        Column(
            "finalization_path",
            "text",
            "How the run ended (completed, paused, cancelled, force_failed); only in the per-run detail",
        ),
        Column("error", "text", "Error of the run"),
        PROMPT_TOKENS,
        COMPLETION_TOKENS,
        TOTAL_TOKENS,
        Column("cost_total", "money", "Cost of the run in USD"),
        Column(
            "span_count",
            "bigint",
            "Spans of the run's trace in trace_spans; what the API counts of an expired one is in execution_data",
        ),
        Column("final_output", "json", "Final output; null unless payloads are loaded"),
        Column("execution_data", "json", "The rest of executionData; without payloads only what is not private"),
        Column("created_at", "timestamp", "When the row was made in Sim; only in the per-run detail"),
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
        Column("kind", "text", "model, tool, other (charged but not itemised) or unknown (split not told)"),
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
    "A span of a run's trace; a block's tokens and cost already include its model segments",
    key=("log_id", "span_index"),
    columns=(
        Column("log_id", "text", "Log id of the run"),
        Column("span_index", "bigint", "Position in the trace, depth first, from 0"),
        WORKSPACE_ID,
        Column("parent_index", "bigint", "span_index of the parent; null for the root"),
        Column("depth", "bigint", "Distance from the root"),
        Column("span_id", "text", "Span id; unique in a run only"),
        Column("block_id", "text", "Block of the workflow; recurs in loops"),
        Column("name", "text", "Name of the block, model or tool"),
        Column("type", "text", "workflow, agent, function, api, model, tool and more"),
        Column("status", "text", "success or error"),
        Column("model", "text", "Model id"),
        Column("provider", "text", "Model provider"),
        Column("started_at", "timestamp", "Start"),
        Column("ended_at", "timestamp", "End"),
        Column("duration_ms", "double", "Duration in ms"),
        PROMPT_TOKENS,
        COMPLETION_TOKENS,
        TOTAL_TOKENS,
        Column("cache_read_tokens", "bigint", "Input tokens read from the provider's cache"),
        Column("cache_write_tokens", "bigint", "Input tokens written to the provider's cache"),
        Column("reasoning_tokens", "bigint", "Output tokens spent on reasoning"),
        Column("total_cost", "money", "Cost in USD; of a block it includes its segments"),
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
    "The snapshot of a run's workflow",
    key=("execution_id",),
    columns=(
        Column("execution_id", "text", "Execution id"),
        WORKSPACE_ID,
        Column("workflow_id", "text", "Workflow that ran"),
        Column(
            "state_hash", "text", "Hash of the state, key of workflow_states; null where the server no longer has it"
        ),
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
    "A distinct state of a workflow, secrets removed",
    key=("state_hash",),
    columns=(
        Column("state_hash", "text", "SHA-256 of the state's canonical JSON, secrets removed"),
        WORKSPACE_ID,
        Column("workflow_id", "text", "Workflow"),
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
        Column("actor_id", "text", "Who did it"),
        Column("actor_name", "text", "Name of the actor"),
        Column("actor_email", "text", "E-mail address of the actor"),
        Column("action", "text", "What was done, as resource.verb"),
        Column("resource_type", "text", "Type of the resource"),
        Column("resource_id", "text", "Id of the resource"),
        Column("resource_name", "text", "Name of the resource"),
        Column("description", "text", "What was done, in words"),
        Column("metadata", "json", "What else Sim keeps of the action"),
        Column("created_at", "timestamp", "When it was done"),
        EXTRA,
    ),
)

USAGE = Table(
    "usage",
    "The account's usage and limits at one moment",
    key=("observed_at",),
    columns=(
        Column("observed_at", "timestamp", "When it was asked"),
        WORKSPACE_ID,
        Column("plan", "text", "Plan of the account"),
        Column("current_period_cost", "money", "Spend of the billing period in USD"),
        Column("usage_limit", "money", "Spend limit of the period in USD"),
        Column("sync_is_limited", "bool", "Whether synchronous executions are limited now"),
        Column("sync_requests_per_minute", "bigint", "Synchronous executions per minute"),
        Column("sync_max_burst", "bigint", "Burst of synchronous executions"),
        Column("sync_remaining", "bigint", "Synchronous executions left"),
        Column("sync_reset_at", "timestamp", "When they are refilled"),
        Column("async_is_limited", "bool", "Whether asynchronous executions are limited now"),
        Column("async_requests_per_minute", "bigint", "Asynchronous executions per minute"),
        Column("async_max_burst", "bigint", "Burst of asynchronous executions"),
        Column("async_remaining", "bigint", "Asynchronous executions left"),
        Column("async_reset_at", "timestamp", "When they are refilled"),
        Column("storage_used_bytes", "bigint", "Storage used in bytes"),
        Column("storage_limit_bytes", "bigint", "Storage limit in bytes"),
        Column("storage_percent_used", "double", "Storage used in percent"),
        EXTRA,
    ),
)

WORKFLOWS = Table(
    "workflows",
    "A workflow; rows stay when a workflow is archived or deleted",
    key=("id",),
    columns=(
        Column("id", "text", "Workflow id"),
        WORKSPACE_ID,
        Column("name", "text", "Name"),
        Column("description", "text", "Description"),
        Column("folder_id", "text", "Folder"),
        Column("color", "text", "Color in Sim's editor; older servers only"),
        Column("is_deployed", "bool", "Whether it is deployed"),
        Column("deployed_at", "timestamp", "When it was last deployed"),
        Column("run_count", "bigint", "Runs as Sim counts them"),
        Column("last_run_at", "timestamp", "Last run"),
        Column("created_at", "timestamp", "When it was made"),
        Column("updated_at", "timestamp", "When it was last changed"),
        EXTRA,
    ),
)

REJECTED_ROWS = Table(
    "rejected_rows",
    "A row of the API that could not be stored as it came",
    key=("table_name", "row_id", "seen_at"),
    columns=(
        Column("table_name", "text", "Table the row was meant for"),
        Column("row_id", "text", "Its id, or a hash of it where it has none"),
        Column("seen_at", "timestamp", "When it was read"),
        WORKSPACE_ID,
        Column("reason", "text", "Why it could not be stored"),
        Column("row_json", "json", "The row, payloads and secrets removed"),
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
