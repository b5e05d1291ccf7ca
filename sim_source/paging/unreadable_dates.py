"""The way past rows that tell no moment: walks go by time, and a page of such rows tells none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

from ..api.decode import Page
from ..timestamps import MILLISECOND

MOST_STEP = 2**40
"""Milliseconds, 35 years: behind them is nothing."""


def way_past(
    ask: Callable[[timedelta], Page[Any] | None], readable: Callable[[Page[Any]], bool]
) -> Generator[Page[Any], None, timedelta]:
    """Searches for the shortest step behind which a page tells a moment, or is the last.

    Args:
        ask: Asks for the page so far on; None beyond the end of the walk.
        readable: Whether a page tells a moment.

    Yields:
        The pages that were met.

    Returns:
        The step, in whole milliseconds.
    """
    near, far = 0, 1
    while far < MOST_STEP:
        page = ask(far * MILLISECOND)
        if page is not None:
            yield page
        if page is None or page.next_cursor is None or readable(page):
            break
        near, far = far, far * 2
    while far - near > 1:
        middle = (near + far) // 2
        page = ask(middle * MILLISECOND)
        if page is not None:
            yield page
        if page is None or page.next_cursor is None or readable(page):
            far = middle
        else:
            near = middle
    return far * MILLISECOND
