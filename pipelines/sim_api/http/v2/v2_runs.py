"""GET /api/v2/logs, /logs/{runId}, /workflows/{id}/runs and /workflows/{id}/runs/{runId}."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...world.entities import SimRun, SimWorkflow
from ...world.moments import iso_of_ms, iso_or_none
from ...world.world import World
from ..answers import Reply
from ..dialects import Dialect
from ..log_answers import is_between
from ..permissions import Caller, may_read
from ..run_answers import final_output
from ..snapshot_answers import workflow_state
from ..span_answers import SpanWriter
from . import bound_cursors
from .replies import Body, V2Error, detail_reply, forbidden, list_reply, not_found
from .strict_query import V2Query

LOGS = frozenset({
    "workspaceId", "workflowIds", "triggers", "level", "startDate", "endDate", "minDurationMs", "maxDurationMs",
    "minCost", "maxCost", "model", "details", "includeTraceSpans", "includeFinalOutput", "limit", "cursor", "order",
    "runId", "folderPaths",
})  # fmt: skip
"""Parameters of /logs."""
SORTED_LOGS = LOGS - {"order"} | {"sortBy", "sortOrder", "status"}
"""Parameters of /logs after pull request 6912."""
RUNS = frozenset({"status", "trigger", "startDate", "endDate", "limit", "cursor", "order"})
"""Parameters of /workflows/{id}/runs."""
STATUSES = ("pending", "running", "paused", "redacting", "completed", "failed", "cancelled")
_SPAN_TOKENS = ("input", "output", "total")


def status_in_v2_logs(run: SimRun) -> str:
    """The status in /logs: a paused run is `pending` (seen)."""
    if run.state == "cancelled_directly":
        return "cancelled"  # v1 shows it like one that was swept
    return run.v2_status or {"paused": "pending"}.get(run.status, run.status)


def log_row(dialect: Dialect, run: SimRun, *, full: bool = False, spans: bool = False, output: bool = False) -> Body:
    """A row of /logs.

    Raises:
        V2Error: 500: the row does not pass the answer's own validation.
    """
    files = list(run.seen.files) if run.has_trace and run.seen.files else None
    row: Body = {
        "runId": run.execution_id,
        "workflowId": None if run.workflow.deleted else run.workflow.id,
        "deploymentVersionId": run.deployment_version_id,
        "status": status_in_v2_logs(run),
        "level": run.level,
        "trigger": run.trigger,
        "startedAt": iso_of_ms(run.started_ms),
        "endedAt": iso_or_none(run.ended_ms),
        "totalDurationMs": run.duration_ms,
        "cost": None if run.total_cost is None else {"total": run.total_cost},
        "files": files,
    }
    if dialect.v2_sort_order:
        row["kind"] = "workflow"
    if row["status"] not in STATUSES:
        raise V2Error(500, "INTERNAL_ERROR", "Internal server error")
    if full:
        workflow = run.workflow
        row["workflow"] = {
            "id": row["workflowId"],
            "name": "Deleted Workflow" if workflow.deleted else workflow.name,
            "description": None if workflow.deleted else workflow.description,
            "deleted": workflow.deleted or workflow.archived,
        }
        if spans:
            row["traceSpans"] = _trace(dialect, run)
        final = final_output(dialect, run)
        if output and final is not None:
            row["finalOutput"] = final
    return row


def _trace(dialect: Dialect, run: SimRun) -> list[Body]:
    if not run.has_trace or run.trace_expired:
        return []
    return [_cut_span(span) for span in SpanWriter(dialect, run).trace()]


def _cut_span(span: Body) -> Body:
    """Reduces the tokens of a span to the three counts that v2 returns (seen)."""
    found = dict(span)
    if isinstance(found.get("tokens"), dict):
        found["tokens"] = {name: found["tokens"][name] for name in _SPAN_TOKENS if name in found["tokens"]}
    if "children" in found:
        found["children"] = [_cut_span(child) for child in found["children"]]
    return found


def list_v2_logs(world: World, dialect: Dialect, caller: Caller, query: V2Query) -> Reply:
    """GET /logs."""
    workspace_id = query.required("workspaceId")
    order = "sortOrder" if dialect.v2_sort_order else "order"
    ascending = query.choice(order, ("asc", "desc"), "desc") == "asc"
    limit = query.clamped_limit(100, 1000)
    spans, output = query.flag("includeTraceSpans"), query.flag("includeFinalOutput")
    full = query.choice("details", ("basic", "full"), "basic") == "full" or spans or output
    wanted = _filters(query)
    binding = bound_cursors.bound_to("logs", query.values)
    if not may_read(world, caller, workspace_id):
        raise forbidden("Access denied")
    found = [run for run in _stretch(world.runs_of(workspace_id), query, ascending, binding) if wanted(run)]
    rows = [log_row(dialect, run, full=full, spans=spans, output=output) for run in found[:limit]]
    return list_reply(rows, _next(found, limit, binding))


def _filters(query: V2Query) -> Callable[[SimRun], bool]:
    """All filters except workspace and dates, as one predicate."""
    level, run_id, model = query.choice("level", ("info", "error")), query.text("runId"), query.text("model")
    workflow_ids, triggers = _several(query, "workflowIds"), _several(query, "triggers")
    folders = _several(query, "folderPaths")
    durations = query.number("minDurationMs"), query.number("maxDurationMs")
    costs = query.number("minCost"), query.number("maxCost")

    def wanted(run: SimRun) -> bool:
        return (
            (level is None or run.level == level)
            and (run_id is None or run.execution_id == run_id)
            and (workflow_ids is None or (not run.workflow.deleted and run.workflow.id in workflow_ids))
            and (folders is None or (not run.workflow.deleted and folder_path(run.workflow) in folders))
            and (triggers is None or "all" in triggers or run.trigger in triggers)
            and (model is None or (run.has_trace and model in run.seen.cost.models))
            and (durations == (None, None) or is_between(run.duration_ms, *durations))
            and (costs == (None, None) or is_between(run.total_cost, *costs))
        )

    return wanted


def _several(query: V2Query, name: str) -> list[str] | None:
    value = query.text(name)
    return None if value is None else value.split(",")


def _stretch(runs: list[SimRun], query: V2Query, ascending: bool, binding: str) -> Iterator[SimRun]:
    """Runs between the dates and behind the cursor, in the order of the answer."""
    start, end = query.dates()
    after = bound_cursors.read_row(query.text("cursor"), binding)
    for run in sorted(runs, key=_order, reverse=not ascending):
        if (start is not None and run.started_ms < start) or (end is not None and run.started_ms > end):
            continue
        if after is None or (_order(run) > after if ascending else _order(run) < after):
            yield run


def _order(run: SimRun) -> tuple[int, str]:
    return (run.started_ms, run.id)


def _next(found: list[SimRun], limit: int, binding: str) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return bound_cursors.written(binding, at=last.started_ms, id=last.id)


def one_log(world: World, dialect: Dialect, caller: Caller, run_id: str) -> Reply:
    """GET /logs/{runId}; the state's secrets are nulled, and only this endpoint returns the folder and the owner."""
    run = world.executions.get(run_id)
    if run is None or not may_read(world, caller, run.workspace_id):
        raise not_found("Log not found")
    owner = world.users[world.workspaces[run.workspace_id].owner_id]
    body = log_row(dialect, run, full=True, spans=True)
    body["finalOutput"] = final_output(dialect, run)
    flow = run.workflow
    about = {
        "folderPath": folder_path(flow),
        "ownerEmail": owner.email,
        "workspaceId": flow.workspace_id,
        "createdAt": iso_of_ms(flow.created_ms),
        "updatedAt": iso_of_ms(flow.updated_ms),
    }
    body["workflow"] |= dict.fromkeys(about) if flow.deleted else about
    if dialect.v2_sort_order and body["cost"] is not None:
        body["cost"]["items"] = _cost_items(run)
    state = workflow_state(dialect, run)
    return detail_reply({**body, "workflowState": state, "createdAt": iso_of_ms(run.started_ms)})


def _cost_items(run: SimRun) -> list[Body]:
    """The lines of a run's cost (pull request 6912)."""
    lines = [
        {
            "category": "model", "description": name, "cost": model.total,
            "inputTokens": model.input_tokens, "outputTokens": model.output_tokens,
        }
        for name, model in run.seen.cost.models.items()
    ]  # fmt: skip
    lines += [_line("tool", name, usd) for name, usd in run.seen.cost.tools.items()]
    fee = run.seen.cost.fee
    return [*lines, *([_line("fixed", "execution_fee", fee)] if fee else [])]


def _line(category: str, description: str, usd: float) -> Body:
    return {"category": category, "description": description, "cost": usd, "inputTokens": None, "outputTokens": None}


def folder_path(workflow: SimWorkflow) -> str:
    """The path of a workflow's folder, `/` for the root of the workspace."""
    return "/" if workflow.folder_id is None else f"/{workflow.folder_id}"


def workflow_of(world: World, caller: Caller, workflow_id: str) -> SimWorkflow:
    """A workflow that the caller may read; archived ones are 404 here (seen)."""
    workflow = world.workflows.get(workflow_id)
    if workflow is None or workflow.archived or workflow.deleted or not may_read(world, caller, workflow.workspace_id):
        raise not_found("Workflow not found")
    return workflow


def list_runs(world: World, caller: Caller, workflow_id: str, query: V2Query) -> Reply:
    """GET /workflows/{id}/runs, which says `paused` where /logs says `pending` (seen)."""
    limit = query.strict_limit()
    ascending = query.choice("order", ("asc", "desc"), "desc") == "asc"
    status, trigger = query.choice("status", STATUSES), query.text("trigger")
    binding = bound_cursors.bound_to(f"runs {workflow_id}", query.values)
    workflow = workflow_of(world, caller, workflow_id)
    found = [
        run
        for run in _stretch(world.runs_of(workflow.workspace_id), query, ascending, binding)
        if run.workflow is workflow
        and (status is None or _run_status(run) == status)
        and (trigger is None or run.trigger == trigger)
    ]
    return list_reply([_run_row(run) for run in found[:limit]], _next(found, limit, binding))


def one_run(world: World, caller: Caller, workflow_id: str, run_id: str) -> Reply:
    """GET /workflows/{id}/runs/{runId}: the only endpoint that returns the error message."""
    workflow, run = workflow_of(world, caller, workflow_id), world.executions.get(run_id)
    if run is None or run.workflow is not workflow:
        raise not_found("Run not found")
    text = next((block.error for block in run.seen.blocks if block.error), None)
    row = _run_row(run)
    paused: Body | None = None
    if row["status"] == "paused":
        paused = {
            "contextId": None, "pausedAt": row["endedAt"], "resumeAt": None, "pauseKind": "human",
            "blockedOnBlockId": None, "automaticResumeWaitingReason": None, "pausePointCount": 1, "resumedCount": 0,
        }  # fmt: skip
    error = None if text is None else {"code": "EXECUTION_FAILED", "message": text}
    return detail_reply({**row, "paused": paused, "error": error, "output": None, "blockOutputs": None})


def _run_status(run: SimRun) -> str:
    return {"pending": "paused"}.get(status_in_v2_logs(run), status_in_v2_logs(run))


def _run_row(run: SimRun) -> dict[str, Any]:
    return {
        "runId": run.execution_id,
        "workflowId": run.workflow.id,
        "status": _run_status(run),
        "trigger": run.trigger,
        "startedAt": iso_of_ms(run.started_ms),
        "endedAt": iso_or_none(run.ended_ms),
        "durationMs": run.duration_ms,
        "cost": None if run.total_cost is None else {"total": run.total_cost},
    }
