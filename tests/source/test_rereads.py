"""Which runs are read again, and with how few requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

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
    state: life.State = {}
    runs = [run(minutes) for minutes in range(20)]
    assert life.turn(state, runs, 20) == runs[::-1]
    assert state == {}


@given(count=st.integers(11, 60), syncs=st.integers(1, 5))
def test_of_many_the_newest_are_read_every_time_and_the_others_in_turn(count: int, syncs: int) -> None:
    state: life.State = {}
    runs = [run(minutes) for minutes in range(count)]
    rounds = -(-(count - 8) // 2) + syncs
    taken = [life.turn(state, runs, 10) for _ in range(rounds)]
    assert all(len(chosen) == len(set(chosen)) <= 10 for chosen in taken)
    assert all(set(runs[-8:]) <= set(chosen) for chosen in taken)
    assert set().union(*taken) == set(runs)
    for one, other in pairwise(taken[: (count - 8) // 2]):  # nobody comes again before all had their turn
        assert not set(one[8:]) & set(other[8:])


def test_a_turn_goes_on_where_the_run_whose_turn_it_was_has_ended() -> None:
    state: life.State = {"turn": "gone"}
    assert len(life.turn(state, [run(minutes) for minutes in range(30)], 10)) == 10


def test_closed_runs_are_not_asked_for_and_their_number_is_bounded() -> None:
    state: life.State = {}
    runs = [run(minutes) for minutes in range(life.MOST_CLOSED + 5)]
    for each in runs:
        life.close(state, each)
    assert life.count_closed(state) == life.MOST_CLOSED
    assert life.still_open(state, runs) == runs[:5]  # the oldest are asked for once more


def test_a_run_the_server_shows_again_is_open_again() -> None:
    state: life.State = {}
    life.close(state, run(1))
    life.seen(state, ["r000001", "another"])
    assert life.still_open(state, [run(1)]) == [run(1)]
    life.seen({}, ["another"])
