"""Spans under OpenTelemetry's names: values worked out by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.destination import keep_views
from pipelines.sim_api import OWNER_KEY, WORKSPACE, serve
from sim_source import sim_source
from tests.helpers.app import one_of_every_kind
from tests.helpers.tables import Place, Row, at, usd

ALL = "SELECT * FROM sim.otel_spans ORDER BY log_id, span_index"
EXECUTION = "025970F2-248a-4acc-8f99-3bacf2fd3a21"


def span(index: int, kind: str, name: str, parent: int | None = 0, **more: Any) -> Row:
    """A row of ``trace_spans``: a span of a second and a half that went well."""
    return {
        "log_id": "a",
        "span_index": index,
        "workspace_id": "ws",
        "parent_index": parent,
        "depth": 0 if parent is None else 1,
        "name": name,
        "type": kind,
        "status": "success",
        "started_at": at("2026-11-03 00:00:00.250"),
        "ended_at": at("2026-11-03 00:00:01.750"),
        "duration_ms": 1500.0,
    } | more


def run(log_id: str = "a", **more: Any) -> Row:
    """A row of ``logs``: a run that started just before midnight."""
    return {
        "id": log_id,
        "workspace_id": "ws",
        "workflow_id": "wf",
        "workflow_name": "Old name",
        "trigger": "chat",
        "execution_id": EXECUTION,
        "started_at": at("2026-11-02 23:59:59"),
    } | more


def trace() -> dict[str, list[Row]]:
    """An agent with a model call and a tool that failed, and blocks of other types."""
    gpt = {"model": "gpt-4o", "provider": "openai"}
    return {
        "workflows": [{"id": "wf", "workspace_id": "ws", "name": "Triage"}],
        "logs": [run()],
        "trace_spans": [
            span(0, "workflow", "Workflow Execution", None),
            span(1, "agent", "Helper", 0, block_id="b1", model="gpt-4o", total_cost=usd("0.01")),
            span(2, "model", "gpt-4o", 1, **gpt, finish_reason="tool_calls", ttft_ms=250.0),
            span(3, "tool", "web_search", 1, status="error", error_message="refused"),
            span(4, "function", "Tidy up", 0, block_id="b2", status="error", error_type="TypeError"),
            span(5, "workflow", "Child", 0, block_id="b3"),
            span(6, "router_v2", "Which way", 0, block_id="b4", model="gpt-4o"),
            span(7, "evaluator", "Score", 0, block_id="b5"),
        ],
    }


def test_operations_names_and_kinds_are_those_of_the_conventions(place: Place) -> None:
    found = place.fill(trace()).ask(
        'SELECT "gen_ai.operation.name", name, kind, "gen_ai.agent.name", "gen_ai.tool.name", block_type '
        "FROM sim.otel_spans ORDER BY span_index"
    )
    assert found == [
        ("invoke_workflow", "invoke_workflow Triage", "INTERNAL", "Triage", None, "workflow"),
        ("invoke_agent", "invoke_agent Helper", "INTERNAL", "Helper", None, "agent"),
        ("chat", "chat gpt-4o", "CLIENT", None, None, "model"),
        ("execute_tool", "execute_tool web_search", "INTERNAL", None, "web_search", "tool"),
        (None, "Tidy up", "INTERNAL", None, None, "function"),
        ("invoke_workflow", "invoke_workflow Child", "INTERNAL", "Child", None, "workflow"),
        ("chat", "chat gpt-4o", "CLIENT", None, None, "router_v2"),
        (None, "Score", "INTERNAL", None, None, "evaluator"),
    ]


def test_a_span_says_when_how_it_went_and_of_which_run_it_is(place: Place) -> None:
    rows = place.fill(trace()).dicts(ALL)
    model, tool, function = rows[2], rows[3], rows[4]
    assert model["start_time"].timestamp() == at("2026-11-03 00:00:00.250").timestamp()
    assert model["end_time"].timestamp() == at("2026-11-03 00:00:01.750").timestamp()
    assert (model["duration_ms"], model["gen_ai.response.time_to_first_chunk"]) == (1500.0, 0.25)
    assert model["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert (model["status_code"], model["error.type"], tool["gen_ai.response.finish_reasons"]) == ("UNSET", None, None)
    assert (tool["status_code"], tool["error.type"], tool["status_message"]) == ("ERROR", "_OTHER", "refused")
    assert (function["error.type"], function["block_id"]) == ("TypeError", "b2")
    assert {(row["day"], row["workflow_name"], row["trigger"], row["workspace_id"]) for row in rows} == {
        (date(2026, 11, 2), "Triage", "chat", "ws")
    }
    assert rows[1]["total_cost"] == usd("0.01")


def test_ids_are_hexadecimal_and_parents_are_found_by_them(place: Place) -> None:
    rows = place.fill(trace()).dicts(ALL)
    assert {row["trace_id"] for row in rows} == {"025970f2248a4acc8f993bacf2fd3a21"}
    ids = [row["span_id"] for row in rows]
    assert ids[:2] == ["6229b7f9adb9eff0", "32a390517fcc6e43"]  # of md5("a/0") and md5("a/1")
    assert [row["parent_span_id"] for row in rows] == [None, ids[0], ids[1], ids[1], *[ids[0]] * 4]


def test_an_execution_whose_id_is_no_uuid_has_a_trace_id_all_the_same(place: Place) -> None:
    found = place.fill({
        "logs": [run("a", execution_id="exec-1"), run("b", execution_id=None)],
        "trace_spans": [span(0, "workflow", "W", None), span(0, "workflow", "W", None, log_id="b")],
    }).ask("SELECT trace_id FROM sim.otel_spans ORDER BY log_id")  # fmt: skip
    assert found == [
        ("cfa1d5b7479bcf3b25f40d2e5ae9828b",),
        ("92eb5ffee6ae2fec3ad71c777531578f",),
    ]  # md5 of "exec-1" and of "b"


@pytest.mark.parametrize(
    ("told", "cached", "input_tokens"),
    [
        ((900, 50, 950), (128, None), 900),
        ((900, 50, 1078), (128, None), 1028),
        ((20, 50, 3070), (1000, 2000), 3020),
        ((20, 50, 1070), (None, 1000), 1020),
        ((900, 50, 950), (0, 0), 900),
        ((900, 50, 950), (None, None), 900),
        ((900, 50, 1200), (128, None), 900),
        ((900, None, None), (128, None), 900),
        ((None, None, 950), (128, None), None),
    ],
    ids=[
        "counted in, as OpenAI's model calls",
        "left out, as an OpenAI agent's of newer servers",
        "left out, as Anthropic's",
        "only written",
        "none",
        "not told",
        "a total that counts something else",
        "no total",
        "only a total",
    ],
)
def test_input_tokens_include_cached_ones_whether_sim_counts_them_in_or_not(
    place: Place, told: tuple[int, int, int], cached: tuple[int, int], input_tokens: int
) -> None:
    counts = dict(zip(("prompt_tokens", "completion_tokens", "total_tokens"), told, strict=True))
    counts |= dict(zip(("cache_read_tokens", "cache_write_tokens"), cached, strict=True))
    (row,) = place.fill({
        "logs": [run()],
        "trace_spans": [span(0, "model", "m", None, reasoning_tokens=7, **counts)],
    }).dicts(ALL)  # fmt: skip
    assert row["gen_ai.usage.input_tokens"] == input_tokens
    assert (row["gen_ai.usage.output_tokens"], row["gen_ai.usage.reasoning.output_tokens"]) == (told[1], 7)
    assert (row["gen_ai.usage.cache_read.input_tokens"], row["gen_ai.usage.cache_write.input_tokens"]) == cached


def test_providers_bear_the_well_known_names_and_others_their_own(place: Place) -> None:
    names = {
        "anthropic": "anthropic",
        "aws.bedrock": "aws.bedrock",
        "azure-anthropic": "azure-anthropic",
        "azure-openai": "azure.ai.openai",
        "azure_openai": "azure.ai.openai",
        "bedrock": "aws.bedrock",
        "google": "gcp.gen_ai",
        "groq": "groq",
        "kimi": "moonshot_ai",
        "mistral": "mistral_ai",
        "vertex": "gcp.vertex_ai",
        "xai": "x_ai",
        None: None,
    }
    spans = [span(index, "model", "m", None, provider=provider) for index, provider in enumerate(names)]
    place.fill({"logs": [run()], "trace_spans": spans})
    found = place.ask('SELECT "gen_ai.provider.name" FROM sim.otel_spans ORDER BY span_index')
    assert found == [(name,) for name in names.values()]


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_every_span_that_an_api_tells_is_there_with_ids_of_its_own(place: Place, dialect: str) -> None:
    with serve(one_of_every_kind(), dialect) as server:
        for _ in range(2):  # details come after logs
            place.pipeline.run(sim_source(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=server.base_url))
    keep_views.ensure_views(place.pipeline)
    rows = place.dicts(ALL)
    assert [(len(rows),)] == place.ask("SELECT count(*) FROM sim.trace_spans")
    ids = {(row["trace_id"], row["span_id"]) for row in rows}
    assert len(ids) == len({row["span_id"] for row in rows}) == len(rows) > 0
    assert {(row["trace_id"], row["parent_span_id"]) for row in rows if row["parent_span_id"]} <= ids
    assert {"invoke_workflow", "invoke_agent", "chat", "execute_tool"} <= {row["gen_ai.operation.name"] for row in rows}
