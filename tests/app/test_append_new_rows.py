"""New rows go straight into their tables: what may, what must not, and what a kill leaves of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import pytest

from pipelines.commands import piece_loader
from pipelines.destination.pipeline import pipeline_for
from pipelines.destination.target import Target
from pipelines.dlt_internals import append_new_rows
from pipelines.sim_api import WORKSPACE, SimServer, World, finished_run, serve
from pipelines.sim_api.world import plans
from sim_source.run_tables import COST_ITEMS, LOGS, TRACE_SPANS
from sim_source.schema import Table
from sim_source.stored.warehouse import Warehouse
from sim_source.tables import TABLES
from tests.helpers import child
from tests.helpers.app import App, one_of_every_kind

FAMILIES = ("logs", "log_details", "cost_items", "trace_spans")
DIES_WITH = """
import os, signal
from dlt.common.storages.load_package import PackageStorage
from pipelines.commands import piece_loader
piece_loader.DIRECT_ROWS = 1
noted = PackageStorage.save_pending_transition
def die(packages, load_id, file_name, *told):
    if file_name.startswith("{table}."):
        os.kill(os.getpid(), signal.SIGKILL)
    noted(packages, load_id, file_name, *told)
PackageStorage.save_pending_transition = die
"""
"""Is killed when a table's rows are in the database and dlt is about to note it."""


class Place:
    """A DuckDB file, and packages that wait to be loaded into it."""

    def __init__(self, folder: Path) -> None:
        self.pipeline = pipeline_for(Target("duckdb", "sim", folder / "here.duckdb"))
        self.warehouse = Warehouse(self.pipeline)

    def extracted(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        """Makes a package of these rows."""

        @dlt.resource(**table.hints())
        def resource() -> Any:
            yield table.arrow_of(rows)

        self.pipeline.extract(resource())
        self.pipeline.normalize()

    def loaded(self, at_least: int = 1) -> str:
        """Loads it; how its rows came into the table."""
        append_new_rows.switch_to_append(self.pipeline, self.warehouse, at_least)
        info = self.pipeline.load()
        (package,) = info.load_packages
        (told,) = [t for name, t in package.schema.tables.items() if name in TABLES]
        return str(told["write_disposition"])

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        """What the table holds: its key and its workspace."""
        return self.warehouse.ask(f"SELECT {', '.join(table.key)}, workspace_id FROM {{{table.name}}} ORDER BY ALL")


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path)


def row(table: Table, *key: Any, workspace: str = "old") -> tuple[Any, ...]:
    """A row with nothing but its key and a workspace."""
    told = dict(zip(table.key, key, strict=True)) | {"workspace_id": workspace}
    return tuple(told.get(name) for name in table.column_names)


def span(log_id: str, index: int, workspace: str = "old") -> tuple[Any, ...]:
    return row(TRACE_SPANS, log_id, index, workspace=workspace)


def test_new_rows_are_appended_and_known_ones_merged(here: Place) -> None:
    here.extracted(LOGS, [row(LOGS, "a"), row(LOGS, "b")])
    assert here.loaded() == "append"
    here.extracted(LOGS, [row(LOGS, "c")])
    assert here.loaded() == "append"
    here.extracted(LOGS, [row(LOGS, "b", workspace="new"), row(LOGS, "d")])
    assert here.loaded() == "merge"
    assert here.rows(LOGS) == [("a", "old"), ("b", "new"), ("c", "old"), ("d", "old")]


def test_rows_that_come_twice_are_merged(here: Place) -> None:
    here.extracted(TRACE_SPANS, [span("a", 0), span("a", 1), span("a", 0)])
    assert here.loaded() == "merge"
    assert here.rows(TRACE_SPANS) == [("a", 0, "old"), ("a", 1, "old")]


def test_a_family_that_is_stored_is_replaced_as_one(here: Place) -> None:
    here.extracted(TRACE_SPANS, [span("a", 0), span("a", 1), span("b", 0)])
    assert here.loaded() == "append"
    here.extracted(TRACE_SPANS, [span("a", 2, "new")])  # no key of it is stored, its run is
    assert here.loaded() == "merge"
    assert here.rows(TRACE_SPANS) == [("a", 2, "new"), ("b", 0, "old")]


def test_few_rows_are_merged_unseen(here: Place) -> None:
    here.extracted(LOGS, [row(LOGS, "a"), row(LOGS, "b")])
    assert here.loaded(at_least=3) == "merge"


def test_a_package_that_is_half_loaded_is_left_as_it_is(here: Place) -> None:
    here.extracted(LOGS, [row(LOGS, "a")])
    (package,) = Path(here.pipeline.working_dir, "load", "normalized").iterdir()
    (job,) = (package / "new_jobs").glob("logs.*")
    before = (package / "schema.json").read_bytes()
    started = job.rename(package / "started_jobs" / job.name)
    append_new_rows.switch_to_append(here.pipeline, here.warehouse, 1)
    assert (package / "schema.json").read_bytes() == before
    started.rename(job)
    append_new_rows.switch_to_append(here.pipeline, here.warehouse, 1)
    assert (package / "schema.json").read_bytes() != before


def test_of_several_packages_that_wait_none_is_appended(here: Place) -> None:
    """A kill may leave a package of the same rows that are read again."""
    for _ in range(2):
        here.extracted(LOGS, [row(LOGS, "a"), row(LOGS, "b")])
    append_new_rows.switch_to_append(here.pipeline, here.warehouse, 1)
    here.pipeline.load()
    assert here.rows(LOGS) == [("a", "old"), ("b", "old")]


def test_only_what_is_not_noted_is_taken_back(here: Place) -> None:
    here.extracted(COST_ITEMS, [row(COST_ITEMS, "old", "model", "m")])
    here.loaded()
    here.extracted(COST_ITEMS, [row(COST_ITEMS, "new", "model", "m"), row(COST_ITEMS, "new", "tool", "t")])
    append_new_rows.switch_to_append(here.pipeline, here.warehouse, 1)
    (package,) = Path(here.pipeline.working_dir, "load", "normalized").iterdir()
    (file,) = (package / "new_jobs").glob("cost_items.*")
    here.warehouse.ask(f"INSERT INTO {{cost_items}} BY NAME FROM read_parquet('{file}')")  # and killed
    mark = package / ".pending_transitions" / file.name
    mark.touch()
    append_new_rows.delete_unrecorded(here.pipeline, here.warehouse)
    assert len(here.rows(COST_ITEMS)) == 3
    mark.unlink()
    append_new_rows.delete_unrecorded(here.pipeline, here.warehouse)
    assert here.rows(COST_ITEMS) == [("old", "model", "m", "old")]
    here.pipeline.load()
    assert len(here.rows(COST_ITEMS)) == 3


@pytest.fixture(scope="module")
def world() -> World:
    return one_of_every_kind()


@pytest.mark.parametrize("table", FAMILIES)
def test_killed_between_a_copy_and_the_note_of_it_nothing_is_doubled(tmp_path: Path, world: World, table: str) -> None:
    with serve(world, "2026-03") as server:
        killed = child.run(tmp_path, server, "run", first=DIES_WITH.format(table=table))
        assert killed.code == -9, killed.err
        done = child.run(tmp_path, server, "run")
        assert done.code == 0, done.err
        checked = child.run(tmp_path, server, "check", "--data")
    assert checked.code == 0, checked.out


def test_a_first_sync_goes_straight_and_later_changes_arrive(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    world = one_of_every_kind()
    monkeypatch.setattr(piece_loader, "DIRECT_ROWS", 1)
    with serve(world, "2026-03") as server:
        app.account(server)
        assert app("run", "--details", "none", "--snapshots", "none").code == 0
        assert straight(app) == set(FAMILIES)
        for run in list(world.open_runs(WORKSPACE)):  # before their details are read, which would tell of the pause
            world.end_run(run.id)
        assert (again := app("run")).code == 0, again.err
        new = finished_run(world, "wf-triage", plans.agent_plan(), started_ms=world.now_ms - 1000)
        assert (last := app("run")).code == 0, last.err
        assert_as_if_all_were_merged(app, server, monkeypatch)
    assert app.rows(f"SELECT count(*) FROM sim.logs WHERE id = '{new.id}'") == [(1,)]


def straight(app: App) -> set[str]:
    """Of the four tables that lists fill, those that have never been staged."""
    staged = app.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'sim_staging'")
    return set(FAMILIES) - {name for (name,) in staged}


def assert_as_if_all_were_merged(app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is filled by merging alone holds the same."""
    monkeypatch.setattr(piece_loader, "DIRECT_ROWS", 10**9)
    assert app("run", "--database", "merged.duckdb").code == 0
    files = ("sim_sync.duckdb", "merged.duckdb")
    for name in FAMILIES:
        tables = [app.rows(f"SELECT * FROM sim.{name} ORDER BY ALL", file) for file in files]
        assert tables[0] == tables[1], name
