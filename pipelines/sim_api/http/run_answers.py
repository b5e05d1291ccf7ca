"""Renders runs as list rows, details and execution snapshots of each dialect, and caches the bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from ..world.entities import SimRun, SimWorkflow
from ..world.moments import iso_of_ms, iso_or_none
from ..world.truth import BASE_CHARGE, TrueCost, TrueModelCost
from ..world.world import World
from .agent_spans import token_counts
from .billing import billing_attribution
from .dialects import Dialect
from .snapshot_answers import workflow_state
from .span_answers import SpanWriter

encode = msgspec.json.Encoder().encode
Body = dict[str, Any]


def cost_object(dialect: Dialect, run: SimRun, form: str) -> Body | None:
    """`cost` of a row: form `total`, `models` (documents) or `whole` (2026-03)."""
    total = run.total_cost
    if total is None:
        if not (dialect.cost_while_running and run.state == "running"):
            return None
        cost = TrueCost({}, {}, BASE_CHARGE)
    else:
        cost = run.seen.cost
    if form == "total":
        return {"total": cost.total}
    overall = cost.all_models
    tokens = token_counts(dialect, overall)
    body: Body = {"total": cost.total, "tokens": tokens, "models": _models(dialect, cost)}
    return {"input": overall.input, "output": overall.output, **body} if form == "whole" else body


def _models(dialect: Dialect, cost: TrueCost) -> Body:
    return {name: _model(dialect, model) for name, model in cost.models.items()}


def _model(dialect: Dialect, model: TrueModelCost) -> Body:
    body: Body = {"input": model.input, "output": model.output, "total": model.total}
    body["tokens"] = token_counts(dialect, model)
    if model.tool and dialect.tool_costs:
        body["toolCost"] = model.tool
    return body


def _files(dialect: Dialect, run: SimRun) -> Any:
    files = run.seen.files if run.has_trace else ()
    if not files:
        return None
    return {file["id"]: file for file in files} if dialect.objects_for_lists else list(files)


def _visible_id(workflow: SimWorkflow) -> str | None:
    return None if workflow.deleted else workflow.id


def list_row(dialect: Dialect, run: SimRun, full: bool, spans: bool, output: bool) -> Body:
    """One entry of GET /api/v1/logs."""
    dialect = dialect.telling(run.legacy)
    form = "whole" if full and dialect.list_cost_when_full else "total"
    row: Body = {
        "id": run.id,
        "workflowId": _visible_id(run.workflow),
        "executionId": run.execution_id,
        "deploymentVersionId": run.deployment_version_id,
        "level": run.level,
        "trigger": run.trigger,
        "startedAt": iso_of_ms(run.started_ms),
        "endedAt": iso_or_none(run.ended_ms),
        "totalDurationMs": run.duration_ms,
        "cost": cost_object(dialect, run, form),
        "files": _files(dialect, run),
    }
    if full:
        row["workflow"] = _workflow_brief(run.workflow)
        final = final_output(dialect, run)
        if output and final is not None:
            row["finalOutput"] = final
        if spans and run.has_trace and not run.trace_expired:
            row["traceSpans"] = SpanWriter(dialect, run).trace()
    return {**row, **run.extra}


def _workflow_brief(workflow: SimWorkflow) -> Body:
    if workflow.deleted:
        return {"id": None, "name": "Deleted Workflow", "description": None, "deleted": True}
    return {"id": workflow.id, "name": workflow.name, "description": workflow.description, "deleted": False}


def _workflow_full(dialect: Dialect, world: World, workflow: SimWorkflow) -> Body:
    gone = workflow.deleted
    owner = world.workspaces[workflow.workspace_id].owner_id
    rest = {
        "color": workflow.color, "folderId": workflow.folder_id, "userId": owner,
        "workspaceId": workflow.workspace_id, "createdAt": iso_of_ms(workflow.created_ms),
        "updatedAt": iso_of_ms(workflow.updated_ms),
    }  # fmt: skip
    if not dialect.workflow_color:
        del rest["color"]
    brief = _workflow_brief(workflow)
    del brief["deleted"]
    return {**brief, **(dict.fromkeys(rest) if gone else rest), "deleted": gone}


def final_output(dialect: Dialect, run: SimRun) -> Any:
    """The output of the run, None if there is none (running, killed, expired, resumed)."""
    if not run.has_trace or run.trace_expired or _forgets(dialect, run):
        return None
    if run.state in ("paused", "resumed", "resumed_then_swept"):
        return {"paused": True}
    if run.state == "cancelled":
        return {"cancelled": True} if dialect.cancelled_output else None
    error = next((block.error for block in run.seen.blocks if block.error), None)
    return run.seen.final_output if error is None else {"error": error}


def detail(dialect: Dialect, world: World, run: SimRun) -> Body:
    """`data` of GET /api/v1/logs/{id}."""
    dialect = dialect.telling(run.legacy)
    files = _files(dialect, run)
    return {
        "id": run.id,
        "workflowId": _visible_id(run.workflow),
        "executionId": run.execution_id,
        "level": run.level,
        "trigger": run.trigger,
        "startedAt": iso_of_ms(run.started_ms),
        "endedAt": iso_or_none(run.ended_ms),
        "totalDurationMs": run.duration_ms,
        **({} if files is None else {"files": files}),
        "workflow": _workflow_full(dialect, world, run.workflow),
        "executionData": {**execution_data(dialect, world, run), **run.more_data},
        "cost": cost_object(dialect, run, dialect.detail_cost),
        "createdAt": iso_of_ms(run.started_ms),
        **run.extra,
    }


def execution_data(dialect: Dialect, world: World, run: SimRun) -> Body:
    """`executionData` of a detail; it shrinks when the trace expires."""
    writer = SpanWriter(dialect, run)
    trace = writer.trace() if run.has_trace else []
    counts: Body = {"hasTraceSpans": bool(trace), "traceSpanCount": writer.count}
    if run.trace_expired:
        return {**counts, "billingAttribution": billing_attribution(world, run)} if dialect.run_facts else counts
    forgets = _forgets(dialect, run)
    data = {} if forgets else _standing_facts(world, run)
    if dialect.run_facts:
        data.update(counts)
        data.update(_run_facts(world, run))
    if forgets:
        data.pop("lastStartedBlock", None)
    if run.state == "resumed_then_swept" or (dialect.errors_of_sweeps and run.state == "swept"):
        data["error"] = "Execution timed out"
    if not run.has_trace:
        return data
    data[dialect.tokens_key] = token_counts(dialect, run.seen.cost.all_models)
    if dialect.detail_execution_models:
        data["models"] = _models(dialect, run.seen.cost)
    final = final_output(dialect, run)
    if final is not None:
        data["finalOutput"] = final
    if dialect.run_facts and not forgets and run.state != "cancelled":
        data["workflowInput"] = run.seen.workflow_input
    data["traceSpans"] = trace
    return data


def _forgets(dialect: Dialect, run: SimRun) -> bool:
    """2026-08: a run that ended after a pause has lost its environment, trigger and output (life_2c)."""
    return dialect.forgets_when_resumed and run.was_resumed and run.state in ("completed", "failed")


def _standing_facts(world: World, run: SimRun) -> Body:
    """Environment and trigger: known from the start. They contain user data."""
    environment = {
        "userId": world.workspaces[run.workspace_id].owner_id,
        "variables": run.plan.variables,
        "workflowId": run.workflow.id,
        "executionId": run.execution_id,
        "workspaceId": run.workspace_id,
    }
    trigger: Body = {"type": run.trigger, "source": run.trigger, "timestamp": iso_of_ms(run.started_ms)}
    if run.trigger != "schedule":
        return {"environment": environment, "trigger": trigger}
    correlation = {
        "source": "schedule", "requestId": run.id[:8], "scheduleId": f"schedule-{run.workflow.id}",
        "workflowId": run.workflow.id, "executionId": run.execution_id, "triggerType": "schedule",
    }  # fmt: skip
    trigger["data"] = {"correlation": correlation}
    return {"environment": environment, "trigger": trigger, "correlation": correlation}


_PATHS = {
    "paused": "paused", "resumed": "paused", "resumed_then_swept": "paused", "cancelled": "cancelled",
    "force_failed": "force_failed", "completed": "completed", "failed": "completed",
}  # fmt: skip


def _run_facts(world: World, run: SimRun) -> Body:
    """Fields that only 2026-08 has: who pays, how the run ended, which block started last."""
    facts: Body = {"billingAttribution": billing_attribution(world, run)}
    begun = run.state in ("running", "swept", "cancelled_directly")
    blocks = run.seen.blocks or (run.plan.blocks[:1] if begun else ())
    if blocks:
        last = blocks[-1]
        facts["lastStartedBlock"] = {
            "blockId": last.block_id, "blockName": last.name, "blockType": last.type,
            "startedAt": iso_of_ms(run.started_ms + last.start_ms),
        }  # fmt: skip
    if run.state in _PATHS:
        facts["finalizationPath"] = _PATHS[run.state]
    return facts


def execution(dialect: Dialect, run: SimRun) -> Body:
    """GET /api/v1/logs/executions/{executionId}, without the `limits`."""
    dialect = dialect.telling(run.legacy)
    form = "whole" if dialect.list_cost_when_full else dialect.detail_cost
    metadata: Body = {"trigger": run.trigger, "startedAt": iso_of_ms(run.started_ms)}
    if run.ended_ms is not None:
        metadata["endedAt"] = iso_of_ms(run.ended_ms)
    metadata["totalDurationMs"] = run.duration_ms
    metadata["cost"] = cost_object(dialect, run, form)
    return {
        "executionId": run.execution_id,
        "workflowId": _visible_id(run.workflow),
        "workflowState": workflow_state(dialect, run),
        "executionMetadata": metadata,
    }


def kept(run: SimRun, key: tuple[object, ...], render: Any) -> bytes:
    """The encoded answer, rendered once and dropped when the run or its workflow changes."""
    whole = (*key, run.workflow.revision)
    body = run.rendered.get(whole)
    if body is None:
        body = run.rendered[whole] = encode(render())
    return body
