"""The state of a workflow at the time of a run, as returned by /logs/executions/{executionId}."""

from __future__ import annotations

from typing import Any

from ..world.entities import SimRun
from .dialects import Dialect

Body = dict[str, Any]


def workflow_state(dialect: Dialect, run: SimRun) -> Body:
    """Blocks and edges of the executed version; two runs of one version have the same state.

    2026-03 returns the secrets of password fields (`subBlocks.apiKey.value` in its execution_* recordings), 2026-08
    replaces them with null.
    """
    version = next(
        (v.version for v in run.workflow.deployments if v.id == run.deployment_version_id),
        0,
    )
    blocks = {
        "blk-start": _block(dialect, "blk-start", "Start", "start_trigger", 0, {}),
        "blk-agent": _block(dialect, "blk-agent", "Agent", "agent", 300, _fields(dialect, run, version)),
    }
    state: Body = {
        "edges": [{"id": "e1", "source": "blk-start", "target": "blk-agent"}],
        "loops": {},
        "blocks": blocks,
        "parallels": {},
    }
    if dialect.secrets_in_snapshots or run.workflow.variables:
        state["variables"] = run.workflow.variables
    return state


def _block(dialect: Dialect, block_id: str, name: str, kind: str, x: int, fields: Body) -> Body:
    block: Body = {
        "id": block_id, "name": name, "type": kind, "enabled": True, "outputs": {},
        "position": {"x": x, "y": 0}, "subBlocks": fields,
    }  # fmt: skip
    if dialect.secrets_in_snapshots:
        modes = {"canonicalModes": {"oauthCredential": "basic"}} if fields else {}
        more = {
            "data": modes,
            "height": 0,
            "locked": False,
            "triggerMode": False,
            "advancedMode": False,
        }
        block.update(more, horizontalHandles=True)
    return block


def _fields(dialect: Dialect, run: SimRun, version: int) -> Body:
    secret = run.workflow.secret if dialect.secrets_in_snapshots else None
    return {
        "model": {"id": "model", "type": "combobox", "value": run.workflow.model},
        "apiKey": {"id": "apiKey", "type": "short-input", "value": secret},
        "systemPrompt": {"id": "systemPrompt", "type": "long-input", "value": f"Instructions v{version}"},
        **run.workflow.fields,
    }
