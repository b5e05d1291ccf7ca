"""``rejected_rows.record_id`` was ``row_id``: databases of then are carried over, with their rows."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import psycopg2
import pytest

from pipelines.destination import pipeline
from pipelines.destination.target import target_of
from pipelines.sim_api import WORKSPACE, SimServer, World
from sim_source.stored.renamed_columns import rename_columns
from sim_source.stored.warehouse import Warehouse, stored_columns
from tests.helpers import child
from tests.helpers.app import App

BEFORE = """
from sim_source.account_tables import REJECTED_ROWS
from sim_source.reading.row_checks import RowChecks
(column,) = (column for column in REJECTED_ROWS.columns if column.name == "record_id")
object.__setattr__(column, "name", "row_id")
object.__setattr__(column, "earlier", "")
object.__setattr__(REJECTED_ROWS, "key", ("table_name", "row_id", "seen_at"))
RowChecks._new_rejections = lambda self, rows: rows  # it asks for the column by its name
"""
"""Makes a process the version before, as far as a destination can tell."""


class Dataset:
    """A destination of the command line."""

    def __init__(self, folder: Path, name: str = "sim", *options: str, **env: str) -> None:
        self.folder, self.name, self.env = folder, name, env
        self.options = ("--dataset", name, *options)

    def run(self, server: SimServer, first: str = "") -> Any:
        return child.run(self.folder, server, "run", "--json", *self.options, first=first, **self.env)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        done = child.run(self.folder, None, "sql", "--json", sql, *self.options, **self.env)
        assert done.code == 0, done.err
        return list(done.json)

    def rejected(self, column: str) -> set[tuple[str, str]]:
        rows = self.ask(f"SELECT {column} AS id, reason FROM {self.name}.rejected_rows")
        return {(row["id"], row["reason"]) for row in rows}

    def columns(self) -> set[str]:
        """Columns of the table in the dataset, and in dlt's staging dataset."""
        named = "SELECT column_name AS c FROM information_schema.columns WHERE table_name = 'rejected_rows' AND "
        return {row["c"] for row in self.ask(f"{named} table_schema LIKE '{self.name}%'")}


@pytest.fixture(params=["duckdb", "postgres"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> Dataset:
    if request.param == "duckdb":
        return Dataset(tmp_path)
    url = request.getfixturevalue("postgres")
    name = f"before_{abs(hash(tmp_path)) % 10**8}"
    return Dataset(tmp_path, name, "--destination", "postgres", DESTINATION__POSTGRES__CREDENTIALS=url)


def kept(_: Path) -> None:
    """The working folder stays."""


def lost(folder: Path) -> None:
    shutil.rmtree(folder / "dlt")


def becomes_odd(world: World, number: int) -> str:
    run = world.runs_of(WORKSPACE)[number]
    world.change_run(run.id, extra={"level": 3})
    return run.id


@pytest.mark.parametrize("working_folder", [kept, lost])
def test_a_database_of_before_keeps_its_rejected_rows_and_takes_new_ones(
    dataset: Dataset, server: SimServer, world: World, working_folder: Callable[[Path], None]
) -> None:
    first = becomes_odd(world, -1)
    assert dataset.run(server, BEFORE).code == 0
    assert "record_id" not in dataset.columns()
    before = dataset.rejected("row_id")
    assert {id_ for id_, _ in before} == {first}
    working_folder(dataset.folder)
    second = becomes_odd(world, -2)
    done = dataset.run(server)
    assert (done.code, done.json["status"]) == (0, "ok"), done.err
    assert "row_id" not in dataset.columns()
    after = dataset.rejected("record_id")
    assert before < after
    assert {id_ for id_, _ in after} == {first, second}
    again = dataset.run(server)
    assert (again.code, again.json["rows"].get("rejected_rows", 0)) == (0, 0), again.err
    checked = child.run(dataset.folder, None, "check", "--data", *dataset.options, **dataset.env)
    assert checked.code == 0, checked.out


def test_a_package_of_before_is_loaded_before_the_column_is_renamed(
    dataset: Dataset, server: SimServer, world: World
) -> None:
    first = becomes_odd(world, -1)
    assert dataset.run(server, BEFORE).code == 0
    second = becomes_odd(world, -2)
    assert dataset.run(server, BEFORE + child.DIES.format(step="load")).code == -9
    done = dataset.run(server)
    assert (done.code, "finishing the load" in done.err) == (0, True), done.err
    assert {id_ for id_, _ in dataset.rejected("record_id")} == {first, second}


def test_check_data_of_a_database_of_before_says_what_is_missing(app: App, server: SimServer, world: World) -> None:
    becomes_odd(world, -1)
    assert Dataset(app.folder).run(server, BEFORE).code == 0
    checked = app("check", "--data")
    assert checked.code == 0, checked.err
    assert "missing rejected_rows.record_id" in " ".join(checked.out.split())


def test_two_processes_rename_at_once(
    postgres: str, server: SimServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the old name, and wait for a reader; then the second one finds that the first has done it."""
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    there = Dataset(tmp_path, "twice", "--destination", "postgres", DESTINATION__POSTGRES__CREDENTIALS=postgres)
    assert there.run(server, BEFORE).code == 0
    target = target_of("postgres", "twice")
    faults: list[BaseException] = []

    def rename(folder: str) -> None:
        try:
            rename_columns(Warehouse(pipeline.pipeline_for(target, folder)), dlt.Schema("sim_source"))
        except BaseException as error:
            faults.append(error)

    reader, watcher = psycopg2.connect(postgres), psycopg2.connect(postgres)
    try:
        watcher.autocommit = True
        with reader.cursor() as cursor:
            cursor.execute("LOCK TABLE twice.rejected_rows IN ACCESS SHARE MODE")
        both = [threading.Thread(target=rename, args=(f"rename_{number}",)) for number in range(2)]
        for each in both:
            each.start()
        waiting = 0
        while waiting < 2 and any(each.is_alive() for each in both):
            with watcher.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                ((waiting,),) = cursor.fetchall()
        reader.rollback()
        for each in both:
            each.join()
    finally:
        reader.close()
        watcher.close()
    assert (waiting, faults) == (2, [])
    with pipeline.pipeline_for(target).sql_client() as client:
        found = stored_columns(client, "rejected_rows")
    assert ("record_id" in found, "row_id" in found) == (True, False)
