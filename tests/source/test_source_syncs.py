"""One sync after another: nothing is lost, nothing doubled, nothing read twice for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.sim_api import MEMBER_KEY, OWNER_KEY, WORKSPACE, audit_burst, finished_run, serve, small_world, tied_runs
from pipelines.sim_api.world import plans
from sim_source import SyncLog, sim_source
from sim_source.stored.queries import WorkspaceQueries
from sim_source.stored.warehouse import Warehouse as Stored
from tests.helpers import oracle
from tests.helpers.warehouse import ALL_TABLES, STEADY, Row, Warehouse, full_world

COST = ("logs", "log_details", "cost_items", "trace_spans")


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_a_second_run_loads_nothing_new_but_usage(warehouse: Warehouse, dialect: str) -> None:
    world = full_world()
    with serve(world, dialect) as server:
        warehouse.load(server)
        before, asked = warehouse.contents(), len(server.requests)
        world.now_ms += 60_000
        warehouse.load(server)
        again = [request.path for request in server.requests[asked:]]
    assert warehouse.contents() == before
    assert warehouse.counts()["usage"] == 2
    assert len(again) <= 5, again  # one of them finds out that there is no v2
    loads = warehouse.ask("SELECT load_id FROM _dlt_loads ORDER BY 1")
    jobs = {path.name.split(".")[0] for path in warehouse.folder.rglob(f"*{loads[-1][0]}/completed_jobs/*.parquet")}
    assert jobs <= {"usage", "audit_logs", "_dlt_pipeline_state"}  # audit rows of the last hour come again


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_a_run_that_changed_is_read_again_and_its_children_are_replaced(warehouse: Warehouse, dialect: str) -> None:
    world = full_world()
    with serve(world, dialect) as server:
        warehouse.load(server, *COST)
        paused, running = "wf-triage.paused", "wf-triage.running"
        before = warehouse.ask(f"SELECT count(*) FROM trace_spans WHERE log_id = '{paused}'")
        world.now_ms += 60_000
        world.resume_run(paused)
        world.end_run(paused, plan=plans.loop_plan())
        world.end_run(running)
        warehouse.load(server, *COST)
    for id_ in (paused, running):
        run = world.runs[id_]
        row = warehouse.row("logs", id_)
        assert (row["status"], row["cost_total"]) == ("completed", oracle.told_total(run, dialect))
        items = {(item["kind"], item["name"]): item["total_cost"] for item in _items(warehouse, id_)}
        assert items == oracle.items(run, dialect)
    assert warehouse.ask(f"SELECT count(*) FROM trace_spans WHERE log_id = '{paused}'") > before
    indexes = warehouse.ask(f"SELECT span_index FROM trace_spans WHERE log_id = '{paused}' ORDER BY 1")
    assert [index for (index,) in indexes] == list(range(len(indexes)))


def _items(warehouse: Warehouse, id_: str) -> list[Row]:
    return warehouse.table("cost_items", f"log_id = '{id_}'")


def test_a_row_that_appears_late_is_found(warehouse: Warehouse) -> None:
    world = full_world()
    with serve(world) as server:
        warehouse.load(server, "logs")
        late = finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 4 * 60_000)
        world.now_ms += 60_000
        warehouse.load(server, "logs", lookback_minutes=0)
    assert warehouse.row("logs", late.id)["status"] == "completed"


def test_resources_can_be_picked(warehouse: Warehouse) -> None:
    world = full_world()
    with serve(world) as server:
        warehouse.load(server, "logs", "audit_logs")
        lists = [request.query for request in server.requests if request.path == "/api/v1/logs"]
        paths = {request.path for request in server.requests}
    assert {name for (name,) in warehouse.ask("SELECT table_name FROM duckdb_tables()") if name[0] != "_"} == {
        "logs",
        "audit_logs",
    }
    # plain rows without a cost leave open how their run ended
    ended = [run for run in world.runs_of(WORKSPACE) if run.ended_ms is not None and run.level == "info"]
    doubtful = {f"/api/v1/logs/{run.id}" for run in ended if run.total_cost is None}
    assert len(doubtful) == 3
    assert paths == {"/api/v1/logs", "/api/v1/audit-logs", "/api/v2/logs", *doubtful}
    assert not any("details=full" in query for query in lists)


def test_a_table_picked_later_is_complete(warehouse: Warehouse) -> None:
    world = full_world()
    with serve(world) as server:
        warehouse.load(server, "logs")
        world.now_ms += 24 * 3_600_000
        warehouse.load(server)
    assert warehouse.counts()["log_details"] == len(world.runs_of(WORKSPACE))
    odd = warehouse.ask(
        "SELECT l.id FROM logs l LEFT JOIN cost_items c ON c.log_id = l.id "
        "GROUP BY l.id, l.cost_total HAVING l.cost_total IS DISTINCT FROM sum(c.total_cost)"
    )
    assert odd == []


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_pieces_go_on_where_the_last_one_ended_and_equal_one_sync(tmp_path: Path, dialect: str) -> None:
    world = full_world()
    whole, pieces = Warehouse(tmp_path / "whole"), Warehouse(tmp_path / "pieces")
    with serve(world, dialect, max_limit=5) as server:
        whole.load(server, *COST)
        sizes = []
        for _ in range(8):
            pieces.load(server, *COST, max_runs=5, max_details=4)
            sizes.append(len(pieces.table("logs")))
    assert 5 <= sizes[0] <= 10
    assert sizes == sorted(sizes)
    for name in ("logs", "cost_items", "trace_spans"):
        assert pieces.table(name) == whole.table(name), name


def test_an_audit_walk_cut_inside_a_millisecond_loses_nothing(warehouse: Warehouse) -> None:
    world = small_world()
    for second in range(1, 80):
        audit_burst(world, 3, world.now_ms - second * 1000)
    with serve(world) as server:
        for _ in range(5):
            warehouse.load(server, "audit_logs", max_audit_logs=99)
    assert len(warehouse.table("audit_logs")) == len(world.audit)


def test_an_account_without_enterprise_gets_everything_but_audit_logs(warehouse: Warehouse) -> None:
    world, log = full_world(), SyncLog()
    with serve(world) as server:
        warehouse.load(server, api_key=MEMBER_KEY, log=log)
        warehouse.load(server, api_key=MEMBER_KEY)  # nor does it fail where nobody watches
    counts = warehouse.counts()
    assert counts["audit_logs"] == 0
    assert counts["logs"] == len(world.runs_of(WORKSPACE))
    assert log.failures == []
    assert any("Enterprise" in line for line in log.warnings)


def test_audit_logs_are_complete_once_access_is_granted(warehouse: Warehouse) -> None:
    world = full_world()
    with serve(world) as server:
        warehouse.load(server, "audit_logs", api_key=MEMBER_KEY)
        world.now_ms += 3 * 3_600_000
        warehouse.load(server, "audit_logs")
    assert len(warehouse.table("audit_logs")) == len(world.audit)


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_an_empty_account_has_all_tables(warehouse: Warehouse, dialect: str) -> None:
    world, log = small_world(), SyncLog()
    world.workflows.clear()
    with serve(world, dialect) as server:
        warehouse.load(server, log=log)
    assert {name: count for name, count in warehouse.counts().items() if count} == {"usage": 1}
    assert set(warehouse.counts()) == set(ALL_TABLES)
    assert any("looks empty" in line for line in log.warnings)


def test_settings_come_from_the_environment_and_the_key_is_written_nowhere(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__SIM_SOURCE__API_KEY", OWNER_KEY)
    monkeypatch.setenv("SOURCES__SIM_SOURCE__WORKSPACE_ID", WORKSPACE)
    monkeypatch.setenv("SOURCES__SIM_SOURCE__UNTIL", "2026-11-30")
    monkeypatch.setenv("SOURCES__SIM_SOURCE__DETAILS", "none")
    monkeypatch.setenv("SOURCES__SIM_SOURCE__MAX_RUNS", "100")
    with serve(full_world()) as server:
        monkeypatch.setenv("SOURCES__SIM_SOURCE__BASE_URL", server.base_url)
        warehouse.run(sim_source().with_resources("logs"))
    assert warehouse.ask("SELECT count(*) FROM logs")[0][0] > 0
    assert OWNER_KEY.encode() not in warehouse.written()


def test_losing_the_working_directory_costs_nothing(tmp_path: Path) -> None:
    world = full_world()
    first = Warehouse(tmp_path / "first", "same")
    with serve(world) as server:
        first.load(server)
        before, asked = first.contents(), len(server.requests)
        again = Warehouse(tmp_path / "second", "same")
        first.file.rename(again.file)
        world.now_ms += 60_000
        again.load(server)
        requests = len(server.requests) - asked
    assert again.contents() == before
    assert requests <= 5  # one of them finds out that there is no v2


def test_a_purge_takes_nothing_away(warehouse: Warehouse) -> None:
    world = full_world()
    with serve(world) as server:
        warehouse.load(server)
        before = warehouse.contents(*STEADY)
        world.now_ms += 60_000
        world.purge_before(WORKSPACE, world.now_ms)
        warehouse.load(server)
    after = warehouse.contents(*STEADY)
    assert {name: after[name] for name in after if name != "workflows"} == {
        name: before[name] for name in before if name != "workflows"
    }


@pytest.mark.parametrize("dialect", ["documents", "2026-08"])
def test_pieces_get_past_an_instant_that_holds_more_than_a_piece(warehouse: Warehouse, dialect: str) -> None:
    world = small_world()
    tied_runs(world, "wf-triage", 14, world.now_ms - 60_000)
    finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 1000)
    with serve(world, dialect, max_limit=4) as server:
        for _ in range(5):
            warehouse.load(server, "logs", max_runs=4)
    assert len(warehouse.table("logs")) == 15


def test_pieces_get_past_a_millisecond_that_holds_more_than_a_page_of_audit_logs(warehouse: Warehouse) -> None:
    world = small_world()
    audit_burst(world, 3, world.now_ms - 2000)
    audit_burst(world, 130, world.now_ms - 1000)
    audit_burst(world, 3, world.now_ms - 500)
    with serve(world) as server:
        for _ in range(5):
            warehouse.load(server, "audit_logs", max_audit_logs=50)
    rows = warehouse.table("audit_logs")
    assert {row.id for row in world.audit if row.created_ms == world.now_ms - 2000} <= {row["id"] for row in rows}
    assert len(rows) >= 106


@pytest.mark.parametrize("picked", [("logs",), ("logs", "log_details"), COST], ids=len)
def test_what_is_unfinished_can_be_told_of_any_choice_of_tables(warehouse: Warehouse, picked: tuple[str, ...]) -> None:
    world = full_world()
    with serve(world) as server:
        warehouse.load(server, *picked, details="none")
    memory = WorkspaceQueries(Stored(warehouse.pipeline), WORKSPACE)
    found = memory.unfinished("costly", snapshots="version")
    # running, paused, resumed, and swept after that: these look paused in lists; plain ones tell of the first only
    assert found.open_runs == (1 if picked == ("logs",) else 4)
    assert (found.details > 0) == (picked != ("logs",))  # of log_details alone, those of runs that look paused
    assert found.snapshots == 0
