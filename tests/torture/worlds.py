"""The world the syncs are killed over: a few hundred runs of every kind, and what happens to them later."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from pipelines.sim_api import (
    SECOND_WORKSPACE,
    WORKSPACE,
    World,
    audit_burst,
    finished_run,
    one_of_each,
    small_world,
    tied_runs,
)
from pipelines.sim_api.world import plans

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
WORKSPACES = (WORKSPACE, SECOND_WORKSPACE)
DIALECTS = ("2026-03", "2026-08")
V2 = {"2026-03": "absent", "2026-08": "on"}
"""Whether the servers offer v2."""
PAGE = 40
"""Rows the servers answer at most, so that a piece is several pages."""


def first(now_ms: int, seed: int = 7) -> World:
    """Four days of two workspaces up to this moment; the same arguments give the same world."""
    world = small_world(seed, datetime.fromtimestamp(now_ms / 1000, UTC))
    # a model of its own: of a state that two workflows share, either may be named as its workflow
    world.add_workflow(WORKSPACE, "Gone", workflow_id="wf-gone", model="claude-haiku-4-5")
    world.deploy("wf-report", deployed_ms=now_ms - 2 * DAY)
    _days(world, random.Random(seed), ("wf-triage", "wf-report", "wf-gone"), 170)
    _days(world, random.Random(seed + 1), ("wf-labs",), 50)
    for workflow_id in ("wf-triage", "wf-labs"):
        one_of_each(world, workflow_id)
    for age in (3 * DAY, 5 * MINUTE):
        tied_runs(world, "wf-report", 5, now_ms - age)
        audit_burst(world, 25, now_ms - age)  # with those below, less than a piece holds
    for hour in range(30):
        audit_burst(world, 1, now_ms - hour * 60 * MINUTE - 7)
    world.delete_workflow("wf-gone")
    _charges(world, 200)
    return world


def _charges(world: World, count: int) -> None:
    """Chats, some at the same millisecond."""
    for place in range(count):
        created_us = (world.now_ms - place // 3 * 97_001) * 1000 + place % 3 * 300
        world.charge("sim-chat", 0.0031 + place * 0.0007, WORKSPACES[place % 2], created_us=created_us)


def _days(world: World, source: random.Random, workflows: tuple[str, ...], count: int) -> None:
    """Runs over four days; a few of them still run, or wait for a human."""
    kinds = list(plans.every_kind().values())
    for place in range(count):
        run = world.start_run(
            workflows[place % len(workflows)],
            kinds[place % len(kinds)],
            started_ms=world.now_ms - 4 * DAY + place * 4 * DAY // count + source.randrange(MINUTE),
            draft=place % 11 == 0,
        )
        match place % 17:
            case 3:
                world.pause_run(run.id)
            case 7:
                world.cancel_run(run.id)
            case 11:
                pass  # still running
            case _:
                world.end_run(run.id)


def second(world: World) -> World:
    """What happened by the next sync: open runs went on and ended, new and late ones came, names changed."""
    # more than one stays open in each workspace: one alone is read by id and then tells more than in a list
    fates = (_resume, _stay, _end, _stay, _cancel)
    for workspace_id in WORKSPACES:
        for place, run in enumerate(list(world.open_runs(workspace_id))):
            fates[place % len(fates)](world, run.id)
    kinds = list(plans.every_kind().values())
    for place in range(90):  # some of them late: they started before rows that were read long ago
        workflow_id = ("wf-triage", "wf-labs", "wf-report")[place % 3]
        finished_run(world, workflow_id, kinds[place % len(kinds)], started_ms=world.now_ms - place * 37_000)
    world.pause_run(world.start_run("wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 1000).id)
    world.deploy("wf-triage", deployed_ms=world.now_ms - 10 * MINUTE)
    tied_runs(world, "wf-triage", 3, world.now_ms - 5 * MINUTE)
    audit_burst(world, 30, world.now_ms - 2 * MINUTE)
    chats = [event for event in world.ledger.events if event.source == "sim-chat"]
    for event in chats[-5:]:
        world.raise_charge(event.id, 0.25)  # the chat went on
    world.charge("voice-output", 0.013, WORKSPACE)
    world.rename_workflow("wf-report", "Morning report")
    return world


def _resume(world: World, run_id: str) -> None:
    """The run goes on where it waited, and ends: it costs more than was read."""
    world.resume_run(run_id)
    world.end_run(run_id)


def _stay(world: World, run_id: str) -> None:
    """It is still open."""


def _end(world: World, run_id: str) -> None:
    world.end_run(run_id, plan=plans.tool_plan())


def _cancel(world: World, run_id: str) -> None:
    world.cancel_run(run_id, blocks=2)
