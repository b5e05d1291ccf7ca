"""Steps of a walk, taken in a thread of their own before they are wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

BUDGET_BYTES = 64 * 1024 * 1024
"""Bytes of pages that wait for who takes them."""
MOST_STEPS = 16


class Prefetch(Generic[T]):
    """Iterates over steps, some of which are taken already.

    While one page is read, the next ones are asked for: with 50 ms to the server a page of plain rows takes longer to
    come than to read. What a step raises is raised in its turn.

    Args:
        steps: What is taken.
        size: Bytes that a step holds.
        budget: Bytes that steps may hold until they are wanted; one step more is always taken.
    """

    def __init__(self, steps: Iterator[T], size: Callable[[T], int], budget: int = BUDGET_BYTES) -> None:
        self._steps = steps
        self._size = size
        self._budget = budget
        self._waiting: deque[Future[T | None]] = deque()
        self._depth = 0
        self._thread = ThreadPoolExecutor(1, "sim_source-ahead")

    def __iter__(self) -> Iterator[T]:
        while (step := self._next()) is not None:
            self._depth = max(1, min(MOST_STEPS, self._budget // max(1, self._size(step))))
            yield step

    def more(self) -> None:
        """Takes further steps already."""
        while len(self._waiting) < self._depth:
            self._waiting.append(self._thread.submit(next, self._steps, None))

    def _next(self) -> T | None:
        """The next step; one that was not taken ahead is taken in this thread, where it is cheapest."""
        return self._waiting.popleft().result() if self._waiting else next(self._steps, None)

    def close(self) -> None:
        """Takes no further step; one that is being taken ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._waiting.clear()
