"""The server on loopback, and its faults as a client meets them."""

import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from pipelines.sim_api import OWNER_KEY, WORKSPACE, Faults, SimServer, World, many_runs, serve, tied_runs
from pipelines.sim_api.http import faults

LOGS = "/api/v1/logs"


@pytest.fixture
def server(world: World) -> Iterator[SimServer]:
    tied_runs(world, "wf-triage", 20, world.now_ms - 1000)
    with serve(world) as running:
        yield running


def get(server: SimServer, path: str = LOGS, key: str = OWNER_KEY, **query: str) -> requests.Response:
    params = {"workspaceId": WORKSPACE, **query}
    return requests.get(
        server.base_url + path, params=params, headers={"X-API-Key": key}, allow_redirects=False, timeout=5
    )


def test_answers_over_http_and_records_the_request(server: SimServer) -> None:
    response = get(server, limit="3")
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    assert len(response.json()["data"]) == 3
    get(server, "/api/v1/audit-logs")
    assert [request.status for request in server.requests] == [200, 200]
    assert server.count(f"{LOGS}?") == 1
    assert OWNER_KEY not in repr(server.requests)


def test_bearer_token_is_no_key(server: SimServer) -> None:
    response = requests.get(server.base_url + LOGS, headers={"Authorization": f"Bearer {OWNER_KEY}"}, timeout=5)
    assert (response.status_code, response.json()) == (401, {"error": "API key required"})


def test_starts_and_stops_at_once_and_leaves_no_thread(world: World) -> None:
    began, before = time.monotonic(), threading.active_count()
    for _ in range(5):
        with serve(world) as running:
            assert get(running).status_code == 200
    assert time.monotonic() - began < 3
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(running.base_url, timeout=1)


def test_stops_while_a_slow_answer_is_pending(world: World) -> None:
    began = time.monotonic()
    failed: list[Exception] = []

    def ask() -> None:
        try:
            get(running)
        except requests.RequestException as problem:
            failed.append(problem)

    asked = threading.Event()
    with serve(world, faults=Faults().always(faults.slow(60))) as running:
        running.app.before_request = lambda number, path: asked.set()
        client = threading.Thread(target=ask)
        client.start()
        assert asked.wait(5)
    client.join(5)
    assert failed
    assert time.monotonic() - began < 5


def test_world_may_change_between_requests_and_before_one(server: SimServer) -> None:
    world = server.world

    def purge_on_second(number: int, path: str) -> None:
        if number == 2:
            world.purge_run(world.runs_of(WORKSPACE)[0].id)

    server.app.before_request = purge_on_second
    counts = [len(get(server).json()["data"]) for _ in range(3)]
    assert counts == [20, 19, 19]


def test_server_can_be_upgraded(server: SimServer) -> None:
    server.use("2026-03")
    assert "x-request-id" not in get(server).headers
    server.use("2026-08")
    assert "x-request-id" in get(server).headers


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (faults.server_error(), 500, '{"error":"Internal server error"}'),
        (faults.bad_gateway(), 502, "<!DOCTYPE html>"),
        (faults.unavailable(7), 503, '"retryAfterSeconds":7'),
        (faults.transient_401(), 401, "Rate limit check failed"),
        (faults.transient_401("Authentication failed"), 401, "Authentication failed"),
        (faults.html_200(), 200, "<!DOCTYPE html>"),
        (faults.redirect("http://127.0.0.2:9/elsewhere"), 307, ""),
    ],
    ids=lambda value: value.name if isinstance(value, faults.Fault) else None,
)
def test_fault_with_an_answer(server: SimServer, fault: faults.Fault, status: int, body: str) -> None:
    server.faults.script([fault, None])
    response = get(server)
    assert response.status_code == status
    assert body in response.text
    assert get(server).json()["data"]
    assert server.faults.injected == [(LOGS, fault.name)]


@pytest.mark.parametrize(("retry_after", "header"), [(3, "3"), (0, "0"), (None, None)])
def test_429_with_and_without_retry_after(server: SimServer, retry_after: int | None, header: str | None) -> None:
    server.faults.at(1, faults.rate_limited(retry_after))
    response = get(server)
    assert (response.status_code, response.headers.get("retry-after")) == (429, header)
    assert response.json()["retryAfter"] > time.time() * 1000


def test_429_with_an_http_date(server: SimServer) -> None:
    server.faults.at(1, faults.rate_limited("date", seconds=2))
    moment = parsedate_to_datetime(get(server).headers["retry-after"]).timestamp()
    assert 1 < moment - time.time() < 4


def test_body_is_cut_off(server: SimServer) -> None:
    server.faults.at(1, faults.cut_off(0.5))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get(server)
    assert get(server).json()["data"]


def test_connection_is_reset(server: SimServer) -> None:
    server.faults.at(1, faults.reset())
    with pytest.raises(requests.ConnectionError, match=r"[Rr]eset|abort"):
        get(server)
    assert server.requests[0].status == 0
    assert get(server).json()["data"]


def test_slow_answer_is_right(server: SimServer) -> None:
    server.faults.at(1, faults.slow(0.2))
    began = time.monotonic()
    assert get(server).json()["data"]
    assert time.monotonic() - began > 0.19


def test_oversize_pages_fail_and_smaller_ones_pass(server: SimServer) -> None:
    server.faults.always(faults.oversize(10), path=f"{LOGS}?")
    assert get(server, details="full", limit="11").status_code == 500
    assert get(server, details="full", limit="10").status_code == 200
    assert get(server, limit="11").status_code == 200


def test_faults_by_path_count_their_own_requests(server: SimServer) -> None:
    server.faults.at(2, faults.bad_gateway(), path="/api/v1/workflows")
    statuses = [get(server, path).status_code for path in (LOGS, "/api/v1/workflows", LOGS, "/api/v1/workflows")]
    assert statuses == [200, 200, 200, 502]


def test_chance_is_seeded() -> None:
    def names() -> list[str | None]:
        made = Faults(seed=3).chance(0.5, faults.bad_gateway(), faults.server_error())
        picked = [made.pick(LOGS, "") for _ in range(30)]
        return [fault and fault.name for fault in picked]

    assert names() == names()
    assert len(set(names())) == 3


def test_thousand_full_rows_come_quickly() -> None:
    with serve(many_runs(2000)) as running:
        began = time.monotonic()
        response = get(running, details="full", includeTraceSpans="true", includeFinalOutput="true", limit="1000")
        assert len(response.json()["data"]) == 1000
        assert time.monotonic() - began < 2  # about 0.2 s; the bound is for a busy machine
