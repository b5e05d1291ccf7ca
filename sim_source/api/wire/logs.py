"""Runs (list rows, details, snapshots), their spans, and the cost and tokens of both."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .base import NO_RAW, Id, Money, Number, Wire


class Tokens(Wire):
    """Token counts under both names they go by, with details some providers give."""

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
    """Cost of a run or span in USD; the split by model where the server gives it here."""

    total: Money = None
    input: Money = None
    output: Money = None
    tool_cost: Money = None
    tokens: Tokens | Number | None = None
    models: dict[str, ModelCost] | None = None
    pricing: msgspec.Raw = NO_RAW


class SpanOutput(msgspec.Struct, gc=False, rename="camel"):
    """What is read of a block's output without keeping it: its cost (2026-08) and error."""

    cost: Cost | None = None
    error: Any = None
    tokens: Tokens | None = None
    model: Any = None


class Segment(Wire):
    """A call of a model or tool inside an agent block (``providerTiming.segments``).

    2026-03 gives tokens, provider and finish reason of a call only here, not on the child span.
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
    """Timing of an agent block as its provider saw it."""

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
    """A span of a trace, with its children."""

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
    """The workflow as a run's row shows it; the last six only in the per-run detail."""

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
    """A row of ``/api/v1/logs``, and the ``data`` of ``/api/v1/logs/{id}``."""

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
    """As much of a row of ``/api/v1/logs`` as a walk needs where another process reads the rest."""

    id: Id
    started_at: datetime
    workflow_id: str | None = None
    execution_id: str | None = None
    deployment_version_id: str | None = None


Shown = Listed | Run
"""A row of a list of runs, read as far as was wanted."""


class ExecutionData(msgspec.Struct, rename="camel"):
    """What is read of a run's ``executionData``; the rest is kept by ``privacy``."""

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
        """Whether there is or was a trace: these two stay when it expires (``sim-v0.8.9/log_detail_expired_trace``)."""
        count = self.trace_span_count
        return self.has_trace_spans is True or (isinstance(count, int | float) and count > 0)


class RunPage(msgspec.Struct, rename="camel"):
    """A page of runs."""

    data: list[Run]
    next_cursor: Any = None


class ListedPage(msgspec.Struct, rename="camel"):
    """A page of runs, hardly read."""

    data: list[Listed]
    next_cursor: Any = None


class RawPage(msgspec.Struct, rename="camel"):
    """A page whose rows are not decoded yet."""

    data: list[msgspec.Raw]
    next_cursor: Any = None


class RawItem(msgspec.Struct):
    """An answer that wraps one object."""

    data: msgspec.Raw


class ExecutionMetadata(Wire):
    """What a snapshot says of its run."""

    trigger: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    total_duration_ms: Number | None = None
    cost: Cost | None = None


class Execution(Wire):
    """``/api/v1/logs/executions/{executionId}``; not wrapped in ``data``."""

    execution_id: str | None = None
    workflow_id: str | None = None
    workflow_state: msgspec.Raw = NO_RAW
    execution_metadata: ExecutionMetadata | None = None
    limits: msgspec.Raw = NO_RAW
