"""Answers of two real servers, loaded completely: every table against what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sim_source import sim_source
from tests.helpers import recorded, replay
from tests.helpers.replay import Loaded, as_json, moment, source
from tests.helpers.warehouse import ALL_TABLES, Row, Warehouse

Json = Any
MULTI = "logs_full_spans_output_multi"
WHOLE_TOKENS = {"gpt-4o": (1200, 340, 1540), "claude-sonnet-4-5": (1200, 340, 1540)}


@pytest.fixture(scope="module", params=recorded.GENERATIONS)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    with pytest.MonkeyPatch.context() as patch, replay.replay(request.param) as server:
        folder = tmp_path_factory.mktemp("replay")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("RUNTIME__LOG_LEVEL", "CRITICAL")
        warehouse = Warehouse(folder)
        warehouse.run(source(server))
        yield Loaded(server, warehouse)


def money(value: Json) -> Decimal | None:
    """The recorded amount to 12 digits; floats like 0.027800000000000002 come as they were sent."""
    return None if value is None else round(Decimal(value), 12)


def test_every_table_is_there_and_nothing_is_rejected(loaded: Loaded) -> None:
    counts = loaded.warehouse.counts()
    assert counts["logs"] == counts["log_details"] == counts["execution_snapshots"] == len(loaded.rows)
    assert counts["audit_logs"] == len(loaded.replayed.audit)
    assert counts["usage"] == 1
    assert counts["workflows"] == 2
    assert counts["rejected_rows"] == 0
    assert set(counts) == set(ALL_TABLES)


def test_every_recorded_run_is_loaded_as_it_was_answered(loaded: Loaded) -> None:
    found = {row["id"]: row for row in loaded.warehouse.table("logs")}
    assert found.keys() == loaded.rows.keys()
    for id_, told in loaded.rows.items():
        row = found[id_]
        assert row["workspace_id"] == recorded.WORKSPACE
        assert row["execution_id"] == told["executionId"]
        assert (row["level"], row["trigger"]) == (told["level"], told["trigger"])
        assert (row["started_at"], row["ended_at"]) == (moment(told["startedAt"]), moment(told["endedAt"]))
        assert row["total_duration_ms"] == told["totalDurationMs"]
        assert row["cost_total"] == money(told["cost"] and told["cost"]["total"])
        assert row["extra"] is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("spans_output_multi", "completed"),
        ("spans_output_fail", "failed"),
        ("spans_output_paused", "paused"),
        ("spans_output_running", "running"),
        ("deleted_workflow", "completed"),
    ],
)
def test_status_is_what_the_run_was(loaded: Loaded, kind: str, status: str) -> None:
    row = loaded.warehouse.row("logs", loaded.recorded_id(f"logs_full_{kind}"))
    assert row["status"] == status


def test_the_items_of_every_run_add_up_to_its_cost_exactly(loaded: Loaded) -> None:
    sums = loaded.warehouse.ask(
        "SELECT l.id, l.cost_total, sum(c.total_cost) FROM logs l "
        "LEFT JOIN cost_items c ON c.log_id = l.id GROUP BY ALL"
    )
    assert [row for row in sums if row[1] != row[2]] == []
    assert all(isinstance(row[1], Decimal) for row in sums if row[1] is not None)


def test_the_cost_of_the_run_with_two_models_is_split_as_the_api_splits_it(loaded: Loaded) -> None:
    id_ = loaded.recorded_id(MULTI)
    detail = loaded.details[id_]
    items = {row["name"]: row for row in loaded.warehouse.table("cost_items", f"log_id = '{id_}'")}
    models = detail["executionData"]["models"]
    assert items.keys() == {*models, "other"}
    for name, told in models.items():
        row = items[name]
        assert row["kind"] == "model"
        assert row["total_cost"] == money(told["total"])
        assert row["input_cost"] == money(told["input"])
        assert row["output_cost"] == money(told["output"])
        assert row["tool_cost"] == money(told["toolCost"])
        assert (row["prompt_tokens"], row["completion_tokens"], row["total_tokens"]) == WHOLE_TOKENS[name]
    assert items["other"]["total_cost"] == Decimal("0.005")


def test_a_run_without_a_known_cost_has_no_items(loaded: Loaded) -> None:
    unpriced = {id_ for id_, row in loaded.rows.items() if row["cost"] is None}
    assert loaded.recorded_id("logs_full_spans_output_tool") in unpriced
    assert unpriced & {row["log_id"] for row in loaded.warehouse.table("cost_items")} == set()


def test_a_standalone_tool_is_an_item_of_its_own(loaded: Loaded) -> None:
    id_ = recorded.answer("2026-08", "log_detail_tool_with_cost").json["data"]["id"]
    items = loaded.warehouse.ask(f"SELECT kind, name, total_cost FROM cost_items WHERE log_id = '{id_}' ORDER BY 1")
    told = [
        ("model", "gpt-4o", Decimal("0.0114")),
        ("other", "other", Decimal("0.005")),
        ("tool", "Exa Search", Decimal("0.007")),
    ]
    assert items == (told if id_ in loaded.rows else [])


def flat(spans: list[Json], depth: int = 0) -> Iterator[tuple[int, Json]]:
    """The trace as it was recorded, depth first."""
    for span in spans:
        yield depth, span
        yield from flat(span.get("children") or [], depth + 1)


def test_spans_of_every_recorded_trace_are_there_in_order(loaded: Loaded) -> None:
    told_in_details = {
        id_: loaded.details[id_]["executionData"]["traceSpans"]
        for id_ in asked_details(loaded) & loaded.details.keys()
        if loaded.details[id_]["executionData"].get("traceSpans")
    }
    told_in_lists = {id_: row["traceSpans"] for id_, row in loaded.rows.items() if "traceSpans" in row}
    traces = {id_: list(flat(spans)) for id_, spans in (told_in_lists | told_in_details).items()}
    assert len(traces) >= 6
    total = 0
    for id_, spans in traces.items():
        rows = sorted(
            loaded.warehouse.table("trace_spans", f"log_id = '{id_}'"), key=lambda row: int(row["span_index"])
        )
        told = [(depth, span["id"], span["name"], span["type"], span.get("blockId")) for depth, span in spans]
        assert [(row["depth"], row["span_id"], row["name"], row["type"], row["block_id"]) for row in rows] == told
        assert [row["span_index"] for row in rows] == list(range(len(spans)))
        assert [row["started_at"] for row in rows] == [moment(span["startTime"]) for _, span in spans]
        assert all(_is_child(row, rows) for row in rows)
        total += len(rows)
    assert loaded.warehouse.counts()["trace_spans"] == total


def _is_child(row: Row, rows: list[Row]) -> bool:
    if row["parent_index"] is None:
        return bool(row["depth"] == 0)
    return bool(rows[row["parent_index"]]["depth"] == row["depth"] - 1)


def test_segments_carry_tokens_and_provider_on_both_generations(loaded: Loaded) -> None:
    """2026-03 tells them in providerTiming only, 2026-08 on the segment's span too."""
    rows = loaded.warehouse.table("trace_spans", f"log_id = '{loaded.recorded_id(MULTI)}' AND type = 'model'")
    assert [(row["model"], row["provider"], row["finish_reason"]) for row in rows] == [
        ("gpt-4o", "openai", "tool_calls"),
        ("gpt-4o", "openai", "stop"),
        ("claude-sonnet-4-5", "openai", "tool_calls"),
        ("claude-sonnet-4-5", "openai", "stop"),
    ]
    assert [(row["prompt_tokens"], row["completion_tokens"], row["total_tokens"]) for row in rows] == [
        (500, 40, 540),
        (700, 300, 1000),
    ] * 2
    assert [row["ttft_ms"] for row in rows] == [312.0, None] * 2
    assert [row["cache_read_tokens"] for row in rows] == [128] * 4
    assert [row["total_cost"] for row in rows] == [Decimal("0.00165"), Decimal("0.00475")] * 2


def test_agents_carry_the_sums_of_their_segments(loaded: Loaded) -> None:
    rows = loaded.warehouse.table("trace_spans", f"log_id = '{loaded.recorded_id(MULTI)}' AND type = 'agent'")
    assert [row["model"] for row in rows] == ["gpt-4o", "claude-sonnet-4-5"]
    assert {(row["prompt_tokens"], row["completion_tokens"], row["total_tokens"]) for row in rows} == {
        (1200, 340, 1540)
    }
    assert [row["total_cost"] for row in rows] == [Decimal("0.0114")] * 2
    run = loaded.warehouse.row("log_details", loaded.recorded_id(MULTI))
    assert (run["prompt_tokens"], run["completion_tokens"], run["total_tokens"]) == (2400, 680, 3080)


def test_the_id_of_a_deleted_workflow_is_found_in_the_environment(loaded: Loaded) -> None:
    id_ = loaded.recorded_id("logs_full_deleted_workflow")
    environment = loaded.details[id_]["executionData"]["environment"]["workflowId"]
    if loaded.replayed.generation == "2026-03":  # its list splits the cost: no detail is asked for
        assert id_ not in asked_details(loaded)
        environment = None
    assert loaded.warehouse.row("logs", id_)["workflow_id"] == environment
    assert loaded.warehouse.row("log_details", id_)["workflow_name"] == "Deleted Workflow"
    assert loaded.warehouse.row("log_details", id_)["workflow_deleted"] is True


def test_details_all_finds_the_deleted_workflow_on_both_generations(loaded: Loaded, tmp_path: Any) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.run(source(loaded.replayed, details="all", snapshots="none").with_resources("logs", "log_details"))
    id_ = loaded.recorded_id("logs_full_deleted_workflow")
    told = loaded.details[id_]["executionData"]["environment"]["workflowId"]
    assert warehouse.row("logs", id_)["workflow_id"] == told
    ended = {row["id"] for row in warehouse.table("log_details", "detail_source = 'detail'")}
    assert ended == {id_ for id_, row in loaded.rows.items() if row["endedAt"]}


def asked_details(loaded: Loaded) -> set[str]:
    """Runs whose detail was asked for."""
    return {
        target.rpartition("/")[2]
        for target in loaded.requests
        if target.startswith("/api/v1/logs/") and "executions" not in target
    }


def test_a_detail_is_asked_for_only_where_the_list_does_not_split_the_cost(loaded: Loaded) -> None:
    split = {id_ for id_, row in loaded.rows.items() if "models" in (row["cost"] or {})}
    free = {id_ for id_, row in loaded.rows.items() if row["endedAt"] is None}
    # one that waits and one that was swept after it had waited look alike in lists
    waits = {id_ for id_, row in loaded.rows.items() if row.get("finalOutput") == {"paused": True}}
    assert asked_details(loaded) & (split | free) == waits & split
    if loaded.replayed.generation == "2026-03":
        assert {loaded.recorded_id(f"logs_full_spans_output_{kind}") for kind in ("multi", "file")} <= split
    else:
        known = {loaded.recorded_id(f"logs_full_spans_output_{kind}") for kind in ("multi", "tool", "file")}
        assert known <= asked_details(loaded)


def test_equal_states_are_stored_once_and_without_secrets(loaded: Loaded) -> None:
    snapshots = {row["execution_id"]: row for row in loaded.warehouse.table("execution_snapshots")}
    states = {row["state_hash"]: row for row in loaded.warehouse.table("workflow_states")}
    told = {id_: as_json(body) for id_, body in loaded.replayed.executions.items()}
    assert {snapshots[id_]["state_hash"] for id_ in told} == states.keys()
    distinct = {repr(_sorted(body["workflowState"])) for body in told.values()}
    assert len(states) <= len(distinct)
    for id_, body in told.items():
        state = states[snapshots[id_]["state_hash"]]
        assert state["block_count"] == len(body["workflowState"]["blocks"])
        assert snapshots[id_]["cost_total"] == money((body["executionMetadata"]["cost"] or {}).get("total"))
        assert as_json(state["blocks"].encode()).keys() == body["workflowState"]["blocks"].keys()
    assert {id_ for id_, row in snapshots.items() if row["state_hash"] is None} == {
        row["executionId"] for row in loaded.rows.values() if row["executionId"] not in told
    }


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(entry) for entry in value] if isinstance(value, list) else value


def test_every_audit_row_is_there(loaded: Loaded) -> None:
    rows = {row["id"]: row for row in loaded.warehouse.table("audit_logs")}
    for told in loaded.replayed.audit:
        row = rows[told["id"]]
        assert (row["action"], row["actor_email"]) == (told["action"], told["actorEmail"])
        assert row["created_at"] == moment(told["createdAt"])
        assert as_json(row["metadata"].encode()).keys() == told["metadata"].keys()


def test_usage_and_workflows_are_as_told(loaded: Loaded) -> None:
    (usage,) = loaded.warehouse.table("usage")
    told = recorded.answer(loaded.replayed.generation, "usage_limits_enterprise").json
    assert usage["plan"] == told["usage"]["plan"]
    assert usage["current_period_cost"] == money(told["usage"]["currentPeriodCost"])
    assert usage["usage_limit"] == money(told["usage"]["limit"])
    assert usage["async_requests_per_minute"] == told["rateLimit"]["async"]["requestsPerMinute"]
    assert usage["storage_limit_bytes"] == told["storage"]["limitBytes"]
    workflows = recorded.answer(loaded.replayed.generation, "workflows_first_page").json["data"]
    for told in workflows:
        row = loaded.warehouse.row("workflows", told["id"])
        assert (row["name"], row["is_deployed"], row["run_count"]) == (
            told["name"],
            told["isDeployed"],
            told["runCount"],
        )


def test_neither_payloads_nor_secrets_nor_the_key_reach_the_disk(loaded: Loaded) -> None:
    written = loaded.warehouse.written()
    for private in (*recorded.PAYLOADS, *recorded.SECRETS, replay.KEY):
        assert private.encode() not in written, private
        assert private.encode("unicode_escape") not in written, private


def test_payloads_are_kept_when_asked_for_and_secrets_never(loaded: Loaded, tmp_path: Any) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.run(source(loaded.replayed, payloads="full"))
    id_ = loaded.recorded_id(MULTI)
    assert as_json(warehouse.row("log_details", id_)["final_output"].encode()) == loaded.rows[id_]["finalOutput"]
    start = warehouse.table("trace_spans", f"log_id = '{id_}' AND type = 'start_trigger'")[0]
    assert as_json(start["input"].encode()) == {"ticket": "printer on fire", "n": 2}
    written = warehouse.written()
    assert b"printer on fire" in written
    assert not [secret for secret in (*recorded.SECRETS, replay.KEY) if secret.encode() in written]


def test_loading_again_changes_nothing(loaded: Loaded) -> None:
    before = loaded.warehouse.contents()
    listed = loaded.replayed.count("/api/v1/logs?")
    loaded.warehouse.run(sim_source(recorded.WORKSPACE, replay.KEY, loaded.replayed.base_url, until="2026-12-02"))
    assert loaded.warehouse.contents() == before
    # one page of what is new, and one that shows both runs that are still open
    assert loaded.replayed.count("/api/v1/logs?") == listed + 2
