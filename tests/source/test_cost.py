"""What a run's cost is made of: exact, itemised as the API does it, never counted twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.rows import cost, run_rows, runs, spans
from sim_source.rows.cost import Charges, CostItem, TokenCount
from tests.helpers import recorded

D = Decimal
ItemList = list[tuple[str, str, Decimal]]


def split_of(json: dict[str, Any]) -> dict[str, wire.ModelCost]:
    return {name: decode.one(jsons.encode(entry), wire.ModelCost) for name, entry in json.items()}


def trace_of(*roots: dict[str, Any]) -> spans.Trace:
    return spans.read_trace([decode.one(jsons.encode(root), wire.Span) for root in roots], "run", "ws", payloads=False)


def shown(items: list[CostItem]) -> ItemList:
    return [(item.kind, item.name, item.total) for item in items]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0.027800000000000002", "0.027800000000"),
        ("0.1", "0.100000000000"),
        ("1e-12", "0.000000000001"),
        ("4e-13", "0.000000000000"),
        ("0", "0.000000000000"),
        ("-0.005", "-0.005000000000"),
        ("12345678901234567890123456.123456789012", "12345678901234567890123456.123456789012"),
    ],
)
def test_money_has_twelve_digits(sent: str, kept: str) -> None:
    assert f"{cost.money(D(sent)):f}" == kept


@pytest.mark.parametrize("sent", ["1e27", "1e40", "NaN", "Infinity"])
def test_an_amount_that_is_none_raises(sent: str) -> None:
    with pytest.raises(ArithmeticError):
        cost.money(D(sent))


def test_no_amount_stays_none() -> None:
    assert cost.money(None) is None


@pytest.mark.parametrize("value", [1e19, -1e19, 2**63, 1e300])
def test_a_count_that_no_table_can_hold_raises(value: float) -> None:
    with pytest.raises(OverflowError):
        cost.whole_number(value)
    with pytest.raises(OverflowError):
        cost.token_count(value)


@pytest.mark.parametrize(
    ("json", "tokens"),
    [
        (None, TokenCount()),
        (1540, TokenCount(total=1540)),
        ({"input": 1200, "output": 340, "total": 1540}, TokenCount(1200, 340, 1540)),
        ({"prompt": 1200, "completion": 340, "total": 1540}, TokenCount(1200, 340, 1540)),
        ({"prompt": 1, "completion": 1, "input": 1200, "output": 340}, TokenCount(1200, 340, 1540)),
        ({"input": 1200}, TokenCount(prompt=1200)),
        ({"total": 1540}, TokenCount(total=1540)),
        ({"input": 0, "output": 0, "total": 0}, TokenCount(0, 0, 0)),
        ({}, TokenCount()),
    ],
    ids=["none", "bare number", "input/output", "prompt/completion", "both pairs", "half", "total", "zero", "empty"],
)
def test_tokens_are_read_under_either_pair_of_names(json: Any, tokens: TokenCount) -> None:
    value = decode.one(jsons.encode(json), wire.Tokens) if isinstance(json, dict) else json
    assert cost.token_count(value) == tokens


GPT = {"input": 0.003, "output": 0.0034, "total": 0.0114, "toolCost": 0.005}


@pytest.mark.parametrize(
    ("total", "split", "items"),
    [
        (None, {"gpt-4o": GPT}, []),
        ("0", None, []),
        ("0", {}, []),
        ("0.005", {}, [("other", "other", D("0.005"))]),
        ("0.0164", {"gpt-4o": GPT}, [("model", "gpt-4o", D("0.0114")), ("other", "other", D("0.005"))]),
        ("0.0114", {"gpt-4o": GPT}, [("model", "gpt-4o", D("0.0114"))]),
        ("0.01", {"gpt-4o": GPT}, [("model", "gpt-4o", D("0.0114")), ("other", "other", D("-0.0014"))]),
        (
            "0.0278",
            {"gpt-4o": GPT, "claude": GPT},
            [("model", "gpt-4o", D("0.0114")), ("model", "claude", D("0.0114")), ("other", "other", D("0.005"))],
        ),
        (
            "0.02",
            {"m": {"input": 0.003, "output": 0.004, "toolCost": 0.001}},
            [("model", "m", D("0.008")), ("other", "other", D("0.012"))],
        ),
        ("0.02", {"m": {}}, [("model", "m", D(0)), ("other", "other", D("0.02"))]),
    ],
    ids=[
        "no cost known",
        "nothing charged",
        "an empty split of nothing",
        "base charge only",
        "one model",
        "no rest",
        "a negative rest",
        "two models",
        "no total told",
        "an empty entry",
    ],
)
def test_the_split_of_the_api_becomes_items_and_the_rest_is_other(total: Any, split: Any, items: ItemList) -> None:
    found = cost.items(
        None if total is None else D(total), None if split is None else split_of(split), Charges(), untold=False
    )
    assert shown(found) == items


def test_tool_cost_and_tokens_stand_with_their_model() -> None:
    (item, _) = cost.items(
        D("0.0164"),
        split_of({"gpt-4o": {**GPT, "tokens": {"prompt": 1200, "completion": 340}}}),
        Charges(),
        untold=False,
    )
    assert (item.input, item.output, item.tool) == (D("0.003"), D("0.0034"), D("0.005"))
    assert item.tokens == TokenCount(1200, 340, 1540)


def test_tokens_may_stand_at_the_level_of_the_model() -> None:
    """Data before 2026: `prompt` and `completion` beside the amounts."""
    (item,) = cost.items(
        D("0.01"), split_of({"m": {"total": 0.01, "prompt": 7, "completion": 3}}), Charges(), untold=False
    )
    assert item.tokens == TokenCount(7, 3, 10)


def test_until_the_split_is_read_the_whole_cost_is_one_unknown_item() -> None:
    found = cost.items(D("0.0164"), split_of({"gpt-4o": GPT}), Charges(), untold=True)
    assert shown(found) == [("unknown", "unknown", D("0.0164"))]


AGENT: dict[str, Any] = {
    "name": "Agent",
    "type": "agent",
    "model": "gpt-4o",
    "cost": {"total": 0.0114, "input": 0.003, "output": 0.0034, "toolCost": 0.005},
    "tokens": {"input": 1200, "output": 340},
    "children": [
        {"name": "gpt-4o", "type": "model", "model": "gpt-4o", "cost": {"total": 0.0016}, "tokens": {"input": 500}},
        {"name": "exa_search", "type": "tool", "cost": {"total": 0.005}},
        {"name": "gpt-4o", "type": "model", "model": "gpt-4o", "cost": {"total": 0.0048}, "tokens": {"input": 700}},
    ],
}
EXA: dict[str, Any] = {"name": "Exa Search", "type": "exa", "output": {"cost": {"total": 0.007}}}


def root(*children: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "Workflow Execution", "type": "workflow", "children": list(children), **fields}


@pytest.mark.parametrize(
    ("trace", "total", "items"),
    [
        ([root(AGENT)], "0.0164", [("model", "gpt-4o", D("0.0114")), ("other", "other", D("0.005"))]),
        ([root(AGENT, cost={"total": 0.0114})], "0.0114", [("model", "gpt-4o", D("0.0114"))]),
        ([root(AGENT, AGENT)], "0.0278", [("model", "gpt-4o", D("0.0228")), ("other", "other", D("0.005"))]),
        (
            [root(root(AGENT, cost={"total": 0.0114}, type="workflow"), EXA)],
            "0.0234",
            [("model", "gpt-4o", D("0.0114")), ("tool", "Exa Search", D("0.007")), ("other", "other", D("0.005"))],
        ),
        ([root(EXA, EXA)], "0.019", [("tool", "Exa Search", D("0.014")), ("other", "other", D("0.005"))]),
        ([root({"type": "loop", "children": [AGENT, AGENT]})], "0.0228", [("model", "gpt-4o", D("0.0228"))]),
        (
            [root(AGENT, {"name": "B", "type": "agent", "model": "unpriced"})],
            "0.02",
            [("other", "other", D("0.02"))],
        ),
    ],
    ids=[
        "an agent includes its segments",
        "a workflow's own cost is a sum",
        "agents of one model add up",
        "a nested workflow is no charge of its own",
        "standalone tools add up by name",
        "blocks of a loop add up",
        "a block without price makes the spans no split",
    ],
)
def test_without_a_split_the_items_are_worked_out_from_blocks(
    trace: list[dict[str, Any]], total: str, items: ItemList
) -> None:
    assert shown(cost.items(D(total), None, trace_of(*trace).charges, untold=False)) == items


def test_where_the_api_splits_the_spans_say_only_which_tools_stood_alone() -> None:
    split = split_of({"gpt-4o": {"total": 0.01}})
    found = cost.items(D("0.03"), split, trace_of(root(AGENT, EXA)).charges, untold=False)
    assert shown(found) == [
        ("model", "gpt-4o", D("0.01")),
        ("tool", "Exa Search", D("0.007")),
        ("other", "other", D("0.013")),
    ]


amounts = st.decimals(min_value=D(0), max_value=D(1000), allow_nan=False, places=None).filter(
    lambda value: abs(value.adjusted()) < 20
)
names = st.sampled_from(["gpt-4o", "claude", "gemini", "other", "unknown", ""])


@given(
    total=amounts | st.floats(0, 100).map(lambda value: D(repr(value))),
    split=st.none() | st.dictionaries(names, amounts, max_size=4),
    tools=st.dictionaries(names, amounts, max_size=3),
    untold=st.booleans(),
)
def test_items_always_add_up_to_the_total_exactly(
    total: Decimal, split: dict[str, Decimal] | None, tools: dict[str, Decimal], untold: bool
) -> None:
    models = None if split is None else {name: wire.ModelCost(total=amount) for name, amount in split.items()}
    found = cost.items(total, models, Charges(tools=dict(tools)), untold=untold)
    assert sum((item.total for item in found), D(0)) == cost.money(total)
    keys = [(item.kind, item.name) for item in found]
    assert len(keys) == len(set(keys))


# recorded runs


def recorded_items(generation: str, name: str) -> ItemList:
    detail = decode.one(decode.item(recorded.answer(generation, name).body), wire.Run)
    rows = runs.read_run(detail, recorded.WORKSPACE, run_rows.RunOptions(), detail)
    return [(row[1], row[2], row[10]) for row in rows.items]


@pytest.mark.parametrize(
    ("generation", "name", "items"),
    [
        ("2026-08", "log_detail_tool_with_cost", {"gpt-4o": "0.0114", "Exa Search": "0.007", "other": "0.005"}),
        ("2026-08", "log_detail_multi", {"gpt-4o": "0.0114", "claude-sonnet-4-5": "0.0114", "other": "0.005"}),
        ("2026-03", "log_detail_multi", {"gpt-4o": "0.0114", "claude-sonnet-4-5": "0.0114", "other": "0.005"}),
        ("2026-03", "log_detail_2025-09_style_row", {"gpt-4o": "0.0064", "other": "0.001"}),
        ("2026-08", "log_detail_fail", {"other": "0.005"}),
        ("2026-08", "log_detail_running", {}),
        ("2026-03", "log_detail_running", {"other": "0.005"}),
    ],
)
def test_recorded_details_are_itemised(generation: str, name: str, items: dict[str, str]) -> None:
    assert {item: amount for _, item, amount in recorded_items(generation, name)} == {
        item: D(amount) for item, amount in items.items()
    }
