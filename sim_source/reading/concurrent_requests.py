"""Requests for single runs that are sent concurrently, as the rate limit allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from .. import errors
from ..api.client import CONNECTIONS
from ..rows.run_rows import ROW_FAULTS

A = TypeVar("A")
B = TypeVar("B")


class ConcurrentRequests(Generic[A, B]):
    """Requests that have been started; iterate over it to wait for the answers, in order.

    Args:
        ask: Sends the request for an entry.
        wanted: The entries.
        failed: Called with the error of a request that failed; the others are still read. After ``OutOfTime``, the rest
            is dropped.
    """

    def __init__(self, ask: Callable[[A], B], wanted: Sequence[A], failed: Callable[[errors.SimError], None]) -> None:
        self._failed = failed
        self._pool = ThreadPoolExecutor(max(1, min(CONNECTIONS, len(wanted))))
        self._answers: deque[tuple[A, Future[B]]] = deque((entry, self._pool.submit(ask, entry)) for entry in wanted)

    def __len__(self) -> int:
        """Returns how many answers have not been taken yet."""
        return len(self._answers)

    def __iter__(self) -> Iterator[tuple[A, B | None]]:
        """Yields entries and their answers; None for one that failed."""
        with self._pool:
            while self._answers:
                yield from self._next()

    def close(self) -> None:
        """Drops requests that have not been sent yet."""
        self._answers.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def arrived(self) -> Iterator[tuple[A, B | None]]:
        """Yields the answers that are there already, up to the first that is not; as iteration does."""
        while self._answers and self._answers[0][1].done():
            yield from self._next()

    def _next(self) -> Iterator[tuple[A, B | None]]:
        entry, answer = self._answers.popleft()
        try:
            yield entry, answer.result()
        except errors.OutOfTime as over:
            self._failed(over)
            self.close()
        except (errors.Unavailable, errors.BadRequest) as fault:
            self._failed(fault)
            yield entry, None
        except ROW_FAULTS as fault:
            self._failed(errors.UnreadableAnswer(f"an answer has an unexpected format: {fault}"))
            yield entry, None
