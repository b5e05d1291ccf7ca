"""Stretches that may lack rows: remembered with the data, bounded, tried again once a sync, left once proved."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.sim_api import serve, small_world
from pipelines.sim_api.world import plans
from sim_source import SimClient, SyncLog, SyncSession
from sim_source.paging.chunks import Gap
from sim_source.paging.state import ResourceState
from sim_source.paging.stretches import MOST_STRETCHES
from sim_source.reading.gaps import Gaps
from sim_source.timestamps import MILLISECOND
from tests.helpers.warehouse import Warehouse

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def ms(number: int) -> datetime:
    return NOON + number * MILLISECOND


def told(state: ResourceState) -> list[tuple[int, int]]:
    return [((first - NOON) // MILLISECOND, (last - NOON) // MILLISECOND) for first, last in state.missing]


def session() -> SyncSession:
    """One that asks nobody."""
    return SyncSession(SimClient("key", "http://localhost:1"))


def gap(first: int, last: int) -> Gap:
    return Gap(ms(first), ms(last), 100, "too many")


steps = st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 8)), max_size=20)


@given(steps=steps)
def test_what_is_remembered_is_what_was_missed_and_not_proved_since(steps: list[tuple[bool, int, int]]) -> None:
    state: ResourceState = ResourceState({})
    missing: set[int] = set()
    for missed, first, length in steps:
        moments = set(range(first, first + length + 1))
        if missed:
            state.missed(ms(first), ms(first + length))
            missing |= moments
        else:
            state.proved(ms(first), ms(first + length))
            missing -= moments
        state = ResourceState(json.loads(json.dumps(state.kept)))  # as dlt keeps it
        assert {moment for first, last in told(state) for moment in range(first, last + 1)} == missing
        assert all(one[1] + 1 < other[0] for one, other in zip(told(state), told(state)[1:], strict=False))
    state.proved(NOON - timedelta(days=1), NOON + timedelta(days=1))
    assert "missing" not in state.kept


@given(starts=st.lists(st.integers(0, 100_000), max_size=200))
def test_however_many_are_missed_few_are_remembered_and_none_is_left_out(starts: list[int]) -> None:
    state: ResourceState = ResourceState({})
    for start in starts:
        state.missed(ms(start), ms(start))
    assert len(told(state)) <= MOST_STRETCHES
    assert all(any(first <= start <= last for first, last in told(state)) for start in starts)


def test_a_stretch_is_tried_again_once_a_sync_and_not_where_it_was_just_walked() -> None:
    state: ResourceState = ResourceState({})
    state.missed(ms(10), ms(10))
    state.missed(ms(20), ms(20))
    sync = session()
    Gaps(state, sync, "logs", "w").note(gap(20, 20))  # in its own place in the walk
    assert list(Gaps(state, sync, "logs", "w").again()) == [(ms(10), ms(10))]
    assert list(Gaps(state, sync, "logs", "w").again()) == []  # another piece of the same sync
    assert list(Gaps(state, session(), "logs", "w").again()) == [(ms(10), ms(10)), (ms(20), ms(20))]
    assert [failure.workspace_id for failure in sync.log.failures] == ["w"]


def test_a_walk_proves_all_but_what_it_missed_though_a_piece_ends_in_between() -> None:
    state: ResourceState = ResourceState({})
    state.missed(ms(5), ms(9))
    state.missed(ms(100), ms(100))
    sync = session()
    gaps = Gaps(state, sync, "logs", "w")
    gaps.note(gap(30, 30))
    gaps.walked(ms(0), ms(29))  # a piece that ends at the instant it could not read in full
    Gaps(state, sync, "logs", "w").walked(ms(30), ms(60))  # the next one goes on behind it
    assert told(state) == [(30, 30), (100, 100)]
    Gaps(state, session(), "logs", "w").walked(ms(0), ms(60))
    assert told(state) == [(100, 100)]


def test_runs_that_were_not_shown_for_want_of_an_order_are_not_taken_for_gone(warehouse: Warehouse) -> None:
    """Three hundred runs of one instant go on and on; no page shows all of them."""
    world = small_world()
    moment = world.now_ms - 7_200_000
    for _ in range(300):
        world.start_run("wf-triage", plans.agent_plan(), started_ms=moment)
    options: dict[str, Any] = {"log": SyncLog(), "details": "none", "snapshots": "none"}
    with serve(world, "documents", ties="unordered", max_limit=10) as server:
        warehouse.load(server, "logs", "log_details", **options)
        for _ in range(2):
            world.now_ms += 3_600_000
            warehouse.load(server, "logs", "log_details", **options | {"log": SyncLog()})
    assert len(warehouse.table("logs", "status = 'running'")) > 50
    (workspace,) = warehouse.remembered().workspaces()
    assert not workspace.logs.closed
