"""Skips rows whose date cannot be read: walks go by time, and a page of such rows has none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

from ..api.decode import Page
from ..timestamps import MILLISECOND

MOST_STEP = 2**40
"""Milliseconds, 35 years: no data lies beyond it."""


def way_past(
    ask: Callable[[timedelta], Page[Any] | None], readable: Callable[[Page[Any]], bool]
) -> Generator[Page[Any], None, timedelta]:
    """Finds the shortest step after which a page has a readable date, or is the last page.

    Args:
        ask: Requests the page one step further on; returns None beyond the end of the walk.
        readable: Whether a page has a readable date.

    Yields:
        The pages read on the way.

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
