"""Waiting: for the turn that the rate limit gives, and between two tries; bounded by the deadline of the run."""

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
    """What a client did: requests sent, tries repeated, 429s met, seconds waited."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    waited_s: float = 0.0


class Throttle:
    """Lets the requests of one client through, many threads at once, as the rate limit allows.

    Args:
        deadline: Epoch seconds after which nothing is waited for any more.
        on_wait: Told of every wait: seconds, and why.
        pacer: What an earlier client of the same key learnt of its bucket.
        counters: Where to go on counting.

    Attributes:
        counters: What was counted.
    """

    def __init__(
        self,
        *,
        deadline: float | None = None,
        on_wait: Callable[[float, str], None] | None = None,
        pacer: rate.Pacer | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.counters = counters if counters is not None else Counters()
        self._deadline = deadline
        self._on_wait = on_wait or _log_wait
        self._pacer = pacer or rate.Pacer()
        self._turn = threading.Condition()
        self._closed = threading.Event()
        self._started, self._steady = time.time(), time.monotonic()
        self._waiting_until = 0.0

    def close(self) -> None:
        """Who waits, in another thread, waits no longer."""
        with self._turn:
            self._closed.set()
            self._turn.notify_all()

    def now(self) -> float:
        """Epoch seconds by a clock that does not jump: a wait must not grow by a day because somebody set the time."""
        return self._started + time.monotonic() - self._steady

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and self.now() >= self._deadline

    @property
    def available(self) -> int | None:
        """Requests that the rate allows at once; None where no limit is known."""
        with self._turn:
            return self._pacer.available

    @property
    def refill_s(self) -> float | None:
        """Seconds until the bucket is filled next; None where no limit is known."""
        with self._turn:
            at = self._pacer.refills_at
            return None if at is None else max(0.0, at - self.now())

    @property
    def limit(self) -> int | None:
        """``X-RateLimit-Limit`` as last told: capacity on 2026-08, refill per minute before."""
        with self._turn:
            return self._pacer.limit

    def take_turn(self) -> None:
        """Waits until the rate limit lets a request through.

        Raises:
            OutOfTime: That would overrun the deadline.
            Unavailable: The client was closed meanwhile.
        """
        with self._turn:
            while True:
                self._raise_if_closed()
                wait = self._pacer.wait(self.now())
                if wait.seconds <= 0:
                    self._pacer.sent()
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
        """Counts another try."""
        with self._turn:
            self.counters.retries += 1

    def answered(self, answer: Answer) -> None:
        """Learns from an answer that the rate limit counts."""
        now = self.now()
        limited = answer.status == 429
        retry_at = retry_at_of(answer.body) if limited else None
        with self._turn:
            self.counters.rate_limited += limited
            self._pacer.answered(answer.status, answer.headers, now, retry_at)
            self._turn.notify_all()

    def unanswered(self) -> None:
        """A request that the rate limit counts ended without an answer."""
        with self._turn:
            self._pacer.failed()
            self._turn.notify_all()

    def pause(self, seconds: float) -> None:
        """The server asks for a pause: nobody gets a turn meanwhile."""
        with self._turn:
            self._pacer.pause(seconds, self.now())

    def sleep(self, seconds: float, why: str, held: threading.Condition | None = None) -> None:
        """Waits, telling of it; with ``held``, the lock is let go meanwhile.

        Raises:
            OutOfTime: That would overrun the deadline.
            Unavailable: The client was closed meanwhile.
        """
        if seconds <= 0:
            return
        if self._deadline is not None and self.now() + seconds > self._deadline:
            raise errors.OutOfTime(f"waiting {seconds:.0f} s ({why}) would overrun the time of this run")
        self._note_wait(seconds, why)
        if held is not None:
            held.wait(seconds)
        else:
            self._closed.wait(seconds)
            self._raise_if_closed()

    def _raise_if_closed(self) -> None:
        if self._closed.is_set():
            raise errors.Unavailable("the client was closed while a request waited")

    def _note_wait(self, seconds: float, why: str) -> None:
        """Tells of a wait and counts it; those that wait together wait once."""
        with self._turn:  # an RLock: some callers hold it
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
