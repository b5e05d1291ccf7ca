"""Parameters of a request for a page of a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Query:
    """Parameters of a request for a page.

    Attributes:
        start: Start of the time range, inclusive; None means from the beginning.
        end: End of the time range, inclusive.
        limit: Maximum number of rows.
        cursor: Cursor of the previous page with the same time range; None for the first page.
        order: asc or desc; audit logs support only desc.
        only: Additional filters, as pairs of parameter name and value.
    """

    start: datetime | None
    end: datetime
    limit: int
    cursor: str | None = None
    order: str = "asc"
    only: tuple[tuple[str, str], ...] = ()
