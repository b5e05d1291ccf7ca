"""Runs change after they are first seen: what is followed, for how long, and what is never taken away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.sim_api import WORKSPACE, Faults, SimServer, World, finished_run, many_runs, serve, small_world
from pipelines.sim_api.http import faults
from pipelines.sim_api.world import plans
from sim_source import SyncLog
from tests.helpers import oracle
from tests.helpers.warehouse import Warehouse, full_world, iso

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RUNS = ("logs", "log_details", "cost_items", "trace_spans")
BOTH = pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])


def later(world: World, hours: float) -> None:
    world.now_ms += int(hours * HOUR_MS)


def asked(server: SimServer, path: str) -> list[str]:
    """Requests since the last look."""
    found = [f"{request.path}?{request.query}" for request in server.requests]
    server.app.requests.clear()
    return [target for target in found if target.startswith(path)]


def check(warehouse: Warehouse, world: World, run_id: str, dialect: str) -> None:
    """A run is stored as the world has it."""
    run = world.runs[run_id]
    row = warehouse.row("logs", run_id)
    assert (row["status"], row["cost_total"]) == (run.status, oracle.told_total(run, dialect))
    found = {
        (item["kind"], item["name"]): item["total_cost"]
        for item in warehouse.table("cost_items", f"log_id = '{run_id}'")
    }
    assert found == oracle.items(run, dialect)
    (spans,) = warehouse.ask(f"SELECT count(*) FROM trace_spans WHERE log_id = '{run_id}'")[0]
    assert warehouse.row("log_details", run_id)["span_count"] == spans


def paused(world: World, name: str, days: int) -> str:
    started = world.now_ms - days * DAY_MS
    run = world.start_run("wf-triage", plans.two_model_plan(), started_ms=started, run_id=name)
    world.pause_run(run.id, blocks=2)
    return run.id


@BOTH
def test_a_month_old_paused_run_that_resumes_is_right_after_the_next_sync(warehouse: Warehouse, dialect: str) -> None:
    world = small_world()
    finished_run(world, "wf-triage", plans.two_model_plan())
    old = paused(world, "old", 30)
    with serve(world, dialect) as server:
        warehouse.load(server, *RUNS)
        for _ in range(3):
            later(world, 24)
            warehouse.load(server, *RUNS)
            assert warehouse.row("logs", old)["status"] == "paused"
        world.resume_run(old)
        later(world, 24)
        warehouse.load(server, *RUNS)
        world.end_run(old, plan=plans.loop_plan())
        later(world, 1)
        asked(server, "")
        warehouse.load(server, *RUNS)
        assert f"/api/v1/logs/{old}?" in asked(server, "/api/v1/logs/")
        check(warehouse, world, old, dialect)
        later(world, 1)
        warehouse.load(server, *RUNS)
        assert not [target for target in asked(server, "/api/v1/logs/") if old in target]


def test_open_runs_on_one_page_are_read_by_one_request(warehouse: Warehouse) -> None:
    world = full_world()
    old = [paused(world, f"old-{number}", 20) for number in range(7)]
    with serve(world) as server:
        warehouse.load(server, *RUNS)
        later(world, 24)
        for run_id in old[:3]:
            world.end_run(run_id)
        asked(server, "")
        warehouse.load(server, *RUNS, details="none", reconcile_days=0)
        lists = asked(server, "/api/v1/logs?")
        assert len(lists) == 2  # what is new, and all ten that are open
    for run_id in old:
        assert warehouse.row("logs", run_id)["status"] == world.runs[run_id].status


def test_an_open_run_that_nothing_happens_to_loads_nothing(warehouse: Warehouse) -> None:
    world = full_world()
    paused(world, "old", 30)
    with serve(world, "2026-08") as server:
        for _ in range(3):
            later(world, 2)
            warehouse.load(server)
    loads = warehouse.ask("SELECT load_id FROM _dlt_loads ORDER BY 1")
    jobs = {path.name.split(".")[0] for path in warehouse.folder.rglob(f"*{loads[-1][0]}/completed_jobs/*.parquet")}
    assert jobs <= {"usage", "_dlt_pipeline_state"}


@BOTH
def test_a_run_the_server_no_longer_has_is_closed_with_what_is_known(warehouse: Warehouse, dialect: str) -> None:
    world = full_world()
    old = paused(world, "old", 20)
    with serve(world, dialect) as server:
        warehouse.load(server, *RUNS, details="none")
        before = warehouse.row("logs", old)
        later(world, 24)
        world.purge_run(old)
        warehouse.load(server, *RUNS)
        assert warehouse.row("logs", old) == before
        kinds = [item["kind"] for item in warehouse.table("cost_items", f"log_id = '{old}'")]
        assert kinds == (["unknown"] if dialect == "2026-08" else ["model", "other"])
        asked(server, "")
        later(world, 24)
        warehouse.load(server, *RUNS)
        assert not [target for target in asked(server, "/api/v1/logs/") if old in target]
    assert warehouse.remembered().workspace(WORKSPACE).logs.closed == {old}


def test_a_lost_permission_closes_nothing(warehouse: Warehouse) -> None:
    """2026-03 answers 200 with no rows, and 404 by id: the runs are not gone, the key may not see them."""
    world = full_world()
    old = paused(world, "old", 20)
    readers = world.workspaces[WORKSPACE].readers
    with serve(world, "2026-03") as server:
        warehouse.load(server, *RUNS)
        before = warehouse.contents(*RUNS)
        lost = set(readers)
        readers.clear()
        later(world, 24)
        warehouse.load(server, *RUNS)
        assert warehouse.contents(*RUNS) == before
        readers |= lost
        later(world, 24)
        world.end_run(old)
        warehouse.load(server, *RUNS)
    check(warehouse, world, old, "2026-03")


@BOTH
def test_an_expired_trace_and_a_deleted_workflow_take_nothing_away(warehouse: Warehouse, dialect: str) -> None:
    world = full_world()
    old = paused(world, "old", 20)
    with serve(world, dialect) as server:
        warehouse.load(server, *RUNS)
        before = warehouse.contents(*RUNS)
        for run in list(world.runs_of(WORKSPACE)):
            world.expire_trace(run.id)
        world.delete_workflow("wf-triage")
        later(world, 25)
        warehouse.load(server, *RUNS)  # reconciles all of it, and asks for the open ones
    after = warehouse.contents(*RUNS)
    told = {"extra", "execution_data", "detail_source", "workflow_deleted", "finalization_path"}
    for table in RUNS:
        assert len(after[table]) == len(before[table])
        for was, now in zip(before[table], after[table], strict=True):
            kept = {name for name, value in was.items() if value is not None} - told
            assert {name: now[name] for name in kept} == {name: was[name] for name in kept}
    assert warehouse.row("logs", old)["workflow_name"] == "Support triage"


def test_a_run_that_appeared_late_and_one_corrected_later_are_found_within_a_day(warehouse: Warehouse) -> None:
    world = full_world()
    three_days = world.now_ms - 3 * DAY_MS
    corrected = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=three_days)
    with serve(world, "2026-08") as server:
        warehouse.load(server, *RUNS)
        late = finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=three_days)
        world.end_run(corrected.id, plan=plans.two_model_plan())
        later(world, 23)
        warehouse.load(server, *RUNS)
        assert warehouse.table("logs", f"id = '{late.id}'") == []
        later(world, 2)
        warehouse.load(server, *RUNS)
    check(warehouse, world, late.id, "2026-08")
    check(warehouse, world, corrected.id, "2026-08")


def test_new_runs_never_wait_for_a_backfill(warehouse: Warehouse) -> None:
    world = many_runs(300, every_ms=60_000)
    start = world.runs_of(WORKSPACE)[0].started_ms
    with serve(world, max_limit=20) as server:
        warehouse.load(server, "logs", since=iso(world.now_ms - HOUR_MS))
        warehouse.load(server, "logs", since=iso(start), max_runs=20)
        new = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms + 1000)
        later(world, 1)
        warehouse.load(server, "logs", max_runs=70)
        assert len(warehouse.table("logs", f"id = '{new.id}'")) == 1
        before = len(warehouse.table("logs"))
        assert before < 301
        warehouse.load(server, "logs")  # without --since the backfill in hand goes on
    assert len(warehouse.table("logs")) == 301


@BOTH
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM cost_items WHERE log_id = '{id}'",
        "DELETE FROM trace_spans WHERE log_id = '{id}' AND span_index > 1",
        "DELETE FROM log_details WHERE id = '{id}'",
        "UPDATE log_details SET cost_total = cost_total - 0.001 WHERE id = '{id}'",
        "UPDATE cost_items SET total_cost = total_cost - 0.001 WHERE log_id = '{id}' AND kind = 'model'",
    ],
    ids=["no items", "some spans", "no detail", "an old detail", "old items"],
)
def test_what_a_cut_load_left_torn_is_mended_though_its_package_is_lost(
    tmp_path: Path, dialect: str, damage: str
) -> None:
    """A container was killed between two tables, and dlt's working folder went with it."""
    world = full_world()
    old = finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 40 * DAY_MS)
    warehouse = Warehouse(tmp_path)
    with serve(world, dialect) as server:
        warehouse.load(server, *RUNS)
        before = warehouse.contents(*RUNS)
        warehouse.ask(damage.format(id=old.id))
        assert warehouse.contents(*RUNS) != before
        shutil.rmtree(tmp_path / "pipelines")
        later(world, 1)
        again = Warehouse(tmp_path)
        again.load(server, *RUNS)
        assert again.contents(*RUNS) == before
        asked(server, "")
        later(world, 1)
        again.load(server, *RUNS, reconcile_days=0)
        assert len(asked(server, "/api/v1/logs")) <= 2  # looked for once, not in every sync


def test_a_torn_run_that_was_purged_adds_up_again_and_is_not_taken_for_an_open_one(tmp_path: Path) -> None:
    world = full_world()
    old = finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 40 * DAY_MS)
    warehouse = Warehouse(tmp_path)
    with serve(world, "2026-08") as server:
        warehouse.load(server, *RUNS)
        warehouse.ask(f"DELETE FROM cost_items WHERE log_id = '{old.id}' AND kind = 'model'")
        shutil.rmtree(tmp_path / "pipelines")
        world.purge_run(old.id)
        later(world, 1)
        again = Warehouse(tmp_path)
        again.load(server, *RUNS)
    items = again.table("cost_items", f"log_id = '{old.id}'")
    assert sum(item["total_cost"] for item in items) == again.row("logs", old.id)["cost_total"]
    assert not again.remembered().workspace(WORKSPACE).logs.closed


def test_torn_runs_on_one_page_are_read_by_one_request(tmp_path: Path) -> None:
    world = full_world()
    old = [
        finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 40 * DAY_MS + number).id
        for number in range(8)
    ]
    warehouse = Warehouse(tmp_path)
    with serve(world, "2026-03") as server:
        warehouse.load(server, *RUNS)
        before = warehouse.contents(*RUNS)
        warehouse.ask(f"DELETE FROM cost_items WHERE log_id IN {tuple(old)}")
        shutil.rmtree(tmp_path / "pipelines")
        later(world, 1)
        asked(server, "")
        again = Warehouse(tmp_path)
        again.load(server, *RUNS)
        assert again.contents(*RUNS) == before
        assert len(asked(server, "/api/v1/logs?")) == 2  # what is new, and all torn ones


def test_a_sync_of_logs_alone_does_not_miss_what_it_does_not_load(warehouse: Warehouse) -> None:
    """Runs that came since the whole sync have no details: that is no news, in this sync or the next."""
    world = full_world()
    with serve(world) as server:
        warehouse.load(server, *RUNS)
        later(world, 0.5)
        new = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 1000)
        first, second = SyncLog(), SyncLog()
        warehouse.load(server, "logs", log=first)
        later(world, 0.1)
        warehouse.load(server, "logs", log=second)
    assert (first.rows["logs"], second.rows["logs"]) == (1, 0)
    assert warehouse.row("logs", new.id)["status"] == "completed"


@BOTH
def test_a_running_run_is_followed_though_only_logs_are_wanted(warehouse: Warehouse, dialect: str) -> None:
    world = small_world()
    finished_run(world, "wf-triage", plans.two_model_plan())
    old = world.start_run("wf-triage", plans.agent_plan(), started_ms=world.now_ms - 20 * DAY_MS)
    with serve(world, dialect) as server:
        warehouse.load(server, "logs")
        later(world, 24)
        world.end_run(old.id)
        warehouse.load(server, "logs")
        row = warehouse.row("logs", old.id)
        assert (row["status"], row["cost_total"]) == ("completed", oracle.told_total(old, dialect))
        paths = {request.path for request in server.requests}
    assert paths <= {"/api/v1/logs", f"/api/v1/logs/{old.id}", "/api/v2/logs"}


def test_details_and_snapshots_that_fail_hold_nothing_back(warehouse: Warehouse) -> None:
    world = small_world()
    old = paused(world, "old", 20)
    down = Faults().always(faults.server_error(), path=f"/api/v1/logs/{old}")
    with serve(world, "2026-08") as server:
        warehouse.load(server, *RUNS)
        server.app.faults = down
        later(world, 24)
        new = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 1000)
        log = SyncLog()
        warehouse.load(server, *RUNS, log=log)
        assert warehouse.row("logs", new.id)["status"] == "completed"
        assert [failure.resource for failure in log.failures] == ["logs"]
        down.clear()
        world.end_run(old)
        later(world, 1)
        warehouse.load(server, *RUNS)
    check(warehouse, world, old, "2026-08")
