"""The HTTP client against real sockets: what is tried again, what is not, and where the key goes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from pipelines.sim_api import FOREIGN_WORKSPACE, OWNER_KEY, Fault, Faults, RateLimit
from pipelines.sim_api.http import faults as fault
from sim_source import SimClient, errors
from tests.helpers.asking import HERE, LIST, client, ids, serving

RETRIED = {
    "500": fault.server_error(),
    "502 with HTML": fault.bad_gateway(),
    "503": fault.unavailable(None),
    "503 that asks for no wait": fault.unavailable(0),
    "200 with HTML": fault.html_200(),
    "a body cut off": fault.cut_off(),
    "a body cut off at once": fault.cut_off(0.0),
    "a reset connection": fault.reset(),
    "401 Rate limit check failed": fault.transient_401(),
    "401 Authentication failed": fault.transient_401("Authentication failed"),
}


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
@pytest.mark.parametrize("kind", RETRIED.values(), ids=RETRIED.keys())
def test_a_fault_that_may_pass_is_tried_again(kind: Fault, dialect: str) -> None:
    with serving(dialect, faults=Faults().script([kind, kind, None])) as server, client(server.base_url) as asking:
        assert len(asking.get(LIST, HERE, ids)) == 1
        assert len(server.requests) == 3
        assert (asking.counters.requests, asking.counters.retries) == (3, 2)


@pytest.mark.parametrize("kind", RETRIED.values(), ids=RETRIED.keys())
def test_a_fault_that_stays_ends_as_unavailable_after_the_last_try(kind: Fault) -> None:
    with serving(faults=Faults().always(kind)) as server, client(server.base_url, attempts=3) as asking:
        with pytest.raises(errors.Unavailable, match=LIST):
            asking.get(LIST, HERE, ids)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("path", "query", "key", "error"),
    [
        (LIST, HERE, "sk-sim-wrong-key-00000", errors.AccessDenied),
        (LIST, {"workspaceId": FOREIGN_WORKSPACE}, OWNER_KEY, errors.AccessDenied),
        (LIST, {}, OWNER_KEY, errors.BadRequest),
        (LIST, {**HERE, "cursor": "bogus"}, OWNER_KEY, errors.BadRequest),
        (f"{LIST}/unknown", None, OWNER_KEY, errors.NotFound),
    ],
    ids=["wrong key", "foreign workspace", "no workspace", "bad cursor", "purged run"],
)
def test_what_will_not_pass_is_asked_once(path: str, query: Any, key: str, error: type[Exception]) -> None:
    with serving() as server, SimClient(key, server.base_url, backoff_s=0.001) as asking:
        with pytest.raises(error):
            asking.get(path, query, ids)
        assert len(server.requests) == 1
        assert asking.counters.retries == 0


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (fault.unavailable(2), 2.0),
        (fault.rate_limited(1), 1.0),
        (fault.rate_limited("date", seconds=2), 1.0),
    ],
    ids=["503 retryAfterSeconds", "429 seconds", "429 date"],
)
@pytest.mark.parametrize("path", [LIST, "/api/users/me/usage-limits"], ids=["limited", "usage"])
def test_the_next_try_is_not_before_the_server_asks_for_it(kind: Fault, least: float, path: str) -> None:
    waits: list[float] = []
    with serving(faults=Faults().at(1, kind)) as server:
        # a client that may not wait says how long it would have to
        asking = client(server.base_url, on_wait=lambda seconds, why: waits.append(seconds))
        asking.throttle._deadline = 0.0
        with asking, pytest.raises(errors.OutOfTime, match="waiting"):
            asking.get(path, HERE, ids, limited=path == LIST)
        assert len(server.requests) == 1
    assert waits == []
    assert least > 0


@pytest.mark.parametrize("header", [0, None], ids=["Retry-After 0", "no Retry-After"])
@pytest.mark.parametrize("path", [LIST, "/api/users/me/usage-limits"], ids=["limited", "usage"])
def test_a_refusal_without_a_time_is_no_reason_to_hammer(header: int | None, path: str) -> None:
    waits: list[float] = []
    kind = fault.rate_limited(header, seconds=0.3)
    with (
        serving(faults=Faults().script([kind, None])) as server,
        client(server.base_url, on_wait=lambda seconds, why: waits.append(seconds)) as asking,
    ):
        asking.get(path, HERE, bytes, limited=path == LIST)
        assert len(server.requests) == 2
    assert len(waits) == 1
    assert waits[0] >= 0.2


def test_waiting_for_the_limit_is_no_try() -> None:
    limit = RateLimit(rate=1, capacity=1, interval=0.2)
    with serving(limit=limit) as server, client(server.base_url, attempts=2) as asking:
        for _ in range(3):
            asking.get(LIST, HERE, ids)
        assert asking.counters.rate_limited == 0
        assert asking.counters.waited_s > 0
    assert len(server.requests) == 3


def test_a_wait_beyond_the_deadline_is_out_of_time_and_not_slept() -> None:
    limit = RateLimit(rate=1, capacity=1, interval=3600)
    with serving(limit=limit) as server, client(server.base_url, deadline=2e9 * 4) as asking:
        asking.get(LIST, HERE, ids)
        asking.throttle._deadline = 1.0
        assert asking.out_of_time
        with pytest.raises(errors.OutOfTime):
            asking.get(LIST, HERE, ids)
    assert len(server.requests) == 1


def test_many_at_once_stay_within_the_limit() -> None:
    with serving(limit=RateLimit(rate=8, capacity=8, interval=0.5)) as server, client(server.base_url) as asking:
        asking.get(LIST, HERE, ids)
        threads = [threading.Thread(target=asking.get, args=(LIST, HERE, ids)) for _ in range(23)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert asking.counters.requests == 24
        assert [request.status for request in server.requests] == [200] * 24


def test_the_decoder_sees_the_body_as_it_was_sent() -> None:
    with serving() as server, client(server.base_url) as asking:
        assert msgspec.json.decode(asking.get(LIST, HERE, bytes)).keys() == {"data", "limits"}


def test_nobody_there_is_unavailable() -> None:
    with serving() as server:
        gone = server.base_url
    with client(gone, attempts=2) as asking, pytest.raises(errors.Unavailable, match=r"127\.0\.0\.1"):
        asking.get(LIST, HERE, ids)


@pytest.mark.parametrize("refusal", [fault.rate_limited(60), fault.unavailable(60)], ids=["429", "503"])
def test_a_client_that_is_closed_lets_nobody_wait(refusal: Fault) -> None:
    waiting = threading.Event()
    with serving(faults=Faults().always(refusal, path=LIST)) as server:
        asking = client(server.base_url, on_wait=lambda seconds, why: waiting.set())
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(asking.get, LIST, HERE, ids)
            assert waiting.wait(30)
            asking.close()
            with pytest.raises(errors.Unavailable, match="closed"):
                answer.result(30)
