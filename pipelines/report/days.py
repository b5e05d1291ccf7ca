"""Stretches of days, and those they are compared with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of days, both included."""

    first: date
    last: date

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Days:
        """As many days of the month before where these begin a month, else as many right before."""
        if self.first.day == 1 and self.last < _next_month(self.first):
            first = (self.first - timedelta(days=1)).replace(day=1)
            return Days(first, min(first + timedelta(days=self.count - 1), self.first - timedelta(days=1)))
        return Days(self.first - timedelta(days=self.count), self.first - timedelta(days=1))

    def sql(self) -> str:
        """A condition on ``day``."""
        return f"day BETWEEN DATE '{self.first}' AND DATE '{self.last}'"


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
