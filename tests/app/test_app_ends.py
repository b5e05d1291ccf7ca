"""How runs end: ``sim-sync run`` against servers whose runs are cancelled, swept, resumed then swept, and expired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from pipelines.sim_api import SimServer, World, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from tests.helpers.app import App

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
AGENT = plans.agent_plan()
TWO_MODELS = plans.two_model_plan()
PLAIN = plans.plain_plan()
WITHOUT_MODEL = plans.Plan((plans.start_block(), *PLAIN.blocks[1:], *PLAIN.blocks[1:]))


def swept_after_a_pause(world: World, run_id: str) -> None:
    world.pause_run(run_id, blocks=2)
    world.resume_run(run_id)
    world.sweep_run(run_id)


ENDS: dict[str, tuple[Any, Callable[[World, str], Any], str]] = {
    "completed": (TWO_MODELS, World.end_run, "completed"),
    "failed": (plans.failing_plan(), World.end_run, "failed"),
    "force-failed": (AGENT, World.force_fail_run, "failed"),
    "cancelled": (TWO_MODELS, lambda world, run_id: world.cancel_run(run_id, blocks=2), "cancelled"),
    "cancelled-without-model": (TWO_MODELS, lambda world, run_id: world.cancel_run(run_id, blocks=1), "cancelled"),
    "cancelled-in-first-block": (TWO_MODELS, lambda world, run_id: world.cancel_run(run_id, blocks=0), "cancelled"),
    "cancelled-directly": (AGENT, World.cancel_run_directly, "failed"),
    "swept": (AGENT, World.sweep_run, "failed"),
    "resumed-then-swept": (TWO_MODELS, swept_after_a_pause, "failed"),
    "resumed-then-swept-without-model": (WITHOUT_MODEL, swept_after_a_pause, "failed"),
}
RIGHT = {name: status for name, (_, _, status) in ENDS.items()}
UNTOLD = {"2026-03": {"cancelled", "cancelled-without-model", "cancelled-in-first-block"}, "2026-08": set[str]()}
"""Ends that no answer of a generation tells: before 2026-08 nothing says that a run was cancelled."""


def ended(world: World, age_ms: int) -> None:
    """A run of each end, all of one age."""
    for name, (plan, end, _) in ENDS.items():
        run = world.start_run("wf-triage", plan, started_ms=world.now_ms - age_ms, run_id=name)
        end(world, run.id)


@pytest.fixture
def world() -> World:
    return small_world(now=datetime.now(UTC))


@pytest.fixture
def server(app: App, world: World) -> Iterator[SimServer]:
    with serve(world, "2026-08") as running:
        app.account(running)
        yield running


def statuses(app: App) -> dict[str, str]:
    return dict(app.rows("SELECT id, status FROM sim.logs"))


def items(app: App, run_id: str) -> dict[str, Decimal]:
    return dict(app.rows(f"SELECT kind, total_cost FROM sim.cost_items WHERE log_id = '{run_id}'"))


def asked(server: SimServer) -> tuple[list[str], int]:
    """Requests since the last look: runs asked for by id, and pages of the list."""
    paths = [request.path for request in server.requests]
    server.app.requests.clear()
    by_id = [path.rpartition("/")[2] for path in paths if path.startswith("/api/v1/logs/") and "executions" not in path]
    return by_id, paths.count("/api/v1/logs")


@pytest.mark.parametrize("details", ["costly", "all"])
def test_every_end_is_told_and_nothing_that_ended_is_asked_for_again(
    app: App, world: World, server: SimServer, details: str
) -> None:
    ended(world, 3 * DAY_MS)
    for _ in range(2):
        told = app("run", "--details", details, "--json").json
    assert statuses(app) == RIGHT
    assert (told["status"], told["open_runs"], told["detail_backlog"]) == ("ok", 0, 0)
    asked(server)
    assert app("run", "--details", details, "--json").json["rows"] == {"usage": 1}
    assert asked(server) == ([], 1)  # what is new


@pytest.mark.parametrize("details", ["costly", "none"])
def test_what_ends_after_it_was_seen_running_is_told(app: App, world: World, server: SimServer, details: str) -> None:
    for name, (plan, _, _) in ENDS.items():
        world.start_run("wf-triage", plan, started_ms=world.now_ms - 3 * DAY_MS, run_id=name)
    assert app("run", "--json").json["open_runs"] == len(ENDS)
    for name, (_, end, _) in ENDS.items():
        end(world, name)
    app("run", "--details", details)
    looks_paused = {name: "paused" for name in ENDS if "resumed" in name and details == "none"}
    assert statuses(app) == RIGHT | looks_paused
    app("run")
    assert statuses(app) == RIGHT
    asked(server)
    assert app("run", "--json").json["open_runs"] == 0
    assert asked(server)[0] == []


def test_paused_runs_that_are_swept_one_day_are_no_longer_followed(app: App, world: World, server: SimServer) -> None:
    """Their list rows, which one page shows, tell nothing but another end."""
    waiting = ["a", "b", "c"]
    for name in waiting:
        world.start_run("wf-triage", WITHOUT_MODEL, started_ms=world.now_ms - 3 * DAY_MS, run_id=name)
        world.pause_run(name, blocks=2)
    assert app("run", "--json").json["open_runs"] == 3
    asked(server)
    app("run")
    assert asked(server) == ([], 2)  # what is new, and the page that shows all three
    for name in waiting:
        world.resume_run(name)
        world.sweep_run(name)
    told = app("run", "--json").json
    assert statuses(app) == dict.fromkeys(waiting, "failed")
    assert (told["open_runs"], told["detail_backlog"]) == (0, 0)
    asked(server)
    app("run")
    assert asked(server) == ([], 1)


def test_older_servers_say_why_a_run_was_swept(app: App, world: World) -> None:
    ended(world, 3 * DAY_MS)
    with serve(world, "2026-03") as server:
        app.account(server)
        app("run")
        app("run")
        assert statuses(app) == RIGHT | dict.fromkeys(UNTOLD["2026-03"], "completed")
        asked(server)
        app("run")
        assert asked(server) == ([], 1)


@pytest.mark.parametrize("details", ["costly", "none"])
def test_what_an_earlier_version_stored_is_corrected_when_it_is_read_again(
    app: App, world: World, server: SimServer, details: str
) -> None:
    ended(world, 30 * MINUTE_MS)  # so that each sync reads them again
    app("run")
    with duckdb.connect(str(app.folder / "sim_sync.duckdb")) as connection:
        connection.execute("UPDATE sim.logs SET status = 'paused' WHERE id LIKE 'resumed%'")
        seen = "('swept', 'cancelled-directly', 'cancelled-without-model')"
        connection.execute(f"UPDATE sim.logs SET status = 'completed' WHERE id IN {seen}")
    app("run", "--details", details)
    assert statuses(app) == RIGHT
    assert app("run", "--details", details, "--json").json["rows"] == {"usage": 1}


# plain lists


@pytest.mark.parametrize("unbilled", [1, 30], ids=["few without a cost", "a page without a cost"])
@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_logs_alone_tell_a_run_that_was_swept_from_one_that_cost_nothing(
    app: App, world: World, dialect: str, unbilled: int
) -> None:
    ended(world, 30 * MINUTE_MS)
    for place in range(unbilled):
        run = finished_run(world, "wf-triage", PLAIN, started_ms=world.now_ms - (40 + place) * MINUTE_MS)
        world.change_run(run.id, has_cost_row=False)
    with serve(world, dialect) as server:
        app.account(server)
        app("run", "--resources", "logs")
        found = statuses(app)
        assert {found["swept"], found["cancelled-directly"]} == {"failed"}
        assert [status for id_, status in found.items() if id_ not in ENDS] == ["completed"] * unbilled
        asked(server)
        assert app("run", "--resources", "logs", "--json").json["rows"] == {}
        assert asked(server) == ([], 1)  # they are stored with the same end
        app("run")  # what plain rows cannot tell is told now
        assert {id_ for id_, status in RIGHT.items() if statuses(app)[id_] != status} <= UNTOLD[dialect]
        right = statuses(app)
        app("run", "--resources", "logs")
        assert statuses(app) == right


# a cost whose split was never told


@pytest.mark.parametrize("plan", [TWO_MODELS, PLAIN], ids=["models", "base charge"])
def test_the_cost_of_a_run_first_seen_after_its_trace_expired_is_unknown(
    app: App, world: World, server: SimServer, plan: Any
) -> None:
    run = finished_run(world, "wf-triage", plan, started_ms=world.now_ms - 3 * DAY_MS)
    world.expire_trace(run.id)
    told = app("run", "--json").json
    total = app.rows("SELECT cost_total FROM sim.logs")[0][0]
    assert (items(app, run.id), told["detail_backlog"]) == ({"unknown": total}, 0)
    assert statuses(app) == {run.id: "completed"}
    app("run")
    asked(server)
    app("run")
    assert asked(server) == ([], 1)
    assert app("check", "--data").code == 0


def test_a_run_that_is_purged_before_its_detail_was_read_costs_what_nobody_told(
    app: App, world: World, server: SimServer
) -> None:
    run = finished_run(world, "wf-triage", TWO_MODELS, started_ms=world.now_ms - 3 * DAY_MS)
    app("run", "--details", "none")
    finished_run(world, "wf-triage", PLAIN, started_ms=world.now_ms - DAY_MS)
    world.purge_run(run.id)
    app("run")
    total = app.rows(f"SELECT cost_total FROM sim.logs WHERE id = '{run.id}'")[0][0]
    assert items(app, run.id) == {"unknown": total}
    asked(server)
    told = app("run", "--json").json
    assert (told["detail_backlog"], asked(server)[0]) == (0, [])


def test_a_stored_split_outlives_its_trace(app: App, world: World, server: SimServer) -> None:
    runs = [finished_run(world, "wf-triage", plan, started_ms=world.now_ms - 30 * MINUTE_MS) for plan in (AGENT, PLAIN)]
    app("run")
    before = app.rows("SELECT * FROM sim.cost_items ORDER BY ALL")
    assert [kind for run in runs for kind in items(app, run.id)].count("other") == 2
    for run in runs:
        world.expire_trace(run.id)
    app("run", "--details", "all")
    app("run")
    assert app.rows("SELECT * FROM sim.cost_items ORDER BY ALL") == before
