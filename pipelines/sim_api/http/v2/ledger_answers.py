"""GET /api/v2/billing/logs and /billing/status: the ledger in credits, and the payer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from ...world.entities import Account
from ...world.ledger import LedgerEvent, Source
from ...world.moments import iso_of_ms, month_of
from ...world.world import World
from ..answers import Reply
from ..audits import newest_first
from ..permissions import Caller, may_read
from ..usage_answers import Spending, storage_of
from . import bound_cursors
from .replies import Body, bad_request, detail_reply, list_reply, not_found
from .strict_query import V2Query

LOGS = frozenset({"source", "workspaceId", "period", "startDate", "endDate", "limit", "cursor"})
"""Parameters of /billing/logs."""
STATUS = frozenset({"workspaceId"})
"""Parameters of /billing/status."""
CREDITS_PER_USD = 200
_DAY_MS = 86_400_000
_PERIODS = {"1d": 1, "7d": 7, "30d": 30}
_NO_PERIOD = ("1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z")


def shared_out(events: Sequence[LedgerEvent]) -> list[int]:
    """Distributes the credits of one page over its events.

    The page's sum is rounded; each event has its own floor, and what is left over goes one each to the largest
    fractions (seen: the same event has floor or floor + 1 credits by its neighbours).
    """
    exact = [CREDITS_PER_USD * event.usd for event in events]
    floors = [math.floor(round(value, 9)) for value in exact]
    left = round(sum(exact)) - sum(floors)
    largest = sorted(range(len(exact)), key=lambda place: exact[place] - floors[place], reverse=True)[: max(0, left)]
    return [floor + (place in largest) for place, floor in enumerate(floors)]


def list_billing(world: World, caller: Caller, query: V2Query, now_ms: int) -> Reply:
    """GET /billing/logs: newest first only, with a cursor that loses rows of the boundary's millisecond (seen)."""
    limit = query.strict_limit()
    source = query.choice("source", get_args(Source))
    period = query.choice("period", (*_PERIODS, "all", "custom"), "30d")
    start, end = query.dates()
    if (period == "custom") != ("startDate" in query.values):
        raise bad_request("startDate is required with period=custom, and refused without")
    if period in _PERIODS:
        start = now_ms - _PERIODS[period] * _DAY_MS
    workspace_id = query.text("workspaceId")
    binding = bound_cursors.bound_to("billing", query.values)
    after = bound_cursors.read_row(query.text("cursor"), binding)
    if workspace_id is not None and not may_read(world, caller, workspace_id):
        raise not_found("Workspace not found")
    found = [
        event
        for event in newest_first(world.ledger.events, after, start, end)
        if _is_visible(event, caller)
        and (workspace_id is None or event.workspace_id == workspace_id)
        and (source is None or event.source == source)
    ]
    shown = found[:limit]
    rows = [_row(event, credit) for event, credit in zip(shown, shared_out(shown), strict=True)]
    more = len(found) > limit
    return list_reply(rows, bound_cursors.written(binding, at=shown[-1].created_ms, id=shown[-1].id) if more else None)


def _is_visible(event: LedgerEvent, caller: Caller) -> bool:
    """A workspace key sees its workspace, a personal key only events of its owner (seen)."""
    if caller.key.workspace_id is not None:
        return event.workspace_id == caller.key.workspace_id
    return event.actor_id == caller.user.id


def _row(event: LedgerEvent, credit: int) -> Body:
    workflow = None if event.run is None or event.run.workflow.deleted else event.run.workflow
    return {
        "id": event.id,
        "createdAt": iso_of_ms(event.created_ms),
        "source": event.source,
        "workspaceId": event.workspace_id,
        "workflow": None if workflow is None else {"id": workflow.id, "name": workflow.name},
        "runId": None if event.run is None else event.run.execution_id,
        "creditCost": credit,
    }


def billing_status(world: World, caller: Caller, query: V2Query, spending: Spending) -> Reply:
    """GET /billing/status; only the payer and organization admins see credits and storage (seen)."""
    workspace_id = query.text("workspaceId") or caller.key.workspace_id
    if workspace_id is not None and not may_read(world, caller, workspace_id):
        raise not_found("Workspace not found")
    account = caller.account
    if workspace_id is not None:
        account = world.accounts[world.workspaces[workspace_id].account_id]
    is_free = account.plan == "free"
    start, end = _NO_PERIOD if is_free else map(iso_of_ms, month_of(world.now_ms))
    spent = spending.spent(account)
    body: Body = {
        "workspaceId": workspace_id,
        "period": {"start": start, "end": end},
        "plan": account.plan,
        "status": "limit_exceeded" if spent >= account.usage_limit else "active",
        "credits": None,
        "storage": None,
    }
    if caller.key.workspace_id is None and _is_payer(caller, account):
        used, limit = round(spent * CREDITS_PER_USD), round(account.usage_limit * CREDITS_PER_USD)
        body["credits"] = {"used": used, "limit": limit, "remaining": max(0, limit - used)}
        body["storage"] = storage_of(account)
    return detail_reply(body)


def _is_payer(caller: Caller, account: Account) -> bool:
    return account.id == caller.user.id or account.members.get(caller.user.id) in ("owner", "admin")
