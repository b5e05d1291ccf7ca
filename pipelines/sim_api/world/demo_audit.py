"""Audit rows of the demo month: ordinary actions, and bursts within one millisecond."""

from __future__ import annotations

import random

from .builders import WORKSPACE, audit_burst
from .world import World
from .world_setup import DAY_MS

_ACTIONS = (
    ("workflow.updated", "workflow"), ("workflow.deployed", "workflow"), ("workflow.created", "workflow"),
    ("api_key.created", "api_key"), ("member.invited", "organization"), ("workspace.updated", "workspace"),
    ("folder.created", "folder"), ("credential.connected", "credential"),
)  # fmt: skip


def add_audit_month(world: World, source: random.Random, first_ms: int, rows: int = 180) -> None:
    """Adds about `rows` actions over thirty days, and four bursts (an import, bulk deployments)."""
    workflows = list(world.workflows.values())
    for _ in range(rows):
        action, resource = source.choice(_ACTIONS)
        workflow = source.choice(workflows)
        of_workflow = resource == "workflow"
        organization_wide = resource == "organization"
        world.add_audit(
            action,
            (first_ms + source.randrange(30 * DAY_MS)) * 1000 + source.randrange(1000),
            resource_type=resource,
            workspace_id=None if organization_wide else WORKSPACE,
            organization_id="org-acme",
            actor_id=source.choice(("user-olga", "user-olga", "user-mika")),
            resource_id=workflow.id if of_workflow else None,
            resource_name=workflow.name if of_workflow else None,
            description=f"{action.partition('.')[2].capitalize()} {resource}",
            metadata={"organizationId": "org-acme"} if organization_wide else {"source": "editor"},
        )
    for day, count in ((4, 30), (12, 60), (12, 20), (25, 90)):
        audit_burst(world, count, first_ms + day * DAY_MS + source.randrange(DAY_MS))
