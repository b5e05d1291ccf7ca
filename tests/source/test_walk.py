"""No row is skipped or doubled at a page boundary, whatever the server does; and few requests are sent."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipelines.sim_api import OWNER_KEY, WORKSPACE, many_runs, serve, small_world, tied_runs
from sim_source import SimClient, errors
from sim_source.api import wire
from sim_source.api.decode import Page, Rejected
from sim_source.api.endpoints import SimApi
from sim_source.api.query import Query
from sim_source.paging.chunks import PAGE_BYTES, PageSize
from sim_source.paging.state import as_moment
from sim_source.paging.walk_runs import walk_runs
from tests.helpers import shelf
from tests.helpers.shelf import END, Cursors, Runs, Ties, at, gaps_of, given_ids

spread = st.lists(st.integers(0, 100_000), max_size=120)
crowded = st.lists(st.integers(0, 12), max_size=120)
TIES: tuple[Ties, ...] = ("by id", "as inserted", "unordered")
CURSORS: tuple[Cursors, ...] = ("work", "without order", "fail", "page 1")


def walked(server: Runs, size: PageSize | None = None) -> list[str]:
    return given_ids(walk_runs(server.ask, at(0), END, size))


def most_in_an_instant(server: Runs) -> int:
    return max((server.starts.count(start) for start in set(server.starts)), default=0)


def id_at(server: Runs, start: int) -> str:
    return next(id_ for at_, id_, _ in server.rows if at_ == start)


def can_be_told_apart(server: Runs) -> bool:
    """Whether any client could read all rows: an instant fits a page, or the cursor is good for it."""
    largest = min(server.clamp or 10**9, server.fails_above or 10**9)
    good_cursor = server.cursors in ("work", "without order") and server.ties == "by id"
    return good_cursor or most_in_an_instant(server) <= largest


servers = st.builds(
    Runs,
    starts=spread | crowded,
    clamp=st.none() | st.integers(1, 50),
    ties=st.sampled_from(TIES),
    cursors=st.sampled_from(CURSORS),
    fails_above=st.none() | st.integers(1, 50),
    seed=st.integers(0, 1000),
)


@given(server=servers, first=st.integers(1, 50))
@example(server=Runs([1, 0, 0], ties="as inserted", cursors="without order", fails_above=2), first=1)
@settings(max_examples=150, deadline=None)
def test_every_run_is_given_exactly_once_whatever_the_server_does(server: Runs, first: int) -> None:
    # a cursor whose text names the order is one of a server that keeps it
    assume(server.cursors != "work" or server.ties == "by id")
    assume(can_be_told_apart(server))
    assert sorted(walked(server, PageSize(largest=first))) == server.ids


@given(server=servers)
@settings(max_examples=120, deadline=None)
def test_a_walk_always_ends_and_never_doubles_a_run(server: Runs) -> None:
    """Even where a server cannot show all: more in one instant than it gives, and no cursor."""
    found = walked(server, PageSize(largest=20))
    assert len(found) == len(set(found))


@given(starts=spread, clamp=st.integers(40, 60), ties=st.sampled_from(TIES), cursors=st.sampled_from(CURSORS))
@settings(max_examples=150, deadline=None)
def test_requests_stay_within_5_percent_and_one_of_the_least_possible(
    starts: list[int], clamp: int, ties: Ties, cursors: Cursors
) -> None:
    """The least possible: pages as large as the server gives them, all of them full but the last."""
    assume(cursors != "work" or ties == "by id")
    server = Runs(sorted(starts) * 4, clamp=clamp, ties=ties, cursors=cursors)
    server.rows = [(start + number % 4 * 100_001, id_, number) for start, id_, number in server.rows]
    assume(max((sum(row[0] == start for row in server.rows) for start, _, _ in server.rows), default=0) <= 2)
    assert sorted(walked(server)) == server.ids
    assert server.requests <= server.least_requests(clamp) * 1.05 + 1


@pytest.mark.parametrize("page", [1, 2, 5, 13])
def test_with_a_good_cursor_even_small_pages_cost_no_extra_request(page: int) -> None:
    server = Runs(list(range(0, 1000, 10)), clamp=page)
    walked(server)
    assert server.requests <= server.least_requests(page) + 1


def test_a_hundred_thousand_runs_take_at_most_110_requests() -> None:
    server = Runs([])
    rows = [(number * 7, f"{number:06d}", number) for number in range(100_000)]

    def ask(query: Query) -> Page[wire.Run]:
        low = max(0, -(-shelf._ms(query.start or at(0)) // 7))
        server.rows = rows[low : low + query.limit + 1]
        return server.ask(query)

    for clamp in (1000, None):
        server.requests, server.clamp, server.cursors = 0, clamp, "fail"
        assert sum(len(chunk.rows) for chunk in walk_runs(ask, at(0), END)) == 100_000
        assert server.requests <= 110


@given(server=servers, cut=st.integers(1, 6))
@settings(max_examples=120, deadline=None)
def test_a_walk_cut_anywhere_and_begun_again_at_its_position_misses_nothing(server: Runs, cut: int) -> None:
    assume(server.cursors != "work" or server.ties == "by id")
    assume(can_be_told_apart(server))
    size, position = PageSize(largest=7), at(0)
    chunks = list(islice(walk_runs(server.ask, position, END, size), cut))
    position = chunks[-1].position
    rest = walk_runs(server.ask, position, END, size)
    assert set(given_ids(chunks)) | set(given_ids(rest)) == set(server.ids)


@given(server=servers)
@settings(max_examples=60, deadline=None)
def test_rows_that_started_before_the_position_have_all_been_given(server: Runs) -> None:
    assume(server.cursors != "work" or server.ties == "by id")
    assume(can_be_told_apart(server))
    found: set[str] = set()
    for chunk in walk_runs(server.ask, at(0), END, PageSize(largest=9)):
        found.update(row.id for row in chunk.rows)
        assert {id_ for start, id_, _ in server.rows if at(start) < chunk.position} <= found


@pytest.mark.parametrize("largest", [1, 2, 50, 100])
def test_a_server_that_fails_on_large_pages_is_not_asked_for_them_again_and_again(largest: int) -> None:
    server = Runs(list(range(0, 2000, 2)), fails_above=largest)
    assert sorted(walked(server)) == server.ids
    assert server.failures <= 15 + server.requests // 30


def test_one_heavy_row_makes_pages_small_only_around_it() -> None:
    server = Runs(list(range(0, 4000)))

    def ask(query: Query) -> Page[wire.Run]:
        page = server.ask(query)
        if page.count > 1 and any(row.started_at == at(1000) for row in page.rows):
            raise errors.Unavailable("500")
        return page

    assert sorted(given_ids(walk_runs(ask, at(0), END))) == server.ids
    assert server.requests <= 60


def test_pages_of_heavy_rows_stay_near_16_mb() -> None:
    server = Runs(list(range(0, 3000)), row_bytes=200_000)
    sizes = []

    def ask(query: Query) -> Page[wire.Run]:
        page = server.ask(query)
        sizes.append(page.size)
        return page

    assert sorted(given_ids(walk_runs(ask, at(0), END))) == server.ids
    assert max(sizes[1:]) <= PAGE_BYTES


def test_a_page_of_one_row_that_fails_is_said() -> None:
    server = Runs([1, 2, 3], fails_above=0)
    with pytest.raises(errors.Unavailable):
        walked(server)


def test_more_in_one_instant_than_a_server_can_show_is_told_as_a_gap() -> None:
    server = Runs([5] * 30 + [6], clamp=10, cursors="fail")
    chunks = list(walk_runs(server.ask, at(0), END))
    found = given_ids(chunks)
    assert 10 < len(found) < 31
    assert id_at(server, 6) in found  # it goes on behind the instant
    (gap,) = gaps_of(chunks)
    assert (gap.first, gap.last, gap.read) == (at(5), at(5), len(found) - 1)


def test_cursors_that_lead_nowhere_do_not_hold_a_walk() -> None:
    """Each page names another cursor, and each is silently taken for page 1."""
    server = Runs([5] * 30 + [6], clamp=10, cursors="page 1")

    def ask(query: Query) -> Page[wire.Run]:
        page = server.ask(query)
        page.next_cursor = page.next_cursor and f"{page.next_cursor}#{server.requests}"
        return page

    found = given_ids(walk_runs(ask, at(0), END))
    assert id_at(server, 6) in found  # it goes on behind the instant
    assert server.requests < 40


@pytest.mark.parametrize("cursors", CURSORS)
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_a_page_of_rows_without_a_readable_start_is_passed(cursors: Cursors, size: int) -> None:
    server = Runs(list(range(0, 40_000, 1000)), cursors=cursors, clamp=None if cursors == "fail" else 10)
    broken = {id_ for start, id_, _ in server.rows if 5000 <= start < 11_000}

    def ask(query: Query) -> Page[wire.Run]:
        page = server.ask(query)
        page.rejected = [Rejected(wire.NO_RAW, "odd", row.id) for row in page.rows if row.id in broken]
        page.rows = [row for row in page.rows if row.id not in broken]
        return page

    chunks = list(walk_runs(ask, at(0), END, PageSize(largest=size)))
    assert sorted(given_ids(chunks)) == sorted(set(server.ids) - broken)
    assert {row.id for chunk in chunks for row in chunk.rejected} == broken
    assert server.requests < 120


# the same over HTTP


@pytest.mark.parametrize(
    ("dialect", "ties", "page"),
    [
        ("2026-03", "inserted", 8),
        ("2026-03", "unordered", 8),
        ("2026-03", "inserted", None),
        ("2026-08", "fixed", 5),
        ("2026-08", "fixed", 1000),
        ("documents", "fixed", 5),
        ("documents", "unordered", 8),
    ],
)
def test_runs_are_walked_completely_over_http(dialect: str, ties: str, page: int | None) -> None:
    world = many_runs(40, every_ms=250)
    tied_runs(world, "wf-triage", 6, world.now_ms - 5000)
    with (
        serve(world, dialect, ties=ties, max_limit=page) as server,
        SimClient(OWNER_KEY, server.base_url, backoff_s=0.001) as client,
    ):
        api = SimApi(client)
        chunks = walk_runs(lambda query: api.runs(WORKSPACE, query), shelf.BASE, as_moment("2026-12-01"))
        assert sorted(given_ids(chunks)) == sorted(run.id for run in world.runs_of(WORKSPACE))


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08", "documents"])
def test_an_instant_larger_than_a_page_is_walked_over_http(dialect: str) -> None:
    world = small_world()
    tied_runs(world, "wf-triage", 1200, world.now_ms - 5000)
    with serve(world, dialect) as server, SimClient(OWNER_KEY, server.base_url, backoff_s=0.001) as client:
        api = SimApi(client, full=False)
        chunks = walk_runs(lambda query: api.runs(WORKSPACE, query), shelf.BASE, as_moment("2026-12-01"))
        assert sorted(given_ids(chunks)) == sorted(run.id for run in world.runs_of(WORKSPACE))
