"""What the world does to a run, and how the row tells it."""

from typing import Any

import pytest

from pipelines.sim_api import WORKSPACE, World, finished_run
from pipelines.sim_api.world import plans
from tests.sim_api.conftest import Ask, asker


def row_of(ask: Ask, run_id: str) -> dict[str, Any]:
    _, page = ask("/api/v1/logs", f"workspaceId={WORKSPACE}&details=full&includeFinalOutput=true")
    return next(row for row in page["data"] if row["id"] == run_id)


def data_of(ask: Ask, run_id: str) -> dict[str, Any]:
    _, body = ask(f"/api/v1/logs/{run_id}")
    return body["data"]["executionData"]


def test_running_row_shows_the_base_charge_only_on_2026_03(world: World) -> None:
    run = world.start_run("wf-triage", plans.agent_plan())
    old, new = (row_of(asker(world, name), run.id) for name in ("2026-03", "2026-08"))
    assert (old["endedAt"], old["cost"]["total"]) == (None, 0.005)
    assert (new["endedAt"], new["cost"], new["level"]) == (None, None, "info")


@pytest.mark.parametrize("generation", ["2026-03", "2026-08"])
def test_paused_run_ends_twice(world: World, generation: str) -> None:
    ask = asker(world, generation)
    run = world.start_run("wf-triage", plans.two_model_plan())
    world.pause_run(run.id, blocks=2)
    paused = row_of(ask, run.id)
    assert paused["finalOutput"] == {"paused": True}
    assert paused["endedAt"] is not None
    world.resume_run(run.id)
    assert row_of(ask, run.id) == paused
    world.end_run(run.id)
    ended = row_of(ask, run.id)
    assert ended["endedAt"] > paused["endedAt"]
    assert ended["cost"]["total"] > paused["cost"]["total"]
    assert ended["startedAt"] == paused["startedAt"]


def test_only_the_detail_of_2026_08_names_the_end(world: World) -> None:
    ask = asker(world, "2026-08")
    ends = {"paused": world.pause_run, "cancelled": world.cancel_run, "force_failed": world.force_fail_run}
    for path, end in ends.items():
        run = world.start_run("wf-triage", plans.agent_plan())
        end(run.id)
        assert data_of(ask, run.id)["finalizationPath"] == path
        assert "finalizationPath" not in data_of(asker(world, "2026-03"), run.id)


def test_swept_run_stays_info(world: World) -> None:
    run = world.start_run("wf-triage", plans.agent_plan())
    world.sweep_run(run.id)
    ask = asker(world, "2026-08")
    row = row_of(ask, run.id)
    assert (row["level"], row["cost"], row["endedAt"] is None) == ("info", None, False)
    assert "error" not in data_of(ask, run.id)
    assert "error" in data_of(asker(world, "2026-03"), run.id)


def test_failed_run_keeps_what_it_spent(world: World) -> None:
    run = world.end_run(world.start_run("wf-triage", plans.failing_plan("boom", "APIError")).id)
    ask = asker(world, "2026-08")
    assert (row_of(ask, run.id)["level"], row_of(ask, run.id)["cost"]) == ("error", {"total": 0.005})
    segment = data_of(ask, run.id)["traceSpans"][0]["children"][1]["children"][0]
    assert (segment["errorType"], segment["errorMessage"]) == ("APIError", "boom")


def test_purged_run_is_gone(world: World) -> None:
    run = finished_run(world, "wf-triage", plans.plain_plan())
    kept = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms + 1)
    assert world.purge_before(WORKSPACE, world.now_ms + 1) == 1
    ask = asker(world, "2026-08")
    assert ask(f"/api/v1/logs/{run.id}")[0].status == 404
    assert ask(f"/api/v1/logs/executions/{run.execution_id}")[0].status == 404
    assert row_of(ask, kept.id)


def test_expired_trace_shrinks_the_detail_without_an_error(world: World) -> None:
    run = finished_run(world, "wf-triage", plans.agent_plan())
    before = row_of(asker(world, "2026-08"), run.id)
    world.expire_trace(run.id)
    ask = asker(world, "2026-08")
    data = data_of(ask, run.id)
    assert data.keys() == {"hasTraceSpans", "traceSpanCount", "billingAttribution"}
    assert (data["hasTraceSpans"], data["traceSpanCount"]) == (True, 6)
    after = row_of(ask, run.id)
    assert after["cost"] == before["cost"]
    assert "finalOutput" not in after


def test_deleted_workflow_leaves_its_runs_without_an_id(world: World) -> None:
    run = finished_run(world, "wf-triage", plans.agent_plan())
    ask = asker(world, "2026-08")
    assert row_of(ask, run.id)["workflowId"] == "wf-triage"
    world.delete_workflow("wf-triage")
    row = row_of(ask, run.id)
    assert (row["workflowId"], row["workflow"]["name"]) == (None, "Deleted Workflow")
    assert data_of(ask, run.id)["environment"]["workflowId"] == "wf-triage"
    _, page = ask("/api/v1/logs", f"workspaceId={WORKSPACE}&workflowIds=wf-triage")
    assert page["data"] == []


def test_archived_workflow_is_404_and_its_runs_keep_its_name(world: World) -> None:
    run = finished_run(world, "wf-report", plans.plain_plan())
    world.archive_workflow("wf-report")
    ask = asker(world, "2026-08")
    assert ask("/api/v1/workflows/wf-report")[0].status == 404
    _, page = ask("/api/v1/workflows", f"workspaceId={WORKSPACE}")
    assert [row["id"] for row in page["data"]] == ["wf-triage"]
    assert row_of(ask, run.id)["workflow"]["name"] == "Nightly report"


def test_late_row_takes_its_place_in_the_past(world: World) -> None:
    finished_run(world, "wf-triage", plans.plain_plan())
    late = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 60_000)
    assert world.runs_of(WORKSPACE)[0] is late


def test_deployment_version_is_that_of_the_start(world: World) -> None:
    first = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 2000)
    version = world.deploy("wf-triage", deployed_ms=world.now_ms - 1000)
    second = finished_run(world, "wf-triage", plans.plain_plan())
    draft = world.start_run("wf-triage", plans.plain_plan(), draft=True)
    assert second.deployment_version_id == version.id != first.deployment_version_id
    assert draft.deployment_version_id is None
