"""A stretch read again on purpose: all that it tells is taken, nothing gets poorer, and a stopped one goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from pipelines import cli
from pipelines.sim_api import WORKSPACE, SimServer, World, audit_burst, finished_run, serve, small_world
from pipelines.sim_api.world import plans
from sim_source.paging import resync, windows
from sim_source.paging.resync import Resync
from sim_source.paging.state import ResourceState, as_text
from tests.helpers import child
from tests.helpers.app import App
from tests.helpers.tables import at

NOON = at("2026-11-20 12:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    world = small_world(now=datetime.now(UTC))
    for number in range(30):
        plan = plans.agent_plan() if number % 3 else plans.two_model_plan()
        finished_run(world, "wf-triage", plan, started_ms=world.now_ms - (number + 1) * 86_400_000)
    audit_burst(world, 5, world.now_ms - 86_400_000)
    return world


@pytest.fixture
def server(world: World) -> Iterator[SimServer]:
    with serve(world, "2026-08") as running:
        yield running


def stored(app: App) -> dict[str, list[tuple[object, ...]]]:
    names = ("logs", "log_details", "cost_items", "trace_spans", "execution_snapshots", "audit_logs")
    return {name: app.rows(f"SELECT * FROM sim.{name} ORDER BY ALL") for name in names}


def test_payloads_that_were_switched_on_later_are_there_for_the_stretch_alone(app: App, server: SimServer) -> None:
    app.account(server)
    assert app("run").code == 0
    assert app.rows("SELECT count(*) FROM sim.trace_spans WHERE input IS NOT NULL") == [(0,)]
    told = app("resync", "--since", "10d", "--payloads", "full", "--json")
    assert (told.code, told.json["status"]) == (0, "ok"), told.err
    found = dict(
        app.rows(
            "SELECT l.started_at > now() - INTERVAL 10 DAY, count(*) FROM sim.trace_spans t "
            "JOIN sim.logs l ON l.id = t.log_id WHERE t.input IS NOT NULL GROUP BY 1"
        )
    )
    assert found[True] > 20
    assert False not in found
    outputs = app.rows("SELECT count(*) FROM sim.log_details WHERE final_output IS NOT NULL")
    assert outputs == [(9,)]


def test_what_is_stored_gets_no_poorer(app: App, server: SimServer, world: World) -> None:
    app.account(server)
    assert app("run", "--payloads", "full").code == 0
    before = stored(app)
    for number, run in enumerate(world.runs_of(WORKSPACE)):
        if number % 2:
            world.expire_trace(run.id)
    told = app("resync", "--since", "60d", "--json")
    assert told.code == 0, told.err
    after = stored(app)
    for table, rows in before.items():
        for old, new in zip(rows, after[table], strict=True):
            assert new == old, table


def test_a_stored_split_that_was_wrong_is_mended(app: App, server: SimServer, world: World) -> None:
    app.account(server)
    assert app("run").code == 0
    right = stored(app)
    import duckdb

    with duckdb.connect(str(app.folder / "sim_sync.duckdb")) as connection:
        connection.execute("UPDATE sim.trace_spans SET model = NULL, name = 'wrong'")
        connection.execute("UPDATE sim.cost_items SET prompt_tokens = 1")
        connection.execute("UPDATE sim.log_details SET error = NULL, execution_data = NULL")
    assert app("run").code == 0
    assert stored(app) != right
    assert app("resync", "--since", "60d").code == 0
    assert stored(app) == right


def test_a_dry_run_says_what_it_takes_and_loads_nothing(app: App, server: SimServer) -> None:
    app.account(server)
    assert app("run").code == 0
    before = stored(app)
    told = app("resync", "--since", "10d", "--dry-run", "--json")
    assert told.code == 0
    assert "requests" in told.err
    foretold = told.json["first_sync"]["requests"]
    assert stored(app) == before
    asked = server.count()
    done = app("resync", "--since", "10d", "--json")
    assert done.code == 0
    looked = server.count() - asked - done.json["requests"]
    assert looked > 0
    assert abs(done.json["requests"] - foretold) <= 6


def test_the_ordinary_watermark_stays_where_it_was(app: App, server: SimServer) -> None:
    app.account(server)
    assert app("run").code == 0
    before = app("status", "--json").json["resources"]
    assert app("resync", "--since", "20d", "--until", "10d", "--resources", "logs").code == 0
    after = app("status", "--json").json["resources"]
    assert [each["synced_to"] for each in before] == [each["synced_to"] for each in after]
    again = app("run", "--json").json
    assert again["runs"]["new"] == again["runs"]["changed"] == 0


def test_one_that_was_killed_goes_on_and_ends_as_if_undisturbed(app: App, server: SimServer) -> None:
    app.account(server)
    assert app("run").code == 0
    small = "from pipelines.commands import sync; sync.PIECE_RUNS = sync.PIECE_ROWS = 4"
    died = small + "; import os, signal, dlt; load = dlt.Pipeline.load; count = []\n" + (
        "dlt.Pipeline.load = lambda self, *a, **k: (count.append(1), os.kill(os.getpid(), signal.SIGKILL) "
        "if len(count) == 3 else None, load(self, *a, **k))[2]"
    )  # fmt: skip
    wanted = ("resync", "--since", "40d", "--payloads", "full", "--json")
    with serve(server.world, "2026-08", max_limit=4) as slow:
        killed = child.run(app.folder, slow, *wanted, first=died)
        assert killed.code == -9
        done = child.run(app.folder, slow, *wanted, first=small)
    assert done.code == 0, done.err
    assert app.rows("SELECT count(*) FROM sim.log_details WHERE final_output IS NULL") == [(0,)]


@pytest.mark.parametrize("arguments", [[], ["--since", "1d", "--until", "2d"], ["--since", "never"]])
def test_a_stretch_that_is_none_is_refused(app: App, server: SimServer, arguments: list[str]) -> None:
    app.account(server)
    assert app("resync", *arguments).code == 2
    assert server.count() == 0


def test_a_stopped_one_is_taken_up_by_the_same_wish_and_by_no_other() -> None:
    state = ResourceState({"from": as_text(NOON - 90 * HOUR), "until": as_text(NOON)})
    before = dict(state.kept)
    only = windows.Extent(NOON, only=resync.KEY)
    resync.begin_resync(state, Resync(NOON - 9 * HOUR, NOON, "first", "full"))
    state.reached(NOON - 4 * HOUR, resync.KEY)
    resync.begin_resync(state, Resync(NOON - 9 * HOUR, NOON, "first", "full"))
    window = windows.next_window(state, only)
    assert window is not None
    assert (window.start, window.end, window.again) == (NOON - 4 * HOUR, NOON, True)
    resync.begin_resync(state, Resync(NOON - 8 * HOUR, NOON + HOUR, "later", "full"))
    window = windows.next_window(state, only)
    assert window is not None
    assert (window.start, window.end) == (NOON - 4 * HOUR, NOON + HOUR)
    resync.begin_resync(state, Resync(NOON - 8 * HOUR, NOON + HOUR, "others", "none"))
    window = windows.next_window(state, only)
    assert window is not None
    assert (window.start, window.end) == (NOON - 8 * HOUR, NOON + HOUR)
    state.finished(resync.KEY)
    resync.begin_resync(state, Resync(NOON - 8 * HOUR, NOON + HOUR, "others", "none"))
    assert windows.next_window(state, only) is None
    assert {name: state.kept[name] for name in before} == before


def test_what_a_run_can_be_told_a_resync_can_be_told_too() -> None:
    """Who redacts people by an option must not store them by reading a stretch again."""
    of_run, of_resync = ({option.name for option in cli.app.commands[name].params} for name in ("run", "resync"))
    assert of_resync == of_run | {"dry_run"}


def test_what_a_resync_has_stored_is_published(app: App, server: SimServer) -> None:
    app.account(server)
    assert app("run", "--publish", "copy.duckdb").code == 0
    told = app("resync", "--since", "10d", "--payloads", "full", "--publish", "copy.duckdb", "--json")
    assert told.code == 0, told.err
    assert "published" in told.err
    with duckdb.connect(str(app.folder / "copy.duckdb"), read_only=True) as copy:
        ((inputs,),) = copy.execute("SELECT count(input) FROM sim.trace_spans").fetchall()
    assert inputs > 20


def test_a_resync_without_a_key_says_so_as_json(app: App) -> None:
    done = app("resync", "--since", "1d", "--json")
    assert (done.code, done.json["status"]) == (2, "failed")
    assert "SIM_API_KEY" in done.json["errors"][0]["message"]
