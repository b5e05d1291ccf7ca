"""``sim-sync run`` as cron calls it: what it loads, says and returns."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dlt
import duckdb
import pytest

from pipelines import views
from pipelines.commands import sync
from pipelines.destination import comments, duckdb_file, lock
from pipelines.destination.target import target_of
from pipelines.sim_api import (
    FOREIGN_WORKSPACE,
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    WORKSPACE_KEY,
    Faults,
    RateLimit,
    SimServer,
    World,
    audit_burst,
    demo_month,
    finished_run,
    organization,
    serve,
    small_world,
)
from pipelines.sim_api.http import faults
from pipelines.sim_api.world import plans
from sim_source import TABLES
from tests.helpers.app import App


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08", "documents"])
def test_everything_is_loaded_and_costs_add_up(app: App, world: World, dialect: str) -> None:
    with serve(world, dialect) as server:
        app.account(server)
        done = app("run", "--json")
    assert (done.code, done.json["status"], done.json["errors"]) == (0, "ok", [])
    runs = world.runs_of(WORKSPACE)
    assert app.rows("SELECT count(*) FROM sim.logs") == [(len(runs),)]
    off = app.rows(
        "SELECT l.id FROM sim.logs l LEFT JOIN sim.cost_items i ON i.log_id = l.id WHERE l.cost_total IS NOT NULL "
        "GROUP BY l.id, l.cost_total HAVING l.cost_total <> coalesce(sum(i.total_cost), 0)"
    )
    assert off == []
    expired = [(run.id,) for run in runs if run.trace_expired and dialect == "2026-08"]
    assert app.rows("SELECT log_id FROM sim.cost_items WHERE kind = 'unknown'") == expired
    assert done.json["requests"] == len(server.requests)


def test_a_second_run_finds_nothing_new(app: App, server: SimServer) -> None:
    app.account(server)
    app("run")
    before = app.rows("SELECT * FROM sim.logs ORDER BY id"), app.rows("SELECT * FROM sim.cost_items ORDER BY ALL")
    again = app("run", "--json")
    assert again.code == 0
    assert again.json["rows"] == {"usage": 1}
    assert before == (
        app.rows("SELECT * FROM sim.logs ORDER BY id"),
        app.rows("SELECT * FROM sim.cost_items ORDER BY ALL"),
    )


def test_open_runs_and_the_backlog_are_counted(app: App, server: SimServer, world: World) -> None:
    app.account(server)
    told = app("run", "--details", "none", "--json").json
    assert told["open_runs"] == len(app.rows("SELECT id FROM sim.logs WHERE status IN ('running', 'paused')")) > 0
    unread = app.rows("SELECT count(*) FROM sim.cost_items WHERE kind = 'unknown'")[0][0]
    later = app("run", "--json").json
    expired = [(run.id,) for run in world.runs_of(WORKSPACE) if run.trace_expired]
    assert app.rows("SELECT log_id FROM sim.cost_items WHERE kind = 'unknown'") == expired
    assert later["detail_backlog"] == 0
    if unread:
        assert later["rows"]["cost_items"] >= unread - len(expired)


def test_every_table_and_column_is_described(app: App, server: SimServer) -> None:
    app.account(server)
    app("run")
    bare = app.rows(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'sim' "
        "AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\' AND comment IS NULL"
    )
    assert bare == []
    tables = app.rows("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sim' AND comment IS NOT NULL")
    assert tables == [(len(TABLES),)]


def test_descriptions_are_written_once_and_again_where_a_kill_came_before(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    described = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sim' AND comment IS NOT NULL"
    written: list[object] = []
    write = comments.write_comments
    app.account(server)
    with monkeypatch.context() as patch:
        patch.setattr(comments, "write_comments", killed)
        assert app("run").code == 130
    assert app.rows(described) == [(0,)]
    monkeypatch.setattr(comments, "write_comments", lambda *asked: (written.append(asked[0]), write(*asked))[1])
    for _ in range(2):
        assert app("run").code == 0
    assert app.rows(described) == [(len(TABLES),)]
    assert len(written) == 1


def test_a_sync_needs_one_client_of_the_destination_each_time_it_opens_the_file(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.account(server)
    app("run")
    made: list[object] = []
    sql_client = dlt.Pipeline.sql_client
    monkeypatch.setattr(dlt.Pipeline, "sql_client", lambda self: (made.append(self), sql_client(self))[1])
    assert app("run", "--json").json["status"] == "ok"
    assert len(made) == 2  # to see where it continues; and from the first comparison to the end


def test_a_lost_working_folder_costs_nothing(app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    app.account(server)
    app("run")
    monkeypatch.setenv("DLT_DATA_DIR", str(app.folder / "another"))
    again = app("run", "--json")
    assert again.json["rows"] == {"usage": 1}


def test_a_deleted_database_is_filled_again(app: App, server: SimServer) -> None:
    app.account(server)
    first = app("run", "--json").json["rows"]["logs"]
    (app.folder / "sim_sync.duckdb").unlink()
    assert app("run", "--json").json["rows"]["logs"] >= first
    assert app.rows("SELECT count(*) > 0 FROM sim.logs") == [(True,)]


def test_an_old_copy_of_the_database_is_caught_up(app: App, world: World) -> None:
    database = app.folder / "sim_sync.duckdb"
    with serve(world, "2026-08") as server:
        app.account(server)
        app("run")
        old = database.read_bytes()
        late = finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 60_000)
        app("run")
        assert app.rows(f"SELECT count(*) FROM sim.logs WHERE id = '{late.id}'") == [(1,)]
        database.write_bytes(old)
        app("run")
    assert app.rows(f"SELECT count(*) FROM sim.logs WHERE id = '{late.id}'") == [(1,)]


def test_one_bad_workspace_does_not_stop_the_others(app: App, world: World) -> None:
    with serve(world, "2026-08") as server:
        app.account(server, workspace=f"{FOREIGN_WORKSPACE},{WORKSPACE}")
        done = app("run", "--json")
    assert (done.code, done.json["status"]) == (1, "partial")
    assert [(e["resource"], e["workspace"]) for e in done.json["errors"]] == [("workflows", FOREIGN_WORKSPACE)]
    assert FOREIGN_WORKSPACE in done.err
    assert done.json["rows"]["logs"] > 0


@pytest.mark.parametrize("key", ["sk-sim-nope", OWNER_KEY + "x"], ids=["invented", "mistyped"])
def test_a_wrong_key_is_said_and_nothing_written(app: App, server: SimServer, key: str) -> None:
    app.account(server, key=key)
    done = app("run", "--json")
    assert done.code == 2
    assert "SIM_API_KEY" in done.err
    assert key not in done.out + done.err
    assert not (app.folder / "sim_sync.duckdb").exists()


def test_a_workspace_key_against_another_workspace_is_refused(app: App, world: World) -> None:
    with serve(world, "2026-08") as server:
        app.account(server, key=WORKSPACE_KEY, workspace=SECOND_WORKSPACE)
        done = app("run")
    assert done.code == 2
    assert "SIM_WORKSPACE_ID" in done.err
    assert not (app.folder / "sim_sync.duckdb").exists()


def test_an_unknown_workspace_on_an_old_server_looks_empty(app: App, world: World) -> None:
    with serve(world, "2026-03") as server:
        app.account(server, workspace="99999999-9999-4999-8999-999999999999")
        done = app("run")
    assert done.code in (0, 2)
    assert "looks empty" in done.err or "SIM_WORKSPACE_ID" in done.err


def test_a_sync_makes_the_views_and_again_what_somebody_dropped(app: App, server: SimServer) -> None:
    app.account(server)
    app("run")
    cost = app.rows("SELECT sum(total_cost) FROM sim.cost_by_day")
    assert cost == app.rows("SELECT sum(cost_total) FROM sim.logs") != [(None,)]
    with duckdb.connect(str(app.folder / "sim_sync.duckdb")) as connection:
        connection.execute("DROP VIEW sim.cost_by_day")
    assert app("run", "--json").json["status"] == "ok"
    assert app.rows("SELECT sum(total_cost) FROM sim.cost_by_day") == cost


def test_every_view_answers_on_an_empty_account(app: App) -> None:
    with serve(small_world(), "2026-08") as server:
        app.account(server)
        assert app("run").code == 0
    for name in views.all_views():
        app.rows(f"SELECT * FROM sim.{name}")
    assert app.rows("SELECT count(*) FROM sim.budget") == [(1,)]
    assert app("report").code == 0


def test_an_empty_account_has_all_tables(app: App) -> None:
    with serve(organization(), "2026-08") as server:
        app.account(server)
        assert app("run").code == 0
    for table in ("logs", "cost_items", "trace_spans", "workflow_states", "rejected_rows"):
        assert app.rows(f"SELECT count(*) FROM sim.{table}") == [(0,)]


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["--since", "yesterdayish"], "--since"),
        (["--since", "2026-11-05", "--until", "2026-11-01"], "--since"),
        (["--resources", "logs,lgos"], "lgos"),
        (["--details", "some"], "--details"),
        (["--database", "sim.duckdb"], "ambiguous"),
        (["--database", "nowhere/x.duckdb"], "folder"),
        (["--dataset", "a-b"], "--dataset"),
        (["--max-minutes", "0"], "--max-minutes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_named(app: App, server: SimServer, args: list[str], names: str) -> None:
    app.account(server)
    done = app("run", *args)
    assert done.code == 2
    assert names in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert server.requests == []


@pytest.mark.parametrize("missing", ["SIM_API_KEY", "SIM_WORKSPACE_ID"])
def test_a_missing_setting_is_named(app: App, server: SimServer, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app.account(server)
    monkeypatch.delenv(missing)
    done = app("run")
    assert done.code == 2
    assert missing in done.err


def test_a_base_url_in_the_clear_is_refused(app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    app.account(server)
    monkeypatch.setenv("SIM_BASE_URL", "http://sim.example.org")
    done = app("run")
    assert (done.code, "in the clear" in done.err) == (2, True)


def test_a_file_that_is_no_database_is_refused(app: App, server: SimServer) -> None:
    app.account(server)
    (app.folder / "sim_sync.duckdb").write_text("not a database, and longer than a header " * 200)
    done = app("run")
    assert (done.code, "not a DuckDB database" in done.err) == (2, True)


def test_a_database_of_a_newer_duckdb_is_refused(app: App, server: SimServer) -> None:
    app.account(server)
    # the first blocks of a file that DuckDB 2.0.0 wrote
    (app.folder / "sim_sync.duckdb").write_bytes(
        (Path(__file__).parents[1] / "data/duckdb-2.0-header.bin").read_bytes()
    )
    done = app("run")
    assert (done.code, "newer DuckDB" in done.err) == (2, True)


def test_another_run_that_holds_the_lock_is_left_alone(app: App, server: SimServer) -> None:
    app.account(server)
    target = target_of(database=Path("sim_sync.duckdb"))
    with lock.admitted(target, [f"workspace {WORKSPACE}", "account default"]):
        done = app("run")
    assert (done.code, "another sync" in done.err, "PID" in done.err) == (75, True, True)
    assert app("run").code == 0


def test_a_reader_that_holds_the_database_is_waited_for(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.account(server)
    app("run")
    script = (
        "import duckdb, sys; c = duckdb.connect('sim_sync.duckdb', read_only=True); "
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline().strip() == "open"
        monkeypatch.setattr(duckdb_file.check_database, "__kwdefaults__", {"wait_s": 0.0, "tell": print})
        refused = app("run")
        assert (refused.code, str(reader.pid) in refused.err) == (75, True)
        reader.stdin.close()
    assert app("run").code == 0


def test_an_api_that_stays_away_is_tried_later(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(small_world(), "2026-08") as server:
        app.account(server)
    monkeypatch.setattr("pipelines.commands.sync.BACKOFF_S", 0.001)
    done = app("run")
    assert done.code == 75
    assert not (app.folder / "sim_sync.duckdb").exists()


def test_a_time_bound_is_no_failure(app: App, world: World) -> None:
    slow = Faults(seed=1).always(faults.rate_limited(30), path="/api/v1/logs?")
    with serve(world, "2026-08", faults=slow) as server:
        app.account(server)
        done = app("run", "--max-minutes", "0.05", "--json")
    assert (done.code, done.json["status"]) == (0, "partial")


def test_the_rate_limit_is_kept_and_waits_are_shown(app: App, world: World) -> None:
    with serve(world, "2026-08", limit=RateLimit(rate=8, capacity=8, interval=2.0)) as server:
        app.account(server)
        done = app("run", "--json")
    assert done.code == 0
    assert done.json["rate_limited"] <= 1
    assert done.json["waited_s"] > 0


def test_the_key_is_in_no_output_and_no_file(app: App, server: SimServer) -> None:
    app.account(server)
    done = app("run", "--json")
    assert OWNER_KEY not in done.out + done.err
    for file in app.folder.rglob("*"):
        if file.is_file():
            assert OWNER_KEY.encode() not in file.read_bytes(), file


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/shm").is_dir(), reason="only root can mount a small disk")
def test_a_full_disk_is_said_plainly_and_mended_by_the_next_run(app: App, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    database = small / "rows.duckdb"
    try:
        with serve(demo_month(seed=3, runs=2000), "2026-03") as server:
            app.account(server)
            full = app("run", "--database", str(database))
            assert (full.code, "the disk is full" in full.err) == (2, True)
            assert "Traceback" not in full.err
            subprocess.run(["mount", "-o", "remount,size=80m", str(small)], check=True)
            assert app("run", "--database", str(database)).code == 0
        with duckdb.connect(str(database), read_only=True) as connection:
            runs = connection.execute("SELECT count(*), count(DISTINCT id) FROM sim.logs").fetchone()
        assert runs is not None
        assert runs[0] == runs[1] >= 2000
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_piece_that_is_just_full_leaves_no_workspace_behind(
    app: App, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_run(world, "wf-labs", plans.two_model_plan())
    monkeypatch.setattr(sync, "PIECE_RUNS", len(world.runs_of(WORKSPACE)))
    with serve(world, "2026-08") as server:
        app.account(server, workspace=f"{WORKSPACE},{SECOND_WORKSPACE}")
        assert app("run").code == 0
    loaded = dict(app.rows("SELECT workspace_id, count(*) FROM sim.logs GROUP BY 1"))
    assert loaded == {each: len(world.runs_of(each)) for each in (WORKSPACE, SECOND_WORKSPACE)}


def test_an_audit_backfill_of_several_pieces_goes_on_to_its_end(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "PIECE_AUDIT_LOGS", 100)
    world = small_world(now=datetime.now(UTC))
    for day in range(2, 8):
        audit_burst(world, 60, world.now_ms - day * 86_400_000)
    with serve(world) as server:
        app.account(server)
        assert app("run", "--resources", "audit_logs", "--since", "1d").code == 0
        assert app("run", "--resources", "audit_logs", "--since", "30d").code == 0
    assert app.rows("SELECT count(*) FROM sim.audit_logs") == [(360,)]
