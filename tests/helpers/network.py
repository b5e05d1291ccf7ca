"""A network in simulated time: a pacer, requests under way, and a server with a bucket."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import count

from pipelines.rate_limit import RateLimit
from pipelines.sim_api.http.limits import Buckets
from sim_source.api.rate import Pacer
from tests.helpers.warehouse import iso

Headers = dict[str, str]
START = 1_763_600_000.4
ANSWER_S = 0.3
"""The slowest way of a request to the server, and of its answer back."""


@dataclass
class Network:
    """Requests under way between a pacer and a server with a bucket that fills once per interval.

    Attributes:
        skew: How far the server's clock is ahead, seconds.
        limit_means: What X-RateLimit-Limit says; 2026-08: capacity, 2026-03: rate.
        before_refill: Requests that came when there was no token.
    """

    limit: RateLimit
    skew: float = 0.0
    limit_means: str = "capacity"
    delays: Callable[[], float] = lambda: 0.05
    now: float = START
    refused: int = 0
    sent: list[float] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        self.pacer = Pacer()
        self.buckets = Buckets(self.limit)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def _later(self, at: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at, next(self._number), what))

    def _arrive(self) -> None:
        server_now = self.now + self.skew
        verdict = self.buckets.take("payer", server_now)
        told = self.limit.capacity if self.limit_means == "capacity" else self.limit.rate
        headers = {
            "X-RateLimit-Limit": str(told),
            "X-RateLimit-Remaining": str(verdict.remaining),
            "X-RateLimit-Reset": iso(int(verdict.resets_at * 1000)),
            "Date": formatdate(server_now, usegmt=True),
        }
        self.refused += not verdict.allowed
        status = 200 if verdict.allowed else 429
        if not verdict.allowed:
            headers["Retry-After"] = str(verdict.retry_after)
        self._later(self.now + self.delays(), lambda: self._answer(status, headers))

    def _answer(self, status: int, headers: Headers) -> None:
        self.done += status == 200
        self.pacer.answered(status, headers, self.now)

    def run(self, requests: int, at_once: int = 32) -> float:
        """Sends requests until so many were answered; returns how long that took."""
        under_way = 0
        begun = self.now
        while self.done < requests:
            under_way = len(self._events)
            wait = self.pacer.wait(self.now)
            if self.done + under_way < requests and under_way < at_once and wait.seconds <= 0:
                self.pacer.sent()
                self.sent.append(self.now)
                self._later(self.now + self.delays(), self._arrive)
                continue
            at, _, what = heapq.heappop(self._events) if self._events else (float("inf"), 0, None)
            resume = self.now + wait.seconds if wait.seconds > 0 and not wait.for_answer else float("inf")
            if what is None or (resume < at and self.done + under_way < requests):
                if what is not None:
                    heapq.heappush(self._events, (at, next(self._number), what))
                assert resume < float("inf"), "the pacer waits for an answer, and none is under way"
                self.now = resume
                continue
            self.now = max(self.now, at)
            what()
        return self.now - begun
