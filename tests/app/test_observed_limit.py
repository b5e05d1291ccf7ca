"""A server's limit, told from its answers to a few requests one after the other."""

from __future__ import annotations

import pytest

from pipelines.check.observed_limit import Listening, Told, limit_of
from pipelines.rate_limit import RateLimit
from pipelines.sim_api.http.limits import Buckets
from tests.helpers.warehouse import iso

SIMS = [RateLimit.per_minute(rate) for rate in (10, 30, 100, 500)]
OTHERS = [RateLimit(1, 60, 0.1), RateLimit(10, 20, 1.0), RateLimit(50, 60, 5.0), RateLimit(300, 400, 60.0)]


def heard(limit: RateLimit, requests: int, every_s: float, *, header: int, late: float = 0.0) -> Listening:
    """What a client hears that asks so often; the server's bucket was begun `late` seconds before."""
    buckets, pacer, now = Buckets(limit), Listening(), 1_763_600_000.0
    buckets.take("payer", now - late)
    for _ in range(requests):
        verdict = buckets.take("payer", now)
        pacer.sent()
        told = {"X-RateLimit-Limit": header, "X-RateLimit-Remaining": verdict.remaining}
        headers = {name: str(value) for name, value in told.items()}
        headers["X-RateLimit-Reset"] = iso(int(verdict.resets_at * 1000))
        pacer.answered(200 if verdict.allowed else 429, headers, now)
        now += every_s
    return pacer


@pytest.mark.parametrize("limit", SIMS, ids=lambda limit: str(limit.rate))
@pytest.mark.parametrize("names_capacity", [True, False], ids=["2026-08", "2026-03"])
@pytest.mark.parametrize("late", [0.0, 59.9], ids=["no refill seen", "one seen, ran over"])
def test_sims_own_limit_is_known_from_its_header(limit: RateLimit, names_capacity: bool, late: float) -> None:
    pacer = heard(limit, 5, 0.1, header=limit.capacity if names_capacity else limit.rate, late=late)
    found = pacer.limit_of_server(names_capacity=names_capacity)
    assert found is not None
    assert (found.rate, found.capacity, found.interval) == (limit.rate, limit.capacity, pytest.approx(60.0))


@pytest.mark.parametrize("limit", OTHERS, ids=lambda each: f"{each.rate} in {each.interval:g} s")
def test_a_bucket_that_is_seen_being_filled_is_taken_for_what_it_is(limit: RateLimit) -> None:
    """Asked twice as fast as it is filled, so that nothing runs over."""
    pacer = heard(limit, int(4.5 * limit.rate), limit.interval / limit.rate / 2, header=limit.capacity)
    found = pacer.limit_of_server(names_capacity=True)
    assert found is not None
    assert found.rate / found.interval == pytest.approx(limit.rate / limit.interval, rel=0.02)


def test_more_left_than_the_limit_says_that_the_limit_is_no_capacity() -> None:
    """Recorded: 2026-03 says limit 500, remaining 999."""
    assert limit_of(500, [Told(1, 999, 60.0)], names_capacity=True) == RateLimit(500, 1000, 60.0)


def test_a_server_without_a_limit_names_none() -> None:
    assert Listening().limit_of_server(names_capacity=True) is None
