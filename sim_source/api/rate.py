"""When the next request may be sent: Sim's rate limit as its headers tell it.

Sim fills a bucket once per interval (60 s) with a fixed number of tokens (read in Sim's source,
``rate-limiter/storage``). ``X-RateLimit-Remaining`` says how many are left and ``X-RateLimit-Reset`` when the
next come; ``X-RateLimit-Limit`` means capacity on 2026-08 and refill on 2026-03 and is not used. Without
these headers there is no limit. The pacer knows no clock but the times it is given, and never sleeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RESET_MARGIN_S = 0.05
"""Added to a reset: a clock a little ahead of the server's must not send early."""
MOST_LATE_S = 1.0 + RESET_MARGIN_S
"""A reset as ``Pacer.refills_at`` tells it is late by up to so much: ``Date`` is cut to whole seconds."""
SAME_RESET_S = 0.05
"""Resets this close together are those of one interval."""
SIM_BEGAN = 2024
"""No server's clock is right that shows an earlier year, or one a century later."""
MAX_WAIT_S = 3600.0
"""A header that asks for more is not believed."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait before the next request, and why.

    Attributes:
        seconds: 0 where the request may be sent now.
        for_answer: True where the answer of a request under way must be seen first.
    """

    seconds: float
    for_answer: bool = False


GO = Wait(0.0)


class Pacer:
    """The bucket as seen from here.

    Times are epoch seconds of this machine's clock. Not thread-safe: the client holds a lock around it.

    Attributes:
        limit: ``X-RateLimit-Limit`` as last told; None where never.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self._remaining: int | None = None
        self._reset_at = 0.0
        self._not_before = 0.0
        self._in_flight = 0
        self._told_reset = 0.0
        self._skew: float | None = None
        self._refusals = 0
        self._met = False

    @property
    def refills_at(self) -> float | None:
        """When the next tokens come, never too early; None where no limit is known."""
        return None if self._remaining is None else self._reset_at

    @property
    def available(self) -> int | None:
        """Requests that can be sent now without waiting; None where no limit is known."""
        return None if self._remaining is None else max(0, self._remaining)

    def wait(self, now: float) -> Wait:
        """Whether a request may be sent at ``now``."""
        if now < self._not_before:
            return Wait(self._not_before - now)
        if not self._met and self._in_flight:  # nothing is known yet: one asks for all
            return Wait(1.0, for_answer=True)
        if self._remaining is None or self._remaining > 0:
            return GO
        if now >= self._reset_at:
            if self._in_flight:  # one goes first; its answer says how many may follow
                return Wait(1.0, for_answer=True)
            return GO
        return Wait(min(self._reset_at - now, MAX_WAIT_S), for_answer=self._in_flight > 0)

    def sent(self) -> None:
        """A request goes out."""
        self._in_flight += 1
        if self._remaining is not None:
            self._remaining -= 1

    def failed(self) -> None:
        """A request ended without an answer."""
        self._in_flight -= 1

    def answered(self, status: int, headers: Mapping[str, str], now: float, retry_at: float | None = None) -> None:
        """An answer came.

        Args:
            status: HTTP status. Headers of errors other than 429 are not believed (2026-03 puts
                false ones on 401).
            headers: Its headers, any case.
            now: When it came.
            retry_at: Epoch seconds from the body (``retryAfter``), for a 429 without header.
        """
        self._in_flight -= 1
        self._met = True
        self._learn_skew(headers, now)
        if status == 429:
            self._refused(headers, now, retry_at)
        elif status == 200:
            self._refusals = 0
            self._learn_bucket(headers)

    def pause(self, seconds: float, now: float) -> None:
        """Sends nothing for a while (503 with ``retryAfterSeconds``)."""
        self._not_before = max(self._not_before, now + min(seconds, MAX_WAIT_S))

    def _learn_bucket(self, headers: Mapping[str, str]) -> None:
        remaining = _integer(headers.get("X-RateLimit-Remaining"))
        reset = parse_iso(headers.get("X-RateLimit-Reset"))
        if remaining is None or reset is None:
            return
        if self._remaining is None or reset > self._told_reset + SAME_RESET_S:  # an interval begins
            self._remaining, self._told_reset = remaining - self._in_flight, reset
        elif reset > self._told_reset - SAME_RESET_S:
            # our own count is right, unless others use the bucket too; answers overtake each other
            self._remaining = min(self._remaining, remaining)
        else:
            return  # of an interval that is over
        self._reset_at = self._here(reset) + RESET_MARGIN_S
        self.limit = _integer(headers.get("X-RateLimit-Limit"))

    def _refused(self, headers: Mapping[str, str], now: float, retry_at: float | None) -> None:
        if now >= self._not_before:  # requests that were under way when the first was refused are no further ones
            self._refusals += 1
        # "Retry-After: 0" on a bucket that stays empty must not become a busy loop
        least = min(0.25 * 2 ** (self._refusals - 1), 30.0)
        told = retry_after_seconds(headers.get("Retry-After"), now + (self._skew or 0.0))
        reset = parse_iso(headers.get("X-RateLimit-Reset"))
        if told is None and reset is not None:
            told = self._here(reset) - now + RESET_MARGIN_S
        if told is None and retry_at is not None:
            told = self._here(retry_at) - now + RESET_MARGIN_S
        seconds = max(least, min(told if told is not None else 1.0, MAX_WAIT_S))
        self._remaining = 0
        self._told_reset = 0.0  # our own count was wrong: what the next good answer says is believed
        self._reset_at = self._not_before = max(self._not_before, now + seconds)

    def _learn_skew(self, headers: Mapping[str, str], now: float) -> None:
        """How far the server's clock is ahead, at least: ``Date`` is cut to whole seconds and has travelled."""
        date = server_clock(headers.get("Date"))
        if date is not None:
            ahead = date.timestamp() - now
            self._skew = ahead if self._skew is None else max(self._skew, ahead)

    def _here(self, moment: float) -> float:
        """A moment of the server's clock on this machine's, never too early."""
        return moment - (self._skew or 0.0)


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Seconds of a ``Retry-After`` header, a number or an HTTP date; None where absent or odd."""
    if value is None:
        return None
    try:
        return min(max(0.0, float(value)), MAX_WAIT_S)
    except ValueError:
        date = http_date(value)
        return None if date is None else max(0.0, date.timestamp() - now)


def parse_iso(value: str | None) -> float | None:
    """Epoch seconds of an ISO date, None where absent or odd."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def http_date(value: str | None) -> datetime | None:
    """A moment of an HTTP header in UTC, None where absent or odd."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (OverflowError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def server_clock(value: str | None) -> datetime | None:
    """What a server's clock shows (``Date``), UTC; None where it shows nothing, or is decades off."""
    shown = http_date(value)
    return shown if shown is not None and SIM_BEGAN <= shown.year < SIM_BEGAN + 100 else None


def _integer(value: str | None) -> int | None:
    try:
        return None if value is None else int(float(value))
    except (OverflowError, ValueError):  # infinite, or no number
        return None
