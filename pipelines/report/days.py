"""Periods of days, and the previous periods they are compared with. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Days:
    """A period of days, including the first and the last one."""

    first: date
    last: date

    @property
    def count(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Days:
        """The previous period of the same length.

        If this period starts on the first of a month, and does not exceed the month, the previous one starts on the
        first of the previous month and does not exceed that month.
        """
        if self.first.day == 1 and self.last < _next_month(self.first):
            first = (self.first - timedelta(days=1)).replace(day=1)
            return Days(first, min(first + timedelta(days=self.count - 1), self.first - timedelta(days=1)))
        return Days(self.first - timedelta(days=self.count), self.first - timedelta(days=1))

    def sql(self) -> str:
        """Returns the SQL condition on the column ``day``."""
        return f"day BETWEEN DATE '{self.first}' AND DATE '{self.last}'"


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
