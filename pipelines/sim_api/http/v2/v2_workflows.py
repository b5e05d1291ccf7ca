"""GET /api/v2/workflows, /workflows/{id}/versions and /workflows/folders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...world.entities import Deployment, SimWorkflow
from ...world.moments import iso_of_ms, iso_or_none
from ...world.world import World
from ..answers import Reply, json_answer
from ..permissions import Caller, may_read
from . import bound_cursors
from .replies import Body, forbidden, list_reply
from .strict_query import V2Query
from .v2_runs import folder_path, workflow_of

WORKFLOWS = frozenset({
    "workspaceId", "folderPath", "deployedOnly", "limit", "cursor", "search", "sortBy", "sortOrder",
})  # fmt: skip
"""Parameters of /workflows."""
VERSIONS = frozenset({"limit", "cursor"})
"""Parameters of /workflows/{id}/versions."""
FOLDERS = frozenset({"workspaceId", "parentPath", "search", "sortBy", "sortOrder"})
"""Parameters of /workflows/folders."""
_SORTS: dict[str, Callable[[SimWorkflow], Any]] = {
    "position": lambda workflow: workflow.sort_order,
    "name": lambda workflow: workflow.name,
    "createdAt": lambda workflow: workflow.created_ms,
    "updatedAt": lambda workflow: workflow.updated_ms,
    "runCount": lambda workflow: workflow.run_count,
}


def _readable(world: World, caller: Caller, workspace_id: str) -> list[SimWorkflow]:
    if not may_read(world, caller, workspace_id):
        raise forbidden("Access denied")
    found = (flow for flow in world.workflows.values() if flow.workspace_id == workspace_id)
    return [flow for flow in found if not (flow.archived or flow.deleted)]


def list_workflows_v2(world: World, caller: Caller, query: V2Query) -> Reply:
    """GET /workflows: archived ones are left out; `runCount` counts successes only."""
    workspace_id, limit = query.required("workspaceId"), query.strict_limit()
    sort_by = query.choice("sortBy", tuple(_SORTS), "position") or "position"
    descending = query.choice("sortOrder", ("asc", "desc"), "asc") == "desc"
    folder, search = query.text("folderPath"), (query.text("search") or "").lower()
    deployed_only = query.flag("deployedOnly")
    binding = bound_cursors.bound_to("workflows", query.values)
    after = bound_cursors.read(query.text("cursor"), binding, "seen")

    def key(workflow: SimWorkflow) -> tuple[Any, int, str]:
        return (_SORTS[sort_by](workflow), workflow.created_ms, workflow.id)

    found = [
        workflow
        for workflow in sorted(_readable(world, caller, workspace_id), key=key, reverse=descending)
        if (folder is None or folder_path(workflow) == folder)
        and search in workflow.name.lower()
        and (not deployed_only or workflow.deployed is not None)
    ]
    if after is not None:
        ids = [workflow.id for workflow in found]
        found = found[ids.index(after["seen"]) + 1 :] if after["seen"] in ids else []
    cursor = bound_cursors.written(binding, seen=found[limit - 1].id) if len(found) > limit else None
    return list_reply([_workflow(world, workflow) for workflow in found[:limit]], cursor)


def _workflow(world: World, workflow: SimWorkflow) -> Body:
    live = workflow.deployed
    runs = (run for run in world.runs_of(workflow.workspace_id) if run.workflow is workflow)
    return {
        "id": workflow.id,
        "name": workflow.name,
        "description": workflow.description,
        "folderPath": folder_path(workflow),
        "workspaceId": workflow.workspace_id,
        "isDeployed": live is not None,
        "deployedAt": iso_or_none(live.deployed_ms if live else None),
        "runCount": sum(run.state == "completed" for run in runs),
        "lastRunAt": iso_or_none(workflow.last_run_ms),
        "createdAt": iso_of_ms(workflow.created_ms),
        "updatedAt": iso_of_ms(workflow.updated_ms),
    }


def list_versions(world: World, caller: Caller, workflow_id: str, query: V2Query) -> Reply:
    """GET /workflows/{id}/versions, newest first."""
    limit = query.strict_limit()
    binding = bound_cursors.bound_to(f"versions {workflow_id}", query.values)
    after = bound_cursors.read(query.text("cursor"), binding, "version")
    workflow = workflow_of(world, caller, workflow_id)
    found = [
        version for version in reversed(workflow.deployments) if after is None or version.version < after["version"]
    ]
    cursor = bound_cursors.written(binding, version=found[limit - 1].version) if len(found) > limit else None
    return list_reply([_version(world, workflow, version) for version in found[:limit]], cursor)


def _version(world: World, workflow: SimWorkflow, version: Deployment) -> Body:
    owner = world.users[world.workspaces[workflow.workspace_id].owner_id]
    return {
        "id": version.id,
        "version": version.version,
        "name": None,
        "description": None,
        "isActive": version is workflow.deployed,
        "createdAt": iso_of_ms(version.deployed_ms),
        "deployedBy": owner.name,
        "latestOperationStatus": "active" if version is workflow.deployed else None,
    }


def list_folders(world: World, caller: Caller, query: V2Query) -> Reply:
    """GET /workflows/folders: the whole set at once, without ids."""
    workspace_id = query.required("workspaceId")
    flows = _readable(world, caller, workspace_id)
    found: dict[str, Body] = {}
    for workflow in flows:
        if workflow.folder_id is not None:
            moment = iso_of_ms(workflow.created_ms)
            found[workflow.folder_id] = {
                "name": workflow.folder_id, "path": folder_path(workflow), "parentPath": "/", "locked": False,
                "createdAt": moment, "updatedAt": moment,
            }  # fmt: skip
    return json_answer({"data": [found[name] for name in sorted(found)], "nextCursor": None})
