"""GET /api/v2/workspaces, /workspaces/{id}/members and /audit-logs."""

from __future__ import annotations

from typing import Any

from ...world.entities import AuditRow, User, Workspace
from ...world.moments import iso_of_ms
from ...world.world import World
from ..answers import Reply
from ..audits import audit_body, in_scope, newest_first
from ..dialects import Dialect
from ..permissions import Caller, may_read
from . import bound_cursors
from .replies import Body, detail_reply, forbidden, list_reply, not_found
from .strict_query import V2Query

WORKSPACES = frozenset({"sortBy", "sortOrder", "limit", "cursor"})
"""Parameters of /workspaces."""
MEMBERS = frozenset({"limit", "cursor"})
"""Parameters of /workspaces/{id}/members."""
AUDIT = frozenset({
    "action", "resourceType", "resourceId", "workspaceId", "startDate", "endDate", "includeDeparted", "limit",
    "cursor", "organizationId", "actorEmail",
})  # fmt: skip
"""Parameters of /audit-logs."""


def list_workspaces(world: World, caller: Caller, query: V2Query) -> Reply:
    """GET /workspaces: those that the key may read; a shifting offset pages them."""
    limit = query.strict_limit()
    sort_by = query.choice("sortBy", ("createdAt", "name", "updatedAt"), "createdAt")
    descending = query.choice("sortOrder", ("asc", "desc"), "desc") == "desc"
    binding = bound_cursors.bound_to("workspaces", query.values)
    after = bound_cursors.read(query.text("cursor"), binding, "offset")
    found = [workspace for workspace in world.workspaces.values() if may_read(world, caller, workspace.id)]
    if sort_by == "name":
        found.sort(key=lambda workspace: workspace.name, reverse=descending)
    offset = 0 if after is None else int(after["offset"])
    cursor = bound_cursors.written(binding, offset=offset + limit) if len(found) > offset + limit else None
    return list_reply([_workspace(world, workspace) for workspace in found[offset : offset + limit]], cursor)


def _workspace(world: World, workspace: Workspace) -> Body:
    moment = iso_of_ms(world.now_ms - 90 * 86_400_000)
    return {
        "id": workspace.id,
        "name": workspace.name,
        "color": "#33C482",
        "logoUrl": None,
        "memberCount": len(workspace.readers),
        "createdAt": moment,
        "updatedAt": moment,
    }


def list_members(world: World, caller: Caller, workspace_id: str, query: V2Query) -> Reply:
    """GET /workspaces/{id}/members, by e-mail address."""
    limit = query.strict_limit()
    binding = bound_cursors.bound_to(f"members {workspace_id}", query.values)
    after = bound_cursors.read(query.text("cursor"), binding, "email")
    if not may_read(world, caller, workspace_id):
        raise forbidden("Access denied")
    workspace = world.workspaces[workspace_id]
    found = sorted((world.users[user_id] for user_id in workspace.readers), key=lambda user: user.email)
    found = [user for user in found if after is None or user.email > after["email"]]
    cursor = bound_cursors.written(binding, email=found[limit - 1].email) if len(found) > limit else None
    return list_reply([_member(world, workspace, user) for user in found[:limit]], cursor)


def _member(world: World, workspace: Workspace, user: User) -> Body:
    return {
        "email": user.email,
        "name": user.name,
        "image": None,
        "role": "admin" if user.id == workspace.owner_id else "write",
        "isExternal": user.account_id != workspace.account_id,
        "joinedAt": iso_of_ms(world.now_ms - 90 * 86_400_000),
    }


def audit_logs(world: World, dialect: Dialect, caller: Caller, query: V2Query) -> Reply:
    """GET /audit-logs: newest first only, with a cursor that loses rows of the boundary's millisecond (seen)."""
    limit = query.strict_limit()
    start, end = query.dates()
    departed = query.flag("includeDeparted")
    organization_id = query.required("organizationId")
    binding = bound_cursors.bound_to("audit", query.values)
    after = bound_cursors.read_row(query.text("cursor"), binding)
    _may_audit(caller, organization_id)
    tests: dict[str, Any] = {
        "action": query.text("action"),
        "resource_type": query.text("resourceType"),
        "resource_id": query.text("resourceId"),
        "workspace_id": query.text("workspaceId"),
        "actor_email": query.text("actorEmail"),
    }
    found = [
        row
        for row in newest_first(world.audit, after, start, end)
        if in_scope(world, dialect, caller, row, departed)
        and all(wanted is None or getattr(row, name) == wanted for name, wanted in tests.items())
    ]
    last = found[limit - 1] if len(found) > limit else None
    cursor = None if last is None else bound_cursors.written(binding, at=last.created_ms, id=last.id)
    return list_reply([_audit_row(row) for row in found[:limit]], cursor)


def one_audit_log(world: World, dialect: Dialect, caller: Caller, audit_id: str, query: V2Query) -> Reply:
    """GET /audit-logs/{id}."""
    _may_audit(caller, query.required("organizationId"))
    for row in world.audit:
        if row.id == audit_id and in_scope(world, dialect, caller, row, departed=True):
            return detail_reply(_audit_row(row))
    raise not_found("Audit log not found")


def _may_audit(caller: Caller, organization_id: str) -> None:
    if caller.key.workspace_id is not None:
        raise forbidden("Workspace API keys are not allowed here", "PRINCIPAL_KIND_NOT_PERMITTED")
    role = caller.account.members.get(caller.user.id)
    if role is None or caller.account.id != organization_id:
        raise forbidden("Not a member of this organization", "ORGANIZATION_MEMBERSHIP_REQUIRED")
    if role not in ("owner", "admin"):
        raise forbidden("Organization admin or owner role required", "ORGANIZATION_ADMIN_REQUIRED")
    if caller.account.plan != "enterprise":
        raise forbidden("Active enterprise subscription required", "ENTERPRISE_PLAN_REQUIRED")


def _audit_row(row: AuditRow) -> Body:
    """A row: as in v1, without `actorId`."""
    body = audit_body(row)
    del body["actorId"]
    return body
