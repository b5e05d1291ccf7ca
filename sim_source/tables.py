"""The tables: one declaration each, from which all else follows.

Arrow schemas, dlt hints, keys, descriptions in the warehouse and in the docs are derived from
``TABLES``; no other module names a column's type. Names are those of Sim's API in snake_case.
Timestamps are UTC, money is USD with 12 fractional digits, durations are milliseconds.
"""

from __future__ import annotations

from typing import Final

from .schema import _ARROW, Column, Reference, Table


def _columns(spec: str) -> tuple[Column, ...]:
    """Reads lines of ``name kind description``."""
    columns = []
    for line in spec.strip().splitlines():
        name, kind, description = line.split(None, 2)
        if kind not in _ARROW:
            raise ValueError(f"column {name}: unknown kind {kind}")
        columns.append(Column(name, kind, description))
    return tuple(columns)


_WORKSPACE = "workspace_id text Sim workspace the row belongs to; null where the API names none\n"
_EXTRA = "\nextra json Fields the API sent that have no column of their own"
_PROMPT = "prompt_tokens bigint Input tokens, as the provider counts them"
_COMPLETION = "completion_tokens bigint Output tokens, as the provider counts them"
_TOTAL_TOKENS = "total_tokens bigint Input and output tokens"


_OF_RUN = Reference("log_id", "logs", "id", always=True)
_OF_WORKFLOW = Reference("workflow_id", "workflows", "id")

LOGS = Table(
    "logs",
    "A run of a workflow (Sim: execution log)",
    ("id",),
    _columns(
        "id text Log id\n"
        + _WORKSPACE
        + """execution_id text Execution id; key of snapshots and webhooks
workflow_id text Workflow that ran; null in the API once hard-deleted, then taken from the run's environment
workflow_name text Workflow's name when last read
deployment_version_id text Deployment version that ran; null for drafts and older servers
level text info or error, as the API says
trigger text What started the run: api, schedule, webhook, chat, manual or another
status text running, paused, completed, failed or cancelled, as far as the API has told
started_at timestamp Start of the run; never changes
ended_at timestamp End of the run; also set while a run is paused; null while it runs
total_duration_ms bigint Duration in ms
cost_total money Cost of the run in USD; null while none is known
files json Files the run produced, without content"""
        + _EXTRA
    ),
    references=(_OF_WORKFLOW,),
)

LOG_DETAILS = Table(
    "log_details",
    "A run in depth: from the full list row, completed by the per-run detail where that was asked",
    ("id",),
    _columns(
        "id text Log id\n"
        + _WORKSPACE
        + f"""detail_source text list or detail: the richest answer this row comes from
execution_id text Execution id
workflow_id text Workflow that ran
workflow_name text Workflow's name when last read
workflow_description text Workflow's description
workflow_folder_id text Folder of the workflow; told only by the per-run detail
workflow_deleted bool Whether the workflow was deleted when last read
finalization_path text How the run ended (completed, paused, cancelled, force_failed); only in the per-run detail
error text Error of the run
{_PROMPT}
{_COMPLETION}
{_TOTAL_TOKENS}
cost_total money Cost of the run in USD
span_count bigint Spans of the run's trace in trace_spans; what the API counts of an expired one is in execution_data
final_output json Final output; null unless payloads are loaded
execution_data json The rest of executionData; without payloads only what is not private
created_at timestamp When the row was made in Sim; only in the per-run detail"""
        + _EXTRA
    ),
    references=(Reference("id", "logs", "id", always=True),),
)

COST_ITEMS = Table(
    "cost_items",
    "One item of a run's cost; the items of a run add up to logs.cost_total exactly",
    ("log_id", "kind", "name"),
    _columns(
        "log_id text Log id of the run\n"
        + "kind text model, tool, other (charged but not itemised) or unknown (split not told)\n"
        + "name text Model id, tool name, other or unknown\n"
        + _WORKSPACE
        + f"""workflow_id text Workflow that ran
execution_id text Execution id
started_at timestamp Start of the run
input_cost money Cost of input tokens in USD
output_cost money Cost of output tokens in USD
tool_cost money Cost of tools the model called, in USD; part of total_cost
total_cost money Cost of the item in USD
{_PROMPT}
{_COMPLETION}
{_TOTAL_TOKENS}"""
        + _EXTRA
    ),
    replaces="log_id",
    references=(_OF_RUN,),
)

TRACE_SPANS = Table(
    "trace_spans",
    "A span of a run's trace; a block's tokens and cost already include its model segments",
    ("log_id", "span_index"),
    _columns(
        "log_id text Log id of the run\n"
        + "span_index bigint Position in the trace, depth first, from 0\n"
        + _WORKSPACE
        + f"""parent_index bigint span_index of the parent; null for the root
depth bigint Distance from the root
span_id text Span id; unique in a run only
block_id text Block of the workflow; recurs in loops
name text Name of the block, model or tool
type text workflow, agent, function, api, model, tool and more
status text success or error
model text Model id
provider text Model provider
started_at timestamp Start
ended_at timestamp End
duration_ms double Duration in ms
{_PROMPT}
{_COMPLETION}
{_TOTAL_TOKENS}
cache_read_tokens bigint Input tokens read from the provider's cache
cache_write_tokens bigint Input tokens written to the provider's cache
reasoning_tokens bigint Output tokens spent on reasoning
total_cost money Cost in USD; of a block it includes its segments
finish_reason text Why the model stopped
ttft_ms double Time to first token in ms
loop_id text Loop the span ran in
parallel_id text Parallel the span ran in
iteration_index bigint Iteration of the loop or branch of the parallel
error_type text Type of error
error_message text Error message
input json Input of the block; null unless payloads are loaded
output json Output of the block; null unless payloads are loaded"""
        + _EXTRA
    ),
    replaces="log_id",
    references=(_OF_RUN,),
)

EXECUTION_SNAPSHOTS = Table(
    "execution_snapshots",
    "The snapshot of a run's workflow",
    ("execution_id",),
    _columns(
        "execution_id text Execution id\n"
        + _WORKSPACE
        + """workflow_id text Workflow that ran
state_hash text Hash of the state, key of workflow_states; null where the server no longer has it
trigger text What started the run
started_at timestamp Start of the run
ended_at timestamp End of the run
total_duration_ms bigint Duration in ms
cost_total money Cost of the run in USD when the snapshot was read"""
        + _EXTRA
    ),
    references=(
        Reference("execution_id", "logs", "execution_id"),
        Reference("state_hash", "workflow_states", "state_hash"),
    ),
)

WORKFLOW_STATES = Table(
    "workflow_states",
    "A distinct state of a workflow, secrets removed",
    ("state_hash",),
    _columns(
        "state_hash text SHA-256 of the state's canonical JSON, secrets removed\n"
        + _WORKSPACE
        + """workflow_id text Workflow
blocks json Blocks by id
edges json Edges between blocks
loops json Loops by id
parallels json Parallels by id
variables json Variables of the workflow
block_count bigint Number of blocks"""
        + _EXTRA
    ),
    references=(_OF_WORKFLOW,),
)

AUDIT_LOGS = Table(
    "audit_logs",
    "An audited action in the organization",
    ("id",),
    _columns(
        "id text Audit log id\n"
        + _WORKSPACE
        + """actor_id text Who did it
actor_name text Name of the actor
actor_email text E-mail address of the actor
action text What was done, as resource.verb
resource_type text Type of the resource
resource_id text Id of the resource
resource_name text Name of the resource
description text What was done, in words
metadata json What else Sim keeps of the action
created_at timestamp When it was done"""
        + _EXTRA
    ),
)

USAGE = Table(
    "usage",
    "The account's usage and limits at one moment",
    ("observed_at",),
    _columns(
        "observed_at timestamp When it was asked\n"
        + _WORKSPACE
        + """plan text Plan of the account
current_period_cost money Spend of the billing period in USD
usage_limit money Spend limit of the period in USD
sync_is_limited bool Whether synchronous executions are limited now
sync_requests_per_minute bigint Synchronous executions per minute
sync_max_burst bigint Burst of synchronous executions
sync_remaining bigint Synchronous executions left
sync_reset_at timestamp When they are refilled
async_is_limited bool Whether asynchronous executions are limited now
async_requests_per_minute bigint Asynchronous executions per minute
async_max_burst bigint Burst of asynchronous executions
async_remaining bigint Asynchronous executions left
async_reset_at timestamp When they are refilled
storage_used_bytes bigint Storage used in bytes
storage_limit_bytes bigint Storage limit in bytes
storage_percent_used double Storage used in percent"""
        + _EXTRA
    ),
)

WORKFLOWS = Table(
    "workflows",
    "A workflow; rows stay when a workflow is archived or deleted",
    ("id",),
    _columns(
        "id text Workflow id\n"
        + _WORKSPACE
        + """name text Name
description text Description
folder_id text Folder
color text Color in Sim's editor; older servers only
is_deployed bool Whether it is deployed
deployed_at timestamp When it was last deployed
run_count bigint Runs as Sim counts them
last_run_at timestamp Last run
created_at timestamp When it was made
updated_at timestamp When it was last changed"""
        + _EXTRA
    ),
)

REJECTED_ROWS = Table(
    "rejected_rows",
    "A row of the API that could not be stored as it came",
    ("table_name", "row_id", "seen_at"),
    _columns(
        "table_name text Table the row was meant for\n"
        + "row_id text Its id, or a hash of it where it has none\n"
        + "seen_at timestamp When it was read\n"
        + _WORKSPACE
        + """reason text Why it could not be stored
row_json json The row, payloads and secrets removed"""
        + _EXTRA
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
