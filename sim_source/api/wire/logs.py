"""Structures of runs (list rows, details, snapshots), of trace spans, and of their cost and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .base import NO_RAW, Id, Money, Number, Wire


class Tokens(Wire):
    """Token counts under both pairs of names that Sim uses, and more counts that some providers report."""

    input: Number | None = None
    output: Number | None = None
    prompt: Number | None = None
    completion: Number | None = None
    total: Number | None = None
    cache_read: Number | None = None
    cache_write: Number | None = None
    reasoning: Number | None = None


class ModelCost(Wire):
    """Cost and tokens of one model within a run, in USD; ``total`` includes ``tool_cost``."""

    input: Money = None
    output: Money = None
    total: Money = None
    tool_cost: Money = None
    tokens: Tokens | Number | None = None
    prompt: Number | None = None
    completion: Number | None = None
    pricing: msgspec.Raw = NO_RAW


class Cost(Wire):
    """Cost of a run or span in USD; includes the split by model if the server sends it here."""

    total: Money = None
    input: Money = None
    output: Money = None
    tool_cost: Money = None
    tokens: Tokens | Number | None = None
    models: dict[str, ModelCost] | None = None
    pricing: msgspec.Raw = NO_RAW


class SpanOutput(msgspec.Struct, gc=False, rename="camel"):
    """Fields of a block's output that are read even if outputs are not kept: cost (2026-08 servers) and error."""

    cost: Cost | None = None
    error: Any = None
    tokens: Tokens | None = None
    model: Any = None


class Segment(Wire):
    """A call of a model or tool inside an agent block (``providerTiming.segments``).

    2026-03 servers send the tokens, provider and finish reason of a call only here, not on the child span.
    """

    type: str | None = None
    name: str | None = None
    start_time: msgspec.Raw = NO_RAW
    end_time: msgspec.Raw = NO_RAW
    duration: Number | None = None
    tokens: Tokens | Number | None = None
    cost: Cost | None = None
    finish_reason: str | None = None
    provider: str | None = None
    ttft: Number | None = None
    error_type: str | None = None
    error_message: str | None = None
    tool_call_id: msgspec.Raw = NO_RAW
    tool_calls: msgspec.Raw = NO_RAW
    assistant_content: msgspec.Raw = NO_RAW
    thinking_content: msgspec.Raw = NO_RAW


class ProviderTiming(Wire):
    """Timing of an agent block as reported by its provider."""

    duration: Number | None = None
    start_time: msgspec.Raw = NO_RAW
    end_time: msgspec.Raw = NO_RAW
    segments: list[Segment] | None = None
    model_time: Number | None = None
    tools_time: Number | None = None
    first_response_time: Number | None = None
    iterations: Number | None = None
    time_segments: msgspec.Raw = NO_RAW


class Span(Wire):
    """A trace span with its children."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    status: str | None = None
    duration: Number | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    block_id: str | None = None
    execution_order: Number | None = None
    relative_start_ms: Number | None = None
    input: msgspec.Raw = NO_RAW
    output: msgspec.Raw = NO_RAW
    tokens: Tokens | Number | None = None
    cost: Cost | None = None
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    ttft: Number | None = None
    loop_id: str | None = None
    parallel_id: str | None = None
    iteration_index: Number | None = None
    parent_iterations: msgspec.Raw = NO_RAW
    error_type: str | None = None
    error_message: str | None = None
    error_handled: bool | None = None
    tries: Number | None = None
    child_workflow_id: str | None = None
    child_workflow_snapshot_id: str | None = None
    child_execution_id: str | None = None
    child_trace_access: str | None = None
    tool_call_id: str | None = None
    tool_calls: msgspec.Raw = NO_RAW
    model_tool_calls: msgspec.Raw = NO_RAW
    thinking: msgspec.Raw = NO_RAW
    provider_timing: ProviderTiming | None = None
    children: list[Span] | None = None


class ToolCall(Wire):
    """A tool call on a span, as servers before 2026 recorded it instead of a child span."""

    name: str | None = None
    status: str | None = None
    duration: Number | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    error: Any = None
    input: msgspec.Raw = NO_RAW
    output: msgspec.Raw = NO_RAW


class RunWorkflow(Wire):
    """The workflow in a run's row; only the per-run detail has the last six fields."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    deleted: bool | None = None
    folder_id: str | None = None
    color: str | None = None
    user_id: str | None = None
    workspace_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Run(Wire):
    """A row of ``/api/v1/logs``, or the ``data`` of ``/api/v1/logs/{id}``."""

    id: Id
    started_at: datetime
    workflow_id: str | None = None
    execution_id: str | None = None
    deployment_version_id: str | None = None
    level: str | None = None
    trigger: str | None = None
    ended_at: datetime | None = None
    total_duration_ms: Number | None = None
    cost: Cost | None = None
    files: msgspec.Raw = NO_RAW
    workflow: RunWorkflow | None = None
    final_output: msgspec.Raw = NO_RAW
    trace_spans: msgspec.Raw = NO_RAW
    execution_data: msgspec.Raw = NO_RAW
    created_at: datetime | None = None


class Listed(msgspec.Struct, rename="camel", gc=False):
    """The fields of a row of ``/api/v1/logs`` that paging needs if another process decodes the rest."""

    id: Id
    started_at: datetime
    workflow_id: str | None = None
    execution_id: str | None = None
    deployment_version_id: str | None = None


Shown = Listed | Run
"""A row of a list of runs, decoded in part or in full."""


class ExecutionData(msgspec.Struct, rename="camel"):
    """Fields of a run's ``executionData`` that are read; ``privacy`` decides what is kept of the others."""

    finalization_path: str | None = None
    error: Any = None
    tokens: Tokens | Number | None = None
    token_breakdown: Tokens | Number | None = None
    models: dict[str, ModelCost] | None = None
    final_output: msgspec.Raw = NO_RAW
    trace_spans: msgspec.Raw = NO_RAW
    environment: msgspec.Raw = NO_RAW
    has_trace_spans: Any = None
    trace_span_count: Any = None

    @property
    def had_spans(self) -> bool:
        """Whether the run has or had a trace.

        ``hasTraceSpans`` and ``traceSpanCount`` stay when a trace expires (``sim-v0.8.9/log_detail_expired_trace``).
        """
        count = self.trace_span_count
        return self.has_trace_spans is True or (isinstance(count, int | float) and count > 0)


class RunPage(msgspec.Struct, rename="camel"):
    """A page of runs."""

    data: list[Run]
    next_cursor: Any = None


class ListedPage(msgspec.Struct, rename="camel"):
    """A page of runs of which only a few fields are decoded."""

    data: list[Listed]
    next_cursor: Any = None


class RawPage(msgspec.Struct, rename="camel"):
    """A page whose rows are not decoded yet."""

    data: list[msgspec.Raw]
    next_cursor: Any = None


class RawItem(msgspec.Struct):
    """A response that wraps one object in ``data``."""

    data: msgspec.Raw


class ExecutionMetadata(Wire):
    """Fields of the run in a snapshot."""

    trigger: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    total_duration_ms: Number | None = None
    cost: Cost | None = None


class Execution(Wire):
    """The response of ``/api/v1/logs/executions/{executionId}``; not wrapped in ``data``."""

    execution_id: str | None = None
    workflow_id: str | None = None
    workflow_state: msgspec.Raw = NO_RAW
    execution_metadata: ExecutionMetadata | None = None
    limits: msgspec.Raw = NO_RAW
