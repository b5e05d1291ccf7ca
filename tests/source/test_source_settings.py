"""What the settings of the source change, and what faults and odd rows do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.sim_api import (
    FOREIGN_WORKSPACE,
    MEMBER_KEY,
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    World,
    finished_run,
    many_runs,
    one_of_each,
    serve,
    small_world,
)
from pipelines.sim_api.world import plans
from sim_source import SimClient, SyncLog, SyncSession, Throttle, errors
from tests.helpers import oracle
from tests.helpers.warehouse import Warehouse

TELLING = ("logs", "log_details", "trace_spans", "execution_snapshots", "workflow_states")
SNAPSHOTS = ("logs", "execution_snapshots", "workflow_states")


@pytest.fixture
def world() -> World:
    world = small_world()
    one_of_each(world)
    return world


def detail_requests(server: Any) -> int:
    return sum(
        request.path.startswith("/api/v1/logs/") and "executions" not in request.path for request in server.requests
    )


def _run(world: World, kind: str) -> Any:
    return world.runs[f"wf-triage.{kind}"]


def _is(kind: str) -> str:
    return f"log_id = 'wf-triage.{kind}'"


# workspaces


def test_two_workspaces_are_both_loaded_and_kept_apart(warehouse: Warehouse, world: World) -> None:
    one_of_each(world, "wf-labs")
    with serve(world) as server:
        warehouse.load(server, "logs", workspace_id=f"{WORKSPACE}, {SECOND_WORKSPACE}")
    for workspace in (WORKSPACE, SECOND_WORKSPACE):
        rows = warehouse.table("logs", f"workspace_id = '{workspace}'")
        assert {row["id"] for row in rows} == {run.id for run in world.runs_of(workspace)}


def test_a_workspace_added_later_is_read_from_its_beginning(warehouse: Warehouse, world: World) -> None:
    one_of_each(world, "wf-labs")
    with serve(world) as server:
        warehouse.load(server, "logs")
        world.now_ms += 86_400_000
        warehouse.load(server, "logs", workspace_id=[WORKSPACE, SECOND_WORKSPACE])
    assert len(warehouse.table("logs", f"workspace_id = '{SECOND_WORKSPACE}'")) == len(world.runs_of(SECOND_WORKSPACE))


@pytest.mark.parametrize(
    "order", [(FOREIGN_WORKSPACE, WORKSPACE), (WORKSPACE, FOREIGN_WORKSPACE)], ids=["first", "last"]
)
def test_one_bad_workspace_does_not_stop_the_others(warehouse: Warehouse, world: World, order: tuple[str, str]) -> None:
    finished_run(world, "wf-hobby", plans.plain_plan())
    log = SyncLog()
    with serve(world) as server:
        warehouse.load(server, "logs", "workflows", workspace_id=list(order), log=log)
    assert {failure.workspace_id for failure in log.failures} == {FOREIGN_WORKSPACE}
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))


# details, snapshots, payloads


@pytest.mark.parametrize(
    ("dialect", "details", "asked"),
    [
        ("2026-03", "costly", "not split"),
        ("2026-08", "costly", "costly"),
        ("2026-03", "all", "ended"),
        ("2026-08", "all", "ended"),
        ("2026-03", "none", "none"),
        ("2026-08", "none", "none"),
    ],
)
def test_details_are_asked_for_as_the_setting_says(
    warehouse: Warehouse, world: World, dialect: str, details: str, asked: str
) -> None:
    with serve(world, dialect) as server:
        warehouse.load(server, "logs", "log_details", "cost_items", details=details)
        count = detail_requests(server)
    runs = world.runs_of(WORKSPACE)
    ended = [run for run in runs if run.ended_ms is not None]
    costly = [run for run in ended if run.seen.cost.models or (run.trace_expired and run.total_cost)]
    # a model that failed has no cost, but its span names it
    named = [run for run in ended if run.id.endswith("model_error")]
    # the list shows one that waits and one that was swept after it had waited in the same way
    waits = [run for run in ended if run.state in ("paused", "resumed", "resumed_then_swept")]
    # on 2026-03 only a run without any cost leaves the split of its models open
    told = {"none": 0, "not split": 1 + len(waits), "ended": len(ended), "costly": len(costly) + len(named)}
    assert count == told[asked]
    status = {row["id"]: row["status"] for row in warehouse.table("logs")}
    if details == "all" and dialect == "2026-08":
        assert status == {run.id: oracle.status(run, dialect) for run in runs}
    if details == "none" and dialect == "2026-08":
        kinds = {row["kind"] for row in warehouse.table("cost_items", _is("multi"))}
        assert kinds == {"unknown"}


@pytest.mark.parametrize(
    ("snapshots", "count"),
    [("version", lambda runs: 1), ("all", len), ("none", lambda runs: 0)],
    ids=["version", "all", "none"],
)
def test_snapshots_are_asked_for_as_the_setting_says(
    warehouse: Warehouse, world: World, snapshots: str, count: Callable[[Any], int]
) -> None:
    with serve(world) as server:
        warehouse.load(server, *SNAPSHOTS, snapshots=snapshots)
        asked = server.count("/api/v1/logs/executions/")
        world.now_ms += 60_000
        warehouse.load(server, *SNAPSHOTS, snapshots=snapshots)
        again = server.count("/api/v1/logs/executions/") - asked
    assert asked == count(world.runs_of(WORKSPACE))
    assert again == 0
    assert len(warehouse.table("execution_snapshots")) == asked
    assert len(warehouse.table("workflow_states")) == (1 if asked else 0)


def test_a_new_deployment_version_gets_a_snapshot_of_its_own(warehouse: Warehouse, world: World) -> None:
    with serve(world) as server:
        warehouse.load(server, *SNAPSHOTS)
        world.now_ms += 60_000
        world.deploy("wf-triage")
        finished_run(world, "wf-triage", plans.agent_plan())
        world.now_ms += 60_000
        warehouse.load(server, *SNAPSHOTS)
    assert len(warehouse.table("workflow_states")) == 2


def test_payloads_are_loaded_only_when_asked_for(tmp_path: Path, world: World) -> None:
    bare, full = Warehouse(tmp_path / "bare"), Warehouse(tmp_path / "full")
    with serve(world) as server:
        bare.load(server, *TELLING)
        full.load(server, *TELLING, payloads="full")
    assert b"printer" not in bare.written()
    assert json.loads(full.row("log_details", "wf-triage.agent")["final_output"])["content"] == "Category: hardware"
    spans = full.table("trace_spans", f"{_is('agent')} AND block_id = 'blk-start'")
    assert json.loads(spans[0]["input"])["ticket"] == "My printer is on fire"
    written = full.written()
    assert b"sk-super-secret" not in written
    assert OWNER_KEY.encode() not in written


# bounds of time


def test_since_and_until_bound_what_is_read_and_an_earlier_since_extends_it(warehouse: Warehouse) -> None:
    world = many_runs(40, every_ms=3_600_000)
    starts = [run.started_ms for run in world.runs_of(WORKSPACE)]
    iso = [run_start(ms) for ms in starts]
    with serve(world) as server:
        warehouse.load(server, "logs", since=iso[20], until=iso[29])
        assert len(warehouse.table("logs")) == 10
        warehouse.load(server, "logs", since=iso[10], until=iso[34])
        assert len(warehouse.table("logs")) == 25
        warehouse.load(server, "logs")
    assert len(warehouse.table("logs")) == 30


def run_start(ms: int) -> str:
    from tests.helpers.warehouse import iso

    return iso(ms)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-13-01"}, "until"),
        ({"workspace_id": " , "}, "SIM_WORKSPACE_ID"),
    ],
    ids=["since", "until", "workspace"],
)
def test_a_malformed_setting_is_named(warehouse: Warehouse, world: World, options: dict[str, Any], word: str) -> None:
    with serve(world) as server, pytest.raises(errors.ConfigurationError, match=word):
        warehouse.load(server, **options)
    assert server.requests == []


def test_out_of_time_keeps_what_was_read_and_the_next_run_goes_on(warehouse: Warehouse) -> None:
    world, clock = many_runs(20), [0]
    with serve(world, max_limit=5) as server:

        def before(number: int, path: str) -> None:
            clock[0] += path == "/api/v1/logs"

        server.app.before_request = before
        client = SimClient(OWNER_KEY, server.base_url, throttle=Throttle(deadline=1.0))
        with SyncSession(client) as session:
            warehouse.load(server, "logs", session=session)  # over already: one page, then stop
        first = len(warehouse.table("logs"))
        assert session.extraction.out_of_time
        assert clock[0] <= 1
        warehouse.load(server, "logs")
    assert first <= 5
    assert len(warehouse.table("logs")) == 20


def test_a_member_may_sync_without_audit_logs(warehouse: Warehouse, world: World) -> None:
    with serve(world) as server:
        warehouse.load(server, "logs", "audit_logs", api_key=MEMBER_KEY)
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))
