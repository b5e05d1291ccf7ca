"""Runs: list rows, details and snapshots."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .base import NO_RAW, Id, Number, Wire
from .spans import Cost, ModelCost, Tokens


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
