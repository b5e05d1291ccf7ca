"""No walk is without end: a server that says for ever that there is more holds up nothing but what it says it of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.sim_api import (
    SECOND_WORKSPACE,
    WORKSPACE,
    Fault,
    Faults,
    World,
    audit_burst,
    finished_run,
    serve,
    small_world,
)
from pipelines.sim_api.http import faults
from pipelines.sim_api.world import plans
from sim_source import errors
from sim_source.api import wire
from sim_source.api.decode import Page, Rejected
from sim_source.api.query import Query
from sim_source.paging.walk_audit import walk_audit_logs
from sim_source.paging.walk_runs import walk_runs
from tests.helpers.app import App
from tests.helpers.shelf import END, Audit, Runs, at, gaps_of, given_ids

ENDLESS: dict[str, Callable[[], Fault]] = {
    "empty pages": lambda: faults.endless(empty=True),
    "empty pages, other cursors": lambda: faults.endless(empty=True, cursor="new"),
    "one page": lambda: faults.endless(),
    "one page, other cursors": lambda: faults.endless(cursor="new"),
}
PATHS = {
    "logs": f"/api/v1/logs?workspaceId={WORKSPACE}",
    "audit_logs": "/api/v1/audit-logs",
    "workflows": "/api/v1/workflows",
}
MOST_REQUESTS = 60


def world_with_rows() -> World:
    world = small_world(now=datetime.now(UTC))
    for place in range(7):
        finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - 60_000 * (place + 1))
        finished_run(world, "wf-labs", plans.plain_plan(), started_ms=world.now_ms - 60_000 * (place + 1))
        audit_burst(world, 3, world.now_ms - 70_000 * (place + 1))
    return world


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
@pytest.mark.parametrize("resource", PATHS)
@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_list_without_end_is_left_and_said_and_the_rest_is_loaded(
    app: App, endless: Callable[[], Fault], resource: str, dialect: str
) -> None:
    world = world_with_rows()
    with serve(world, dialect, faults=Faults().always(endless(), path=PATHS[resource])) as server:
        app.account(server, workspace=f"{WORKSPACE},{SECOND_WORKSPACE}")
        done = app("run", "--json")
        assert server.count(PATHS[resource].partition("?")[0]) < MOST_REQUESTS
        server.faults.clear()
        whole = app("run", "--json")
    assert (done.code, done.json["status"]) == (1, "partial")
    stuck = [each for each in done.json["errors"] if "had no new ones" in each["message"]]
    of = {"logs": {WORKSPACE}, "audit_logs": {None}, "workflows": {WORKSPACE, SECOND_WORKSPACE}}[resource]
    assert {(each["resource"], each["workspace"]) for each in stuck} == {(resource, workspace) for workspace in of}
    assert all(each["message"] in done.err for each in stuck)
    assert (whole.code, whole.json["errors"]) == (0, [])
    counts = app.rows(
        "SELECT (SELECT count(*) FROM sim.logs), (SELECT count(*) FROM sim.audit_logs), "
        "(SELECT count(*) FROM sim.workflows)"
    )
    assert counts == [(14, 21, 3)]


@pytest.mark.parametrize("resource", PATHS)
@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS.keys())
def test_check_ends_and_says_so(app: App, endless: Callable[[], Fault], resource: str) -> None:
    with serve(world_with_rows(), faults=Faults().always(endless(), path=PATHS[resource])) as server:
        app.account(server)
        done = app("check", "--json")
        assert server.count() < MOST_REQUESTS
    assert done.code == 2
    assert any("had no new ones" in finding["told"] for finding in done.json["findings"] if finding["ok"] is False)


# the walks themselves


class Stuck:
    """Pages that say that there is more; counts them."""

    def __init__(self, page: Callable[[int], Page[Any]], bound: int = MOST_REQUESTS) -> None:
        self.page, self.requests, self.bound = page, 0, bound

    def ask(self, _: Query) -> Page[Any]:
        self.requests += 1
        assert self.requests <= self.bound, "the walk does not end"
        return self.page(self.requests)


def page_of(rows: Iterable[Any], odd: Iterable[Rejected] = ()) -> Callable[[int], Page[Any]]:
    kept, strange = list(rows), list(odd)
    return lambda number: Page(list(kept), f"x{number}", 100, list(strange))


def runs_at(*moments: int) -> list[wire.Run]:
    return [wire.Run(id=f"r{place}", started_at=at(moment)) for place, moment in enumerate(moments)]


def logs_at(*moments: int) -> list[wire.AuditLog]:
    return [wire.AuditLog(id=f"a{n}", created_at=at(moment), action="one") for n, moment in enumerate(moments)]


def odd_rows(count: int, named: bool = True) -> list[Rejected]:
    return [Rejected(wire.NO_RAW, "odd", f"o{n}" if named else None) for n in range(count)]


@pytest.mark.parametrize("rows", [(), (5,), (5, 5, 5), (1, 2, 3), (3, 2, 1)], ids=str)
def test_a_walk_of_runs_ends_where_no_page_brings_anything_new(rows: tuple[int, ...]) -> None:
    server = Stuck(page_of(runs_at(*rows)))
    with pytest.raises(errors.NoProgress, match=r"2026-11-01T.*reading stopped there, and the next sync tries again"):
        list(walk_runs(server.ask, at(0), END))


@pytest.mark.parametrize("rows", [(), (5,), (5, 5, 5), (3, 2, 1)], ids=str)
@pytest.mark.parametrize("start", [None, at(0)], ids=["from the beginning", "from a moment"])
def test_a_walk_of_audit_logs_ends_where_no_page_brings_anything_new(
    rows: tuple[int, ...], start: datetime | None
) -> None:
    server = Stuck(page_of(logs_at(*rows)))
    with pytest.raises(errors.NoProgress, match="audit logs up to"):
        list(walk_audit_logs(server.ask, start, END))


@pytest.mark.parametrize("named", [True, False], ids=["with ids", "without ids"])
def test_walks_get_past_pages_of_nothing_but_unreadable_rows(named: bool) -> None:
    """A page that never tells a moment: all that follows may be missing, which is told."""
    for walked in (walk_runs, walk_audit_logs):
        server = Stuck(page_of([], odd_rows(3, named)), 200)
        chunks = list(walked(server.ask, at(0), END))
        (gap,) = gaps_of(chunks)
        assert (gap.first, gap.last) == (at(0), END)


def test_unreadable_runs_beyond_what_any_page_shows_are_a_gap_and_the_walk_goes_on_behind() -> None:
    server = Runs([*range(0, 40), *range(1000, 1040), *range(5000, 5040)], clamp=10, cursors="fail")
    broken = {id_ for start, id_, _ in server.rows if 1000 <= start < 2000}

    def ask(query: Query) -> Page[wire.Run]:
        page = server.ask(query)
        page.rejected = [Rejected(wire.NO_RAW, "odd", row.id) for row in page.rows if row.id in broken]
        page.rows = [row for row in page.rows if row.id not in broken]
        return page

    chunks = list(walk_runs(ask, at(0), END))
    assert sorted(given_ids(chunks)) == sorted(set(server.ids) - broken)
    (gap,) = gaps_of(chunks)
    assert at(39) <= gap.first <= at(1000)
    assert at(1020) <= gap.last < at(5000)


def test_unreadable_audit_logs_beyond_a_page_are_a_gap_and_the_walk_goes_on_behind() -> None:
    moments = [*range(0, 40_000, 1000), *range(1_000_000, 1_400_000, 1000), *range(5_000_000, 5_040_000, 1000)]
    server = Audit(moments)
    broken = {id_ for moment, id_, _ in server.rows if 1_000_000 <= moment < 2_000_000}

    def ask(query: Query) -> Page[wire.AuditLog]:
        page = server.ask(query)
        page.rejected = [Rejected(wire.NO_RAW, "odd", row.id) for row in page.rows if row.id in broken]
        page.rows = [row for row in page.rows if row.id not in broken]
        return page

    chunks = list(walk_audit_logs(ask, None, END))
    assert sorted(given_ids(chunks)) == sorted(set(server.ids) - broken)
    assert all(at(40) <= gap.first and gap.last <= at(5000) for gap in gaps_of(chunks))
    assert gaps_of(chunks)
