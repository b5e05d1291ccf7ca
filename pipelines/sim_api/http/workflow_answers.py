"""GET /api/v1/workflows and /api/v1/workflows/{id}."""

from __future__ import annotations

from typing import Any

from ..world.entities import SimWorkflow
from ..world.moments import iso_of_ms, iso_or_none, js_date
from ..world.world import World
from .answers import Reply, error, json_answer
from .cursors import decode_cursor, encode_cursor
from .dialects import Dialect
from .params import Params
from .permissions import Caller, list_refusal, may_read

Body = dict[str, Any]
Order = tuple[int, int, str]


def _order(workflow: SimWorkflow) -> Order:
    return (workflow.sort_order, workflow.created_ms, workflow.id)


def workflow_body(dialect: Dialect, workflow: SimWorkflow, full: bool) -> Body:
    """A summary, or the detail with variables and inputs."""
    live = workflow.deployed
    inputs: Any = [{"id": "field-1", "name": "ticket", "type": "string"}]
    if dialect.zod == 3:
        inputs = [{"name": "ticket", "type": "string"}]
    if dialect.objects_for_lists:
        inputs = {"fields": {"ticket": {"type": "string"}}}
    body: Body = {
        "id": workflow.id,
        "name": workflow.name,
        "description": workflow.description,
        "color": workflow.color,
        "folderId": workflow.folder_id,
        "workspaceId": workflow.workspace_id,
        "isDeployed": live is not None,
        "deployedAt": iso_or_none(live.deployed_ms if live else None),
        "runCount": workflow.run_count,
        "lastRunAt": iso_or_none(workflow.last_run_ms),
        **({"variables": {}, "inputs": inputs} if full else {}),
        "createdAt": iso_of_ms(workflow.created_ms),
        "updatedAt": iso_of_ms(workflow.updated_ms),
    }
    if not dialect.workflow_color:
        del body["color"]
    return body


def list_workflows(world: World, dialect: Dialect, caller: Caller, params: Params, limits: Body) -> Reply:
    """Answers GET /api/v1/workflows; archived and deleted workflows are omitted."""
    workspace_id = params.workspace_id()
    limit = params.strict_limit(50)
    refusal = list_refusal(world, dialect, caller, workspace_id)
    if refusal is not None:
        return refusal
    folder, deployed_only = params.text("folderId"), params.flag("deployedOnly")
    after = _after(params)
    found = sorted(
        (
            workflow
            for workflow in world.workflows.values()
            if workflow.workspace_id == workspace_id
            and not (workflow.archived or workflow.deleted)
            and (folder is None or workflow.folder_id == folder)
            and (not deployed_only or workflow.deployed is not None)
            and (after is None or _order(workflow) > after)
        ),
        key=_order,
    )
    page = found[:limit]
    body: Body = {"data": [workflow_body(dialect, workflow, full=False) for workflow in page]}
    if len(found) > limit:
        order, created, last = _order(page[-1])
        body["nextCursor"] = encode_cursor({"sortOrder": order, "createdAt": iso_of_ms(created), "id": last})
    return json_answer({**body, "limits": limits})


def _after(params: Params) -> Order | None:
    """The cursor; a bad one silently returns page 1 (workflows_bad_cursor)."""
    fields = decode_cursor(params.text("cursor") or "")
    moment = js_date(str(fields.get("createdAt"))) if fields else None
    if fields is None or moment is None or not isinstance(fields.get("sortOrder"), int):
        return None
    return (fields["sortOrder"], moment, str(fields.get("id")))


def one_workflow(world: World, dialect: Dialect, caller: Caller, workflow_id: str, limits: Body) -> Reply:
    """Answers GET /api/v1/workflows/{id}; 404 once archived."""
    workflow = world.workflows.get(workflow_id)
    if workflow is None or workflow.archived or workflow.deleted:
        return error(404, "Workflow not found")
    if not may_read(world, caller, workflow.workspace_id):
        # workflow_detail_other_ws: 403 before, 404 now.
        if dialect.foreign_workflow == 403:
            return error(403, "Access denied")
        return error(404, "Workflow not found")
    return json_answer({"data": workflow_body(dialect, workflow, full=True), "limits": limits})
