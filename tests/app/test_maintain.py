"""``sim-sync maintain`` on a DuckDB file and on PostgreSQL; a lake is in ``test_lake``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import psycopg2
import pytest

from pipelines.destination import maintenance
from pipelines.sim_api import SimServer
from tests.helpers.app import App

EVERYTHING = "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY ALL"
COMMENTS = (
    "SELECT schema_name, table_name, column_name, comment, is_nullable FROM duckdb_columns() WHERE NOT internal "
    "ORDER BY ALL",
    "SELECT schema_name, view_name, comment, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
)


def contents(app: App) -> list[object]:
    relations = app.rows(EVERYTHING)
    rows = [app.rows(f'FROM "{schema}"."{name}" ORDER BY ALL') for schema, name, _ in relations]
    return [relations, rows, *(app.rows(sql) for sql in COMMENTS)]


@pytest.fixture
def synced(app: App, server: SimServer) -> App:
    """A database with space to gain."""
    app.account(server)
    assert app("run").code == 0
    with duckdb.connect("sim_sync.duckdb") as connection:
        connection.execute("CREATE TABLE large AS SELECT range AS n, hash(range) AS h FROM range(500000)")
        connection.execute("CREATE VIEW sim.mine AS SELECT count(*) AS runs FROM sim_sync.sim.logs")
    with duckdb.connect("sim_sync.duckdb") as connection:
        connection.execute("DROP TABLE large")
    return app


def test_a_duckdb_file_is_replaced_by_a_smaller_one_with_everything_in_it(synced: App) -> None:
    os.chmod("sim_sync.duckdb", 0o640)
    before, size, inode = (
        contents(synced),
        Path("sim_sync.duckdb").stat().st_size,
        Path("sim_sync.duckdb").stat().st_ino,
    )
    done = synced("maintain", "--json")
    assert done.code == 0, done.err
    now = Path("sim_sync.duckdb").stat()
    assert (done.json["status"], done.json["bytes_before"], done.json["bytes_after"]) == ("ok", size, now.st_size)
    assert now.st_size < size
    assert now.st_ino != inode
    assert now.st_mode & 0o777 == 0o640
    assert contents(synced) == before
    assert sorted(path.name for path in Path().glob("*sim_sync.duckdb*") if "lock" not in path.name) == [
        "sim_sync.duckdb"
    ]
    assert [path.name for path in Path().glob(".*compacting*")] == []
    assert synced("run", "--json").json["rows"] == {"usage": 1}


def test_a_reader_keeps_the_file_as_it_is(synced: App) -> None:
    before = Path("sim_sync.duckdb").stat()
    program = "import duckdb, sys; c = duckdb.connect('sim_sync.duckdb', read_only=True); print('open', flush=True); "
    with subprocess.Popen(
        [sys.executable, "-c", program + "sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline().strip() == "open"
        done = synced("maintain", "--json")
        reader.stdin.close()
    assert (done.code, done.json["status"], f"PID {reader.pid}" in done.err) == (75, "failed", True)
    after = Path("sim_sync.duckdb").stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def test_a_copy_that_fails_changes_nothing_and_leaves_nothing(synced: App, monkeypatch: pytest.MonkeyPatch) -> None:
    before, inode = contents(synced), Path("sim_sync.duckdb").stat().st_ino
    counts = maintenance._counts
    monkeypatch.setattr(maintenance, "_counts", lambda c, name: counts(c, name) | {("sim", name): 1})
    done = synced("maintain", "--json")
    assert (done.code, done.json["status"]) == (1, "failed")
    assert Path("sim_sync.duckdb").stat().st_ino == inode
    assert contents(synced) == before
    assert [path.name for path in Path().glob(".*compacting*")] == []


def test_postgres_is_vacuumed_and_analyzed(
    app: App, server: SimServer, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    at = ("--destination", "postgres", "--dataset", "maintained")
    app.account(server)
    missing = app("maintain", *at)
    assert (missing.code, "nothing was synced" in missing.err) == (2, True)
    assert app("run", *at).code == 0
    done = app("maintain", "--json", *at)
    assert (done.code, done.json["status"], done.json["bytes_after"] > 0) == (0, "ok", True), done.err
    connection = psycopg2.connect(postgres)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, vacuum_count, analyze_count FROM pg_stat_user_tables WHERE schemaname = 'maintained'"
        )
        found = cursor.fetchall()
    connection.close()
    assert "logs" in {name for name, _, _ in found}
    assert all(vacuumed == 1 and analyzed >= 1 for _, vacuumed, analyzed in found)


def test_what_cannot_be_maintained_is_said(app: App) -> None:
    done = app("maintain")
    assert (done.code, "does not exist" in done.err) == (2, True)
    done = app("maintain", "--destination", "filesystem")
    assert (done.code, "DuckDB, DuckLake and PostgreSQL" in done.err) == (2, True)
    done = app("maintain", "--older-than", "2999-01-01")
    assert (done.code, "--older-than" in done.err) == (2, True)
