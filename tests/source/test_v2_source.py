"""What the v2 API adds: workspaces, versions, folders, the ledger and its status; and what happens where it is not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.sim_api import (
    FREE_KEY,
    MEMBER_KEY,
    OWNER_KEY,
    SECOND_WORKSPACE,
    WORKSPACE,
    WORKSPACE_KEY,
    SimServer,
    World,
    serve,
)
from pipelines.sim_api.http import faults as fault
from pipelines.sim_api.http.faults import Faults
from sim_source import SyncLog, errors
from sim_source.api import decode, wire
from sim_source.api.query import Query
from sim_source.paging.state import MOST_EDGES, ResourceState
from sim_source.paging.walk_ledger import walk_billing_logs
from tests.helpers.virtual import VirtualTime
from tests.helpers.warehouse import Warehouse, full_world
from tests.source.test_faults import EVERY_WAY

V2_TABLES = ("workspaces", "workflow_versions", "billing_logs", "billing_status")
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    """The full world; some chats and voices beside its runs."""
    world = full_world()
    for place, source in enumerate(("sim-chat", "knowledge-base", "voice-output", "mothership_block")):
        world.charge(source, 0.0123 * (place + 1), WORKSPACE, created_us=world.now_ms * 1000 - 90_000_000 + place)  # type: ignore[arg-type]
    return world


def asked(server: SimServer) -> Counter[str]:
    """Paths that were requested."""
    return Counter(each.path for each in server.requests)


def v2_of(server: SimServer) -> list[str]:
    return [each.path for each in server.requests if each.path.startswith("/api/v2/")]


def truth(world: World, actor: str | None = None) -> dict[str, float]:
    """USD by event, of one actor or of the first workspace."""
    events = world.ledger.events
    return {
        event.id: event.usd
        for event in events
        if (event.actor_id == actor if actor else event.workspace_id == WORKSPACE)
    }


def test_all_that_only_v2_tells_is_stored(world: World, warehouse: Warehouse) -> None:
    world.workflows["wf-triage"].folder_id = "support"
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=WORKSPACE_KEY)
    assert {row["id"]: row["name"] for row in warehouse.table("workspaces")} == {
        WORKSPACE: world.workspaces[WORKSPACE].name
    }
    assert warehouse.row("workflows", "wf-triage")["folder_path"] == "/support"
    flows = [flow for flow in world.workflows.values() if flow.workspace_id == WORKSPACE]
    versions = {
        each.id: each.version for flow in flows if not (flow.archived or flow.deleted) for each in flow.deployments
    }
    assert {row["id"]: row["version"] for row in warehouse.table("workflow_versions")} == versions
    assert versions
    assert {row["id"] for row in warehouse.table("billing_logs")} == set(truth(world))
    (status,) = warehouse.table("billing_status")
    assert (status["workspace_id"], status["plan"], status["credits_used"]) == (WORKSPACE, "enterprise", None)


def test_credits_add_up_to_what_was_charged(world: World, warehouse: Warehouse) -> None:
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=WORKSPACE_KEY)
    ((count, credits_, usd, joined),) = warehouse.ask(
        "SELECT count(*), sum(credits), sum(cost_usd), (SELECT count(*) FROM logs WHERE execution_id IN "
        "(SELECT execution_id FROM billing_logs)) FROM billing_logs"
    )
    assert count < 100
    assert usd == credits_ * Decimal("0.005")
    assert abs(credits_ - 200 * sum(truth(world).values())) <= 0.5
    assert joined > 3


def test_a_personal_key_reads_the_events_of_its_owner(world: World, warehouse: Warehouse) -> None:
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=OWNER_KEY)
    owner = next(key.user_id for key in world.keys.values() if key.key == OWNER_KEY)
    assert {row["id"] for row in warehouse.table("billing_logs")} == set(truth(world, owner))
    (status,) = warehouse.table("billing_status")
    assert status["credits_used"] is not None


@pytest.mark.parametrize("v2", ["absent", "off"])
def test_without_v2_one_request_shows_it_and_nothing_is_wrong(world: World, warehouse: Warehouse, v2: str) -> None:
    log = SyncLog()
    with serve(world, v2=v2) as server:
        warehouse.load(server, log=log)
        assert len(v2_of(server)) == 1
    assert (log.failures, log.warnings) == ([], [])
    assert not any(warehouse.table(name) for name in V2_TABLES)
    assert warehouse.table("logs")


def test_a_rate_limit_that_never_lets_v2_answer_is_one_failure(
    world: World, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, log = VirtualTime(monkeypatch), SyncLog()
    began = clock.now
    with serve(world, v2="on", faults=Faults().always(fault.rate_limited(60), path="/api/v2/")) as server:
        warehouse.load(server, log=log)
        assert len(v2_of(server)) <= 4
    assert [(failure.resource, failure.message) for failure in log.failures] == [
        ("workflows", "/api/v2/workflows: rate limit exceeded")
    ]
    assert [warning for warning in log.warnings if "is read by the next sync" in warning]
    assert clock.now - began <= 3 * 60
    assert warehouse.table("logs")


def test_v1_alone_asks_nothing_of_v2(world: World, warehouse: Warehouse) -> None:
    with serve(world, v2="on") as server:
        warehouse.load(server, api="v1")
        assert v2_of(server) == []
    assert warehouse.table("workflows")


def test_v2_costs_v1_no_request(world: World, warehouse: Warehouse, tmp_path: Path) -> None:
    found = []
    for api in ("auto", "v1"):
        with serve(world, v2="on") as server:
            Warehouse(tmp_path, api).load(server, api=api)
            found.append({path: count for path, count in asked(server).items() if not path.startswith("/api/v2/")})
    assert found[0] == found[1]


def test_a_sync_with_nothing_new_asks_v2_four_times_and_loads_no_event(world: World, warehouse: Warehouse) -> None:
    for place in range(350):
        world.charge("sim-chat", 0.003, WORKSPACE, created_us=world.now_ms * 1000 - 9_000_000_000 - place * 1_000_000)
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=WORKSPACE_KEY)
        before = len(v2_of(server))
        log = SyncLog()
        warehouse.load(server, api_key=WORKSPACE_KEY, log=log)
        assert len(v2_of(server)) - before <= 4
    assert {name: log.rows[name] for name in V2_TABLES} == {
        "workspaces": 0, "workflow_versions": 0, "billing_logs": 0, "billing_status": 1,
    }  # fmt: skip


def test_a_folder_stays_known_when_v2_goes_away(world: World, warehouse: Warehouse) -> None:
    world.workflows["wf-triage"].folder_id = "support"
    with serve(world, v2="on") as server:
        warehouse.load(server)
    world.workflows["wf-triage"].name = "Renamed"
    with serve(world, v2="off") as server:
        warehouse.load(server)
    row = warehouse.row("workflows", "wf-triage")
    assert (row["name"], row["folder_path"]) == ("Renamed", "/support")


def test_versions_are_read_when_something_was_deployed(world: World, warehouse: Warehouse) -> None:
    with serve(world, v2="on") as server:
        warehouse.load(server)
        world.now_ms += 60_000
        world.deploy("wf-triage")
        before = len(v2_of(server))
        warehouse.load(server)
        later = v2_of(server)[before:]
    assert [path for path in later if path.endswith("/versions")] == ["/api/v2/workflows/wf-triage/versions"]
    active = warehouse.table("workflow_versions", "workflow_id = 'wf-triage' AND is_active")
    assert [row["id"] for row in active] == [world.workflows["wf-triage"].deployed.id]  # type: ignore[union-attr]


def test_an_event_that_is_raised_is_read_again(world: World, warehouse: Warehouse) -> None:
    event = world.charge("mcp_copilot", 0.02, WORKSPACE)
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=WORKSPACE_KEY)
        first = warehouse.row("billing_logs", event.id)["credits"]
        world.raise_charge(event.id, 0.5)
        world.now_ms += 60_000
        warehouse.load(server, api_key=WORKSPACE_KEY)
    assert first in (4, 5)
    assert warehouse.row("billing_logs", event.id)["credits"] in (104, 105)
    ((credits_,),) = warehouse.ask("SELECT sum(credits) FROM billing_logs")
    assert abs(credits_ - 200 * sum(truth(world).values())) <= 0.5


def test_an_older_event_that_was_raised_is_found_once_a_day(world: World, warehouse: Warehouse) -> None:
    event = world.charge("mcp_copilot", 0.02, WORKSPACE)
    for place in range(250):
        world.charge("wand", 0.003, WORKSPACE, created_us=world.now_ms * 1000 - 9_000_000_000 - place * 1_000_000)
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=WORKSPACE_KEY)
        for _ in range(150):
            world.now_ms += 600_000
            world.charge("wand", 0.003, WORKSPACE)
        world.raise_charge(event.id, 0.5)
        warehouse.load(server, api_key=WORKSPACE_KEY)
    assert warehouse.row("billing_logs", event.id)["credits"] in (104, 105)
    assert {row["id"] for row in warehouse.table("billing_logs")} == set(truth(world))
    ((credits_,),) = warehouse.ask("SELECT sum(credits) FROM billing_logs")
    assert abs(credits_ - 200 * sum(truth(world).values())) <= len(truth(world)) / 200 + 1


def test_a_deleted_workflow_keeps_its_name_in_the_ledger(world: World, warehouse: Warehouse) -> None:
    with serve(world, v2="on") as server:
        warehouse.load(server, api_key=WORKSPACE_KEY)
        (event,) = warehouse.ask(
            "SELECT id, workflow_id, workflow_name FROM billing_logs WHERE workflow_id = 'wf-triage' LIMIT 1"
        )
        world.delete_workflow("wf-triage")
        world.now_ms += 60_000
        warehouse.load(server, api_key=WORKSPACE_KEY)
    row = warehouse.row("billing_logs", event[0])
    assert (row["workflow_id"], row["workflow_name"]) == event[1:]


def test_an_unknown_source_and_unknown_fields_are_kept() -> None:
    body = (
        b'{"data":[{"id":"e1","createdAt":"2026-11-02T11:00:00.000Z","source":"dreams","creditCost":3,"mood":"good"},'
        b'{"id":"e2","creditCost":3}],"nextCursor":null}'
    )
    page = decode.page_of(body, wire.BillingEvent)
    assert [(row.source, bytes(row.unknown)) for row in page.rows] == [("dreams", b'{"mood":"good"}')]
    assert [row.id for row in page.rejected] == ["e2"]


@pytest.mark.parametrize("key", [MEMBER_KEY, FREE_KEY])
def test_what_a_key_may_not_see_is_no_failure(world: World, warehouse: Warehouse, key: str) -> None:
    log = SyncLog()
    workspace = WORKSPACE if key == MEMBER_KEY else SECOND_WORKSPACE
    with serve(world, v2="on") as server:
        warehouse.load(server, *V2_TABLES, api_key=key, workspace_id=workspace, log=log)
    assert log.failures == []


# --- what goes wrong


@pytest.mark.parametrize("nth", [1, 4])
@pytest.mark.parametrize("name", EVERY_WAY)
def test_a_passing_fault_of_v2_loses_nothing(world: World, warehouse: Warehouse, name: str, nth: int) -> None:
    log, faults = SyncLog(), Faults().at(nth, EVERY_WAY[name], path="/api/v2/")
    with serve(world, v2="on", faults=faults) as server:
        warehouse.load(server, *V2_TABLES, "workflows", api_key=WORKSPACE_KEY, log=log)
    assert faults.injected
    assert log.failures == []
    assert {row["id"] for row in warehouse.table("billing_logs")} == set(truth(world))
    assert all(warehouse.table(name) for name in V2_TABLES)


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("billing/logs", "billing_logs"),
        ("billing/status", "billing_status"),
        ("workspaces", "workspaces"),
        ("workflows/wf-triage/versions", "workflow_versions"),
        ("workflows?", "workflows"),
    ],
)
def test_a_resource_of_v2_that_breaks_is_named_and_no_other_waits_for_it(
    world: World, warehouse: Warehouse, path: str, resource: str
) -> None:
    log, faults = SyncLog(), Faults().always(fault.server_error(), path=f"/api/v2/{path}")
    with serve(world, v2="on", faults=faults) as server:
        warehouse.load(server, api_key=WORKSPACE_KEY, log=log)
        assert {failure.resource for failure in log.failures} == {resource}
        assert warehouse.table("logs")
        assert warehouse.table("workflows")
        server.app.faults.clear()
        warehouse.load(server, api_key=WORKSPACE_KEY)
    assert {row["id"] for row in warehouse.table("billing_logs")} == set(truth(world))
    assert all(warehouse.table(name) for name in V2_TABLES)


def test_a_proxy_that_answers_all_unknown_paths_with_a_page_means_no_v2(world: World, warehouse: Warehouse) -> None:
    log = SyncLog()
    with serve(world, faults=Faults().always(fault.html_200(), path="/api/v2/")) as server:
        warehouse.load(server, log=log)
    assert log.failures == []
    assert warehouse.table("logs")


def test_a_ledger_that_stops_in_the_middle_goes_on_there(world: World, warehouse: Warehouse) -> None:
    for place in range(450):
        world.charge("sim-chat", 0.003, WORKSPACE, created_us=world.now_ms * 1000 - 9_000_000_000 - place * 1_000_000)
    log, path = SyncLog(), "/api/v2/billing/logs"
    faults = Faults().script([None, None, None, None, *[fault.server_error()] * 3], path=path)
    with serve(world, v2="on", faults=faults) as server:
        warehouse.load(server, api_key=WORKSPACE_KEY, log=log)
        assert [failure.resource for failure in log.failures] == ["billing_logs"]
        assert len(warehouse.table("billing_logs")) > 150
        before = asked(server)[path]
        warehouse.load(server, api_key=WORKSPACE_KEY)
        assert asked(server)[path] - before < 9
    assert {row["id"] for row in warehouse.table("billing_logs")} == set(truth(world))
    ((credits_,),) = warehouse.ask("SELECT sum(credits) FROM billing_logs")
    assert abs(credits_ - 200 * sum(truth(world).values())) <= 5 / 2 + 1


# --- the walk


class Told:
    """A ledger as the server pages and rounds it."""

    def __init__(self, events: list[tuple[datetime, float]]) -> None:
        self.events = sorted(((at, f"e{place}", usd) for place, (at, usd) in enumerate(events)), reverse=True)
        self.requests = 0

    def __call__(self, query: Query) -> decode.Page[wire.BillingEvent]:
        self.requests += 1
        only = dict(query.only)
        found = [
            each
            for each in self.events
            if query.start <= each[0] <= query.end and only.get("source", "workflow") == "workflow"
        ]  # type: ignore[operator]
        shown = found[: query.limit]
        exact = [200 * usd for _, _, usd in shown]
        floors = [int(value + 1e-9) for value in exact]
        left = round(sum(exact)) - sum(floors)
        largest = sorted(range(len(shown)), key=lambda at: exact[at] - floors[at], reverse=True)[:left]
        rows = [
            wire.BillingEvent(
                id=name,
                created_at=at.replace(microsecond=at.microsecond // 1000 * 1000),
                source="workflow",
                credit_cost=floors[place] + (place in largest),
            )
            for place, (at, name, _) in enumerate(shown)
        ]
        return decode.Page(rows, "more" if len(found) > query.limit else None, 0)


def walked(ask: Told, start: datetime = NOW - timedelta(days=30), end: datetime = NOW) -> Iterator[Any]:
    return walk_billing_logs(ask, start, end)


@pytest.mark.parametrize("seed", range(20))
def test_no_event_is_lost_or_doubled_and_every_page_is_right_to_half_a_credit(seed: int) -> None:
    dice = random.Random(seed)
    events = []
    at = NOW - timedelta(days=1)
    while len(events) < 900:
        many = dice.random() < 0.1  # less than a page, in a millisecond of their own
        at += timedelta(microseconds=2000 if many else dice.choice((1, 300, 999, 1000, 40_000, 5_000_000)))
        events += [(at, dice.random() / 30)] * (60 if many else dice.choice((1, 1, 3, 5)))
        at += timedelta(microseconds=2000 if many else 0)
    ask = Told(events)
    chunks = list(walked(ask))
    found = [row.id for chunk in chunks for row in chunk.rows]
    assert sorted(found) == sorted(name for _, name, _ in ask.events)
    assert not any(chunk.gap for chunk in chunks)
    usd = {name: cost for _, name, cost in ask.events}
    pages = -(-len(found) // 100)
    told = sum(int(row.credit_cost or 0) for chunk in chunks for row in chunk.rows)
    assert abs(told - 200 * sum(usd.values())) <= len(chunks) / 2 + 1
    for chunk in chunks:
        exact = sum(200 * usd[row.id] for row in chunk.rows)
        assert abs(sum(int(row.credit_cost or 0) for row in chunk.rows) - exact) <= 1.5
    assert ask.requests <= 2 * len(chunks) <= 6 * pages


def test_more_events_than_a_page_in_one_millisecond_are_a_gap_unless_filters_split_them() -> None:
    chunks = list(walked(Told([(NOW - timedelta(hours=1), 0.01)] * 150 + [(NOW - timedelta(hours=2), 0.01)])))
    assert [chunk.gap.read for chunk in chunks if chunk.gap]
    assert "e150" in {row.id for chunk in chunks for row in chunk.rows}


def test_a_server_that_always_reports_more_ends_the_walk() -> None:
    def endless(query: Query) -> decode.Page[wire.BillingEvent]:
        return decode.Page([], "more", 0)

    with pytest.raises(errors.NoProgress):
        list(walk_billing_logs(endless, NOW - timedelta(days=1), NOW))


def test_edges_thin_out_towards_the_past() -> None:
    state = ResourceState({})
    upper = NOW
    for hours in range(1, 2000):
        edge = NOW - timedelta(hours=hours)
        state.set_edge(edge, upper)
        upper = edge
    edges = state.edges
    assert len(edges) <= MOST_EDGES
    assert (edges[0], edges[-1]) == (NOW - timedelta(hours=1999), NOW - timedelta(hours=1))
    week = max(edge for edge in edges if edge <= NOW - timedelta(days=7))
    assert NOW - week < timedelta(days=9)


def test_a_table_of_an_earlier_version_gets_its_new_columns(world: World, warehouse: Warehouse) -> None:
    lacking = {"trace_spans": "child_execution_id", "workflows": "folder_path"}
    with serve(world) as server:
        warehouse.load(server)
        schema = warehouse.pipeline.default_schema
        with duckdb.connect(str(warehouse.file)) as connection:
            for name, column in lacking.items():
                connection.execute(f"ALTER TABLE sim.{name} DROP COLUMN {column}")
                del schema.tables[name]["columns"][column]
        warehouse.pipeline._schema_storage.save_schema(schema)
        warehouse.load(server)
    for name, column in lacking.items():
        assert {row[column] for row in warehouse.table(name)} == {None}
