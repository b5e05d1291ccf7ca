"""Rows of ``execution_snapshots`` and ``workflow_states``; each state is stored once, without secrets. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from .. import jsons
from ..api import wire
from ..api.wire import present
from ..jsons import json_text
from ..schema import Row
from . import cost, extras, privacy
from .extras import unknown_text

_canonical = msgspec.json.Encoder(order="sorted", decimal_format="number")
_STATE_COLUMNS = ("blocks", "edges", "loops", "parallels", "variables")


@dataclass(frozen=True, slots=True)
class SnapshotRows:
    """The rows of a snapshot: one of ``execution_snapshots``, and one of ``workflow_states`` if it has a state."""

    snapshot: Row
    state: Row | None


def state_hash(state: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a state without secrets: sorted keys, no white space."""
    return hashlib.sha256(_canonical.encode(state)).hexdigest()


def read_snapshot(execution: wire.Execution, workspace_id: str, execution_id: str | None = None) -> SnapshotRows:
    """Converts a snapshot to rows.

    Args:
        execution: The response.
        workspace_id: Workspace of the run.
        execution_id: The requested execution id, in case the response has none.

    Raises:
        msgspec.DecodeError: The state is not a JSON object.
    """
    state: dict[str, Any] | None = None
    if present(execution.workflow_state):
        found = jsons.anything(execution.workflow_state)
        if not isinstance(found, dict):
            raise msgspec.ValidationError("workflowState is not a JSON object")
        state = privacy.without_secrets(found)
    digest = state_hash(state) if state is not None else None
    about = execution.execution_metadata or wire.ExecutionMetadata()
    snapshot = (
        execution.execution_id or execution_id,
        workspace_id,
        execution.workflow_id,
        digest,
        about.trigger,
        about.started_at,
        about.ended_at,
        cost.whole_number(about.total_duration_ms),
        cost.money(about.cost.total) if about.cost else None,
        unknown_text(execution, executionMetadata=extras.of_metadata(about) or None),
    )
    if state is None or digest is None:
        return SnapshotRows(snapshot, None)
    return SnapshotRows(snapshot, _state_row(state, digest, workspace_id, execution.workflow_id))


def gone_snapshot(execution_id: str, workspace_id: str, workflow_id: str | None) -> SnapshotRows:
    """A row without a state for a snapshot that the server no longer has, so that it is not requested again."""
    return SnapshotRows((execution_id, workspace_id, workflow_id, *([None] * 7)), None)


def _state_row(state: dict[str, Any], digest: str, workspace_id: str, workflow_id: str | None) -> Row:
    parts = [json_text(state[name]) if state.get(name) is not None else None for name in _STATE_COLUMNS]
    rest = {name: value for name, value in state.items() if name not in _STATE_COLUMNS}
    blocks = state.get("blocks")
    return (
        digest,
        workspace_id,
        workflow_id,
        *parts,
        len(blocks) if isinstance(blocks, dict | list) else 0,
        json_text(rest) if rest else None,
    )
