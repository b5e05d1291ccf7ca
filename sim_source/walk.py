"""Lists walked so that no row is skipped or doubled, whatever the server does; what may be missing is told.

``runs`` and ``audit`` give what they cannot get at as ``Chunk.gap`` and go on behind it. Every walk proves that it gets
on, and ends with ``NoProgress`` where the server leads it nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .decode import Page
from .moments import MILLISECOND
from .paging import (
    LARGEST_PAGE,
    PAGE_BYTES,
    Chunk,
    Gap,
    PageSize,
    Progress,
    Query,
    R,
    has_fixed_order,
    iso,
    name_of,
    utc,
)
from .walk_audit import AUDIT_PAGE, audit
from .walk_runs import runs

__all__ = [
    "AUDIT_PAGE",
    "LARGEST_PAGE",
    "MILLISECOND",
    "PAGE_BYTES",
    "Chunk",
    "Gap",
    "PageSize",
    "Query",
    "audit",
    "by_cursor",
    "has_fixed_order",
    "iso",
    "runs",
    "utc",
]


def by_cursor(ask: Callable[[str | None], Page[R]]) -> Iterator[Page[R]]:
    """Walks a small list by its cursor.

    Raises:
        NoProgress: The server goes on naming cursors that lead to nothing new (a bad one is silently page 1).
    """
    seen: set[str | bytes] = set()
    cursor: str | None = None
    progress = Progress()
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
