"""Fetches the steps of a walk ahead, in a separate thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

BUDGET_BYTES = 64 * 1024 * 1024
"""Bytes of pages that may wait to be processed."""
MOST_STEPS = 16


class Prefetch(Generic[T]):
    """Iterates over steps, some of which are fetched ahead.

    The next pages are requested while one is parsed: from a distant server, a page of plain rows takes longer to arrive
    than to parse. An exception in a step is raised when it is that step's turn.

    Args:
        steps: The steps.
        size: Returns the bytes that a step holds.
        budget: Bytes that waiting steps may hold; one step is always fetched ahead, whatever its size.
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
        """Starts to fetch further steps ahead, within the budget."""
        while len(self._waiting) < self._depth:
            self._waiting.append(self._thread.submit(next, self._steps, None))

    def _next(self) -> T | None:
        """Returns the next step; if it was not fetched ahead, fetches it in this thread, which is cheapest."""
        return self._waiting.popleft().result() if self._waiting else next(self._steps, None)

    def close(self) -> None:
        """Stops fetching ahead; a step in progress finishes on its own."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._waiting.clear()
