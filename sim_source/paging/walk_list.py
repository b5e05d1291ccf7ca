"""Walks small lists by their cursor: workflows, and most lists of v2."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..api.decode import Page, Rejected
from .chunks import R, StalePages, name_of


def walk_by_cursor(ask: Callable[[str | None], Page[R]]) -> Iterator[Page[R]]:
    """Walks a small list by its cursor.

    Raises:
        NoProgress: The server keeps returning cursors that lead to no new rows (it answers a bad cursor with page 1).
    """
    seen: set[str | bytes] = set()
    cursor: str | None = None
    progress = StalePages()
    while True:
        page = ask(cursor)
        page.rows = [row for row in page.rows if row.id not in seen]
        page.rejected = [row for row in page.rejected if name_of(row) not in seen]
        seen.update(row.id for row in page.rows)
        seen.update(map(name_of, page.rejected))
        yield page
        if page.next_cursor is None:
            return
        if page.count:
            progress.made()
        else:
            progress.missed(f"after {len(seen):,} rows")
        cursor = page.next_cursor


def whole_list(ask: Callable[[str | None], Page[R]]) -> tuple[list[R], list[Rejected]]:
    """Returns all rows of a small list: those that fit, and those that do not. Raises as ``walk_by_cursor``."""
    pages = list(walk_by_cursor(ask))
    return [row for page in pages for row in page.rows], [row for page in pages for row in page.rejected]
