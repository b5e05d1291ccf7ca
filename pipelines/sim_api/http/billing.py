"""The payer of a run, as 2026-08 returns it in `executionData.billingAttribution`."""

from __future__ import annotations

from typing import Any

from ..world.entities import SimRun
from ..world.moments import iso_of_ms, month_of
from ..world.world import World


def billing_attribution(world: World, run: SimRun) -> dict[str, Any]:
    """The payer and the billing month of a run."""
    workspace = world.workspaces[run.workspace_id]
    account = world.accounts[workspace.account_id]
    start, end = map(iso_of_ms, month_of(run.started_ms))
    return {
        "actorUserId": workspace.owner_id,
        "workspaceId": workspace.id,
        "billingEntity": {"id": account.id, "type": "organization" if account.members else "user"},
        "billingPeriod": {"end": end, "start": start, "source": "stripe"},
        "organizationId": account.id if account.members else None,
        "payerSubscription": {
            "id": f"sub-{account.id}", "plan": account.plan, "seats": max(1, len(account.members)),
            "status": "active", "periodEnd": end, "periodStart": start, "referenceId": account.id,
        },
        "billedAccountUserId": workspace.owner_id,
    }  # fmt: skip
