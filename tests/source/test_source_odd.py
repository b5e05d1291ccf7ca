"""Faults, refusals and odd rows: what they change, and what they do not."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from pipelines.sim_api import WORKSPACE, Faults, World, finished_run, many_runs, one_of_each, serve, small_world
from pipelines.sim_api.http import faults as fault
from pipelines.sim_api.world import plans
from sim_source import SyncLog, errors
from sim_source.stored import queries
from tests.helpers import oracle
from tests.helpers.warehouse import Warehouse


@pytest.fixture
def world() -> World:
    world = small_world()
    one_of_each(world)
    return world


def test_a_rejected_key_is_said_plainly_and_nothing_is_written(warehouse: Warehouse, world: World) -> None:
    with serve(world) as server, pytest.raises(PipelineStepFailed) as raised:
        warehouse.load(server, api_key="sk-sim-wrong-key-000000")
    assert isinstance(_cause(raised.value), errors.ConfigurationError)
    assert "SIM_API_KEY" in str(_cause(raised.value))
    assert "sk-sim-wrong-key-000000" not in str(raised.value)
    assert len(server.requests) == 1
    with duckdb.connect(str(warehouse.file)) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


def _cause(error: BaseException) -> BaseException:
    found: BaseException | None = error
    while found is not None and not isinstance(found, errors.SimError):
        found = found.__cause__ or found.__context__
    assert found is not None
    return found


def test_a_failing_list_of_workflows_does_not_stop_the_runs(warehouse: Warehouse, world: World) -> None:
    log = SyncLog()
    with serve(world, faults=Faults().always(fault.server_error(), path="/api/v1/workflows")) as server:
        warehouse.load(server, "logs", "workflows", log=log)
    assert [failure.resource for failure in log.failures] == ["workflows"]
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))


def test_failing_details_do_not_hold_the_logs_back(warehouse: Warehouse, world: World) -> None:
    log = SyncLog()
    with serve(world, faults=Faults().always(fault.server_error(), path="/api/v1/logs/wf-triage.multi")) as server:
        warehouse.load(server, "logs", "log_details", "cost_items", log=log)
        assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))
        (item,) = warehouse.table("cost_items", "log_id = 'wf-triage.multi'")
        assert (item["kind"], item["total_cost"]) == ("unknown", oracle.money(_run(world, "multi").total_cost or 0))
        assert log.failures
        server.faults.clear()
        warehouse.load(server, "logs", "log_details", "cost_items")
    items = {(row["kind"], row["name"]): row["total_cost"] for row in warehouse.table("cost_items", _is("multi"))}
    assert items == oracle.items(_run(world, "multi"), "2026-08")


def _run(world: World, kind: str) -> Any:
    return world.runs[f"wf-triage.{kind}"]


def _is(kind: str) -> str:
    return f"log_id = 'wf-triage.{kind}'"


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_unknown_fields_are_kept(warehouse: Warehouse, world: World, dialect: str) -> None:
    world.change_run("wf-triage.agent", extra={"region": "eu-1", "score": 0.125, "nested": {"a": [1, 2]}})
    with serve(world, dialect) as server:
        warehouse.load(server, "logs", "trace_spans", "rejected_rows")
    extra = json.loads(warehouse.row("logs", "wf-triage.agent")["extra"])
    assert extra == {"region": "eu-1", "score": 0.125, "nested": {"a": [1, 2]}}
    root = warehouse.table("trace_spans", f"{_is('agent')} AND span_index = 0")[0]
    assert json.loads(root["extra"]).keys() >= {"region", "score"}
    assert json.loads(root["extra"])["score"] == 0.125  # a number is no payload; text might be
    assert warehouse.table("rejected_rows") == []


ODD_ROWS = {
    "text for a number": {"totalDurationMs": "soon"},
    "a number beyond bigint": {"totalDurationMs": 1e30},
    "an amount beyond any money": {"cost": {"total": 1e40}},
    "text that is no amount": {"cost": {"total": "NaN"}},
    "an object for a time": {"endedAt": {"seconds": 1}},
    "a list for the workflow": {"workflow": []},
    "tokens beyond bigint": {
        "traceSpans": [{"id": "s", "name": "A", "type": "agent", "model": "m", "tokens": {"input": 1e25}}]
    },
}


@pytest.mark.parametrize("fields", ODD_ROWS.values(), ids=ODD_ROWS.keys())
def test_a_row_that_does_not_fit_is_set_aside_and_counted(
    warehouse: Warehouse, world: World, fields: dict[str, Any]
) -> None:
    world.change_run("wf-triage.plain", extra=fields)
    log = SyncLog()
    with serve(world, "2026-03") as server:
        warehouse.load(server, "logs", "log_details", "rejected_rows", log=log)
    (row,) = warehouse.table("rejected_rows")
    assert (row["table_name"], row["record_id"], row["workspace_id"]) == ("logs", "wf-triage.plain", WORKSPACE)
    assert row["reason"]
    assert json.loads(row["row_json"])["id"] == "wf-triage.plain"
    assert "printer" not in row["row_json"]
    assert log.rows["rejected_rows"] == 1
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE)) - 1


def test_a_row_whose_start_cannot_be_read_is_set_aside_by_its_id(warehouse: Warehouse, world: World) -> None:
    world.change_run("wf-triage.plain", extra={"startedAt": "yesterday"})
    with serve(world) as server:
        warehouse.load(server, "logs", "rejected_rows")
    assert [row["record_id"] for row in warehouse.table("rejected_rows")] == ["wf-triage.plain"]


def test_a_whole_page_of_unreadable_rows_does_not_stop_the_walk(warehouse: Warehouse) -> None:
    world = many_runs(9, every_ms=1000)
    for run in world.runs_of(WORKSPACE)[2:5]:
        world.change_run(run.id, extra={"startedAt": "yesterday"})
    with serve(world, max_limit=2) as server:
        warehouse.load(server, "logs", "rejected_rows")
        assert server.count("/api/v1/logs?") < 20
    assert len({row["record_id"] for row in warehouse.table("rejected_rows")}) == 3


# rejected rows, sync after sync


REJECTED = ("logs", "audit_logs", "workflows", "rejected_rows")


def rejected_world() -> World:
    """A run and an audit log that never fit, within the lookback."""
    world = small_world()
    finished_run(world, "wf-triage", plans.agent_plan())
    odd = finished_run(world, "wf-triage", plans.plain_plan())
    world.change_run(odd.id, extra={"level": 3, "a": {"b": 1.50, "ä": [1e2, "ü"]}})
    name: Any = ["Olga"]
    world.add_audit("workflow.created", workspace_id=WORKSPACE, actor_id="user-olga", actor_name=name)
    return world


def rejected(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.ask("SELECT table_name, reason, row_json FROM rejected_rows ORDER BY ALL")


@pytest.mark.parametrize(
    "options", [{}, {"redact_people": True, "redact_salt": "a salt of the users own"}], ids=["named", "hidden"]
)
def test_a_row_is_set_aside_once_however_often_it_is_read(warehouse: Warehouse, options: dict[str, Any]) -> None:
    world = rejected_world()
    with serve(world) as server:
        warehouse.load(server, *REJECTED, **options)
        before = rejected(warehouse)
        assert {row[0] for row in before} == {"logs", "audit_logs"}
        for _ in range(2):
            world.now_ms += 60_000
            log = SyncLog()
            warehouse.load(server, *REJECTED, log=log, **options)
            assert log.rows["rejected_rows"] == 0
        assert rejected(warehouse) == before
        (odd,) = [run for run in world.runs_of(WORKSPACE) if run.extra]
        world.change_run(odd.id, extra={"level": 4})
        world.now_ms += 60_000
        warehouse.load(server, *REJECTED, **options)
    assert len(rejected(warehouse)) == len(before) + 1  # it came in another shape: that is news


def test_rejected_rows_are_asked_for_only_where_there_are_any(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = queries.Warehouse.ask
    monkeypatch.setattr(
        queries.Warehouse, "ask", lambda self, sql, *args, **ids: (asked.append(sql), ask(self, sql, *args, **ids))[1]
    )
    world = small_world()
    run = finished_run(world, "wf-triage", plans.plain_plan())
    with serve(world) as server:
        for questions in (0, 1):
            asked.clear()
            warehouse.load(server, *REJECTED)
            assert len([sql for sql in asked if "{rejected_rows}" in sql]) == questions
            world.change_run(run.id, extra={"level": 3})
            world.now_ms += 60_000
