"""One row whose date is wrong in the answer leads no walk astray: all others are given, and so is it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_source.paging.chunks import PageSize
from sim_source.paging.walk_audit import AUDIT_PAGE, walk_audit_logs
from sim_source.paging.walk_runs import walk_runs
from tests.helpers.shelf import BASE, END, Audit, Runs, at, gaps_of, given_ids

WRONG = {
    "year 1": datetime(1, 1, 1, tzinfo=UTC),
    "before the walk": BASE - timedelta(days=3),
    "its begin": BASE,
    "a minute early": at(-60_000 + 300),
    "a minute late": at(60_000 + 300),
    "its end": END,
    "after it": END + timedelta(days=1),
    "year 9999": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}
PAGE = 100


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", [0, 1, 50, 97, 98, 99, 100, 101, 149, 199, 249])
def test_a_run_of_a_wrong_start_is_given_and_so_are_all_others(wrong: str, place: int) -> None:
    server = Runs([number * 1_000 for number in range(250)], clamp=PAGE, shown={place: WRONG[wrong]})
    chunks = list(walk_runs(server.ask, at(0), END, PageSize(largest=PAGE)))
    assert (sorted(given_ids(chunks)), gaps_of(chunks)) == (server.ids, [])
    assert server.requests <= 6


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", [0, 1, 50, 97, 98, 99, 100, 101, 149, 199, 249])
def test_an_audit_log_of_a_wrong_moment_is_given_and_so_are_all_others(wrong: str, place: int) -> None:
    server = Audit([number * 1_000_000 for number in range(250)])
    server.shown = {server.rows[place][1]: WRONG[wrong]}
    chunks = list(walk_audit_logs(server.ask, None, END))
    assert (sorted(given_ids(chunks)), gaps_of(chunks)) == (server.ids, [])
    assert server.requests <= -(-250 // AUDIT_PAGE) + 3


@given(
    starts=st.lists(st.integers(0, 400), min_size=12, max_size=200),
    place=st.integers(0, 199),
    wrong=st.one_of(st.sampled_from(sorted(WRONG.values())), st.integers(-1_000, 1_000).map(at)),
    cursors=st.sampled_from(["work", "without order", "fail", "page 1"]),
)
@settings(max_examples=200, deadline=None)
def test_runs_that_share_instants_are_given_once_beside_one_of_a_wrong_start(
    starts: list[int], place: int, wrong: datetime, cursors: str
) -> None:
    server = Runs(sorted(starts), clamp=12, shown={place: wrong}, cursors=cursors)
    chunks = list(walk_runs(server.ask, at(0), END, PageSize(largest=12)))
    found = given_ids(chunks)
    assert sorted(set(found)) == server.ids or gaps_of(chunks)
    assert len(found) == len(set(found))


def test_of_many_wrong_dates_in_the_middle_of_pages_none_matters() -> None:
    wrong = {number: END for number in range(1_000) if number % PAGE < 90 and number % 3}
    server = Runs([number * 1_000 for number in range(1_000)], clamp=PAGE, shown=wrong)
    assert sorted(given_ids(walk_runs(server.ask, at(0), END, PageSize(largest=PAGE)))) == server.ids
