"""How runs end on v0.8.9, as its own writers left them, against the same ends here."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from pipelines.sim_api import WORKSPACE, World
from pipelines.sim_api.world import plans
from tests.helpers import recorded
from tests.sim_api.conftest import asker
from tests.sim_api.shapes import differences

FULL = f"workspaceId={WORKSPACE}&details=full&includeTraceSpans=true&includeFinalOutput=true"
# Which block was at work, and what the recorder's agents did: spans are compared in test_recorded_answers.
OWN = re.compile(r"lastStartedBlock|traceSpans\[")


def cancelled(world: World, run_id: str) -> None:
    world.cancel_run(run_id, blocks=0)


def cancelled_without_model(world: World, run_id: str) -> None:
    world.cancel_run(run_id, blocks=1)


def cancelled_directly(world: World, run_id: str) -> None:
    world.cancel_run_directly(run_id)


def swept_timed_out(world: World, run_id: str) -> None:
    world.sweep_run(run_id)


def resumed_then_swept(world: World, run_id: str) -> None:
    world.pause_run(run_id, blocks=2)
    world.resume_run(run_id)
    world.sweep_run(run_id)


def expired_trace(world: World, run_id: str) -> None:
    world.end_run(run_id)
    world.expire_trace(run_id)


ENDS = (cancelled, cancelled_without_model, cancelled_directly, swept_timed_out, resumed_then_swept, expired_trace)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_an_end_is_shown_as_it_was_recorded(world: World, end: Callable[[World, str], None]) -> None:
    theirs = {
        "row": msgspec.json.decode(recorded.answer("v0.8.9", f"logs_full_{end.__name__}").body)["data"][0],
        "detail": msgspec.json.decode(recorded.answer("v0.8.9", f"log_detail_{end.__name__}").body)["data"],
    }
    run = world.start_run("wf-triage", plans.agent_plan(tool_cost=0))
    end(world, run.id)
    ask = asker(world, "2026-08")
    ours = {"row": ask("/api/v1/logs", FULL)[1]["data"][0], "detail": ask(f"/api/v1/logs/{run.id}")[1]["data"]}
    assert not [line for line in differences(theirs, ours) if not OWN.search(line)]
    for place in ("row", "detail"):
        assert telling(theirs[place]) == telling(ours[place])


def telling(answer: dict[str, object]) -> dict[str, object]:
    """What says how the run ended."""
    data = answer.get("executionData")
    inside = telling(data) if isinstance(data, dict) else None
    names = ("level", "finalOutput", "finalizationPath", "error", "hasTraceSpans")
    told = {name: answer[name] for name in names if name in answer}
    return told | {
        "ended": answer.get("endedAt") is not None,
        "costs": answer.get("cost") is not None,
        "spans": None if "traceSpans" not in answer else bool(answer["traceSpans"]),
        "inside": inside,
    }


def test_a_run_swept_after_a_pause_keeps_its_cost_and_ends_later(world: World) -> None:
    run = world.start_run("wf-triage", plans.two_model_plan())
    world.pause_run(run.id, blocks=2)
    ask = asker(world, "2026-08")
    paused = ask("/api/v1/logs", FULL)[1]["data"][0]
    world.resume_run(run.id)
    world.sweep_run(run.id)
    swept = ask("/api/v1/logs", FULL)[1]["data"][0]
    assert {name for name in swept if swept[name] != paused[name]} == {"endedAt", "totalDurationMs"}


def test_older_servers_tell_why_a_run_was_swept_and_not_that_it_was_cancelled(world: World) -> None:
    ask = asker(world, "2026-03")
    swept = world.start_run("wf-triage", plans.agent_plan())
    world.sweep_run(swept.id)
    assert ask(f"/api/v1/logs/{swept.id}")[1]["data"]["executionData"]["error"] == "Execution timed out"
    stopped = world.start_run("wf-triage", plans.agent_plan())
    world.cancel_run(stopped.id)
    assert "finalOutput" not in ask(f"/api/v1/logs/{stopped.id}")[1]["data"]["executionData"]
