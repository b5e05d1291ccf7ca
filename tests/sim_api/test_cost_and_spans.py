"""What runs cost and what their spans say, by generation."""

from typing import Any

import pytest

from pipelines.sim_api import WORKSPACE, World
from tests.sim_api.conftest import Ask, asker

LOGS = "/api/v1/logs"
IN_WORKSPACE = f"workspaceId={WORKSPACE}"


def trace(ask: Ask, run_id: str) -> dict[str, Any]:
    _, body = ask(f"{LOGS}/{run_id}")
    return body["data"]["executionData"]["traceSpans"][0]


def spans(tree: dict[str, Any]) -> list[dict[str, Any]]:
    return [tree, *(span for child in tree.get("children", []) for span in spans(child))]


def test_total_is_models_and_standalone_tools_and_base_charge(full_world: World) -> None:
    for run in full_world.runs_of(WORKSPACE):
        if run.total_cost is None:
            continue
        cost = run.seen.cost
        parts = sum(model.total for model in cost.models.values()) + sum(cost.tools.values()) + 0.005
        assert run.total_cost == pytest.approx(parts, abs=1e-12)
        for model in cost.models.values():
            assert model.total == pytest.approx(model.input + model.output + model.tool, abs=1e-12)


def test_sums_are_those_of_javascript(full_world: World) -> None:
    _, body = asker(full_world, "2026-08")(f"{LOGS}/wf-triage.agent")
    assert body["data"]["cost"]["total"] == 0.0164
    _, body = asker(full_world, "2026-08")(f"{LOGS}/wf-triage.tool")
    assert body["data"]["cost"]["total"] == 0.0234


def test_split_per_model_is_only_in_execution_data_on_2026_08(full_world: World) -> None:
    _, new = asker(full_world, "2026-08")(f"{LOGS}/wf-triage.multi")
    assert set(new["data"]["cost"]) == {"total"}
    assert set(new["data"]["executionData"]["models"]) == {"gpt-4o", "claude-sonnet-4-5"}
    _, old = asker(full_world, "2026-03")(LOGS, f"{IN_WORKSPACE}&details=full")
    row = next(row for row in old["data"] if row["id"] == "wf-triage.multi")
    assert set(row["cost"]) == {"input", "output", "total", "tokens", "models"}


def test_segments_have_tokens_and_spans_have_cost_depending_on_generation(full_world: World) -> None:
    old = spans(trace(asker(full_world, "2026-03"), "wf-triage.agent"))
    new = spans(trace(asker(full_world, "2026-08"), "wf-triage.agent"))
    assert [("tokens" in s, "cost" in s) for s in old if s["type"] == "model"] == [(False, False)] * 2
    assert [("tokens" in s, "cost" in s) for s in new if s["type"] == "model"] == [(True, False)] * 2
    agent = next(s for s in old if s["type"] == "agent")
    segments = [s for s in agent["providerTiming"]["segments"] if s["type"] == "model"]
    assert sum(s["tokens"]["total"] for s in segments) == agent["tokens"]["total"] == 1540
    assert agent["cost"]["total"] == pytest.approx(0.0114)


def test_spans_in_loops_share_a_block_and_differ_by_iteration(full_world: World) -> None:
    found = spans(trace(asker(full_world, "2026-08"), "wf-triage.loop"))
    rounds = [(s["loopId"], s["iterationIndex"]) for s in found if s.get("blockId") == "blk-each"]
    assert rounds == [("loop-1", 0), ("loop-1", 1), ("loop-1", 2)]
    assert [s["parallelId"] for s in found if s.get("blockId") == "blk-branch"] == ["parallel-1"] * 2


def test_workflow_span_repeats_the_sums_under_it(full_world: World) -> None:
    found = spans(trace(asker(full_world, "2026-03"), "wf-triage.child"))
    child = next(s for s in found if s.get("blockId") == "blk-child")
    inner = next(s for s in found if s.get("blockId") == "blk-inner")
    assert child["tokens"] == inner["tokens"]
    assert child["cost"]["total"] == inner["cost"]["total"]


def test_rows_of_the_earliest_servers(full_world: World) -> None:
    _, body = asker(full_world, "2026-03")(f"{LOGS}/wf-triage.old")
    data = body["data"]["executionData"]
    assert data["tokenBreakdown"] == {"prompt": 1200, "completion": 340, "total": 1540}
    agent = next(s for s in data["traceSpans"][0]["children"] if s["type"] == "agent")
    assert [call["name"] for call in agent["toolCalls"]] == ["exa_search"]
    full_world.change_run("wf-triage.old", legacy="bare_tokens")
    agent = spans(trace(asker(full_world, "2026-03"), "wf-triage.old"))[2]
    assert agent["tokens"] == 1540


def test_undocumented_fields_are_on_row_detail_and_span(full_world: World) -> None:
    full_world.change_run("wf-triage.agent", extra={"surprise": {"a": 1}})
    ask = asker(full_world, "2026-08")
    _, page = ask(LOGS, f"{IN_WORKSPACE}&details=full&includeTraceSpans=true")
    row = next(row for row in page["data"] if row["id"] == "wf-triage.agent")
    assert row["surprise"] == row["traceSpans"][0]["surprise"] == {"a": 1}


def test_snapshot_secrets_are_returned_on_2026_03_and_nulled_on_2026_08(full_world: World) -> None:
    run = full_world.runs["wf-triage.agent"]
    path = f"{LOGS}/executions/{run.execution_id}"
    for generation, secret in (("2026-03", "sk-super-secret-support-triage"), ("2026-08", None)):
        _, body = asker(full_world, generation)(path)
        assert "data" not in body
        assert body["workflowState"]["blocks"]["blk-agent"]["subBlocks"]["apiKey"]["value"] == secret
