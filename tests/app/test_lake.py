"""DuckLake as a destination: catalog in SQLite or PostgreSQL, files on disk or in S3."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest

from pipelines.destination import lake as lakes
from pipelines.sim_api import SimServer, World
from pipelines.views import all_views
from sim_source import TABLES
from tests.app.test_two_processes import LIST, held_at
from tests.helpers import child, lake
from tests.helpers.app import App

STEADY = [name for name in TABLES if name not in ("usage", "rejected_rows", "billing_status")]
Read = Callable[[str], list[tuple[object, ...]]]


class There:
    """A lake: what its user sets, and what anybody reads in it."""

    def __init__(self, env: dict[str, str], catalog: str) -> None:
        self.env, self.catalog = env, catalog

    def rows(self, sql: str, name: str = "lake") -> list[tuple[object, ...]]:
        with lake.opened(self.catalog, name) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(params=["sqlite", "postgres"])
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    if request.param == "sqlite":
        found = There(lake.on_disk(tmp_path), f"sqlite:{tmp_path}/catalog.sqlite")
    else:
        server = request.getfixturevalue("postgres")
        name = f"lake_{uuid.uuid4().hex[:8]}"
        connection = psycopg2.connect(server)
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
        connection.close()
        url = server.rpartition("/")[0] + f"/{name}"
        found = There(lake.settings(url, f"{tmp_path}/files"), f"postgres:{url}")
    for key, value in found.env.items():
        monkeypatch.setenv(key, value)
    return found


@pytest.mark.timeout(300)
def test_a_lake_holds_what_a_duckdb_file_holds_and_every_command_works(
    app: App, server: SimServer, world: World, there: There
) -> None:
    app.account(server)
    assert app("run").code == 0
    done = app("run", "--json", *lake.OPTIONS)
    assert (done.code, done.json["warnings"]) == (0, []), done.err
    again = app("run", "--json", *lake.OPTIONS)
    assert (again.code, again.json["rows"]) == (0, {"usage": 1}), again.err
    told = app("status", "--json", *lake.OPTIONS).json
    assert told["rows"]["logs"] == len(app.rows("FROM sim.logs"))
    checked = app("check", "--data", "--json", *lake.OPTIONS)
    assert checked.code == 0, checked.out
    assert [each["what"] for each in checked.json["findings"] if each["ok"] is None] == []
    assert app("check", *lake.OPTIONS).code == 0
    mine, its = (app("report", "--json", *more).json for more in ((), lake.OPTIONS))
    assert its["spend"] == mine["spend"] if "spend" in mine else its.keys() == mine.keys()
    asked = app("sql", "--json", "SELECT count(*) AS n FROM sim.runs", *lake.OPTIONS)
    assert asked.json == [{"n": told["rows"]["logs"]}]
    resynced = app("resync", "--since", "30d", "--json", *lake.OPTIONS)
    assert resynced.code == 0, resynced.err
    for name in STEADY:
        columns = ", ".join(TABLES[name].column_names)
        sql = f"SELECT {columns} FROM sim.{name} ORDER BY ALL"
        assert there.rows(sql) == app.rows(sql), name


@pytest.mark.timeout(300)
def test_views_and_comments_are_those_of_all_destinations(app: App, server: SimServer, there: There) -> None:
    app.account(server)
    done = app("run", "--json", *lake.OPTIONS)
    assert (done.code, done.json["warnings"]) == (0, []), done.err
    views = dict(there.rows("SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'sim'"))
    assert views.keys() == all_views().keys()
    assert all(str(views[name]).startswith(view.description) for name, view in all_views().items())
    tables = dict(there.rows("SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'sim'"))
    assert {name: tables[name] for name in TABLES} == {name: table.description for name, table in TABLES.items()}
    columns = {
        (table, name): comment
        for table, name, comment in there.rows(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'sim'"
        )
    }
    for table in TABLES.values():
        for column in table.columns:
            assert columns[table.name, column.name] == column.description
    for view in all_views():  # under another name than that of the session that made them
        there.rows(f"FROM sim.{view}", name="elsewhere")


def waiting(process: subprocess.Popen[str]) -> str:
    """What a process prints, until it says that it waits."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "waiting up to" in line:
            return said
    raise AssertionError(f"it did not wait: {said}")


def elsewhere(there: There, folder: Path) -> dict[str, str]:
    """The environment of a process that shares nothing but the lake."""
    return there.env | {"DLT_DATA_DIR": str(folder / "another machine")}


@pytest.mark.timeout(300)
def test_a_second_writer_waits_for_its_turn(tmp_path: Path, server: SimServer, there: There) -> None:
    gate = held_at(server, LIST)
    first = child.start(tmp_path, server, "run", *lake.OPTIONS, **there.env)
    try:
        assert gate.reached.wait(60)
        second = child.start(tmp_path, server, "run", "--json", *lake.OPTIONS, **elsewhere(there, tmp_path))
        assert "another sync is writing" in waiting(second)
    finally:
        gate.open()
    assert child.ended(first).code == 0
    done = child.ended(second)
    assert (done.code, done.json["rows"]) == (0, {"usage": 1}), done.err
    assert there.rows("SELECT count(*) - count(DISTINCT id) FROM sim.logs") == [(0,)]


@pytest.mark.timeout(300)
def test_a_second_writer_gives_up_after_some_time(tmp_path: Path, server: SimServer, there: There) -> None:
    gate = held_at(server, LIST)
    first = child.start(tmp_path, server, "run", *lake.OPTIONS, **there.env)
    short = "from pipelines.destination import lake_lock; lake_lock.TURN_WAIT_S = 0.1"
    try:
        assert gate.reached.wait(60)
        second = child.run(tmp_path, server, "run", "--json", *lake.OPTIONS, first=short, **elsewhere(there, tmp_path))
        kept = child.run(tmp_path, server, "maintain", *lake.OPTIONS, first=short, **elsewhere(there, tmp_path))
    finally:
        gate.open()
    assert child.ended(first).code == 0
    assert (second.code, second.json["status"], "another sync" in second.err) == (75, "failed", True)
    assert (kept.code, "another sync" in kept.err) == (75, True)


@pytest.mark.timeout(300)
def test_maintain_compacts_a_lake_and_expires_its_snapshots(app: App, server: SimServer, there: There) -> None:
    app.account(server)
    for _ in range(2):
        assert app("run", *lake.OPTIONS).code == 0
    tables = {name: there.rows(f"FROM sim.{name} ORDER BY ALL") for name in TABLES}
    snapshots = "SELECT count(*) FROM ducklake_snapshots('lake')"
    before = there.rows(snapshots)
    kept = app("maintain", "--json", *lake.OPTIONS)
    assert kept.code == 0, kept.err
    assert there.rows(snapshots)[0][0] > before[0][0]  # none is a week old, and compacting made some
    done = app("maintain", "--older-than", "2020-01-01", "--json", *lake.OPTIONS)
    assert done.code == 0, done.err
    done = app("maintain", "--older-than", datetime.now(UTC).isoformat(), "--json", *lake.OPTIONS)
    assert (done.code, done.json["status"]) == (0, "ok"), done.err
    assert there.rows(snapshots)[0][0] < before[0][0]
    assert {name: there.rows(f"FROM sim.{name} ORDER BY ALL") for name in TABLES} == tables
    assert app("run", "--json", *lake.OPTIONS).json["rows"] == {"usage": 1}


@pytest.mark.timeout(300)
def test_files_in_s3(app: App, server: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.helpers.s3 import throwaway_s3

    with throwaway_s3() as bucket:
        env = lake.settings(f"sqlite:///{tmp_path}/catalog.sqlite", f"{bucket.url}/sim")
        at = "DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__CREDENTIALS__"
        env |= {f"{at}AWS_ACCESS_KEY_ID": bucket.key, f"{at}AWS_SECRET_ACCESS_KEY": bucket.secret}
        env |= {f"{at}ENDPOINT_URL": f"http://{bucket.endpoint}", f"{at}REGION_NAME": "us-east-1"}
        env |= {f"{at}S3_URL_STYLE": "path"}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        app.account(server)
        assert app("run").code == 0
        done = app("run", "--json", *lake.OPTIONS)
        assert done.code == 0, done.err
        assert app("check", "--data", *lake.OPTIONS).code == 0
        assert app("maintain", *lake.OPTIONS).code == 0
        sql = "SELECT id, cost_total::VARCHAR AS cost FROM sim.logs ORDER BY id"
        its, mine = (app("sql", "--json", sql, *more).json for more in (lake.OPTIONS, ()))
        files = app(
            "sql",
            "--json",
            "SELECT count(*) AS n FROM ducklake_list_files('ducklake', 'logs', schema => 'sim') "
            "WHERE data_file LIKE 's3://lake/sim/%'",
            *lake.OPTIONS,
        )
        assert its == mine
        assert files.json[0]["n"] >= 1
        assert bucket.secret not in done.out + done.err
    assert not (tmp_path / "files").exists()


def test_a_lake_that_does_not_exist_is_not_made_by_reading(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake.on_disk(tmp_path).items():
        monkeypatch.setenv(name, value)
    for command in (("status",), ("report",), ("sql", "SELECT 1"), ("check", "--data"), ("maintain",)):
        done = app(*command, *lake.OPTIONS)
        assert (done.code, "does not exist" in done.err) == (2, True), command
    assert not (tmp_path / "catalog.sqlite").exists()


def test_a_missing_extension_is_named(
    app: App, server: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake.on_disk(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lakes.duckdb, "__version__", "1.5.99")
    app.account(server)
    done = app("run", *lake.OPTIONS)
    assert (done.code, 'pip install ".[ducklake]"' in done.err) == (2, True), done.err
    assert server.count() == 0


def test_a_working_folder_that_is_lost_costs_nothing(
    app: App, server: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake.on_disk(tmp_path).items():
        monkeypatch.setenv(name, value)
    app.account(server)
    assert app("run", *lake.OPTIONS).code == 0
    shutil.rmtree(tmp_path / "dlt")
    assert app("run", "--json", *lake.OPTIONS).json["rows"] == {"usage": 1}


@pytest.mark.parametrize(
    "command", [("run",), ("check",), ("status",), ("report",), ("sql", "SELECT 1"), ("maintain",)]
)
def test_a_catalog_that_cannot_be_reached_is_said_without_the_password(
    app: App, server: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    for name, value in lake.settings("postgresql://loader:s3cr3t-pass@127.0.0.1:9/no", f"{tmp_path}/files").items():
        monkeypatch.setenv(name, value)
    app.account(server)
    done = app(*command, *lake.OPTIONS)
    assert (done.code, "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG" in done.out + done.err) == (2, True), done.err
    assert "s3cr3t-pass" not in done.out + done.err


def test_another_folder_than_that_of_the_catalog_is_refused(
    app: App, server: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake.on_disk(tmp_path).items():
        monkeypatch.setenv(name, value)
    app.account(server)
    assert app("run", *lake.OPTIONS).code == 0
    monkeypatch.setenv("DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__BUCKET_URL", f"{tmp_path}/other")
    done = app("run", *lake.OPTIONS)
    assert (done.code, "another DATA_PATH" in done.err) == (2, True), done.err
    assert app("run", *lake.OPTIONS, "--dataset", "ducklake").code == 2


@pytest.mark.parametrize(
    ("catalog", "extension"), [("", "sqlite"), ("sqlite:///c.sqlite", "sqlite"), ("postgresql://h/d", "postgres")]
)
def test_the_extension_of_the_catalog_is_loaded_from_its_package(
    monkeypatch: pytest.MonkeyPatch, catalog: str, extension: str
) -> None:
    """Without a configured catalog, dlt has one in SQLite. DuckDB would download what is not loaded."""
    if catalog:
        monkeypatch.setenv("DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG", catalog)
    statements = lakes.lake_credentials().statements or []
    assert any(f"{extension}_scanner.duckdb_extension" in statement for statement in statements)
