"""The pacer against a simulated bucket, in simulated time: it uses what is allowed, and never before."""

from __future__ import annotations

import random
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.check.forecast import Bucket
from pipelines.rate_limit import RateLimit
from sim_source.api.rate import MOST_LATE_S, RESET_MARGIN_S, Pacer, Wait, parse_iso, retry_after_seconds, server_clock
from tests.helpers.network import ANSWER_S, START, Network
from tests.helpers.warehouse import iso


def least(limit: RateLimit, requests: int) -> float:
    """Seconds that so many requests take at the very least: the bucket is full at the first."""
    return Bucket.full(limit).least_s(requests)


@given(
    seed=st.integers(0, 10_000),
    rate=st.integers(1, 40),
    burst=st.integers(1, 3),
    requests=st.integers(1, 200),
    limit_means=st.sampled_from(["capacity", "rate"]),
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_refused_and_nothing_allowed_is_left_over(
    seed: int, rate: int, burst: int, requests: int, limit_means: str
) -> None:
    """Answers overtake each other; both meanings of X-RateLimit-Limit."""
    chance = random.Random(seed)
    limit = RateLimit(rate, rate * burst, 60.0)
    network = Network(limit, limit_means=limit_means, delays=lambda: chance.uniform(0.01, ANSWER_S))
    took = network.run(requests)
    assert network.refused == 0
    refills = least(limit, requests) / limit.interval
    flights = 2 * ANSWER_S * (2 + requests / min(32, rate * burst))
    assert took <= least(limit, requests) + refills * 1.2 + flights


@pytest.mark.parametrize("skew", [-300.0, -3.0, -1.5, -0.3, 0.0, 0.3, 1.5, 3.0, 300.0])
def test_a_clock_that_is_off_makes_no_request_early(skew: float) -> None:
    limit = RateLimit(5, 10, 60.0)
    network = Network(limit, skew=skew)
    took = network.run(40)
    assert network.refused == 0
    assert took <= least(limit, 40) + 6 * 1.2 + 2


def test_a_bucket_that_others_empty_too_is_waited_for_as_told() -> None:
    limit = RateLimit(10, 20, 60.0)
    network = Network(limit)
    for _ in range(15):
        network.buckets.take("payer", network.now)
    took = network.run(25)
    assert network.refused == 0
    assert took <= 120 + 4


def answered(pacer: Pacer, status: int, now: float, **headers: str) -> None:
    pacer.sent()
    pacer.answered(status, {name.replace("_", "-"): value for name, value in headers.items()}, now)


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7.0, 7.2),
        ("0", 0.2, 0.5),
        (formatdate(START + 9, usegmt=True), 8.0, 9.6),
        ("Fri, 01 Jan 1999 00:00:00 GMT", 0.2, 0.5),
        ("soon", 0.2, 1.2),
        (None, 0.2, 1.2),
        ("999999", 3600.0, 3600.0),
    ],
    ids=["seconds", "zero", "date", "past date", "no time at all", "missing", "absurd"],
)
def test_a_refusal_is_waited_out_as_told(header: str | None, low: float, high: float) -> None:
    pacer = Pacer()
    answered(pacer, 429, START, **({} if header is None else {"Retry_After": header}))
    wait = pacer.wait(START)
    assert low <= wait.seconds <= high
    assert pacer.wait(START + wait.seconds + 0.001) == Wait(0.0)


def test_without_a_header_the_body_tells_when() -> None:
    pacer = Pacer()
    pacer.sent()
    pacer.answered(429, {}, START, retry_at=START + 12)
    assert 12 <= pacer.wait(START).seconds <= 12.2


def test_zero_again_and_again_is_waited_longer_and_longer() -> None:
    pacer, now, waits = Pacer(), START, []
    for _ in range(12):
        answered(pacer, 429, now, Retry_After="0")
        waits.append(pacer.wait(now).seconds)
        now += waits[-1]
    assert waits == sorted(waits)
    assert waits[0] < 0.5
    assert waits[-1] == 30.0


def test_refusals_of_one_burst_count_once() -> None:
    """32 requests under way when the bucket runs dry are no 32 reasons to wait longer."""
    pacer = Pacer()
    for _ in range(32):
        pacer.sent()
    for number in range(32):
        pacer.answered(429, {"Retry-After": "1"}, START + number / 1000)
    assert pacer.wait(START + 0.04).seconds <= 1.1


@pytest.mark.parametrize("status", [401, 404, 500])
def test_headers_of_other_errors_are_not_believed(status: int) -> None:
    """2026-03 says `remaining 0` on every 401 (recorded: logs_bad_key)."""
    pacer = Pacer()
    answered(pacer, 200, START, X_RateLimit_Remaining="10", X_RateLimit_Reset=iso(int(START * 1000) + 60_000))
    answered(pacer, status, START, X_RateLimit_Remaining="0", X_RateLimit_Reset=iso(int(START * 1000) + 60_000))
    assert pacer.wait(START) == Wait(0.0)
    assert pacer.available == 9


def test_without_headers_there_is_no_limit() -> None:
    pacer = Pacer()
    for _ in range(100):
        answered(pacer, 200, START)
        assert pacer.wait(START) == Wait(0.0)
    assert pacer.available is None


def test_when_the_bucket_is_filled_next_is_told_never_too_early() -> None:
    pacer = Pacer()
    assert pacer.refills_at is None
    date = formatdate(START + 5, usegmt=True)  # a server that is ahead
    answered(pacer, 200, START, X_RateLimit_Remaining="9", X_RateLimit_Reset=iso(int(START * 1000) + 65_000), Date=date)
    assert pacer.refills_at is not None
    assert START + 60 <= pacer.refills_at <= START + 61.1


@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_a_refill_looks_later_the_later_in_a_second_an_answer_comes(part: float) -> None:
    pacer, now = Pacer(), int(START) + part
    reset = iso(int((now + 60) * 1000))
    answered(pacer, 200, now, X_RateLimit_Remaining="9", X_RateLimit_Reset=reset, Date=formatdate(now, usegmt=True))
    assert pacer.refills_at is not None
    assert pacer.refills_at - now - 60 == pytest.approx(part + RESET_MARGIN_S, abs=0.002)
    assert pacer.refills_at - now - 60 < MOST_LATE_S


def test_the_first_request_goes_alone() -> None:
    """Nothing is known of the bucket yet: its answer says how many may follow."""
    pacer = Pacer()
    assert pacer.wait(START) == Wait(0.0)
    pacer.sent()
    assert pacer.wait(START).for_answer
    pacer.answered(200, {}, START + 0.1)
    assert pacer.wait(START + 0.1) == Wait(0.0)


def test_an_answer_that_was_overtaken_gives_nothing_back() -> None:
    pacer = Pacer()
    reset = iso(int(START * 1000) + 60_000)
    answered(pacer, 200, START, X_RateLimit_Remaining="10", X_RateLimit_Reset=reset)
    pacer.sent()
    pacer.sent()
    for remaining in ("8", "9"):
        pacer.answered(200, {"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}, START)
    assert pacer.available == 8


def test_a_pause_holds_everything_back() -> None:
    pacer = Pacer()
    answered(pacer, 200, START)
    pacer.pause(5.0, START)
    assert pacer.wait(START + 1).seconds == pytest.approx(4.0)
    assert pacer.wait(START + 5) == Wait(0.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3.0),
        ("2.5", 2.5),
        ("-1", 0.0),
        ("later", None),
        (formatdate(START + 10, usegmt=True), pytest.approx(9.6, abs=1.0)),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, START) == seconds


@pytest.mark.parametrize("value", [None, "", "soon", "2026-99-99T00:00:00Z"])
def test_an_odd_reset_is_none(value: str | None) -> None:
    assert parse_iso(value) is None


def test_a_reset_is_utc() -> None:
    assert parse_iso("2026-11-23T05:04:20.436Z") == parse_iso("2026-11-23T05:04:20.436") == 1795410260.436


@pytest.mark.parametrize("told", ["Infinity", "NaN", "-Infinity", "1e999", "lots", ""])
def test_a_remaining_that_is_no_number_tells_no_limit(told: str) -> None:
    pacer = Pacer()
    pacer.sent()
    pacer.answered(
        200, {"X-RateLimit-Remaining": told, "X-RateLimit-Reset": "2026-11-27T12:01:00.000Z"}, 1_795_780_800.0
    )
    assert pacer.available is None
    assert pacer.wait(1_795_780_800.0).seconds == 0


@pytest.mark.parametrize("told", ["inf", "1e99", "99999999999"])
def test_no_wait_is_longer_than_an_hour(told: str) -> None:
    pacer = Pacer()
    pacer.sent()
    pacer.answered(429, {"Retry-After": told}, 1_795_780_800.0)
    assert 0 < pacer.wait(1_795_780_800.0).seconds <= 3_600


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday"])
def test_a_clock_that_is_decades_off_shows_nothing(date: str) -> None:
    assert server_clock(date) is None
    assert server_clock("Fri, 27 Nov 2026 12:00:00 GMT") is not None
