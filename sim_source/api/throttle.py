"""Waiting for the rate limit and between retries, limited by the deadline of the sync."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .. import errors
from . import rate
from .status_errors import Answer, retry_at_of

logger = logging.getLogger("sim_source")


@dataclass(slots=True)
class Counters:
    """Counters of a client: requests sent, retries, 429 responses, seconds waited."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    waited_s: float = 0.0


V1 = ""
"""The one bucket of v1; v2 has a bucket for each operation."""
ADDRESS_LIMIT = 600
"""Limit that a 429 of v2 tells if the bucket of the client's address is empty, which all operations share (seen)."""


class Throttle:
    """Applies the rate limit to the requests of one client; thread-safe.

    Args:
        deadline: Epoch seconds; a wait that would end later raises ``OutOfTime``.
        on_wait: Called before every wait with its seconds and its reason.
        pacer: The pacer of an earlier client with the same API key; it knows the state of the bucket.
        pacer_of: Returns the pacer of a bucket that is used for the first time; by default a new one.
        counters: Counters to continue from.

    Attributes:
        counters: The counters.
    """

    def __init__(
        self,
        *,
        deadline: float | None = None,
        on_wait: Callable[[float, str], None] | None = None,
        pacer: rate.Pacer | None = None,
        pacer_of: Callable[[str], rate.Pacer] | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.counters = counters if counters is not None else Counters()
        self._deadline = deadline
        self._on_wait = on_wait or _log_wait
        self._pacer_of = pacer_of or (lambda _: rate.Pacer())
        self._pacer = pacer or self._pacer_of(V1)
        self._pacers = {V1: self._pacer}
        self._turn = threading.Condition()
        self._closed = threading.Event()
        self._started, self._steady = time.time(), time.monotonic()
        self._waiting_until = 0.0

    def close(self) -> None:
        """Ends waits in other threads; they raise ``Unavailable``."""
        with self._turn:
            self._closed.set()
            self._turn.notify_all()

    def now(self) -> float:
        """Epoch seconds from a monotonic clock, so that a change of the system time does not change a wait."""
        return self._started + time.monotonic() - self._steady

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and self.now() >= self._deadline

    @property
    def available(self) -> int | None:
        """Requests that the rate limit allows without waiting; None if no limit is known."""
        with self._turn:
            return self._pacer.available

    @property
    def refill_s(self) -> float | None:
        """Seconds until the next refill of the bucket; None if no limit is known."""
        with self._turn:
            at = self._pacer.refills_at
            return None if at is None else max(0.0, at - self.now())

    @property
    def limit(self) -> int | None:
        """The last ``X-RateLimit-Limit``: capacity on 2026-08 servers, refill per minute on earlier ones."""
        with self._turn:
            return self._pacer.limit

    def must_wait(self, bucket: str) -> bool:
        """Whether a request in this bucket would have to wait now."""
        with self._turn:
            return self._in(bucket).wait(self.now()).seconds > 0

    def _in(self, bucket: str) -> rate.Pacer:
        if bucket not in self._pacers:
            self._pacers[bucket] = self._pacer_of(bucket)
        return self._pacers[bucket]

    def take_turn(self, bucket: str = V1) -> None:
        """Waits until the rate limit allows a request.

        Raises:
            OutOfTime: The wait would exceed the deadline.
            Unavailable: The client was closed while waiting.
        """
        with self._turn:
            while True:
                self._raise_if_closed()
                wait = self._in(bucket).claim(self.now())
                if wait.seconds <= 0:
                    return
                if wait.for_answer and self._turn.wait(wait.seconds):
                    continue
                if not wait.for_answer:
                    self.sleep(wait.seconds, "rate limit", self._turn)

    def sent(self) -> None:
        """Counts a request."""
        with self._turn:
            self.counters.requests += 1

    def retried(self) -> None:
        """Counts a retry."""
        with self._turn:
            self.counters.retries += 1

    def answered(self, answer: Answer, bucket: str = V1) -> None:
        """Updates the rate limit from a response of an endpoint that the rate limit counts."""
        now = self.now()
        limited = answer.status == 429
        retry_at = retry_at_of(answer.body) if limited else None
        with self._turn:
            self.counters.rate_limited += limited
            pacer = self._in(bucket)
            pacer.answered(answer.status, answer.headers, now, retry_at)
            if limited and bucket != V1 and answer.headers.get("X-RateLimit-Limit") == str(ADDRESS_LIMIT):
                for other in (each for name, each in self._pacers.items() if name != V1):
                    other.pause(pacer.wait(now).seconds, now)
            self._turn.notify_all()

    def unanswered(self, bucket: str = V1) -> None:
        """Records that a request which the rate limit counts ended without a response."""
        with self._turn:
            self._in(bucket).failed()
            self._turn.notify_all()

    def pause(self, seconds: float, bucket: str = V1) -> None:
        """Holds back all requests of a bucket for some seconds, as requested by the server."""
        with self._turn:
            self._in(bucket).pause(seconds, self.now())

    def sleep(self, seconds: float, why: str, held: threading.Condition | None = None) -> None:
        """Waits and reports the wait; with ``held``, that lock is released meanwhile.

        Raises:
            OutOfTime: The wait would exceed the deadline.
            Unavailable: The client was closed while waiting.
        """
        if seconds <= 0:
            return
        if self._deadline is not None and self.now() + seconds > self._deadline:
            raise errors.OutOfTime(f"waiting {seconds:.0f} s ({why}) would exceed the time limit of this sync")
        self._note_wait(seconds, why)
        if held is not None:
            held.wait(seconds)
        else:
            self._closed.wait(seconds)
            self._raise_if_closed()

    def _raise_if_closed(self) -> None:
        if self._closed.is_set():
            raise errors.Unavailable("the client was closed while a request was waiting")

    def _note_wait(self, seconds: float, why: str) -> None:
        """Reports and counts a wait; waits of several threads that overlap count once."""
        with self._turn:  # reentrant: some callers already hold the lock
            now = time.monotonic()
            until = max(self._waiting_until, now)
            longer = now + seconds > until + 0.01
            if longer:
                self._waiting_until = now + seconds
                self.counters.waited_s += now + seconds - until
        if longer:
            self._on_wait(seconds, why)


def _log_wait(seconds: float, why: str) -> None:
    if seconds >= 1:
        logger.info("waiting %.0f s: %s", seconds, why)
