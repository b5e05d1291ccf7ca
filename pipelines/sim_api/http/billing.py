"""The payer of a run, as 2026-08 returns it in `executionData.billingAttribution`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..world.entities import SimRun
from ..world.moments import iso_of_ms, to_ms
from ..world.world import World


def billing_attribution(world: World, run: SimRun) -> dict[str, Any]:
    """The payer and the billing month of a run."""
    workspace = world.workspaces[run.workspace_id]
    account = world.accounts[workspace.account_id]
    started = datetime.fromtimestamp(run.started_ms / 1000, UTC)
    first = datetime(started.year, started.month, 1, tzinfo=UTC)
    after = datetime(started.year + started.month // 12, started.month % 12 + 1, 1, tzinfo=UTC)
    start, end = iso_of_ms(to_ms(first)), iso_of_ms(to_ms(after))
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
