"""Small data sets for tests, and large cheap ones for load tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from .entities import AuditRow, SimRun
from .moments import to_ms
from .plans import calling_plan, custom_block_plan, every_kind
from .truth import Plan
from .world import World

OWNER_KEY = "sk-sim-demo-owner"
"""Personal key of an organization's owner: can read WORKSPACE, SECOND_WORKSPACE and the audit logs."""
MEMBER_KEY = "sk-sim-demo-member"
"""Personal key of an ordinary member: can read WORKSPACE, no audit logs."""
WORKSPACE_KEY = "sk-sim-demo-workspace"
"""Key of WORKSPACE."""
FREE_KEY = "sk-sim-demo-free"
"""Personal key of a free user outside the organization: can read only FOREIGN_WORKSPACE."""

WORKSPACE = "5e0a0001-0000-4000-8000-000000000001"
SECOND_WORKSPACE = "5e0a0002-0000-4000-8000-000000000002"
FOREIGN_WORKSPACE = "5e0a0003-0000-4000-8000-000000000003"
LOCKED_WORKSPACE = "5e0a0004-0000-4000-8000-000000000004"
"""Also the owner's, but it does not allow personal keys."""

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""Default current time of small data sets: fixed, so that tests are reproducible."""


def organization(seed: int = 0, now: datetime = NOW) -> World:
    """Creates people, keys and workspaces, but no workflows or runs."""
    world = World(seed, to_ms(now))
    world.add_account("org-acme", plan="enterprise", usage_limit=1000.0).storage_used = 734_003_200
    world.add_user("user-olga", "Olga Owner", account_id="org-acme", role="owner")
    world.add_user("user-mika", "Mika Member", account_id="org-acme", role="member")
    world.add_user("user-fred", "Fred Free")
    world.add_workspace("Acme Support", "user-olga", workspace_id=WORKSPACE, readers=("user-mika",))
    world.add_workspace("Acme Labs", "user-olga", workspace_id=SECOND_WORKSPACE)
    world.add_workspace("Fred's workspace", "user-fred", workspace_id=FOREIGN_WORKSPACE)
    locked = world.add_workspace("Acme Vault", "user-olga", workspace_id=LOCKED_WORKSPACE)
    locked.allows_personal_keys = False
    world.add_key(OWNER_KEY, "user-olga")
    world.add_key(MEMBER_KEY, "user-mika")
    world.add_key(WORKSPACE_KEY, "user-olga", WORKSPACE)
    world.add_key(FREE_KEY, "user-fred")
    return world


def small_world(seed: int = 0, now: datetime = NOW) -> World:
    """`organization` with two workflows in WORKSPACE (`wf-triage`, `wf-report`) and one in each other."""
    world = organization(seed, now)
    world.add_workflow(WORKSPACE, "Support triage", workflow_id="wf-triage", model="gpt-4o", description="Sorts")
    world.add_workflow(WORKSPACE, "Nightly report", workflow_id="wf-report", folder_id="folder-1")
    world.add_workflow(SECOND_WORKSPACE, "Experiment", workflow_id="wf-labs")
    world.add_workflow(FOREIGN_WORKSPACE, "Hobby", workflow_id="wf-hobby")
    world.add_workflow(LOCKED_WORKSPACE, "Payroll", workflow_id="wf-vault")
    return world


def finished_run(world: World, workflow_id: str, plan: Plan, *, started_ms: int | None = None) -> SimRun:
    """Adds a run that has already ended."""
    return world.end_run(world.start_run(workflow_id, plan, started_ms=started_ms).id)


def custom_block_call(world: World, caller: str, block: str) -> tuple[SimRun, SimRun]:
    """Adds a run that uses a custom block, and the run of that block in the workspace of its publisher (v0.7.50).

    Args:
        world: The world.
        caller: Id of the workflow that uses the block.
        block: Id of the workflow that the block runs.
    """
    below = world.start_run(block, custom_block_plan(), trigger="custom_block")
    above = world.start_run(caller, calling_plan(below.execution_id), started_ms=below.started_ms - 1_000)
    return world.end_run(above.id), world.end_run(below.id)


def one_of_each(world: World, workflow_id: str = "wf-triage", *, every_ms: int = 60_000) -> dict[str, SimRun]:
    """Adds a finished run of each kind and one in each state, by name; the running one is the newest.

    Ids are `<workflow id>.<name>`.
    """
    kinds = every_kind()
    states = (
        "running",
        "paused",
        "resumed",
        "cancelled",
        "cancelled_without_model",
        "cancelled_directly",
        "swept",
        "resumed_then_swept",
        "force_failed",
        "expired",
        "no_cost",
        "old",
    )
    first = world.now_ms - (len(kinds) + len(states)) * every_ms
    runs: dict[str, SimRun] = {}
    for place, name in enumerate((*kinds, *reversed(states))):
        plan = kinds.get(name, kinds["tool"])
        moment = first + place * every_ms
        run = world.start_run(workflow_id, plan, started_ms=moment, run_id=f"{workflow_id}.{name}")
        runs[name] = run
        if name in (*kinds, "expired", "no_cost", "old"):
            world.end_run(run.id)
    for name in ("paused", "resumed", "resumed_then_swept"):
        world.pause_run(runs[name].id, blocks=2)
    for name in ("resumed", "resumed_then_swept"):
        world.resume_run(runs[name].id)
    world.cancel_run(runs["cancelled"].id, blocks=2)
    world.cancel_run(runs["cancelled_without_model"].id, blocks=1)
    world.cancel_run_directly(runs["cancelled_directly"].id)
    for name in ("swept", "resumed_then_swept"):
        world.sweep_run(runs[name].id)
    world.force_fail_run(runs["force_failed"].id)
    world.expire_trace(runs["expired"].id)
    world.change_run(runs["no_cost"].id, has_cost_row=False)
    world.change_run(runs["old"].id, legacy="tool_calls")
    return runs


def tied_runs(world: World, workflow_id: str, count: int, started_ms: int, plan: Plan | None = None) -> list[SimRun]:
    """Adds finished runs that all started at the same instant."""
    kind = plan or every_kind()["plain"]
    return [finished_run(world, workflow_id, kind, started_ms=started_ms) for _ in range(count)]


def audit_burst(world: World, count: int, created_ms: int, *, workspace_id: str | None = WORKSPACE) -> list[AuditRow]:
    """Adds audit rows within one millisecond, a few microseconds apart."""
    step = max(1, 999 // max(1, count))
    return [
        world.add_audit(
            "workflow.deployed",
            created_ms * 1000 + min(999, place * step),
            workspace_id=workspace_id,
            organization_id="org-acme",
            actor_id="user-olga",
            resource_id=f"wf-{place}",
            resource_name="Support triage",
            description=f"Deployed version {place}",
            metadata={"version": place},
        )
        for place in range(count)
    ]


def audit_bulk(
    world: World,
    count: int,
    created_us: int,
    *,
    actions: Sequence[str] = ("workflow.updated", "workflow.deleted"),
    actors: Sequence[str | None] = ("user-olga", "user-olga", "user-mika"),
    workspaces: Sequence[str | None] = (WORKSPACE, SECOND_WORKSPACE),
    resource_id: str | None = None,
) -> list[AuditRow]:
    """Adds audit rows of one microsecond, as a single statement of Sim writes them (sim-v0.8.9, audit_burst_page).

    As recorded, each has its own resource unless one is given; actions, actors and workspaces alternate.
    """
    return [
        world.add_audit(
            actions[place % len(actions)],
            created_us,
            workspace_id=workspaces[place % len(workspaces)],
            organization_id="org-acme",
            actor_id=actors[place % len(actors)],
            resource_id=resource_id or f"bulk-{place}",
            resource_name=f"Bulk {place}",
            metadata={"n": place},
        )
        for place in range(count)
    ]


def many_runs(
    count: int, *, seed: int = 0, now: datetime = NOW, every_ms: int = 1000, world: World | None = None
) -> World:
    """Adds `count` finished runs, `every_ms` apart, the newest just before now; plans are shared."""
    world = world or small_world(seed, now)
    plans = list(every_kind().values())
    triggers = ("api", "schedule", "webhook", "chat", "manual")
    first = world.now_ms - count * every_ms
    for place in range(count):
        run = world.start_run(
            "wf-triage" if place % 3 else "wf-report",
            plans[place % len(plans)],
            trigger=triggers[place % len(triggers)],
            started_ms=first + place * every_ms,
        )
        world.end_run(run.id)
    return world
