"""GET /api/v1/audit-logs: always newest first, with a cursor that loses rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

from ..world.entities import AuditRow
from ..world.moments import iso_of_ms, js_date
from ..world.world import World
from .answers import Reply, error, json_answer
from .cursors import decode_cursor, encode_cursor
from .dialects import Dialect
from .params import Params
from .permissions import Caller, audit_refusal

Body = dict[str, Any]


def audit_body(row: AuditRow) -> Body:
    """One entry; createdAt has no microseconds."""
    return {
        "id": row.id,
        "workspaceId": row.workspace_id,
        "actorId": row.actor_id,
        "actorName": row.actor_name,
        "actorEmail": row.actor_email,
        "action": row.action,
        "resourceType": row.resource_type,
        "resourceId": row.resource_id,
        "resourceName": row.resource_name,
        "description": row.description,
        "metadata": row.metadata,
        "createdAt": iso_of_ms(row.created_ms),
    }


def _org_workspaces(world: World, caller: Caller) -> set[str]:
    return {w.id for w in world.workspaces.values() if w.account_id == caller.account.id}


def in_scope(world: World, dialect: Dialect, caller: Caller, row: AuditRow, departed: bool) -> bool:
    """Whether the row belongs to the caller's organization."""
    members = caller.account.members
    of_org = row.workspace_id in _org_workspaces(world, caller) or row.organization_id == caller.account.id
    if dialect.audit_by_actor:
        return row.actor_id in members or (departed and row.workspace_id in _org_workspaces(world, caller))
    return of_org and (departed or row.actor_id is None or row.actor_id in members)


def list_audit(world: World, dialect: Dialect, caller: Caller, params: Params, limits: Body) -> Reply:
    """Answers GET /api/v1/audit-logs; `order` is ignored (audit_order_asc)."""
    refusal = audit_refusal(caller)
    if refusal is not None:
        return refusal
    limit = params.strict_limit(50)
    departed = params.choice("includeDeparted", ("true", "false")) == "true"
    start, end = params.date("startDate", strict=True), params.date("endDate", strict=True)
    actor, workspace_id = params.text("actorId"), params.text("workspaceId")
    if actor is not None and actor not in caller.account.members:
        return error(400, "actorId is not a member of your organization")
    if dialect.audit_lists and workspace_id and workspace_id not in _org_workspaces(world, caller):
        return error(400, "workspaceId does not belong to your organization")
    tests: dict[str, Any] = {
        "action": params.text("action"),
        "resource_type": params.text("resourceType"),
        "resource_id": params.text("resourceId"),
        "workspace_id": workspace_id,
        "actor_id": actor,
    }
    rows: list[AuditRow] = []
    more = False
    for row in newest_first(world.audit, _after(params), start, end):
        if in_scope(world, dialect, caller, row, departed) and _matches(dialect, row, tests):
            more = len(rows) == limit
            if more:
                break
            rows.append(row)
    body: Body = {"data": [audit_body(row) for row in rows]}
    if more:
        body["nextCursor"] = encode_cursor({"createdAt": iso_of_ms(rows[-1].created_ms), "id": rows[-1].id})
    return json_answer({**body, "limits": limits})


def _matches(dialect: Dialect, row: AuditRow, tests: dict[str, Any]) -> bool:
    for name, wanted in tests.items():
        if wanted is None:
            continue
        several = dialect.audit_lists and name in ("action", "resource_type")
        if getattr(row, name) not in (wanted.split(",") if several else [wanted]):
            return False
    return True


def _after(params: Params) -> tuple[int, str] | None:
    """The cursor as (epoch milliseconds, id); a bad one silently returns page 1 (audit_bad_cursor)."""
    fields = decode_cursor(params.text("cursor") or "")
    moment = js_date(str(fields.get("createdAt"))) if fields else None
    if fields is None or moment is None:
        return None
    return moment, str(fields.get("id"))


class Dated(Protocol):
    """A row with a time in epoch microseconds, as in Sim's database."""

    id: str
    created_us: int


D = TypeVar("D", bound=Dated)


def newest_first(rows: Sequence[D], after: tuple[int, str] | None, start: int | None, end: int | None) -> Iterator[D]:
    """Rows after the cursor and between the dates, newest first.

    Cursor and dates have milliseconds and are compared at .000 microseconds. So rows in the cursor's millisecond are
    skipped, and `[.123, .123]` misses rows that `[.123, .124]` finds (audit_walk_50_*).

    Args:
        rows: The rows, oldest first.
        after: The cursor: epoch milliseconds and id.
        start: Epoch milliseconds, as `end`.
        end: Both are inclusive.
    """
    behind = None if after is None else (after[0] * 1000, after[1])
    for row in reversed(rows):
        if start is not None and row.created_us < start * 1000:
            return
        if end is not None and row.created_us > end * 1000:
            continue
        if behind is None or (row.created_us, row.id) < behind:
            yield row


def one_audit(world: World, dialect: Dialect, caller: Caller, audit_id: str, limits: Body) -> Reply:
    """Answers GET /api/v1/audit-logs/{id}."""
    refusal = audit_refusal(caller)
    if refusal is not None:
        return refusal
    for row in world.audit:
        if row.id == audit_id and in_scope(world, dialect, caller, row, departed=True):
            return json_answer({"data": audit_body(row), "limits": limits})
    return error(404, "Audit log not found")
