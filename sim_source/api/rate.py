"""Decides when the next request may be sent, from the rate limit headers of Sim's responses.

Sim has a token bucket that is refilled once per interval (60 s) with a fixed number of tokens (Sim's source,
``rate-limiter/storage``). ``X-RateLimit-Remaining`` is the number of tokens left, ``X-RateLimit-Reset`` the time of
the next refill. ``X-RateLimit-Limit`` is the capacity on 2026-08 servers and the refill on 2026-03 servers, so it is
not used for pacing. Without these headers there is no limit. The pacer does not read a clock and never sleeps; callers
pass the current time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

RESET_MARGIN_S = 0.05
"""Added to the reset time, so that a local clock slightly ahead of the server's does not send too early."""
MOST_LATE_S = 1.0 + RESET_MARGIN_S
"""``Pacer.refills_at`` may be late by up to this much, since ``Date`` is truncated to whole seconds."""
SAME_RESET_S = 0.05
"""Reset times that differ by less belong to the same interval."""
SIM_BEGAN = 2024
"""A server clock that shows an earlier year, or one a century or more later, is ignored as wrong."""
MAX_WAIT_S = 3600.0
"""Longest wait; a longer one requested by a header is shortened to this."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait before the next request, and why.

    Attributes:
        seconds: Seconds to wait; 0 if the request may be sent now.
        for_answer: True if a request is in flight whose response may end the wait early.
    """

    seconds: float
    for_answer: bool = False


GO = Wait(0.0)


class BucketState(msgspec.Struct):
    """What is known of a token bucket. Times are epoch seconds of the local clock.

    Attributes:
        limit: The last ``X-RateLimit-Limit``; None if there was none.
        remaining: Tokens left, without those of requests in flight; None if no limit is known.
        reset_at: Time of the next refill, never too early.
        told_reset: The same as the server told it; 0 after a refusal, since the count was wrong.
        not_before: No request may be sent before this time.
        in_flight: Requests without a response.
        skew: The least amount by which the server's clock is ahead; None if it never told its time.
        refusals: Refusals (429) in succession.
        met: Whether a response was received.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: float = 0.0
    told_reset: float = 0.0
    not_before: float = 0.0
    in_flight: int = 0
    skew: float | None = None
    refusals: int = 0
    met: bool = False


class Pacer:
    """Local model of the server's token bucket. Not thread-safe: ``Throttle`` holds a lock while using it.

    Attributes:
        bucket: What is known of the bucket.
    """

    def __init__(self) -> None:
        self.bucket = BucketState()

    @property
    def limit(self) -> int | None:
        """The last ``X-RateLimit-Limit``; None if there was none."""
        return self.bucket.limit

    @property
    def refills_at(self) -> float | None:
        """Time of the next refill, never too early; None if no limit is known."""
        return None if self.bucket.remaining is None else self.bucket.reset_at

    @property
    def available(self) -> int | None:
        """Requests that can be sent now without waiting; None if no limit is known."""
        return None if self.bucket.remaining is None else max(0, self.bucket.remaining)

    def claim(self, now: float) -> Wait:
        """Returns how long a request has to wait; if it has not to, it counts as sent."""
        wait = self.wait(now)
        if wait.seconds <= 0:
            self.sent()
        return wait

    def wait(self, now: float) -> Wait:
        """How long a request has to wait at the time ``now``."""
        if now < self.bucket.not_before:
            return Wait(self.bucket.not_before - now)
        if not self.bucket.met and self.bucket.in_flight:  # no limit is known yet: the first response shows it
            return Wait(1.0, for_answer=True)
        if self.bucket.remaining is None or self.bucket.remaining > 0:
            return GO
        if now >= self.bucket.reset_at:
            if self.bucket.in_flight:  # send one request first; its response shows how many may follow
                return Wait(1.0, for_answer=True)
            return GO
        return Wait(min(self.bucket.reset_at - now, MAX_WAIT_S), for_answer=self.bucket.in_flight > 0)

    def sent(self) -> None:
        """Records that a request is being sent."""
        self.bucket.in_flight += 1
        if self.bucket.remaining is not None:
            self.bucket.remaining -= 1

    def failed(self) -> None:
        """Records that a request ended without a response."""
        self.bucket.in_flight -= 1

    def answered(self, status: int, headers: Mapping[str, str], now: float, retry_at: float | None = None) -> None:
        """Records a response.

        Args:
            status: HTTP status. Rate limit headers of errors other than 429 are ignored (2026-03 servers send
                wrong ones with a 401).
            headers: Response headers; a mapping that ignores case.
            now: Time of the response.
            retry_at: ``retryAfter`` of the body in epoch seconds, for a 429 without headers.
        """
        self.bucket.in_flight -= 1
        self.bucket.met = True
        self._learn_skew(headers, now)
        if status == 429:
            self._refused(headers, now, retry_at)
        elif status == 200:
            self.bucket.refusals = 0
            self._learn_bucket(headers)

    def pause(self, seconds: float, now: float) -> None:
        """Holds back all requests for some seconds (503 with ``retryAfterSeconds``)."""
        self.bucket.not_before = max(self.bucket.not_before, now + min(seconds, MAX_WAIT_S))

    def _learn_bucket(self, headers: Mapping[str, str]) -> None:
        remaining = _integer(headers.get("X-RateLimit-Remaining"))
        reset = parse_iso(headers.get("X-RateLimit-Reset"))
        if remaining is None or reset is None:
            return
        if self.bucket.remaining is None or reset > self.bucket.told_reset + SAME_RESET_S:  # a new interval
            self.bucket.remaining, self.bucket.told_reset = remaining - self.bucket.in_flight, reset
        elif reset > self.bucket.told_reset - SAME_RESET_S:
            # same interval: keep the minimum, as responses may arrive out of order and others may use the bucket
            self.bucket.remaining = min(self.bucket.remaining, remaining)
        else:
            return  # a late response from an earlier interval
        self.bucket.reset_at = self._here(reset) + RESET_MARGIN_S
        self.bucket.limit = _integer(headers.get("X-RateLimit-Limit"))

    def _refused(self, headers: Mapping[str, str], now: float, retry_at: float | None) -> None:
        if (
            now >= self.bucket.not_before
        ):  # requests that were in flight at the first 429 do not count as further refusals
            self.bucket.refusals += 1
        # a minimum wait, so that "Retry-After: 0" with an empty bucket does not cause a busy loop
        least = min(0.25 * 2 ** (self.bucket.refusals - 1), 30.0)
        told = retry_after_seconds(headers.get("Retry-After"), now + (self.bucket.skew or 0.0))
        reset = parse_iso(headers.get("X-RateLimit-Reset"))
        if told is None and reset is not None:
            told = self._here(reset) - now + RESET_MARGIN_S
        if told is None and retry_at is not None:
            told = self._here(retry_at) - now + RESET_MARGIN_S
        seconds = max(least, min(told if told is not None else 1.0, MAX_WAIT_S))
        self.bucket.remaining = 0
        self.bucket.told_reset = 0.0  # the local count was wrong: take the count of the next successful response
        self.bucket.reset_at = self.bucket.not_before = max(self.bucket.not_before, now + seconds)

    def _learn_skew(self, headers: Mapping[str, str], now: float) -> None:
        """Updates the least amount by which the server's clock is ahead of the local one.

        Each ``Date`` gives a lower bound: it is truncated to whole seconds, and arrives with a delay.
        """
        date = server_clock(headers.get("Date"))
        if date is not None:
            ahead = date.timestamp() - now
            self.bucket.skew = ahead if self.bucket.skew is None else max(self.bucket.skew, ahead)

    def _here(self, moment: float) -> float:
        """Converts a time of the server's clock to the local clock; the result is never too early."""
        return moment - (self.bucket.skew or 0.0)


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Seconds to wait from a ``Retry-After`` header (a number or an HTTP date); None if it is missing or invalid."""
    if value is None:
        return None
    try:
        return min(max(0.0, float(value)), MAX_WAIT_S)
    except ValueError:
        date = http_date(value)
        return None if date is None else max(0.0, date.timestamp() - now)


def parse_iso(value: str | None) -> float | None:
    """Epoch seconds of an ISO date; None if it is missing or invalid."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def http_date(value: str | None) -> datetime | None:
    """Parses the date of an HTTP header; None if it is missing or invalid."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (OverflowError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def server_clock(value: str | None) -> datetime | None:
    """The time of a ``Date`` header; None if it is missing or invalid, or its year is implausible (``SIM_BEGAN``)."""
    shown = http_date(value)
    return shown if shown is not None and SIM_BEGAN <= shown.year < SIM_BEGAN + 100 else None


def _integer(value: str | None) -> int | None:
    try:
        return None if value is None else int(float(value))
    except (OverflowError, ValueError):  # infinite or not a number
        return None
