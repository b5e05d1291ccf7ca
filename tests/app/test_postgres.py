"""The same source into PostgreSQL: the design does not lean on DuckDB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from pipelines.destination import lock
from pipelines.destination.pipeline import reached
from pipelines.destination.target import target_of
from pipelines.sim_api import OWNER_KEY, WORKSPACE, serve
from pipelines.sim_api.world import plans
from sim_source import TABLES, SimClient, SyncLog, SyncSession, source_in_session
from tests.helpers.app import App, one_of_every_kind
from tests.helpers.warehouse import resolved


def load(pipeline: dlt.Pipeline, base_url: str, **settings: Any) -> SyncLog:
    with SyncSession(SimClient(OWNER_KEY, base_url)) as session:
        plan = resolved(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=base_url, **settings).plan()
        pipeline.run(source_in_session(plan, session))
    assert session.log.failures == []
    return session.log


def contents(pipeline: dlt.Pipeline) -> dict[str, list[tuple[Any, ...]]]:
    """Every table's rows in comparable form: JSON parsed, moments in UTC."""
    found = {}
    with pipeline.sql_client() as client:
        for table in TABLES.values():
            if table.name == "usage":
                continue  # observed at different moments
            columns = ", ".join(
                f"CAST({column.name} AS VARCHAR)" if column.kind == "json" else column.name for column in table.columns
            )
            rows = client.execute_sql(f"SELECT {columns} FROM {client.make_qualified_table_name(table.name)}") or []
            found[table.name] = sorted((tuple(map(comparable, row)) for row in rows), key=repr)
    return found


def comparable(value: Any) -> Any:
    if hasattr(value, "timestamp"):
        return value.timestamp()
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.dumps(json.loads(value), sort_keys=True)
    return value


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_postgres_and_duckdb_hold_the_same_rows(postgres: str, tmp_path: Path, dialect: str) -> None:
    name = dialect.replace("-", "_")
    warehouse = dlt.pipeline(
        f"pg_{name}",
        pipelines_dir=str(tmp_path / "pg"),
        destination=dlt.destinations.postgres(postgres),
        dataset_name=f"sim_{name}",
    )
    file = dlt.pipeline(
        "duck",
        pipelines_dir=str(tmp_path / "duck"),
        destination=dlt.destinations.duckdb(str(tmp_path / "rows.duckdb")),
        dataset_name="sim",
    )
    with serve(one_of_every_kind(), dialect) as server:
        for pipeline in (warehouse, file):
            load(pipeline, server.base_url, details="none")
            load(pipeline, server.base_url)  # the backlog is found in either destination, and replaced as one
    assert contents(warehouse) == contents(file)
    assert contents(warehouse)["logs"]


def test_a_changed_run_replaces_its_children_in_postgres(postgres: str, tmp_path: Path) -> None:
    world = one_of_every_kind()
    pipeline = dlt.pipeline(
        "changing",
        pipelines_dir=str(tmp_path),
        destination=dlt.destinations.postgres(postgres),
        dataset_name="changing",
    )
    with serve(world, "2026-08") as server:
        load(pipeline, server.base_url)
        run = next(run for run in world.open_runs(WORKSPACE) if run.id.endswith("paused"))
        world.resume_run(run.id)
        world.end_run(run.id)
        load(pipeline, server.base_url)
        assert load(pipeline, server.base_url).rows["logs"] == 0
    with pipeline.sql_client() as client:
        items = client.execute_sql("SELECT sum(total_cost) FROM changing.cost_items WHERE log_id = %s", run.id)
        logs = client.execute_sql("SELECT cost_total, status FROM changing.logs WHERE id = %s", run.id)
    assert items is not None
    assert logs is not None
    assert logs[0][1] == "completed"
    assert items[0][0] == logs[0][0]


def test_open_runs_are_followed_and_torn_ones_mended_in_postgres(postgres: str, tmp_path: Path) -> None:
    world = one_of_every_kind()
    old = [
        world.start_run("wf-triage", plans.two_model_plan(), started_ms=world.now_ms - days * 86_400_000).id
        for days in (30, 20, 20)
    ]
    for run_id in old:
        world.pause_run(run_id, blocks=2)

    def pipeline(folder: str) -> dlt.Pipeline:
        return dlt.pipeline(
            "following",
            pipelines_dir=str(tmp_path / folder),
            destination=dlt.destinations.postgres(postgres),
            dataset_name="following",
        )

    with serve(world, "2026-08") as server:
        load(pipeline("one"), server.base_url)
        for run_id in old:
            world.end_run(run_id)
        load(pipeline("one"), server.base_url)
        before = contents(pipeline("one"))
        statuses = {row[0]: row[8] for row in before["logs"]}
        assert {statuses[run_id] for run_id in old} == {"completed"}
        with pipeline("one").sql_client() as client:
            client.execute_sql("DELETE FROM following.cost_items WHERE log_id = %s", old[0])
            client.execute_sql("DELETE FROM following.trace_spans WHERE log_id = %s", old[1])
            client.execute_sql("DELETE FROM following.log_details WHERE id = %s", old[2])
        load(pipeline("two"), server.base_url)  # its working folder is new: nobody else can finish what was cut
        assert contents(pipeline("two")) == before


def test_a_rejected_row_is_stored_once_in_postgres(postgres: str, tmp_path: Path) -> None:
    """PostgreSQL writes JSON in its own way: names in another order, numbers without exponent."""
    world = one_of_every_kind()
    odd = world.runs_of(WORKSPACE)[-1]
    world.change_run(odd.id, extra={"level": 3, "longer": {"z": 1.50, "a": [1e2, 15e-1, "ü"]}, "b": {"aa": 1, "b": 2}})
    pipeline = dlt.pipeline(
        "odd",
        pipelines_dir=str(tmp_path),
        destination=dlt.destinations.postgres(postgres),
        dataset_name="odd",
    )
    with serve(world, "2026-08") as server:
        assert load(pipeline, server.base_url).rows["rejected_rows"] == 1
        assert load(pipeline, server.base_url).rows["rejected_rows"] == 0
    with pipeline.sql_client() as client:
        assert client.execute_sql("SELECT count(*) FROM odd.rejected_rows") == [(1,)]


def test_the_command_line_loads_postgres(postgres: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    with serve(one_of_every_kind(), "2026-08") as server:
        app.account(server)
        done = app("run", "--destination", "postgres", "--dataset", "by_hand", "--json")
        assert (done.code, done.json["status"]) == (0, "ok")
        assert app("run", "--destination", "postgres", "--dataset", "by_hand", "--json").json["rows"] == {"usage": 1}
        told = app("status", "--destination", "postgres", "--dataset", "by_hand", "--json").json
    assert told["rows"]["logs"] > 0
    asked = app(
        "sql",
        "--destination",
        "postgres",
        "--dataset",
        "by_hand",
        "--json",
        "SELECT count(*) AS n FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
        "WHERE c.relnamespace = 'by_hand'::regnamespace AND c.relkind = 'r' AND d.objsubid > 0",
    )
    assert asked.json == [{"n": sum(len(table.columns) for table in TABLES.values())}]


def test_two_machines_do_not_work_on_one_dataset_at_once(
    postgres: str, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file of one is nothing to the other: PostgreSQL itself holds the second lock."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    with serve(one_of_every_kind(), "2026-08") as server:
        app.account(server)
        here = target_of("postgres", "shared")
        with reached(here) as server, lock.admitted(here, [f"workspace {WORKSPACE}", "account default"], server=server):
            monkeypatch.setenv("DLT_DATA_DIR", str(app.folder / "another machine"))
            refused = app("run", "--destination", "postgres", "--dataset", "shared")
            assert (refused.code, "another sync" in refused.err) == (75, True)
            assert app("run", "--destination", "postgres", "--dataset", "not_shared").code == 0
        assert app("run", "--destination", "postgres", "--dataset", "shared").code == 0


def test_a_server_that_cannot_be_reached_is_said_without_the_password(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://loader:s3cr3t-pass@127.0.0.1:9/nothing")
    with serve(one_of_every_kind(), "2026-08") as server:
        app.account(server)
        done = app("run", "--destination", "postgres")
    assert (done.code, "DESTINATION__POSTGRES__CREDENTIALS" in done.err) == (2, True)
    assert "s3cr3t-pass" not in done.err + done.out


def test_duckdb_alone_is_enough_to_read_the_file(tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        "plain",
        pipelines_dir=str(tmp_path),
        destination=dlt.destinations.duckdb(str(tmp_path / "plain.duckdb")),
        dataset_name="sim",
    )
    with serve(one_of_every_kind(), "2026-08") as server:
        load(pipeline, server.base_url)
    with duckdb.connect(str(tmp_path / "plain.duckdb"), read_only=True) as connection:
        kinds = dict(
            connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'logs'"
            ).fetchall()
        )
    assert kinds["cost_total"] == "DECIMAL(38,12)"
    assert kinds["started_at"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["files"] == "JSON"
