"""Structures of runs in the v2 API, of which only what v1 does not tell is read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .base import NO_RAW, Id, Money, Number, Wire


class CostLine(msgspec.Struct, rename="camel", gc=False):
    """A line of a run's cost in USD, as Sim's pull request 6912 adds it to the detail."""

    category: str | None = None
    description: str | None = None
    cost: Money = None
    input_tokens: Number | None = None
    output_tokens: Number | None = None


class RunTotal(msgspec.Struct, gc=False):
    """The cost of a run in v2, in USD; no released server has ``items`` yet."""

    total: Money = None
    items: list[CostLine] | None = None


class RunState(Wire):
    """What v2's lists tell of a run beside its other values: its true status.

    A row of ``/api/v2/logs`` or ``/api/v2/workflows/{id}/runs``. ``run_id`` is v1's ``executionId``. Fields that v1
    has as well are not decoded.
    """

    run_id: Id
    started_at: datetime
    status: str
    ended_at: datetime | None = None
    cost: RunTotal | None = None
    workflow_id: msgspec.Raw = NO_RAW
    deployment_version_id: msgspec.Raw = NO_RAW
    level: msgspec.Raw = NO_RAW
    trigger: msgspec.Raw = NO_RAW
    total_duration_ms: msgspec.Raw = NO_RAW
    duration_ms: msgspec.Raw = NO_RAW
    files: msgspec.Raw = NO_RAW

    @property
    def id(self) -> str:
        """What tells rows of a list apart."""
        return self.run_id


class RunSnapshot(msgspec.Struct, rename="camel", gc=False):
    """The ``data`` of ``/api/v2/logs/{runId}``, without the parts that are private or that v1's detail has in full."""

    run_id: Id
    workflow_id: str | None = None
    workflow_state: msgspec.Raw = NO_RAW
    trigger: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    total_duration_ms: Number | None = None
    cost: RunTotal | None = None
