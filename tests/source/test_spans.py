"""The tree of a trace as rows: order, place, and what each generation tells where."""

from __future__ import annotations

import json
from collections import namedtuple
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.rows import spans
from sim_source.rows.cost import TokenCount
from sim_source.rows.spans import Trace
from sim_source.run_tables import TRACE_SPANS

Json = dict[str, Any]


SpanRow = namedtuple("SpanRow", TRACE_SPANS.column_names)  # type: ignore[misc]


def read(*roots: Json, payloads: bool = False) -> Trace:
    decoded = [decode.one(jsons.encode(span), wire.Span) for span in roots]
    return named_rows(spans.read_trace(decoded, "run", "ws", payloads=payloads))


def named_rows(trace: Trace) -> Trace:
    trace.rows = [SpanRow(*row) for row in trace.rows]
    return trace


def only(span: Json, payloads: bool = False) -> SpanRow:
    return read(span, payloads=payloads).rows[0]


def extra(row: SpanRow) -> Json:
    found: Json = json.loads(row.extra or "{}")
    return found


def named(name: str, *children: Json, **fields: Any) -> Json:
    return {"name": name, "type": "function", "children": list(children), **fields}


trees = st.recursive(
    st.builds(lambda name: named(name), st.sampled_from("abc")),
    lambda inner: st.builds(lambda name, kids: named(name, *kids), st.sampled_from("abc"), st.lists(inner, max_size=3)),
    max_leaves=12,
)


@given(roots=st.lists(trees, max_size=3))
def test_spans_are_numbered_depth_first_and_know_their_parent(roots: list[Json]) -> None:
    expected: list[tuple[int | None, int, str]] = []

    def visit(span: Json, parent: int | None, depth: int) -> None:
        index = len(expected)
        expected.append((parent, depth, span["name"]))
        for child in span["children"]:
            visit(child, index, depth + 1)

    for root in roots:
        visit(root, None, 0)
    rows = read(*roots).rows
    assert [row.span_index for row in rows] == list(range(len(rows)))
    assert [(row.parent_index, row.depth, row.name) for row in rows] == expected


def test_no_trace_is_an_empty_one() -> None:
    assert spans.read_trace(None, "run", "ws", payloads=False).rows == []
    assert spans.read_trace([], "run", "ws", payloads=False).tokens == TokenCount()


def test_a_very_deep_trace_is_no_problem() -> None:
    span = wire.Span(name="leaf")
    for _ in range(5000):
        span = wire.Span(name="nest", children=[span])
    assert named_rows(spans.read_trace([span], "run", "ws", payloads=False)).rows[-1].depth == 5000


def test_loops_and_parallels_keep_their_place() -> None:
    row = only(named("Each", loopId="loop-1", iterationIndex=2, parentIterations=[{"loopId": "loop-0", "index": 1}]))
    assert (row.loop_id, row.parallel_id, row.iteration_index) == ("loop-1", None, 2)
    assert extra(row)["parentIterations"] == [{"loopId": "loop-0", "index": 1}]
    assert only(named("Branch", parallelId="p", iterationIndex=0)).iteration_index == 0


@pytest.mark.parametrize(
    ("tokens", "counts"),
    [
        (1540, (None, None, 1540)),
        ({"prompt": 1200, "completion": 340, "total": 1540}, (1200, 340, 1540)),
        ({"input": 1200, "output": 340}, (1200, 340, 1540)),
        (None, (None, None, None)),
    ],
    ids=["bare number", "prompt/completion", "input/output", "none"],
)
def test_tokens_of_every_age(tokens: Any, counts: tuple[int | None, ...]) -> None:
    row = only(named("Agent", type="agent", tokens=tokens))
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens) == counts


CALLS = [
    {"name": "exa_search", "status": "success", "duration": 3, "startTime": "2025-09-10T00:00:00.002Z"},
    {"name": "http", "status": "error", "error": {"message": "refused"}, "input": {"q": 1}, "unheard": True},
]


@pytest.mark.parametrize("calls", [CALLS, {"list": CALLS, "count": 2}], ids=["list", "object"])
def test_tool_calls_of_older_data_become_the_children_they_would_be_today(calls: Any) -> None:
    rows = read(named("Agent", type="agent", toolCalls=calls)).rows
    assert [(row.name, row.type, row.parent_index, row.depth) for row in rows[1:]] == [
        ("exa_search", "tool", 0, 1),
        ("http", "tool", 0, 1),
    ]
    assert rows[1].duration_ms == 3.0
    assert rows[2].error_message == "refused"


@pytest.mark.parametrize("calls", [None, 3, "x", {}, {"count": 0}, {"list": None}])
def test_odd_tool_calls_are_none(calls: Any) -> None:
    assert len(read(named("Agent", type="agent", toolCalls=calls)).rows) == 1


def test_tool_calls_beside_tool_children_are_not_read_twice() -> None:
    tool = {"name": "exa_search", "type": "tool"}
    assert len(read(named("Agent", tool, type="agent", toolCalls=CALLS)).rows) == 2


SEGMENTS = [
    {
        "type": "model",
        "name": "gpt-4o",
        "tokens": {"input": 500, "output": 40, "total": 540, "cacheRead": 128, "cacheWrite": 5, "reasoning": 7},
        "cost": {"total": 0.00165},
        "provider": "openai",
        "finishReason": "tool_calls",
        "ttft": 312,
    },
    {"type": "tool", "name": "exa_search", "errorType": "Timeout", "errorMessage": "too slow"},
]


def test_a_child_without_its_own_account_takes_the_providers() -> None:
    """2026-03 tells tokens, provider and finish reason of a call only in providerTiming."""
    children = [{"type": "model", "name": "gpt-4o"}, {"type": "tool", "name": "exa_search"}]
    _, model, tool = read(named("Agent", *children, type="agent", providerTiming={"segments": SEGMENTS})).rows
    assert (model.model, model.provider, model.finish_reason, model.ttft_ms) == (
        "gpt-4o",
        "openai",
        "tool_calls",
        312.0,
    )
    assert (model.prompt_tokens, model.completion_tokens, model.total_tokens) == (500, 40, 540)
    assert (model.cache_read_tokens, model.cache_write_tokens, model.reasoning_tokens) == (128, 5, 7)
    assert model.total_cost == Decimal("0.00165")
    assert (tool.error_type, tool.error_message) == ("Timeout", "too slow")


def test_a_childs_own_account_wins() -> None:
    child = {"type": "model", "name": "gpt-4o", "provider": "azure", "tokens": {"input": 1, "output": 2}}
    _, model = read(named("Agent", child, type="agent", providerTiming={"segments": SEGMENTS})).rows
    assert (model.provider, model.prompt_tokens, model.total_tokens) == ("azure", 1, 3)


@pytest.mark.parametrize(
    "child",
    [{"type": "model", "name": "another"}, {"type": "tool", "name": "gpt-4o"}, {"type": "function", "name": "gpt-4o"}],
    ids=["another name", "another type", "no segment"],
)
def test_an_account_of_something_else_is_not_taken(child: Json) -> None:
    _, row = read(named("Agent", child, type="agent", providerTiming={"segments": SEGMENTS})).rows
    assert (row.provider, row.total_tokens) == (None, None)


def test_more_children_than_segments_are_no_problem() -> None:
    children = [{"type": "model", "name": "gpt-4o"}] * 3
    assert len(read(named("Agent", *children, type="agent", providerTiming={"segments": SEGMENTS[:1]})).rows) == 4


def test_tokens_of_segments_are_not_counted_again() -> None:
    model = {"type": "model", "name": "gpt-4o", "model": "gpt-4o", "tokens": {"input": 500, "output": 40}}
    agent = named("Agent", model, type="agent", model="gpt-4o", tokens={"input": 500, "output": 40})
    workflow = named("Root", agent, agent, type="workflow", tokens={"input": 1000, "output": 80})
    assert read(workflow).tokens == TokenCount(1000, 80, 1080)


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({"cost": {"total": 0.007}}, Decimal("0.007")),
        ({"cost": "cheap"}, None),
        ({"cost": {"total": "much"}}, None),
        ({"cost": None}, None),
        ({"cost": 5}, None),
        ({"tokens": [1, 2]}, None),
        ([1, 2], None),
        ("text", None),
        (3, None),
        (None, None),
    ],
    ids=lambda value: None if isinstance(value, Decimal) else json.dumps(value),
)
def test_cost_is_read_from_an_output_of_sims_shape_and_from_no_other(output: Any, shown: Decimal | None) -> None:
    row = only(named("Exa", type="exa", output=output), payloads=True)
    assert row.total_cost == shown
    assert row.output == (None if output is None else json.dumps(output, separators=(",", ":")))


def test_cached_and_reasoning_tokens_of_a_block_are_told_by_its_output() -> None:
    told = {"tokens": {"input": 9, "output": 1, "cacheRead": 4, "reasoning": 2}}
    row = only(named("Agent", type="agent", tokens={"input": 9, "output": 1}, output=told))
    assert (row.cache_read_tokens, row.reasoning_tokens) == (4, 2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"errorMessage": "no"}, "no"),
        ({"status": "error", "output": {"error": "no"}}, "no"),
        ({"status": "error", "output": {"error": {"message": "no", "code": 3}}}, "no"),
        ({"status": "error", "output": {"error": {"code": 3}}}, '{"code":3}'),
        ({"status": "error", "output": {}}, None),
        ({"status": "success", "output": {"error": "a value of the user's"}}, None),
    ],
)
def test_an_error_is_found_where_it_is_told(fields: Json, message: str | None) -> None:
    trace = read(named("Root", named("Block", **fields), type="workflow"))
    assert trace.rows[1].error_message == message
    assert trace.error == message


def test_payloads_stay_out_unless_asked_for() -> None:
    span = named("Start", input={"ticket": "on fire"}, output={"text": "sk-abcdefgh12345678"}, newText="on fire")
    row = only(span)
    assert (row.input, row.output) == (None, None)
    assert "on fire" not in (row.extra or "")
    row = only(span, payloads=True)
    assert json.loads(row.input or "") == {"ticket": "on fire"}
    assert json.loads(row.output or "") == {"text": "[REDACTED]"}
    assert extra(row)["newText"] == "on fire"


def test_unknown_fields_keep_their_names_and_numbers() -> None:
    row = only(named("Block", score=0.1234567890123456789, retries=3, cached=True, note="private?"))
    assert extra(row) == {"score": pytest.approx(0.12345678901234568), "retries": 3, "cached": True, "note": None}


def test_known_fields_without_a_column_are_in_extra() -> None:
    row = only(
        named("Agent", executionOrder=4, relativeStartMs=5, cost={"total": 0.01, "input": 0.004, "toolCost": 0.002})
    )
    assert extra(row) == {"executionOrder": 4, "relativeStartMs": 5, "inputCost": 0.004, "toolCost": 0.002}


PRICING = {"input": 2.5, "output": 10, "cachedInput": 1.25, "updatedAt": "2026-01-01"}


@pytest.mark.parametrize(
    "fields", [{"cost": {"total": 0.01, "pricing": PRICING}}, {"output": {"cost": {"total": 0.01, "pricing": PRICING}}}]
)
def test_the_prices_behind_a_cost_are_in_extra(fields: Json) -> None:
    assert extra(only(named("Agent", type="agent", **fields))) == {"cost": {"pricing": PRICING}}


TIMING = {
    "duration": 2495,
    "startTime": "2026-11-20T08:00:37.018Z",
    "endTime": 1795161639513,
    "modelTime": 1695,
    "toolsTime": 800,
    "firstResponseTime": 880.5,
    "iterations": 2,
}


def test_what_a_provider_tells_of_its_time_is_in_extra() -> None:
    assert extra(only(named("Agent", type="agent", providerTiming={**TIMING, "segments": []}))) == {
        "providerTiming": TIMING
    }


NESTED = [
    ("tokens", {"input": 1, "audio": 5, "note": "private?"}, {"audio": 5, "note": None}),
    ("cost", {"total": 1, "credits": 7, "note": "private?", "models": {"m": {"total": 1}}},
     {"credits": 7, "note": None, "models": {"m": {"total": 1}}}),
    ("cost", {"total": 1, "pricing": {"input": 2, "note": "private?"}}, {"pricing": {"input": 2, "note": None}}),
    ("cost", {"total": 1, "pricing": 5}, {"pricing": 5}),
    ("cost", {"total": 1, "pricing": "private?"}, {"pricing": None}),
    ("providerTiming", {"queueTime": 3, "note": "private?"}, {"queueTime": 3, "note": None}),
    ("providerTiming", {"startTime": "my private text"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told", "kept"), NESTED, ids=[f"{name} {list(told)}" for name, told, _ in NESTED])
def test_undocumented_fields_inside_a_spans_structures_keep_names_and_numbers(name: str, told: Json, kept: Any) -> None:
    assert extra(only(named("Agent", type="agent", **{name: told}))) == ({name: kept} if kept else {})
    full = only(named("Agent", type="agent", **{name: told}), payloads=True)
    assert ("private" in (full.extra or "")) == ("private?" in json.dumps(told))


def test_of_a_segment_its_child_keeps_the_id_of_the_call_and_undocumented_fields() -> None:
    segment = {"type": "tool", "name": "exa_search", "toolCallId": "call_1", "queued": 3, "note": "private?"}
    child = {"type": "tool", "name": "exa_search"}
    _, row = read(named("Agent", child, type="agent", providerTiming={"segments": [segment]})).rows
    assert extra(row) == {"toolCallId": "call_1", "queued": 3, "note": None}


def test_a_segment_that_no_child_stands_for_is_kept_with_its_block() -> None:
    segment = {
        **SEGMENTS[0],
        "assistantContent": "on fire",
        "toolCalls": [{"id": "call_1", "arguments": "on fire"}],
        "thinkingContent": "on fire",
        "odd": "on fire",
    }
    span = named("Agent", type="agent", providerTiming={"segments": [segment]})
    assert extra(only(span)) == {"providerTiming": {"segments": [{**SEGMENTS[0], "odd": None}]}}
    assert extra(only(span, payloads=True)) == {"providerTiming": {"segments": [segment]}}


def test_segments_of_payloads_stay_out_and_time_segments_too() -> None:
    timing = {"timeSegments": [{"assistantContent": "on fire"}], "duration": 5}
    assert extra(only(named("Agent", providerTiming=timing))) == {"providerTiming": {"duration": 5}}
    assert extra(only(named("Agent", providerTiming=timing), payloads=True)) == {"providerTiming": timing}


def test_undocumented_fields_of_an_older_tool_call_are_kept() -> None:
    _, _, call = read(named("Agent", type="agent", toolCalls=CALLS)).rows
    assert extra(call) == {"unheard": True}


def test_a_payload_or_a_secret_is_withheld_even_where_it_is_a_number() -> None:
    row = only(named("Block", result=42, password=4711, tokenCount=5, retries=3))
    assert extra(row) == {"result": None, "password": None, "tokenCount": 5, "retries": 3}


def test_a_plain_span_has_no_extra() -> None:
    assert only(named("Start")).extra is None


@pytest.mark.parametrize("trace", [{"a": 1}, [{"children": [{"duration": "x"}], "unknown": 1}], ["span"], 5])
def test_what_is_no_trace_is_refused_so_that_its_run_is_set_aside(trace: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        spans.decoded(msgspec.Raw(jsons.encode(trace)))


def test_an_absent_trace_is_an_empty_one() -> None:
    assert spans.decoded(wire.NO_RAW) == spans.decoded(msgspec.Raw(b"null")) == spans.decoded(msgspec.Raw(b"[]")) == []


def test_unknown_fields_of_a_trace_are_kept_at_any_depth() -> None:
    trace = [{"name": "a", "region": "eu", "children": [{"name": "b", "shard": 7}]}]
    (root,) = spans.decoded(msgspec.Raw(jsons.encode(trace)))
    assert bytes(root.unknown) == b'{"region":"eu"}'
    assert bytes((root.children or [])[0].unknown) == b'{"shard":7}'
