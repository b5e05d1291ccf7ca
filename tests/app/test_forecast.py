"""The forecast of a first sync: requests as the walks send them, and time as the pacer takes it, both simulated."""

from __future__ import annotations

import math
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench import rates
from pipelines.check import forecast
from pipelines.check.forecast import Bucket, Pace, Times, Work
from pipelines.rate_limit import RateLimit
from pipelines.sim_api.http.limits import Buckets
from sim_source.api import rate, wire
from sim_source.api.client import CONNECTIONS
from sim_source.api.decode import Page
from sim_source.paging import walk_audit, walk_list
from sim_source.paging.chunks import PageSize
from sim_source.paging.walk_audit import walk_audit_logs
from sim_source.paging.walk_runs import walk_runs
from tests.helpers.network import Network
from tests.helpers.shelf import END, Audit, Runs, at, given_ids

LATE_S = 1.0 + 2 * rate.RESET_MARGIN_S
"""What a client that never sends early loses at a refill: it knows the server's clock to the second (``Date``)."""

limits = st.builds(
    lambda chunk, burst, interval: RateLimit(chunk, max(1, round(chunk * burst)), interval),
    st.integers(1, 40),
    st.sampled_from([0.5, 1, 2, 3, 60]),
    st.sampled_from([0.1, 1.0, 6.0, 60.0]),
)


@given(rows=st.integers(0, 300), page=st.integers(2, 60))
@settings(max_examples=60, deadline=None)
def test_pages_are_counted_as_a_walk_by_time_asks_for_them(rows: int, page: int) -> None:
    # of pages this small a cursor would be worth its while
    runs = Runs([3 * number for number in range(rows)], clamp=page, cursors="without order")
    given_ids(walk_runs(runs.ask, at(0), END, PageSize(page)))
    assert forecast.pages_by_time(rows, page) == runs.requests
    audit = Audit([3000 * number for number in range(rows)])
    with patch.object(walk_audit, "AUDIT_PAGE", page):
        given_ids(walk_audit_logs(audit.ask, None, END))
    assert forecast.pages_by_time(rows, page) == audit.requests


@given(rows=st.integers(0, 300), page=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_workflows_are_counted_as_a_walk_by_cursor_asks_for_them(rows: int, page: int) -> None:
    def ask(cursor: str | None) -> Page[wire.Workflow]:
        first = int(cursor or 0)
        found = [wire.Workflow(id=str(number)) for number in range(first, min(first + page, rows))]
        return Page(found, str(first + page) if first + page < rows else None, 100)

    assert forecast.pages_by_cursor(rows, page) == len(list(walk_list.walk_by_cursor(ask)))


@given(limit=limits, spent=st.integers(0, 3000), waited=st.floats(0, 200), requests=st.integers(0, 500))
@settings(max_examples=200, deadline=None)
def test_the_least_time_is_that_of_who_takes_every_token_the_moment_it_comes(
    limit: RateLimit, spent: int, waited: float, requests: int
) -> None:
    """From a bucket in any state."""
    buckets, now = Buckets(limit), 0.0
    buckets.take("payer", now)
    for _ in range(min(spent, limit.capacity) - 1):
        buckets.take("payer", now)
    now += waited
    seen = buckets.take("payer", now)
    bucket = Bucket(limit, seen.remaining, seen.resets_at - now)
    begun = now
    for _ in range(requests):
        taken = buckets.take("payer", now)
        while not taken.allowed:
            now = taken.resets_at + 1e-6
            taken = buckets.take("payer", now)
    assert bucket.least_s(requests) == pytest.approx(now - begun, abs=1e-3)


@example(limit=RateLimit(1, 1, 0.1), parts=[45, 1])  # sums of 0.1 fall short
@given(limit=limits, parts=st.lists(st.integers(0, 200), min_size=2, max_size=4))
@settings(max_examples=200, deadline=None)
def test_requests_in_parts_take_as_long_as_together(limit: RateLimit, parts: list[int]) -> None:
    bucket, took = Bucket.full(limit), 0.0
    for part in parts:
        seconds, bucket = bucket.spent(part)
        took += seconds
    assert took == pytest.approx(Bucket.full(limit).least_s(sum(parts)), abs=1e-6)


@pytest.mark.parametrize("answer_s", [0.01, 0.3])
@pytest.mark.parametrize("limit_means", ["capacity", "rate"])
@pytest.mark.parametrize(
    ("limit", "requests"),
    [
        (RateLimit.per_minute(10), 11),
        (RateLimit.per_minute(10), 2_000),
        (RateLimit.per_minute(30), 6_010),
        (RateLimit.per_minute(500), 12_345),
        (RateLimit(60, 60, 6.0), 1_000),
        (RateLimit(1, 60, 0.1), 1_000),
        (RateLimit(10, 60, 1.0), 1_000),
        (RateLimit(5_000, 10_000), 4_000),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else f"{value.rate}x{value.capacity} in {value.interval:g}s",
)
def test_the_pacer_takes_as_long_as_the_forecast_says(
    limit: RateLimit, requests: int, limit_means: str, answer_s: float
) -> None:
    """In simulated time, with as many requests under way as the client has connections."""
    network = Network(limit, limit_means=limit_means, delays=lambda: answer_s / 2)
    took = network.run(requests, CONNECTIONS)
    foretold, _ = Bucket.full(limit).spent(requests, answer_s / CONNECTIONS)
    assert network.refused == 0
    assert -0.01 <= took - foretold <= LATE_S + 3 * answer_s


@pytest.mark.parametrize("seed", range(3))
def test_of_an_hour_under_way_the_forecast_misses_less_than_a_thousandth(seed: int) -> None:
    """The longer it takes, the less the second counts by which a client is late at the end."""
    limit = RateLimit.per_minute(100)
    network = Network(limit, skew=seed - 1.3)
    took = network.run(6_300, CONNECTIONS)
    assert took == pytest.approx(Bucket.full(limit).least_s(6_300), rel=1e-3)


def test_where_answers_are_slower_than_the_limit_they_are_what_takes_the_time() -> None:
    pages, calls = 300, 64
    pace = Pace(page_s=1.0, call_s=3.2)
    slow = forecast.times(Work(lists=pages, details=calls), Bucket.full(RateLimit.per_minute(500)), pace)
    assert slow == Times(lists=300.0, all=pytest.approx(300.0 + calls * 3.2 / CONNECTIONS))
    assert forecast.times(Work(lists=pages, details=calls), None, pace) == slow


def test_tokens_that_slow_pages_leave_are_there_for_the_rest_up_to_the_burst() -> None:
    bucket = Bucket.full(RateLimit.per_minute(100))
    took, after = bucket.spent(60, each_s=2.0)  # two minutes: 60 spent, 200 came, the bucket holds 200
    assert (took, after.left) == (120.0, 200)
    assert after.least_s(201) == pytest.approx(60.0)
    assert bucket.spent(10, each_s=1.5)[1] == Bucket(bucket.limit, left=190, refill_s=45.0)


def test_details_take_no_less_than_this_machine_works_on_them() -> None:
    assert Pace(call_s=0.032, cpu_s=0.002).each_call_s == 0.002


def test_a_bucket_that_is_never_filled_gives_what_is_in_it() -> None:
    bucket = Bucket.full(RateLimit(0, 5))
    assert bucket.spent(5)[0] == 0
    assert math.isinf(bucket.spent(6)[0])


def test_a_first_sync_asks_for_each_thing_once() -> None:
    work = forecast.first_sync(10_000, details=6_000, snapshots=40, workflows=101, audit_logs=500)
    assert work == Work(lists=11, details=6_000, snapshots=40, workflows=2 + 1, audit_logs=6, usage=2)
    assert work.total == 6_062
    assert (work + work).total == 2 * work.total


def test_the_document_of_the_plans_limits_is_of_today() -> None:
    assert rates.DOCUMENT.read_text(encoding="utf-8") == rates.document(), "run `make rates`"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h"), (8.64e6, "100.0 days")],
)
def test_a_length_of_time_is_told_in_its_own_unit(seconds: float, words: str) -> None:
    assert forecast.span(seconds) == words
