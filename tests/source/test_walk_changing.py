"""A server whose rows and sizes change while it is walked: what was there all the time is given once, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.query import Query
from sim_source.paging import walk_audit
from sim_source.paging.chunks import PageSize
from sim_source.paging.narrowing import MOST_QUERIES
from sim_source.paging.walk_audit import AUDIT_PAGE, walk_audit_logs
from sim_source.paging.walk_runs import walk_runs
from tests.helpers.shelf import END, Audit, Cursors, Runs, Ties, at, gaps_of, given_ids

ORDERS: tuple[tuple[Ties, Cursors], ...] = (
    ("by id", "work"),
    ("by id", "without order"),
    ("by id", "fail"),
    ("as inserted", "without order"),
    ("as inserted", "fail"),
    ("unordered", "fail"),
    ("unordered", "page 1"),
)
"""As generations have them: a cursor that names its order is one of a server that keeps it."""
MOST_TIED = 6
LEAST_PAGE = 10
"""Always more rows than one instant can hold: else no client could read them all."""

starts = st.lists(st.integers(0, 60), min_size=25, max_size=80).filter(
    lambda found: max(map(found.count, found), default=0) <= MOST_TIED
)
changes = st.lists(
    st.tuples(st.just("appears"), st.integers(0, 60))
    | st.tuples(st.just("goes"), st.integers(0, 79))
    | st.tuples(st.just("clamps"), st.integers(LEAST_PAGE, 40))
    | st.tuples(st.just("fails above"), st.integers(LEAST_PAGE, 40)),
    min_size=2,
    max_size=12,
)


@dataclass
class Changing:
    """Runs that appear and go, and a server that changes its mind about sizes, after each page.

    Attributes:
        server: The runs.
        left: What is still to happen.
        stays: Ids that are there from the first page to the last.
    """

    server: Runs
    left: list[tuple[str, int]]
    stays: set[str] = field(default_factory=set)
    appeared: int = 0

    def __post_init__(self) -> None:
        self.stays = set(self.server.ids)

    def ask(self, query: Query) -> Page[wire.Run]:
        page = self.server.ask(query)
        if self.left:
            self.happens(*self.left.pop(0))
        return page

    def happens(self, what: str, value: int) -> None:
        rows = self.server.rows
        if what == "appears" and sum(row[0] == value for row in rows) < MOST_TIED:
            self.appeared += 1
            rows.append((value, f"{value * 7919 % 100:02d}-new-{self.appeared}", len(rows)))
        elif what == "goes" and rows:
            gone = rows.pop(value % len(rows))
            self.stays.discard(gone[1])
        elif what == "clamps":
            self.server.clamp = value
        elif what == "fails above":
            self.server.fails_above = value


@given(starts=starts, order=st.sampled_from(ORDERS), left=changes, first=st.integers(1, 30), seed=st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_runs_that_stay_are_given_once_whatever_appears_goes_or_changes_size(
    starts: list[int], order: tuple[Ties, Cursors], left: list[tuple[str, int]], first: int, seed: int
) -> None:
    changing = Changing(Runs(starts, ties=order[0], cursors=order[1], clamp=LEAST_PAGE, seed=seed), list(left))
    found = given_ids(walk_runs(changing.ask, at(0), END, PageSize(largest=first)))
    assert len(found) == len(set(found))
    assert changing.stays <= set(found)


@given(starts=starts, order=st.sampled_from(ORDERS), late=st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_run_that_appears_behind_the_walk_is_found_by_the_next_one(
    starts: list[int], order: tuple[Ties, Cursors], late: list[int]
) -> None:
    changing = Changing(
        Runs(starts, ties=order[0], cursors=order[1], clamp=LEAST_PAGE), [("appears", start) for start in late]
    )
    found = set(given_ids(walk_runs(changing.ask, at(0), END)))
    found |= set(given_ids(walk_runs(changing.server.ask, at(0), END)))
    assert found == set(changing.server.ids)


def test_a_server_that_was_upgraded_in_the_middle_of_a_walk_is_walked_to_its_end() -> None:
    """2026-03 has no bound and no cursor; 2026-08 clamps and pages."""
    server = Runs(list(range(0, 5000, 2)), cursors="fail", ties="as inserted")

    def ask(query: Query) -> Page[wire.Run]:
        if server.requests == 1:
            server.clamp, server.cursors, server.ties = 100, "work", "by id"
        return server.ask(query)

    assert sorted(given_ids(walk_runs(ask, at(0), END))) == server.ids


# audit logs


def burst(milliseconds: int, most: int, each: int = 99) -> st.SearchStrategy[list[int]]:
    """Microseconds of actions in a few milliseconds, so many at most in each."""
    return st.lists(st.integers(0, milliseconds * 1000 - 1), max_size=each).filter(
        lambda found: (
            max((sum(ms * 1000 <= at <= ms * 1000 + 1000 for at in found) for ms in range(20)), default=0) <= most
        )
    )


@given(moments=burst(12, 14), gone=st.lists(st.integers(0, 98), max_size=5), late=st.lists(st.integers(0, 20_000)))
@settings(max_examples=150, deadline=None)
def test_audit_rows_that_stay_are_given_once_while_others_go_and_appear(
    moments: list[int], gone: list[int], late: list[int]
) -> None:
    server = Audit(moments)
    stays, appeared = set(server.ids), 0

    def ask(query: Query) -> Page[wire.AuditLog]:
        nonlocal appeared
        page = server.ask(query)
        if gone and server.rows:
            stays.discard(server.rows.pop(gone.pop() % len(server.rows))[1])
        if late:  # newer than everything: actions are written as they happen
            appeared += 1
            server.rows.append((1_000_000 + late.pop() + appeared * 1000, f"new-{appeared}", "act.0"))
            server.rows.sort(reverse=True)
        return page

    with patch.object(walk_audit, "AUDIT_PAGE", 15):
        found = given_ids(walk_audit_logs(ask, None, at(500)))
    assert len(found) == len(set(found))
    assert stays <= set(found)


@given(
    bursts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30)), min_size=1, max_size=4),
    actions=st.integers(4, 12),
    page=st.integers(11, 15),
)
@settings(max_examples=100, deadline=None)
def test_bursts_across_pages_are_told_apart_by_their_actions(
    bursts: list[tuple[int, int]], actions: int, page: int
) -> None:
    """Of no action a millisecond holds more than a page, and a millisecond's first page shows all its actions."""
    moments = [ms * 1000 + n for place, (ms, count) in enumerate(bursts) for n in range(place * 30, place * 30 + count)]
    server = Audit(moments, actions)
    for ms in range(4):
        there = [action for moment, _, action in server.rows if ms * 1000 <= moment <= ms * 1000 + 1000]
        assume(set(there[:page]) == set(there))
        assume(max(map(there.count, there), default=0) <= page)
    with patch.object(walk_audit, "AUDIT_PAGE", page):
        found = given_ids(walk_audit_logs(server.ask, None, END))
    assert len(found) == len(set(found))
    assert sorted(found) == server.ids


def rare_action_behind_a_full_page() -> Audit:
    """A millisecond with a page of one action, and an older row of another action."""
    server = Audit([])
    server.rows = [(5_000_000 + 200 + n, f"a{n:05d}", "workflow.deployed") for n in range(AUDIT_PAGE)][::-1]
    server.rows.append((5_000_000 + 100, "rare", "api_key.created"))
    return server


def test_a_rare_action_behind_a_page_of_another_is_found_or_told_to_be_missing() -> None:
    chunks = list(walk_audit_logs(rare_action_behind_a_full_page().ask, None, END))
    assert "rare" in given_ids(chunks) or gaps_of(chunks)


ASKS: dict[str, Callable[[], Audit]] = {
    "one action": lambda: Audit([5_000_000 + n for n in range(250)]),
    "more actions than are asked for": lambda: Audit([5_000_000 + n for n in range(850)], actions=400),
}


@pytest.mark.parametrize("server", ASKS.values(), ids=ASKS.keys())
def test_a_burst_nobody_can_tell_apart_is_told_as_a_gap_and_got_past(server: Callable[[], Audit]) -> None:
    there = server()
    there.rows += [(1_000_000, "older", "act.0")]
    chunks = list(walk_audit_logs(there.ask, None, END))
    found = given_ids(chunks)
    assert "older" in found
    assert len(found) == len(set(found))
    assert gaps_of(chunks)[0].first == at(5000)
    assert there.requests < MOST_QUERIES + 10
