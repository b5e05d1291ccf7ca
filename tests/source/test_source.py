"""The source end to end: embedded Sim API to DuckDB, against what really happened in its world."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from pipelines.sim_api import OWNER_KEY, WORKSPACE, SimRun, World, serve
from sim_source import sim_source
from tests.helpers import oracle
from tests.helpers.warehouse import ALL_TABLES, Warehouse, full_world

DIALECTS = ("2026-03", "2026-08", "documents")
PRIVATE = ("My printer is on fire", "sk-super-secret", "Category: hardware", "You triage", "CRM_TOKEN", "printer fire")


class Synced:
    """A world and the warehouse it was loaded into."""

    def __init__(self, dialect: str, world: World, warehouse: Warehouse) -> None:
        self.dialect = dialect
        self.world = world
        self.warehouse = warehouse
        self.runs: dict[str, SimRun] = {run.id: run for run in world.runs_of(WORKSPACE)}

    def kind(self, name: str) -> str:
        return f"wf-triage.{name}"


@pytest.fixture(scope="module", params=DIALECTS)
def synced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("source")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("RUNTIME__LOG_LEVEL", "CRITICAL")
        world, warehouse = full_world(), Warehouse(folder)
        with serve(world, request.param) as server:
            warehouse.load(server)
        yield Synced(request.param, world, warehouse)


def test_every_run_is_there_once_with_its_cost_and_status(synced: Synced) -> None:
    told = {
        run.id: (oracle.told_total(run, synced.dialect), oracle.status(run, synced.dialect))
        for run in synced.runs.values()
    }
    found = {row["id"]: (row["cost_total"], row["status"]) for row in synced.warehouse.table("logs")}
    assert found == told


def test_cost_items_are_what_the_world_charged(synced: Synced) -> None:
    found: dict[str, oracle.Items] = {id_: {} for id_ in synced.runs}
    for row in synced.warehouse.table("cost_items"):
        found[row["log_id"]][row["kind"], row["name"]] = row["total_cost"]
    assert found == {id_: oracle.items(run, synced.dialect) for id_, run in synced.runs.items()}


def test_items_add_up_to_the_total_in_sql(synced: Synced) -> None:
    odd = synced.warehouse.ask(
        "SELECT l.id, l.cost_total, sum(c.total_cost) AS items FROM logs l LEFT JOIN cost_items c ON c.log_id = l.id "
        "GROUP BY ALL HAVING l.cost_total IS DISTINCT FROM items"
    )
    assert odd == []


def test_tokens_are_those_of_the_models(synced: Synced) -> None:
    rows = {row["id"]: row for row in synced.warehouse.table("log_details")}
    for name in ("agent", "multi", "tool", "loop", "child", "old"):
        told = synced.runs[synced.kind(name)].seen.cost.all_models
        row = rows[synced.kind(name)]
        assert (row["prompt_tokens"], row["completion_tokens"]) == (told.input_tokens, told.output_tokens), name
        assert row["total_tokens"] == told.input_tokens + told.output_tokens


def test_the_model_split_has_tokens_and_tool_costs(synced: Synced) -> None:
    for name in ("multi", "tool", "child"):
        run = synced.runs[synced.kind(name)]
        items = synced.warehouse.table("cost_items", f"log_id = '{run.id}' AND kind = 'model'")
        for row in items:
            told = run.seen.cost.models[row["name"]]
            assert (row["prompt_tokens"], row["completion_tokens"]) == (told.input_tokens, told.output_tokens)
            assert (row["input_cost"], row["output_cost"]) == (oracle.money(told.input), oracle.money(told.output))
            if synced.dialect != "documents" and told.tool:
                assert row["tool_cost"] == oracle.money(told.tool)


def test_spans_of_loops_and_parallels_keep_their_place(synced: Synced) -> None:
    rows = synced.warehouse.table("trace_spans", f"log_id = '{synced.kind('loop')}'")
    assert [row["span_index"] for row in rows] == list(range(len(rows)))
    inner = [row for row in rows if row["block_id"] == "blk-each"]
    assert [(row["loop_id"], row["iteration_index"]) for row in inner] == [("loop-1", n) for n in range(3)]
    branches = [row for row in rows if row["block_id"] == "blk-branch"]
    assert [(row["parallel_id"], row["iteration_index"]) for row in branches] == [("parallel-1", n) for n in range(2)]
    by_index = {row["span_index"]: row for row in rows}
    assert {by_index[row["parent_index"]]["type"] for row in inner} <= {"loop", "loop-iteration"}


def test_audit_rows_are_all_there(synced: Synced) -> None:
    told = {row.id for row in synced.world.audit if synced.dialect == "2026-08" or row.actor_id is not None}
    assert {row["id"] for row in synced.warehouse.table("audit_logs")} == told


def test_no_secret_and_no_payload_is_written(synced: Synced) -> None:
    written = synced.warehouse.written()
    assert [text for text in PRIVATE if text.encode() in written] == []
    assert OWNER_KEY.encode() not in written


def test_money_is_decimal_and_moments_are_utc_in_the_warehouse(synced: Synced) -> None:
    types = dict(
        synced.warehouse.ask(
            "SELECT table_name || '.' || column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'sim'"
        )
    )
    assert {types[name] for name in types if name.endswith("_cost") or name.endswith(".cost_total")} == {
        "DECIMAL(38,12)"
    }
    assert types["logs.started_at"] == types["trace_spans.ended_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["logs.extra"] == types["workflow_states.blocks"] == "JSON"
    assert isinstance(synced.warehouse.row("logs", synced.kind("agent"))["cost_total"], Decimal)


def test_the_source_can_be_made_without_a_pipeline() -> None:
    source = sim_source(WORKSPACE, OWNER_KEY)
    assert set(source.resources) - {"pages"} == set(ALL_TABLES)
