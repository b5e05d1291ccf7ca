"""Which runs are read again, and with how few requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sim_source.paging.state import MOST_CLOSED, ResourceState
from sim_source.rows import life
from sim_source.rows.life import OpenRun

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def run(minutes: int, rank: int | None = None, name: str = "") -> OpenRun:
    return OpenRun(name or f"r{minutes:06d}", NOON + timedelta(minutes=minutes), rank)


def shown(readings: list[life.Reading]) -> list[list[str]]:
    return [[run.id for run in reading.runs] for reading in readings]


def test_one_run_is_read_by_its_id_and_neighbours_by_one_page() -> None:
    runs = [run(0, 10), run(5, 40), run(9000, 5000), run(9001, 5001), run(9002, 6100)]
    readings = life.readings(runs, page=1000)
    assert shown(readings) == [["r000000", "r000005"], ["r009000", "r009001"], ["r009002"]]
    assert [reading.by_list for reading in readings] == [True, True, False]


def test_runs_nobody_counted_are_read_by_id_unless_they_share_an_instant() -> None:
    assert shown(life.readings([run(0), run(1)], 1000)) == [["r000000"], ["r000001"]]
    assert shown(life.readings([run(0, name="a"), run(0, name="b")], 1000)) == [["a", "b"]]
    assert life.readings([], 1000) == []


@given(ranks=st.lists(st.integers(0, 300), max_size=40, unique=True), page=st.integers(1, 60))
def test_no_other_choice_of_pages_needs_fewer_requests(ranks: list[int], page: int) -> None:
    readings = life.readings([run(rank, rank) for rank in ranks], page)
    assert sorted(id_ for group in shown(readings) for id_ in group) == sorted(f"r{rank:06d}" for rank in ranks)
    best = {0: 0}  # requests for the first n runs, by dynamic programming
    ordered = sorted(ranks)
    for end in range(1, len(ordered) + 1):
        starts = [start for start in range(end) if start == end - 1 or ordered[end - 1] - ordered[start] < page]
        best[end] = min(best[start] + 1 for start in starts)
    assert len(readings) == best[len(ordered)]


def test_a_few_open_runs_are_all_read_every_time() -> None:
    runs = [run(minutes) for minutes in range(20)]
    assert life.in_turn(runs, None, 20) == (runs[::-1], None)


@given(count=st.integers(11, 60), syncs=st.integers(1, 5))
def test_of_many_the_newest_are_read_every_time_and_the_others_in_turn(count: int, syncs: int) -> None:
    state = ResourceState({})
    runs = [run(minutes) for minutes in range(count)]
    rounds = -(-(count - 8) // 2) + syncs
    taken: list[list[OpenRun]] = []
    for _ in range(rounds):
        chosen, state.next_turn = life.in_turn(runs, state.next_turn, 10)
        taken.append(chosen)
    assert all(len(chosen) == len(set(chosen)) <= 10 for chosen in taken)
    assert all(set(runs[-8:]) <= set(chosen) for chosen in taken)
    assert set().union(*taken) == set(runs)
    for one, other in pairwise(taken[: (count - 8) // 2]):  # nobody comes again before all had their turn
        assert not set(one[8:]) & set(other[8:])


def test_a_turn_goes_on_where_the_run_whose_turn_it_was_has_ended() -> None:
    assert len(life.in_turn([run(minutes) for minutes in range(30)], "gone", 10)[0]) == 10


def test_where_all_had_their_turn_at_once_nothing_is_remembered() -> None:
    state = ResourceState({"turn": "r000001"})
    _, state.next_turn = life.in_turn([run(1)], state.next_turn, 10)
    assert state.kept == {}


def test_closed_runs_are_remembered_and_their_number_is_bounded() -> None:
    state = ResourceState({})
    runs = [run(minutes) for minutes in range(MOST_CLOSED + 5)]
    for each in runs:
        state.close(each.id, each.started_at)
    assert state.closed == {each.id for each in runs[5:]}  # the oldest are asked for once more


def test_a_run_the_server_shows_again_is_open_again() -> None:
    state = ResourceState({})
    state.close("r000001", NOON)
    state.shown(["r000001", "another"])
    assert not state.closed
    ResourceState({}).shown(["another"])
