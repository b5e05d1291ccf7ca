"""The recorded lives of runs on 2026-08, moment by moment, against the lives of runs here."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.sim_api import WORKSPACE, World
from pipelines.sim_api.world import plans
from pipelines.sim_api.world.truth import Block, Plan, Turn
from tests.sim_api.conftest import asker
from tests.sim_api.recorded import ALL, WHY_SKIPPED
from tests.sim_api.shapes import differences

START = Block("blk-start", "Start", "start_trigger", 0, 3)
AGENT = Block("blk-agent", "Agent", "agent", 5, 900, segments=(Turn("gpt-4o", 100, 50, 900),))
PLAN = Plan((START, AGENT, plans.agent_block(start_ms=910, model="claude-sonnet-4-5", tool_cost=0)))


def running(world: World, run_id: str) -> None:
    assert world.runs[run_id].state == "running"


def paused(world: World, run_id: str) -> None:
    world.pause_run(run_id, blocks=2)


def resumed(world: World, run_id: str) -> None:
    paused(world, run_id)
    world.resume_run(run_id)


def ended_after_resume(world: World, run_id: str) -> None:
    resumed(world, run_id)
    world.end_run(run_id)


def force_failed(world: World, run_id: str) -> None:
    world.force_fail_run(run_id)


# The recorder gave its agents neither segments nor inputs, left out calls, and omitted the workflow's state.
OWN = re.compile(
    "providerTiming|toolCalls|workflowState|lastStartedBlock|cost: pricing|cacheRead|reasoning"
    r"|children\[\d\]: (input|output) "
)


@pytest.mark.parametrize(
    ("name", "live"),
    [
        ("1b_running_after_block_start", running),
        ("2a_paused", paused),
        ("2b_resumed_running", resumed),
        ("2c_completed_after_resume", ended_after_resume),
        ("4_markAsFailed", force_failed),
    ],
)
def test_moment_of_a_life(world: World, name: str, live: Callable[[World, str], None]) -> None:
    file = ALL / "sim-2026-08" / f"life_{name}.json"
    if not file.is_file():
        pytest.skip(WHY_SKIPPED)
    recorded: dict[str, Any] = json.loads(file.read_text())
    run = world.start_run("wf-triage", PLAN)
    live(world, run.id)
    ask = asker(world, "2026-08")
    query = f"workspaceId={WORKSPACE}&details=full&includeTraceSpans=true&includeFinalOutput=true"
    made = {
        "list_full": ask("/api/v1/logs", query)[1]["data"][0],
        "detail": ask(f"/api/v1/logs/{run.id}")[1]["data"],
    }
    made["execution"] = ask(f"/api/v1/logs/executions/{run.execution_id}")[1]
    del made["execution"]["limits"]
    found = differences(recorded, made)
    assert not [line for line in found if not OWN.search(line)]
    for place in ("endedAt", "cost", "totalDurationMs"):
        assert (recorded["list_full"][place] is None) == (made["list_full"][place] is None)
