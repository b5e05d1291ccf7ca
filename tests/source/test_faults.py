"""Every way in which the API, its proxy or the network can fail: the tables stay the same, and no try comes early."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.sim_api import (
    Fault,
    Faults,
    RateLimit,
    Request,
    World,
    audit_burst,
    many_runs,
    one_of_each,
    serve,
    small_world,
)
from pipelines.sim_api.http import faults as fault
from sim_source import SyncLog
from sim_source.api import client
from sim_source.reading import concurrent_requests, session
from tests.helpers.warehouse import STEADY, Row, Warehouse

EVERY_WAY = {
    "500": fault.server_error(),
    "502 of a proxy, HTML": fault.bad_gateway(),
    "503 that names no wait": fault.unavailable(None),
    "503 to be tried again in 0 s": fault.unavailable(0),
    "503 to be tried again in 1 s": fault.unavailable(1),
    "429 with Retry-After 1": fault.rate_limited(1),
    "429 with Retry-After 0": fault.rate_limited(0, seconds=0.0),
    "429 with an HTTP date": fault.rate_limited("date", seconds=0.1),
    "429 without a header": fault.rate_limited(None, seconds=0.3),
    "a body cut off in the middle": fault.cut_off(),
    "a body cut off before its end": fault.cut_off(0.99),
    "a reset connection": fault.reset(),
    "HTML with 200": fault.html_200(),
    "401 Rate limit check failed": fault.transient_401(),
    "401 Authentication failed": fault.transient_401("Authentication failed"),
    "a slow answer": fault.slow(0.05),
}
STORM = [replace(each, name=name) for name, each in EVERY_WAY.items()]
SOON = RateLimit(1_000_000, 2_000_000, interval=0.2)
"""No practical limit, and a bucket that says so anew five times a second."""
MOMENTS = ("observed_at", "sync_reset_at", "async_reset_at")
"""What no two looks at an account have in common."""


@pytest.fixture
def world() -> World:
    """Enough for a hundred requests of small pages."""
    world = small_world()
    one_of_each(world)
    many_runs(5, world=world)
    audit_burst(world, 10, world.now_ms - 60_000)
    return world


def tables(warehouse: Warehouse) -> dict[str, list[Row]]:
    """Everything, of usage what does not tell the time."""
    found = warehouse.contents(*STEADY, "usage", "rejected_rows")
    found["usage"] = [{name: row[name] for name in row if name not in MOMENTS} for row in found["usage"]]
    return found


def early(requests: list[Request]) -> list[Request]:
    """Requests under the rate limit that came before the moment an earlier answer had named."""
    limited = [request for request in requests if request.path.startswith("/api/v1/")]
    return [
        later
        for place, refused in enumerate(limited)
        for later in limited[place + 1 :]
        if refused.asked_to_wait_until is not None and later.arrived < refused.asked_to_wait_until
    ]


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08", "documents"])
def test_a_fifth_of_all_answers_failing_in_every_way_changes_no_table_and_no_try_is_early(
    tmp_path: Path, world: World, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # none under way when another is refused: the order is exact
    monkeypatch.setattr(concurrent_requests, "CONNECTIONS", 1)
    monkeypatch.setattr(session, "FAR_S", math.inf)
    calm, stormy = Warehouse(tmp_path / "calm"), Warehouse(tmp_path / "stormy")
    asked: dict[str, Any] = {"details": "all", "snapshots": "all"}
    with serve(world, dialect, limit=SOON, max_limit=4) as server:
        calm.load(server, **asked)
        server.requests.clear()
        log = SyncLog()
        server.app.faults = Faults(seed=3).deal(0.2, *STORM).always(fault.oversize(2))
        stormy.load(server, log=log, **asked)
        injected = {name for _, name in server.faults.injected}
    assert injected == set(EVERY_WAY)
    assert log.failures == []
    assert tables(stormy) == tables(calm)
    assert [request.target for request in early(server.requests)] == []
    assert any(request.asked_to_wait_until for request in server.requests)


@pytest.mark.parametrize("refusal", [fault.rate_limited(1), fault.unavailable(1)], ids=["429", "503"])
def test_of_many_at_once_only_those_already_under_way_come_after_a_refusal(
    warehouse: Warehouse, refusal: Fault
) -> None:
    world = many_runs(120)
    with serve(world, limit=SOON, faults=Faults().at(40, refusal, path="/api/v1/logs/")) as server:
        warehouse.load(server, "logs", "log_details", "cost_items", details="all")
        asked = [request for request in server.requests if request.path.startswith("/api/v1/")]
    (refused,) = (request for request in asked if request.asked_to_wait_until is not None)
    after = asked[asked.index(refused) + 1 :]
    under_way = 2 * client.CONNECTIONS  # each connection may send one more before the refusal has been read
    assert len(after) > under_way
    assert sum(request.arrived < (refused.asked_to_wait_until or 0) for request in after) < under_way
    assert warehouse.ask("SELECT count(*) FROM log_details WHERE detail_source = 'detail'") == [(120,)]


def test_a_refusal_out_of_turn_is_waited_out_as_told_and_no_longer(warehouse: Warehouse, world: World) -> None:
    """A proxy's 429, say: the next answer tells that Sim's own bucket is full."""
    waits: list[float] = []

    def note(seconds: float, why: str) -> None:
        waits.append(seconds)
        assert seconds < 5, f"{seconds:.0f} s: {why}"

    refused = Faults().at(3, fault.rate_limited(1), path="/api/v1/")
    with serve(world, max_limit=4, limit=RateLimit(rate=1000, capacity=2000), faults=refused) as server:
        warehouse.load(server, "logs", log=SyncLog(on_wait=note))
    assert len(warehouse.table("logs")) == len(world.runs)
    assert waits
