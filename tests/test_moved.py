"""State belongs to the dataset: a database that is moved, copied or reached another way goes on where it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.sim_api import WORKSPACE, SimServer, World, finished_run, plans, serve
from tests.app import App, one_of_every_kind

ORDINARY = 12
"""Requests of a sync with nothing new in a workspace of this size, at most (see `ordinary`)."""


@pytest.fixture
def world() -> World:
    return one_of_every_kind()


@pytest.fixture
def server(world: World) -> Iterator[SimServer]:
    with serve(world, "2026-08") as running:
        yield running


def contents(app: App, database: str) -> dict[str, list[tuple[object, ...]]]:
    """What runs tell, by table."""
    return {
        name: app.rows(f"SELECT * FROM sim.{name} ORDER BY ALL", database)
        for name in ("logs", "log_details", "cost_items", "trace_spans", "execution_snapshots", "audit_logs")
    }


def becomes_poor(world: World) -> None:
    """Every trace expires: the API now tells of a run little more than its total."""
    for run in world.runs_of(WORKSPACE):
        if run.is_final:
            world.change_run(run.id, trace_expired=True)


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
