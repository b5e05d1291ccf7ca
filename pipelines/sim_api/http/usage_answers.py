"""An account's spending and limits: `limits` of every body, and GET /api/users/me/usage-limits."""

from __future__ import annotations

from typing import Any

from ..world.entities import Account
from ..world.moments import iso_of_ms, month_of
from ..world.world import World
from .permissions import Caller

Body = dict[str, Any]

# (per minute, burst) of workflow executions by plan: usage_limits_free, usage_limits_enterprise.
_SYNC = {"free": (50, 100), "pro": (150, 300), "team": (300, 600), "enterprise": (600, 1200)}
_ASYNC = {"free": (200, 400), "pro": (1000, 2000), "team": (2500, 5000), "enterprise": (5000, 10000)}


class Spending:
    """Sums what each account has spent this month; recomputed only after the data has changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._at = -1
        self._spent: dict[str, float] = {}

    def spent(self, account: Account) -> float:
        """USD since the first day of the current month."""
        if self._at != self.world.revision:
            self._spent = self._sums()
            self._at = self.world.revision
        return round(account.billed_before + self._spent.get(account.id, 0.0), 6)

    def _sums(self) -> dict[str, float]:
        month, _ = month_of(self.world.now_ms)
        sums: dict[str, float] = {}
        for workspace in self.world.workspaces.values():
            runs = self.world.runs_of(workspace.id)
            total = sum(run.total_cost or 0.0 for run in runs[self.world.first_at(workspace.id, month) :])
            sums[workspace.account_id] = sums.get(workspace.account_id, 0.0) + total
        for event in self.world.ledger.events:
            if event.run is None and event.created_ms >= month:
                sums[self.world.workspaces[event.workspace_id].account_id] += event.usd
        return sums

    def limits(self, account: Account, now_ms: int) -> Body:
        """`limits` of a v1 body: they concern workflow executions, not this API."""
        usage = self._usage(account)
        usage["isExceeded"] = usage["currentPeriodCost"] >= account.usage_limit
        return {"workflowExecutionRateLimit": _buckets(account, now_ms, {}), "usage": usage}

    def _usage(self, account: Account) -> Body:
        return {"currentPeriodCost": self.spent(account), "limit": account.usage_limit, "plan": account.plan}

    def usage_limits(self, caller: Caller, now_ms: int) -> Body:
        """GET /api/users/me/usage-limits."""
        account = caller.account
        rate = {**_buckets(account, now_ms, {"isLimited": False}), "authType": "api"}
        return {"success": True, "rateLimit": rate, "usage": self._usage(account), "storage": storage_of(account)}


def _buckets(account: Account, now_ms: int, first: Body) -> Body:
    reset = iso_of_ms(now_ms + 60_000)
    return {
        name: {**first, "requestsPerMinute": rate, "maxBurst": burst, "remaining": burst, "resetAt": reset}
        for name, (rate, burst) in (("sync", _SYNC[account.plan]), ("async", _ASYNC[account.plan]))
    }


def storage_of(account: Account) -> Body:
    """The storage that an account uses."""
    return {
        "usedBytes": account.storage_used,
        "limitBytes": account.storage_limit,
        "percentUsed": round(100 * account.storage_used / account.storage_limit, 2),
    }
