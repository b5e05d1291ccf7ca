"""A clock that is wrong or jumps, here or at the server: nothing is lost, nothing doubled, nothing waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

import pipelines.commands.sync
from pipelines.sim_api import (
    WORKSPACE,
    Faults,
    RateLimit,
    SimRun,
    SimServer,
    World,
    audit_burst,
    finished_run,
    one_of_each,
    serve,
    small_world,
)
from pipelines.sim_api.http import faults
from pipelines.sim_api.world import plans
from sim_source import SyncLog
from tests.helpers.clock import NO_TIME, LocalClock
from tests.helpers.warehouse import Warehouse

DAY = timedelta(days=1)
MINUTE_MS = 60_000
TABLES = ("logs", "audit_logs", "usage")
assert pipelines.commands.sync  # loaded, so that its clock is wrong as well


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> LocalClock:
    return LocalClock(monkeypatch)


@pytest.fixture
def world() -> World:
    """Runs and audit rows of the last half hour, by the server's clock."""
    world = small_world(now=datetime.now(UTC) - timedelta(minutes=10))
    one_of_each(world)
    audit_burst(world, 5, world.now_ms - MINUTE_MS)
    return world


def something_happens(world: World) -> SimRun:
    """A minute passes, a run starts and ends in it, and somebody does something."""
    world.now_ms += MINUTE_MS
    audit_burst(world, 3, world.now_ms - 2000)
    return finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 1000)


def sync(warehouse: Warehouse, server: SimServer, log: SyncLog | None = None) -> None:
    """A sync up to now, whatever this machine takes for now."""
    warehouse.load(server, *TABLES, until=None, log=log)


def assert_complete(warehouse: Warehouse, world: World) -> None:
    """Every run and audited action once."""
    assert warehouse.ask("SELECT id FROM logs ORDER BY 1") == sorted((run.id,) for run in world.runs_of(WORKSPACE))
    assert warehouse.ask("SELECT id FROM audit_logs ORDER BY 1") == sorted((row.id,) for row in world.audit)


@pytest.mark.parametrize(
    "jumps",
    [
        pytest.param([-DAY, NO_TIME], id="a day behind, then right"),
        pytest.param([NO_TIME, -DAY, NO_TIME], id="right, behind, right"),
        pytest.param([NO_TIME, timedelta(minutes=-3), NO_TIME], id="right, a little behind, right"),
        pytest.param([DAY, NO_TIME], id="a day ahead, then right"),
        pytest.param([NO_TIME, DAY, NO_TIME], id="right, ahead, right"),
        pytest.param([DAY, -DAY, NO_TIME], id="ahead, behind, right"),
        pytest.param([timedelta(days=400), NO_TIME], id="a year ahead, then right"),
    ],
)
def test_nothing_is_lost_once_the_clock_is_right(
    warehouse: Warehouse, world: World, clock: LocalClock, jumps: list[timedelta]
) -> None:
    with serve(world) as server:
        for off in jumps:
            clock.off = off
            something_happens(world)
            sync(warehouse, server)
        something_happens(world)
        sync(warehouse, server)
    assert_complete(warehouse, world)
    assert warehouse.ask("SELECT count(*) FROM usage") == [(len(jumps) + 1,)]


def test_a_run_of_the_time_the_clock_was_ahead_is_found_when_that_time_has_come(
    warehouse: Warehouse, world: World, clock: LocalClock
) -> None:
    """The clock is right again, two days pass: the runs of the first are not skipped."""
    passed = NO_TIME
    with serve(world, clock=lambda: time.time() + passed.total_seconds()) as server:
        clock.off = DAY
        sync(warehouse, server)
        something_happens(world)
        world.now_ms += 2 * 24 * 60 * MINUTE_MS
        clock.off = passed = 2 * DAY
        sync(warehouse, server)
    assert_complete(warehouse, world)


@pytest.mark.parametrize(
    "off",
    [
        timedelta(minutes=10),
        DAY,
        pytest.param(-timedelta(hours=2)),
        pytest.param(-DAY),
    ],
    ids=["10 min ahead", "a day ahead", "2 h behind", "a day behind"],
)
def test_a_server_whose_clock_is_off_loses_no_run(warehouse: Warehouse, clock: LocalClock, off: timedelta) -> None:
    """Its runs start by its own clock, which stays as it is."""
    world = small_world(now=datetime.now(UTC) + off - timedelta(minutes=10))
    one_of_each(world)
    with serve(world, clock=lambda: time.time() + (off + clock.off).total_seconds()) as server:
        sync(warehouse, server)
        something_happens(world)
        sync(warehouse, server)
        something_happens(world)
        clock.off += 2 * DAY  # time passes, there and here
        sync(warehouse, server)
    assert_complete(warehouse, world)


def test_a_server_whose_clock_is_ahead_is_read_up_to_its_own_now(warehouse: Warehouse) -> None:
    world = small_world(now=datetime.now(UTC) + DAY)
    one_of_each(world)
    with serve(world, clock=lambda: time.time() + DAY.total_seconds()) as server:
        sync(warehouse, server)
    assert_complete(warehouse, world)


@pytest.mark.parametrize("off", [-DAY, DAY], ids=["back", "ahead"])
@pytest.mark.parametrize("nth", [2, 5])
def test_a_clock_that_jumps_in_the_middle_of_a_sync_loses_nothing(
    warehouse: Warehouse, world: World, clock: LocalClock, off: timedelta, nth: int
) -> None:
    def jump(number: int, _: str) -> None:
        if number == nth:
            clock.off = off

    with serve(world, max_limit=3) as server:
        server.app.before_request = jump
        sync(warehouse, server)
        server.app.before_request = None
        clock.off = NO_TIME
        something_happens(world)
        sync(warehouse, server)
    assert_complete(warehouse, world)


@pytest.mark.parametrize(
    "off",
    [
        pytest.param(-DAY),
        DAY,
    ],
    ids=["back", "ahead"],
)
def test_a_clock_that_jumps_while_a_refusal_is_waited_out_makes_no_long_wait(
    warehouse: Warehouse, world: World, clock: LocalClock, off: timedelta
) -> None:
    with serve(world, limit=RateLimit(100, 100, 0.5), faults=_refused_once()) as server:
        sync(warehouse, server, SyncLog(on_wait=_jumping(clock, off)))
    assert_complete(warehouse, world)


def _refused_once() -> Faults:
    return Faults().at(2, faults.rate_limited(1, seconds=1.0), path="/api/v1/")


def _jumping(clock: LocalClock, off: timedelta) -> Callable[[float, str], None]:
    """Lets the clock jump with the first wait, and ends a sync that means to wait for hours."""

    def waits(seconds: float, why: str) -> None:
        clock.off = off
        if seconds > 60:
            raise AssertionError(f"would wait {seconds:.0f} s: {why}")

    return waits


def test_a_bucket_is_kept_to_though_this_clock_is_a_day_off(
    warehouse: Warehouse, world: World, clock: LocalClock
) -> None:
    """Its refill is told by the server's clock."""
    waits: list[float] = []
    clock.off = -DAY
    with serve(world, limit=RateLimit(4, 4, 0.5), max_limit=3) as server:
        warehouse.load(server, *TABLES, log=SyncLog(on_wait=lambda seconds, _: waits.append(seconds)))
        refused = [request for request in server.requests if request.status == 429]
    assert_complete(warehouse, world)
    assert refused == []
    assert waits
    assert max(waits) < 60
