"""A rate limit for the benchmark API: the embedded API's own bucket, and what became of it."""

from __future__ import annotations

import time
from email.utils import formatdate

from bench.traces import iso
from pipelines.check.forecast import Bucket
from pipelines.rate_limit import RateLimit
from pipelines.sim_api.http.limits import Buckets

Headers = dict[str, str]


def limit_named(name: str) -> RateLimit:
    """The limit ``<a minute>x<burst>``.

    Sim fills its buckets once a minute with half of what they hold. One that holds less than comes in a minute
    could not be used up that way: it is filled token by token, as such buckets are elsewhere.
    """
    rate, burst = map(int, name.split("x"))
    return RateLimit(rate, burst) if rate <= burst else RateLimit(1, burst, 60 / rate)


class Limited:
    """One workspace's bucket, as 2026-08 answers for it.

    Attributes:
        asked: Requests that came.
        refused: Those that found no token: 429.
        early: Those that came before the moment an earlier 429 had named.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._buckets = Buckets(limit)
        self._first: float | None = None
        self._last = 0.0
        self._named = 0.0
        self.asked = self.refused = self.early = 0

    def take(self) -> tuple[bool, Headers]:
        """Whether a request may be answered, and the headers of its answer either way."""
        now = time.time()
        self._first = now if self._first is None else self._first
        verdict = self._buckets.take("payer", now)
        headers = {
            "Date": formatdate(now, usegmt=True),
            "X-RateLimit-Limit": str(self._limit.capacity),
            "X-RateLimit-Remaining": str(verdict.remaining),
            "X-RateLimit-Reset": iso(int(verdict.resets_at * 1000)),
        }
        self.asked += 1
        self.early += now < self._named
        if verdict.allowed:
            self._last = now
        else:
            self.refused += 1
            self._named = now + verdict.retry_after
            headers["Retry-After"] = str(verdict.retry_after)
        return verdict.allowed, headers

    def facts(self) -> dict[str, float]:
        """What was counted; seconds from the first request to the last that was answered, and the fewest possible."""
        return {
            "asked": self.asked,
            "refused": self.refused,
            "early": self.early,
            "seconds": self._last - (self._first or self._last),
            "ideal": Bucket.full(self._limit).least_s(self.asked - self.refused),
        }
