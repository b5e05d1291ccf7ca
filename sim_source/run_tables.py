"""Declarations of the tables of runs: columns, types, keys and descriptions.

Names are those of Sim's API in snake_case. Timestamps are UTC, money is USD with 12 fractional digits, durations are
milliseconds.
"""

from __future__ import annotations

from .schema import EXTRA, WORKSPACE_ID, Column, Reference, Table

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
        Column(
            "v2_status",
            "text",
            "Status as the v2 API returns it (pending is paused, redacting is running); null if status comes from v1",
        ),
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
        Column(
            "child_execution_id",
            "text",
            "Run of a custom block: logs.execution_id of a run in the workspace that published the block",
        ),
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
