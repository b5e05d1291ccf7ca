"""The status of runs from the v2 API: what it means, how few requests it takes, and what happens if it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sim_api import SECOND_WORKSPACE, WORKSPACE, SimServer, World, finished_run, serve, small_world
from pipelines.sim_api.http import faults as fault
from pipelines.sim_api.http.faults import Cursor, Faults
from pipelines.sim_api.http.v2.replies import error_reply
from pipelines.sim_api.world import plans
from sim_source import SyncLog, errors
from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.query import Query
from sim_source.paging.state import ResourceState
from sim_source.paging.stretches import Stretch
from sim_source.paging.walk_states import MOST_FAULTS, Sought, StatesWalk
from sim_source.rows import v2_status
from sim_source.timestamps import MILLISECOND
from tests.helpers import oracle
from tests.helpers.warehouse import Warehouse
from tests.source.test_faults import EVERY_WAY

RUNS = ("logs", "log_details", "cost_items", "trace_spans", "rejected_rows")
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTE_MS, DAY_MS = 60_000, 86_400_000


@pytest.fixture
def world() -> World:
    return small_world()


def requests(server: SimServer) -> Counter[str]:
    """Requests by path, ids left out of it."""
    return Counter(each.path.replace("wf-triage", "*") for each in server.requests)


def right(warehouse: Warehouse, world: World) -> None:
    """Every stored status is the truth."""
    stored = {row["id"]: row["status"] for row in warehouse.table("logs")}
    assert stored == {run.id: oracle.status_by_v2(run) for run in world.runs_of(WORKSPACE)}


def state(status: str, ended_at: datetime | None = NOW, **more: Any) -> wire.RunState:
    return wire.RunState(run_id="e1", started_at=NOW - timedelta(minutes=1), status=status, ended_at=ended_at, **more)


def told(execution_id: str, started_at: datetime) -> wire.RunState:
    return wire.RunState(run_id=execution_id, started_at=started_at, status="failed")


# what it means


@pytest.mark.parametrize(
    ("status", "ended_at", "told", "found"),
    [
        ("completed", NOW, state("failed"), ("failed", "failed")),
        ("failed", NOW, state("cancelled"), ("cancelled", "cancelled")),
        ("completed", NOW, state("pending"), ("paused", "pending")),
        ("completed", NOW, state("paused"), ("paused", "paused")),
        ("paused", NOW, state("running"), ("running", "running")),
        ("completed", NOW, state("redacting"), ("running", "redacting")),
        ("completed", NOW, state("queued"), ("completed", "queued")),
        ("completed", NOW, state("\0 x"), ("completed", None)),
        ("running", None, state("completed"), ("running", None)),
        ("paused", NOW, state("completed", NOW + MILLISECOND), ("paused", None)),
        ("completed", NOW, state("failed", NOW + MILLISECOND), ("running", None)),
        ("paused", NOW, state("running", None), ("running", "running")),
        ("completed", NOW + timedelta(microseconds=300), state("failed"), ("failed", "failed")),
    ],
    ids=[
        "swept",
        "cancelled without a trace",
        "waits",
        "could not be resumed",
        "resumed",
        "its output is scrubbed",
        "a word of a newer server",
        "not a word",
        "v1's row is older: it has no end",
        "v1's row is older: it has another end",
        "v1's row is older, and looks final",
        "open, whatever the end",
        "an end in microseconds",
    ],
)
def test_v2_has_the_last_word_about_the_same_end(
    status: str, ended_at: datetime | None, told: wire.RunState, found: tuple[str, str | None]
) -> None:
    assert v2_status.combined(status, v2_status.epoch_ms(ended_at), told) == found


# how it is asked for


class Listing:
    """The list of /v2/logs.

    Attributes:
        odd: Runs that make their page a 500.
        asked: The requests.
    """

    def __init__(self, runs: Sequence[Sought], odd: Sequence[Sought] = (), most: int = 1000) -> None:
        self.runs, self.odd, self.most, self.asked = sorted(runs), set(odd), most, list[Query]()

    def __call__(self, query: Query, attempts: int) -> Page[wire.RunState]:
        self.asked.append(query)
        only = dict(query.only).get("runId")
        assert query.start is not None
        found = [
            run
            for run in self.runs
            if query.start <= run.started_at <= query.end and (only is None or run.execution_id == only)
        ]
        found = [run for run in found if query.cursor is None or run > Sought(*self.position(query.cursor))]
        page = found[: min(self.most, query.limit)]
        if self.odd.intersection(page):
            raise errors.Unavailable("500") from errors.ServerFault("500 Internal server error", status=500)
        rows = [told(run.execution_id, run.started_at) for run in page]
        last = page[-1] if len(found) > len(page) else None
        return Page(rows, None if last is None else f"{last.started_at.isoformat()} {last.execution_id}", 0)

    @staticmethod
    def position(cursor: str) -> tuple[datetime, str]:
        start, _, name = cursor.rpartition(" ")
        return datetime.fromisoformat(start), name


def runs_at(starts: Sequence[int]) -> list[Sought]:
    return [Sought(NOW + start * MILLISECOND, f"e{place:05d}") for place, start in enumerate(starts)]


def walked(listing: Listing, *groups: Sequence[Sought], may_ask: Any = lambda: True) -> StatesWalk:
    walk = StatesWalk(listing, may_ask)
    walk.read(*groups)
    return walk


@given(st.data())
def test_every_run_is_told_except_those_that_the_server_cannot_return(data: st.DataObject) -> None:
    runs = runs_at(data.draw(st.lists(st.integers(0, 40), max_size=120)))
    odd = data.draw(st.lists(st.sampled_from(runs), max_size=3)) if runs else []
    sought = data.draw(st.lists(st.sampled_from(runs), unique=True)) if runs else []
    crowded = {at for at, count in Counter(run.started_at for run in runs).items() if count > MOST_FAULTS}
    walk = walked(Listing(runs, odd, data.draw(st.integers(1, 30))), sought)
    assert {run.execution_id for run in sought} - walk.told.keys() == {run.execution_id for run in walk.unreadable}
    assert {run for run in walk.unreadable if run.started_at not in crowded} <= set(odd)
    assert walk.left == []


def test_a_thousand_runs_are_one_request_and_distant_runs_one_each() -> None:
    listing = Listing(runs_at(range(100_000)))
    assert len(walked(listing, listing.runs).told) == 100_000
    assert len(listing.asked) <= 101
    listing.asked.clear()
    far = [listing.runs[0], listing.runs[50_000], listing.runs[99_999]]
    walked(listing, far)
    assert len(listing.asked) == 3


def test_one_odd_run_among_many_costs_few_requests() -> None:
    listing = Listing(runs_at(range(3_000)))
    listing.odd = {listing.runs[1234]}
    walk = walked(listing, listing.runs)
    assert (len(walk.told), walk.unreadable) == (2_999, [listing.runs[1234]])
    assert len(listing.asked) <= 3 + 2 * 11


@pytest.mark.parametrize("count", [1, 5_000])
def test_a_list_that_always_fails_is_not_taken_for_odd_runs(count: int) -> None:
    listing = Listing(runs_at(range(count)))

    def broken(query: Query, attempts: int) -> Page[wire.RunState]:
        listing.asked.append(query)
        raise errors.Unavailable("500") from errors.ServerFault("500 Internal server error", status=500)

    with pytest.raises(errors.Unavailable):
        StatesWalk(broken, lambda: True).read(listing.runs)
    assert len(listing.asked) <= MOST_FAULTS + 1


def test_a_list_in_another_order_is_a_failure() -> None:
    def newest_first(query: Query, attempts: int) -> Page[wire.RunState]:
        return Page([told("b", NOW + MILLISECOND), told("a", NOW)], "more", 0)

    with pytest.raises(errors.Unavailable, match="another order"):
        StatesWalk(newest_first, lambda: True).read(runs_at([0, 1]))


@pytest.mark.timeout(30)
def test_a_list_that_reports_more_for_ever_ends() -> None:
    def the_same_again(query: Query, attempts: int) -> Page[wire.RunState]:
        return Page([told("e00000", NOW)], "more", 0)

    with pytest.raises(errors.NoProgress):
        StatesWalk(the_same_again, lambda: True).read(runs_at([0, 0]))


def test_what_may_not_be_asked_now_is_left() -> None:
    listing = Listing(runs_at(range(2_500)))
    walk = walked(listing, listing.runs[:2_000], listing.runs[2_000:], may_ask=lambda: len(listing.asked) < 1)
    assert len(walk.told) == 1_000
    assert sorted(walk.left) == listing.runs[1_000:]


# what is stored


def all_kinds(world: World) -> None:
    """A run of each status, some of which v1 cannot tell."""
    finished_run(world, "wf-triage", plans.agent_plan())
    for end in (world.sweep_run, world.cancel_run, world.cancel_run_directly, world.pause_run, world.end_run):
        end(world.start_run("wf-triage", plans.agent_plan()).id)
    resumed = world.start_run("wf-triage", plans.two_model_plan())
    world.pause_run(resumed.id)
    world.resume_run(resumed.id)
    world.change_run(finished_run(world, "wf-triage", plans.plain_plan()).id, v2_status="redacting")
    stuck = world.start_run("wf-triage", plans.two_model_plan())
    world.pause_run(stuck.id)
    world.change_run(stuck.id, v2_status="paused")
    world.start_run("wf-triage", plans.agent_plan())


@pytest.mark.parametrize("tables", [RUNS, ("logs",)], ids=["all tables", "logs alone"])
@pytest.mark.parametrize("v2", [{}, {"v2_sort_order": True}], ids=["order", "sortOrder"])
def test_every_status_is_the_truth(
    world: World, warehouse: Warehouse, tables: tuple[str, ...], v2: dict[str, Any]
) -> None:
    all_kinds(world)
    with serve(world, v2="on", **v2) as server:
        warehouse.load(server, *tables)
        right(warehouse, world)
        assert requests(server)["/api/v2/logs"] == (1 if not v2 else 2)
        words = {row["v2_status"] for row in warehouse.table("logs")}
        extras = {row["extra"] for row in warehouse.table("logs")}
        assert extras == ({'{"v2":{"kind":"workflow"}}'} if v2 else {None})
        assert words == {"completed", "failed", "cancelled", "pending", "paused", "running", "redacting"}
        for run in world.runs_of(WORKSPACE):
            world.change_run(run.id, v2_status=None)
            if not run.is_final:
                (world.end_run if run.state != "paused" else world.resume_run)(run.id)
        world.now_ms += MINUTE_MS
        warehouse.load(server, *tables)
        right(warehouse, world)


def test_runs_that_have_not_gone_on_cost_v1_nothing(world: World, warehouse: Warehouse) -> None:
    for _ in range(4):
        run = world.start_run("wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 20 * DAY_MS)
        world.pause_run(run.id)
    finished_run(world, "wf-triage", plans.agent_plan(), started_ms=world.now_ms - 5 * DAY_MS)
    with serve(world, v2="on") as server:
        warehouse.load(server, *RUNS)
        world.now_ms += 3 * 60 * MINUTE_MS
        server.requests.clear()
        warehouse.load(server, *RUNS)
        assert requests(server) == {"/api/v1/logs": 1, "/api/v2/logs": 1}
        world.sweep_run(world.resume_run(run.id).id)
        warehouse.load(server, *RUNS)
        right(warehouse, world)
        server.requests.clear()
        world.now_ms += MINUTE_MS
        warehouse.load(server, *RUNS)
        assert run.id not in {row["id"] for row in warehouse.table("logs", "status IN ('paused', 'running')")}


def test_open_runs_far_apart_are_asked_for_by_workflow(world: World, warehouse: Warehouse) -> None:
    old = [
        world.start_run("wf-triage", plans.two_model_plan(), started_ms=world.now_ms - day * DAY_MS)
        for day in range(2, 20)
    ]
    for run in old[1:]:
        world.pause_run(run.id)
    for day in range(2, 20):  # more than a page between two of them
        for place in range(60):
            finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - day * DAY_MS + 1000 + place)
    with serve(world, v2="on", max_limit=50) as server:
        warehouse.load(server, *RUNS)
        world.end_run(old[0].id)
        world.resume_run(old[1].id)
        world.now_ms += MINUTE_MS
        server.requests.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sim_source.rows.life.FRESH_PAGE", 50)
            warehouse.load(server, *RUNS)
        found = requests(server)
        assert found["/api/v2/workflows/*/runs"] == 2
        assert found[f"/api/v1/logs/{old[0].id}"] == 1
        assert sum(count for path, count in found.items() if path.startswith("/api/v1/logs/")) == 1
    right(warehouse, world)


def test_nothing_new_asks_for_no_status(world: World, warehouse: Warehouse) -> None:
    for _ in range(5):
        finished_run(world, "wf-triage", plans.agent_plan())
    with serve(world, v2="on") as server:
        warehouse.load(server)
        server.requests.clear()
        world.now_ms += MINUTE_MS
        warehouse.load(server)
        assert requests(server)["/api/v2/logs"] == 0


def test_many_runs_cost_one_request_in_a_thousand(world: World, warehouse: Warehouse) -> None:
    plan = plans.plain_plan()
    for place in range(3_000):
        finished_run(world, "wf-triage", plan, started_ms=world.now_ms - DAY_MS + place * 1000)
    with serve(world, v2="on") as server:
        warehouse.load(server, *RUNS)
        assert requests(server)["/api/v2/logs"] <= 3
    assert {row["v2_status"] for row in warehouse.table("logs")} == {"completed"}


def test_what_v2_said_stays_without_it(world: World, warehouse: Warehouse) -> None:
    all_kinds(world)
    with serve(world, v2="on") as server:
        warehouse.load(server, *RUNS)
        final = warehouse.table("logs", "status NOT IN ('running', 'paused')")
        world.now_ms += MINUTE_MS
        warehouse.load(server, *RUNS, api="v1")
        warehouse.load(server, *RUNS, api="v1", since="30d", resync="again")
        after = {row["id"]: row["status"] for row in warehouse.table("logs")}
    assert {row["id"]: after[row["id"]] for row in final} == {row["id"]: row["status"] for row in final}


def test_an_odd_run_is_left_to_v1_and_told(world: World, warehouse: Warehouse) -> None:
    all_kinds(world)
    odd = finished_run(world, "wf-triage", plans.agent_plan())
    world.change_run(odd.id, v2_status="unheard of")
    log = SyncLog()
    with serve(world, v2="on") as server:
        warehouse.load(server, *RUNS, log=log)
    world.change_run(odd.id, v2_status=None)
    right(warehouse, world)
    assert warehouse.row("logs", odd.id)["v2_status"] is None
    assert log.failures == []
    assert [warning for warning in log.warnings if "cannot return 1 of the runs" in warning]


@pytest.mark.parametrize(
    "down", [fault.server_error(), fault.unavailable(0), fault.reset(), fault.cut_off()], ids=lambda each: each.name
)
def test_a_v2_that_fails_holds_nothing_back_and_is_asked_again(
    world: World, warehouse: Warehouse, down: fault.Fault
) -> None:
    all_kinds(world)
    faults, log = Faults().always(down, path="/api/v2/logs"), SyncLog()
    with serve(world, v2="on", faults=faults) as server:
        warehouse.load(server, *RUNS, log=log)
        assert [failure.resource for failure in log.failures] == ["logs"]
        stored = {row["id"]: row["status"] for row in warehouse.table("logs")}
        assert stored == {run.id: oracle.status(run, "2026-08") for run in world.runs_of(WORKSPACE)}
        assert len(warehouse.remembered().workspace(WORKSPACE).logs.unconfirmed) == 1
        faults.clear()
        log = SyncLog()
        warehouse.load(server, *RUNS, log=log)
        assert log.failures == []
        assert warehouse.remembered().workspace(WORKSPACE).logs.unconfirmed == []
    right(warehouse, world)


@pytest.mark.parametrize("passing", EVERY_WAY.values(), ids=EVERY_WAY)
def test_a_passing_fault_is_no_failure(world: World, warehouse: Warehouse, passing: fault.Fault) -> None:
    all_kinds(world)
    log = SyncLog()
    with serve(world, v2="on", faults=Faults().at(1, passing, path="/api/v2/logs")) as server:
        warehouse.load(server, *RUNS, log=log)
        if warehouse.remembered().workspace(WORKSPACE).logs.unconfirmed:
            assert passing.name in ("429", "503")  # rows do not wait until v2 may be asked again
            warehouse.load(server, *RUNS, log=log)
    assert (log.failures, log.warnings) == ([], [])
    right(warehouse, world)


@pytest.mark.parametrize("tables", [RUNS, ("logs",)], ids=["all tables", "logs alone"])
@pytest.mark.parametrize("away", ["off", "absent", "v1"])
def test_runs_read_while_v2_was_away_are_confirmed_when_it_is_back(
    world: World, warehouse: Warehouse, away: str, tables: tuple[str, ...]
) -> None:
    finished_run(world, "wf-triage", plans.agent_plan())
    with serve(world, v2="on") as server:
        warehouse.load(server, *tables)
        world.now_ms += DAY_MS
        all_kinds(world)
        dialect = server.app.dialect
        if away != "v1":
            server.app.dialect = replace(dialect, v2=away)  # type: ignore[arg-type]
        warehouse.load(server, *tables, **({"api": "v1"} if away == "v1" else {}))
        server.app.dialect = dialect
        for _ in range(2):
            world.now_ms += 9 * DAY_MS
            warehouse.load(server, *tables)
        right(warehouse, world)
        assert warehouse.remembered().workspace(WORKSPACE).logs.unconfirmed == []


def test_a_run_that_goes_on_between_both_requests_is_read_again(world: World, warehouse: Warehouse) -> None:
    """Plain rows of v1 show a pause as an end."""
    run = world.start_run("wf-triage", plans.two_model_plan(), started_ms=world.now_ms - 20 * DAY_MS)
    world.pause_run(run.id)

    def go_on(_: int, path: str) -> None:
        if path == "/api/v2/logs" and run.state == "paused":
            world.end_run(world.resume_run(run.id).id)

    with serve(world, v2="on") as server:
        server.app.before_request = go_on
        warehouse.load(server, "logs")
        assert warehouse.row("logs", run.id)["status"] == "running"
        world.now_ms += DAY_MS
        warehouse.load(server, "logs")
    right(warehouse, world)
    assert warehouse.row("logs", run.id)["cost_total"] == oracle.told_total(run, "2026-08")


def test_a_workspace_that_v2_denies_does_not_stop_the_others(world: World, warehouse: Warehouse) -> None:
    all_kinds(world)
    other = next(id_ for id_, flow in world.workflows.items() if flow.workspace_id == SECOND_WORKSPACE)
    finished_run(world, other, plans.agent_plan())
    log = SyncLog()
    denied = fault.Fault("403", "answer", error_reply(403, "FORBIDDEN", "no", code="PERSONAL_API_KEYS_DISABLED"))
    faults = Faults().always(denied, path=f"/api/v2/logs?workspaceId={SECOND_WORKSPACE}")
    with serve(world, v2="on", faults=faults) as server:
        warehouse.load(server, *RUNS, workspace_id=[SECOND_WORKSPACE, WORKSPACE], log=log)
    stored = {row["id"]: row["status"] for row in warehouse.table("logs")}
    assert stored == {run.id: oracle.status_by_v2(run) for run in world.runs.values()}
    assert [warning for warning in log.warnings if "PERSONAL_API_KEYS_DISABLED" in warning]
    assert log.failures == []


def test_a_limit_that_never_lets_v2_answer_holds_nothing_back(world: World, warehouse: Warehouse) -> None:
    all_kinds(world)
    faults, log = Faults().always(fault.rate_limited(60), path="/api/v2/"), SyncLog()
    with serve(world, v2="on", faults=faults) as server:
        warehouse.load(server, *RUNS, log=log)
        assert requests(server)["/api/v2/logs"] == 1
    assert len(warehouse.table("logs")) == len(world.runs)
    assert (log.failures, log.counters.waited_s) == ([], 0)


def test_many_odd_runs_in_succession_are_passed(world: World, warehouse: Warehouse) -> None:
    runs = [
        finished_run(world, "wf-triage", plans.plain_plan(), started_ms=world.now_ms - DAY_MS + place * 1000)
        for place in range(200)
    ]
    for run in runs[60:100]:
        world.change_run(run.id, v2_status="unheard of")
    log = SyncLog()
    with serve(world, v2="on") as server:
        warehouse.load(server, *RUNS, log=log)
    assert log.failures == []
    assert [warning for warning in log.warnings if "cannot return 40 of the runs" in warning]
    told = {row["id"] for row in warehouse.table("logs", "v2_status = 'completed'")}
    assert told == {run.id for run in (*runs[:60], *runs[100:])}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("empty", [True, False], ids=["empty pages", "the first page"])
@pytest.mark.parametrize("cursor", ["same", "new"])
def test_a_list_of_v2_without_end_is_a_failure(world: World, warehouse: Warehouse, empty: bool, cursor: Cursor) -> None:
    all_kinds(world)
    endless = fault.endless(empty=empty, cursor=cursor)
    log = SyncLog()
    with serve(world, v2="on", faults=Faults().always(endless, path="/api/v2/logs")) as server:
        warehouse.load(server, *RUNS, log=log)
        assert requests(server)["/api/v2/logs"] < 20
    assert [failure.resource for failure in log.failures] == ["logs"]
    assert len(warehouse.table("logs")) == len(world.runs)


def test_runs_of_before_v2_are_confirmed_once(world: World, warehouse: Warehouse) -> None:
    all_kinds(world)
    with serve(world, v2="off") as server:
        warehouse.load(server, *RUNS)
        world.now_ms += 30 * DAY_MS
        server.app.dialect = replace(server.app.dialect, v2="on")
        warehouse.load(server, *RUNS)
        right(warehouse, world)
        server.requests.clear()
        world.now_ms += MINUTE_MS
        warehouse.load(server, *RUNS)
        assert requests(server)["/api/v2/logs"] == 1  # for the runs that are open


@pytest.mark.parametrize("bounds", [{}, {"max_ledger": 0}], ids=["a whole sync", "a piece of the lists"])
def test_rows_of_v2_that_do_not_fit_are_set_aside(world: World, warehouse: Warehouse, bounds: dict[str, int]) -> None:
    run = finished_run(world, "wf-triage", plans.agent_plan())
    other = finished_run(world, "wf-triage", plans.agent_plan())
    world.change_run(run.id, v2_status=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sim_api.http.v2.v2_runs.STATUSES", (7, "completed"))
        with serve(world, v2="on") as server:
            warehouse.load(server, *RUNS, **bounds)
    assert warehouse.row("logs", run.id)["v2_status"] is None
    assert warehouse.row("logs", other.id)["v2_status"] == "completed"
    (odd,) = warehouse.table("rejected_rows")
    assert (odd["table_name"], odd["workspace_id"]) == ("logs", WORKSPACE)


def test_stretches_to_confirm_are_kept_and_taken_back() -> None:
    logs = ResourceState({})
    logs.confirm_earlier()
    assert (logs.unconfirmed, logs.kept) == ([], {"meets_v2": True})
    logs.unconfirm([Stretch(NOW, NOW + MINUTE), Stretch(NOW + MINUTE, NOW + 3 * MINUTE)])
    logs.confirmed(NOW + MINUTE, NOW + 2 * MINUTE)
    assert logs.unconfirmed == [
        Stretch(NOW, NOW + MINUTE - MILLISECOND),
        Stretch(NOW + 2 * MINUTE + MILLISECOND, NOW + 3 * MINUTE),
    ]
    logs.confirmed(NOW, NOW + timedelta(days=1))
    assert logs.kept == {"meets_v2": True}
