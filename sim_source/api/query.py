"""What a page of a list is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Query:
    """What a page is asked for.

    Attributes:
        start: First instant, inclusive; None from the beginning.
        end: Last instant, inclusive.
        limit: Rows, at most.
        cursor: Where to go on within the same bounds.
        order: asc or desc; audit logs know only desc.
        only: Further filters.
    """

    start: datetime | None
    end: datetime
    limit: int
    cursor: str | None = None
    order: str = "asc"
    only: tuple[tuple[str, str], ...] = ()
