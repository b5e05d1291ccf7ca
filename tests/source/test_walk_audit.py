"""Audit logs walked newest first, though the wire cuts their microseconds off: no row skipped or doubled."""

from __future__ import annotations

from itertools import islice
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sim_api import OWNER_KEY, audit_burst, serve, small_world
from sim_source import SimClient, errors
from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.endpoints import SimApi
from sim_source.paging import walk_audit, walk_list, windows
from sim_source.paging.state import ResourceState, as_moment
from sim_source.paging.walk_audit import walk_audit_logs
from tests.helpers.shelf import END, Audit, at, given_ids


def bursts(most: int) -> st.SearchStrategy[list[int]]:
    """Microseconds in a few milliseconds: whole ones (.000) and any other, at most so many in each."""
    moment = st.tuples(st.integers(0, 15), st.sampled_from([0, 0, 1, 499, 999]) | st.integers(0, 999))
    found = st.lists(moment.map(lambda pair: pair[0] * 1000 + pair[1]), max_size=80)
    return found.filter(lambda moments: _densest(moments) < most)


def _densest(moments: list[int]) -> int:
    """Most rows between a millisecond's beginning and the next one's, both inclusive: what one query must show."""
    return max((sum(ms * 1000 <= m <= ms * 1000 + 1000 for m in moments) for ms in range(17)), default=0)


@given(moments=bursts(12), page=st.integers(12, 30))
@settings(max_examples=200, deadline=None)
def test_every_audit_row_is_given_exactly_once_though_the_wire_cuts_microseconds_off(
    moments: list[int], page: int
) -> None:
    server = Audit(moments)
    with patch.object(walk_audit, "AUDIT_PAGE", page):
        assert sorted(given_ids(walk_audit_logs(server.ask, None, END))) == server.ids


@given(moments=bursts(10), page=st.integers(10, 20), cut=st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_an_audit_walk_cut_anywhere_and_begun_again_misses_nothing(moments: list[int], page: int, cut: int) -> None:
    server, state = Audit(moments), ResourceState({})
    window = windows.Window(at(0), END)
    found: set[str] = set()
    with patch.object(walk_audit, "AUDIT_PAGE", page):
        windows.begin_walk(state, window, newest_first=True)
        for chunk in islice(walk_audit_logs(server.ask, window.start, window.end), cut):
            state.reached(chunk.position)
            found.update(row.id for row in chunk.rows)
        again = windows.next_window(state, windows.Extent(END), newest_first=True)
        assert again is not None
        found.update(given_ids(walk_audit_logs(server.ask, again.start, again.end)))
    assert found == set(server.ids)


@given(moments=st.lists(st.integers(0, 40_000), max_size=60), page=st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_an_audit_walk_ends_and_doubles_nothing_even_where_bursts_fill_pages(moments: list[int], page: int) -> None:
    server = Audit([moment // 700 for moment in moments])
    with patch.object(walk_audit, "AUDIT_PAGE", page):
        found = given_ids(walk_audit_logs(server.ask, None, END))
    assert len(found) == len(set(found))


def test_a_burst_larger_than_a_page_is_told_apart_by_its_actions() -> None:
    server = Audit([5_000_000 + n for n in range(240)] + [1000, 9_000_000], actions=4)
    assert sorted(given_ids(walk_audit_logs(server.ask, None, END))) == server.ids


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 1000, 2345])
def test_audit_requests_stay_within_5_percent_and_one_of_the_least_possible(rows: int) -> None:
    server = Audit([number * 12_345 for number in range(rows)])
    assert sorted(given_ids(walk_audit_logs(server.ask, None, END))) == server.ids
    assert server.requests <= max(1, -(-rows // 100)) * 1.05 + 1


def test_a_list_walked_by_cursor_gives_each_row_once_and_says_that_a_server_begins_again() -> None:
    pages = [[1, 2], [3, 4], [1, 2], [3, 4]]

    def ask(cursor: str | None) -> Page[wire.Workflow]:
        number = int(cursor or 0)
        return Page([wire.Workflow(id=str(id_)) for id_ in pages[number % 4]], str(number + 1), 10)

    with pytest.raises(errors.NoProgress, match="after 4 rows"):
        list(walk_list.walk_by_cursor(ask))
    assert [row.id for page in islice(walk_list.walk_by_cursor(ask), 5) for row in page.rows] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08", "documents"])
def test_audit_bursts_are_walked_completely_over_http(dialect: str) -> None:
    world = small_world()
    for second in range(30):
        audit_burst(world, 9, world.now_ms - second * 1000)
    with serve(world, dialect) as server, SimClient(OWNER_KEY, server.base_url, backoff_s=0.001) as client:
        chunks = list(walk_audit_logs(SimApi(client).audit_logs, None, as_moment("2026-12-01")))
        assert sorted(given_ids(chunks)) == sorted(row.id for row in world.audit)
