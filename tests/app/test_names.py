"""What names of databases and datasets become, and which are refused before anything is asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import psycopg2
import pytest

from pipelines.destination import names
from pipelines.sim_api import serve, small_world
from sim_source.errors import ConfigurationError
from tests.helpers import child
from tests.helpers.app import App, one_of_every_kind

FILES_REFUSED = [
    "sim.duckdb",
    "Sim.db",
    "sim",
    "sim.backup.duckdb",
    "sim_staging.duckdb",
    "information_schema.duckdb",
    ":memory:",
    "md:runs",
    "s3://bucket/sim_sync.duckdb",
    "a" * 300 + ".duckdb",
    "a\nb\x1b[31m.duckdb",
]
DATASETS_REFUSED = ["temp", "pg_catalog", "pg_own", "select", "user", "information_schema", "system", "my__ds", "ds_",
                    "simData", "", "1st", "a b", "a.b", "\u00e9t\u00e9", "x" * 51, "sim_sync"]  # fmt: skip


@pytest.mark.parametrize("file", FILES_REFUSED)
@pytest.mark.parametrize("command", [("run",), ("report",), ("sql", "SELECT 1"), ("check",), ("status",)])
def test_a_file_name_that_cannot_work_is_refused_before_anything_is_asked(
    app: App, file: str, command: tuple[str, ...]
) -> None:
    with serve(one_of_every_kind()) as server:
        app.account(server)
        refused = app(*command, "--database", file)
        assert (refused.code, server.count()) == (2, 0)
    assert "--database" in refused.err
    assert "Traceback" not in refused.err
    assert not list(app.folder.glob("*.duckdb*"))


@pytest.mark.parametrize("dataset", DATASETS_REFUSED)
@pytest.mark.parametrize("command", ["run", "report"])
def test_a_dataset_name_that_cannot_work_is_refused_before_anything_is_asked(
    app: App, dataset: str, command: str
) -> None:
    with serve(one_of_every_kind()) as server:
        app.account(server)
        refused = app(command, "--dataset", dataset) if dataset else app(command, "--dataset", " ")
        assert (refused.code, server.count()) == (2, 0)
    assert "--dataset" in refused.err or "--database" in refused.err
    assert not list(app.folder.glob("*.duckdb*"))


@pytest.mark.parametrize(
    ("file", "dataset"),
    [
        ("sim_sync.duckdb", "Sim"),
        ("runs of 2026.duckdb", "sim"),
        ("it's.duckdb", "sim"),
        ("50%s{}.duckdb", "sim"),
        ("\u00fcber.duckdb", "sim"),
        ("archive.sim.duckdb", "sim"),
        ("temp.duckdb", "sim"),
        ("main.duckdb", "main"),
        ("runs", "runs_of_sim"),
    ],
)
def test_every_command_knows_what_a_name_becomes(app: App, file: str, dataset: str) -> None:
    if file == "main.duckdb":
        file = "runs.duckdb"  # DuckDB's own schema, which is there before the first sync
    place = ("--database", file, "--dataset", dataset)
    with serve(one_of_every_kind()) as server:
        app.account(server)
        assert app("run", *place).code == 0
        assert app("run", *place, "--json").json["rows"].get("logs", 0) <= 10
    runs = app("sql", *place, "--csv", f"SELECT count(*) > 0 FROM {dataset}.runs")
    assert runs.out.splitlines() == ["(count_star() > 0)", "True"]
    assert app("report", *place, "--since", "30d").code == 0
    assert app("status", *place).code == 0
    assert app("check", *place, "--data").code == 0


@pytest.mark.parametrize("command", [("run",), ("report",), ("sql", "SELECT 1"), ("check", "--data"), ("status",)])
def test_links_in_a_circle_are_no_database(app: App, command: tuple[str, ...]) -> None:
    (app.folder / "loop.duckdb").symlink_to("loop.duckdb")
    refused = app(*command, "--database", "loop.duckdb")
    assert (refused.code, refused.err.count("\n"), "loop.duckdb" in refused.err) == (2, 1, True)


def test_a_database_of_sqlite_is_refused_without_asking_anybody(app: App) -> None:
    with sqlite3.connect(app.folder / "other.duckdb") as connection:
        connection.execute("CREATE TABLE logs (id)")
    with serve(one_of_every_kind()) as server:
        app.account(server)
        for command in (("run",), ("status",), ("sql", "SELECT 1"), ("check", "--data")):
            refused = app(*command, "--database", "other.duckdb")
            assert (refused.code, "not a DuckDB database" in refused.err) == (2, True)
        assert server.count() == 0


@pytest.mark.parametrize(
    "option",
    [("--max-minutes", "nan"), ("--max-minutes", "inf"), ("--resources", ","), ("--dataset", ""), ("--destination", ""),
     ("--destination", "dlt.destinations.duckdb")],
    ids="=".join,
)  # fmt: skip
def test_a_value_that_means_nothing_is_refused_by_its_option(app: App, option: tuple[str, str]) -> None:
    with serve(one_of_every_kind()) as server:
        app.account(server)
        refused = app("run", *option)
        assert (refused.code, server.count()) == (2, 0)
    assert option[0] in refused.err


def test_somebody_elses_database_with_a_table_of_the_same_name_is_said_to_be_empty(app: App) -> None:
    with duckdb.connect(app.folder / "sim_sync.duckdb") as connection:
        connection.execute("CREATE SCHEMA sim; CREATE TABLE sim.logs (a INTEGER)")
    refused = app("check", "--data")
    assert (refused.code, "nothing was synced" in refused.err) == (2, True)


def test_a_folder_of_dlt_that_cannot_be_is_named(app: App) -> None:
    with serve(one_of_every_kind()) as server:
        app.account(server)
        refused = child.run(app.folder, server, "run", DLT_DATA_DIR="/proc/nope")
    assert refused.code == 2
    assert "DLT_DATA_DIR" in refused.err


def test_a_folder_is_no_database(app: App) -> None:
    (app.folder / "there").mkdir()
    refused = app("status", "--database", "there")
    assert (refused.code, "is a folder" in refused.err) == (2, True)


def test_every_word_that_postgres_reserves_is_refused(postgres: str) -> None:
    with psycopg2.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT word FROM pg_get_keywords() WHERE catcode = 'R'")
        words = [word for (word,) in cursor.fetchall()]
    assert len(words) > 70
    taken = []
    for word in words:
        try:
            names.tried(names.dataset_name(word))
        except ConfigurationError:
            continue
        taken.append(word)
    assert taken == []


def test_a_link_is_the_file_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real.duckdb").touch()
    (tmp_path / "link.duckdb").symlink_to("real.duckdb")
    assert names.database_file(tmp_path / "link.duckdb") == tmp_path / "real.duckdb"


@pytest.mark.parametrize(("first", "second"), [("t_staging", "t"), ("t", "t_staging")])
def test_a_dataset_named_like_the_staging_tables_of_another_is_refused(app: App, first: str, second: str) -> None:
    """Each load of the one would empty the tables of the other."""
    with serve(small_world(), "2026-08") as server:
        app.account(server)
        assert app("run", "--dataset", first).code == 0
        before = app.rows(f"SELECT count(*) FROM {first}.workflows")
        refused = app("run", "--dataset", second, "--json")
        assert (refused.code, f"has a dataset {first}" in refused.err) == (2, True), refused.err
        assert app.rows(f"SELECT count(*) FROM {first}.workflows") == before != [(0,)]
        assert app("run", "--dataset", first).code == 0
        assert app("run", "--dataset", "tt").code == 0


def test_which_names_collide_with_staging_tables() -> None:
    for other in ("sim_staging", "sim_staging_w1", "sim_staging_w12"):
        for dataset, there in (("sim", other), (other, "sim")):
            with pytest.raises(ConfigurationError, match=f"--dataset {dataset}: .* a dataset {there}"):
                names.check_apart(dataset, ["other", there])
    names.check_apart("sim", ["sim", "sim_stage", "sim2_staging", "sim_staging_2", "xsim_staging"])
