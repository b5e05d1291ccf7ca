"""State belongs to the dataset: a database that is moved, copied or reached another way goes on where it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import dlt
import duckdb
import pytest

from pipelines.destination import pipeline, working_dirs
from pipelines.sim_api import WORKSPACE, SimServer, World, finished_run
from pipelines.sim_api.world import plans
from sim_source import SyncLog
from tests.helpers import child
from tests.helpers.app import App
from tests.helpers.warehouse import Warehouse, iso, source_of

POORER = ("logs", "log_details", "cost_items", "trace_spans", "execution_snapshots", "audit_logs")
"""Tables of which a poorer API could take something away."""


def contents(app: App, database: str) -> dict[str, list[tuple[object, ...]]]:
    """What runs tell, by table."""
    return {name: app.rows(f"SELECT * FROM sim.{name} ORDER BY ALL", database) for name in POORER}


def becomes_poor(world: World) -> None:
    """Every trace expires: the API now tells of a run little more than its total."""
    for run in world.runs_of(WORKSPACE):
        if run.is_final:
            world.expire_trace(run.id)


def moved(folder: Path) -> str:
    (folder / "sim_sync.duckdb").rename(folder / "moved.duckdb")
    return "moved.duckdb"


def copied(folder: Path) -> str:
    """To another machine: nothing else comes along."""
    (folder / "there").mkdir()
    shutil.copy(folder / "sim_sync.duckdb", folder / "there" / "copy.duckdb")
    shutil.rmtree(folder / "dlt")
    return "there/copy.duckdb"


def linked(folder: Path) -> str:
    (folder / "link.duckdb").symlink_to("sim_sync.duckdb")
    return "link.duckdb"


def roundabout(folder: Path) -> str:
    (folder / "work").mkdir()
    return os.path.join("work", "..", "sim_sync.duckdb")


@pytest.mark.parametrize("elsewhere", [moved, copied, linked, roundabout])
def test_a_database_that_lies_elsewhere_goes_on_where_it_was_and_gets_no_poorer(
    app: App, server: SimServer, world: World, elsewhere: Callable[[Path], str]
) -> None:
    app.account(server)
    assert app("run").code == 0
    ordinary = app("run", "--json").json["requests"]
    told = contents(app, "sim_sync.duckdb")
    assert any(row[1] == "model" for row in told["cost_items"])
    becomes_poor(world)
    database = elsewhere(app.folder)
    again = app("run", "--database", database, "--json")
    assert (again.code, again.json["status"]) == (0, "ok")
    assert again.json["requests"] <= ordinary
    assert contents(app, database) == told


def test_a_moved_database_takes_what_is_new(app: App, server: SimServer, world: World) -> None:
    app.account(server)
    assert app("run").code == 0
    database = moved(app.folder)
    run = finished_run(world, "wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 1000)
    assert app("run", "--database", database).code == 0
    assert app.rows(f"SELECT count(*) FROM sim.logs WHERE id = '{run.id}'", database) == [(1,)]
    assert app.rows("SELECT count(*) FROM sim.runs", database) == [(len(world.runs_of(WORKSPACE)),)]


def test_a_database_of_an_earlier_version_goes_on_under_its_own_name(
    app: App, server: SimServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier versions named the pipeline by a hash of the place."""
    app.account(server)
    with monkeypatch.context() as earlier:
        earlier.setattr(
            pipeline,
            "pipeline_for",
            lambda target, _=0, held=None: pipeline._pipeline(
                target, "sim_sync_0123456789", working_dirs.folder_of(target), held
            ),
        )
        assert app("run").code == 0
        ordinary = app("run", "--json").json["requests"]
    told = contents(app, "sim_sync.duckdb")
    becomes_poor(world)
    database = copied(app.folder)
    again = app("run", "--database", database, "--json")
    assert (again.code, again.json["requests"] <= ordinary) == (0, True)
    assert contents(app, database) == told
    names = app.rows("SELECT DISTINCT pipeline_name FROM sim._dlt_pipeline_state", database)
    assert names == [("sim_sync_0123456789",)]


def test_what_another_machine_loaded_meanwhile_is_not_overwritten_by_what_waits_here(
    app: App, server: SimServer, world: World
) -> None:
    """Killed before it loaded; the database was then synced elsewhere, and came back."""
    app.account(server)
    assert app("run").code == 0
    running = world.start_run("wf-triage", plans.agent_plan(), started_ms=world.now_ms - 2000)
    killed = child.run(app.folder, server, "run", first=child.DIES.format(step="load"))
    assert killed.code == -9
    world.end_run(running.id)
    shutil.move(app.folder / "dlt", app.folder / "aside")
    assert app("run").code == 0
    told = contents(app, "sim_sync.duckdb")
    shutil.rmtree(app.folder / "dlt")
    shutil.move(app.folder / "aside", app.folder / "dlt")
    becomes_poor(world)
    again = app("run")
    assert (again.code, "finishing" in again.err) == (0, False)
    assert contents(app, "sim_sync.duckdb") == told


@pytest.mark.parametrize("replaced_by", ["nothing", "an old copy"])
def test_what_waits_for_a_database_that_was_replaced_leaves_no_hole(
    app: App, server: SimServer, world: World, replaced_by: str
) -> None:
    file = app.folder / "sim_sync.duckdb"
    app.account(server)
    assert app("run", "--until", "2d").code == 0
    shutil.copy(file, app.folder / "old.duckdb")
    assert app("run").code == 0
    world.now_ms += 1000
    finished_run(world, "wf-triage", plans.agent_plan(), started_ms=world.now_ms)
    killed = child.run(app.folder, server, "run", first=child.DIES.format(step="load"))
    assert killed.code == -9
    file.unlink()
    if replaced_by == "an old copy":
        shutil.copy(app.folder / "old.duckdb", file)
    assert app("run").code == 0
    assert app.rows("SELECT count(*) FROM sim.logs") == [(len(world.runs_of(WORKSPACE)),)]


def test_another_pipeline_that_knows_nothing_makes_nothing_poorer(
    warehouse: Warehouse, server: SimServer, world: World
) -> None:
    """The library, under a name that the dataset holds no state of."""
    warehouse.load(server)
    told = warehouse.contents(*POORER)
    becomes_poor(world)
    other = dlt.pipeline(
        "another",
        pipelines_dir=str(warehouse.folder / "other"),
        destination=dlt.destinations.duckdb(str(warehouse.file)),
        dataset_name="sim",
    )
    other.run(source_of(server))
    assert warehouse.contents(*POORER) == told


def test_an_old_copy_under_the_library_is_read_again_from_where_it_ends(
    warehouse: Warehouse, server: SimServer, world: World
) -> None:
    warehouse.load(server, until=iso(world.now_ms - 86_400_000))
    shutil.copy(warehouse.file, warehouse.folder / "old.duckdb")
    warehouse.load(server)
    shutil.copy(warehouse.folder / "old.duckdb", warehouse.file)
    log = SyncLog()
    warehouse.load(server, log=log)
    assert len(warehouse.table("logs")) == len(world.runs_of(WORKSPACE))
    assert any("does not hold" in text for text in log.warnings)


def test_status_looks_at_a_database_that_others_read_and_leaves_no_trace(app: App, server: SimServer) -> None:
    app.account(server)
    assert app("run").code == 0
    shutil.rmtree(app.folder / "dlt")
    with duckdb.connect(str(app.folder / "sim_sync.duckdb"), read_only=True):
        told = app("status", "--json")
    assert (told.code, [each["resource"] for each in told.json["resources"]]) == (0, ["audit_logs", "logs"])
    assert not list(app.folder.glob("dlt/pipelines/sim_sync*"))


def test_a_postgres_dataset_reached_under_another_host_name_goes_on_where_it_was(
    app: App, server: SimServer, world: World, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("run", "--destination", "postgres", "--dataset", "moved", "--json")
    asked = ("sql", "--destination", "postgres", "--csv")
    tables = [f"SELECT * FROM moved.{name} ORDER BY 1, 2, 3" for name in POORER]
    app.account(server)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    assert app(*run).code == 0
    ordinary = app(*run).json["requests"]
    told = [app(*asked, sql).out for sql in tables]
    becomes_poor(world)
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("DLT_DATA_DIR", str(app.folder / "another machine"))
    again = app(*run)
    assert (again.code, again.json["requests"] <= ordinary) == (0, True)
    assert [app(*asked, sql).out for sql in tables] == told
