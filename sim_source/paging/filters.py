"""What a list can be filtered by, and how that splits an overfull instant. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MOST_VALUES = 60
"""Values of one filter by which a whole instant is asked for at most, and ids by which a part is."""


Only = Mapping[str, str]
"""Filters of a query, by parameter."""


Kind = tuple[str | None, ...]
"""What a row has of each filter; "" stands for a number or an id that only this row has."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a query that shows too much.

    Attributes:
        rows: All its rows that have come.
        page: Those on its own page, a sample that no value was chosen for.
        elsewhere: What rows of its kinds have of a filter elsewhere.
    """

    rows: list[Any]
    page: list[Any] = field(default_factory=list)
    elsewhere: Sequence[str | None] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """A query in parts.

    Attributes:
        parts: What to ask for beside the query's own filters.
        whole: The parts together are the query, as far as can be told.
    """

    parts: list[dict[str, str]]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ByValue:
    """Splits by a text that rows have.

    Attributes:
        name: The query parameter.
        field: The row's field.
        every: All values that there are; always asked for.
        anew: Ids, made with each thing: those met elsewhere are not asked for.
    """

    name: str
    field: str
    every: tuple[str, ...] = ()
    anew: bool = False

    def of(self, row: Any) -> str | None:
        """What a row has."""
        value = getattr(row, self.field, None)
        return None if value is None else str(value)

    def kind(self, row: Any) -> str | None:
        """What a row has, for its kind."""
        value = self.of(row)
        return "" if self.anew and value is not None else value

    def admits(self, only: Only, row: Any) -> bool:
        """Whether a query with these filters shows a row."""
        return self.name not in only or only[self.name] == self.of(row)

    def admits_kind(self, only: Only, kind: str | None) -> bool:
        """Whether a query with these filters may show rows of a kind."""
        return self.name not in only or (kind is not None if self.anew else only[self.name] == kind)

    def split(self, only: Only, found: Found) -> Split:
        """One part for each value that rows have, or rows of their kinds elsewhere."""
        if self.name in only:
            return Split([])
        here, elsewhere = dict.fromkeys(map(self.of, found.rows)), () if self.anew else found.elsewhere
        values = [value for value in dict.fromkeys((*here, *elsewhere)) if value is not None]
        lacking = None in here or None in found.elsewhere
        if (self.anew and len(values) > MOST_VALUES) or (len(values) == 1 and not lacking):
            return Split([])  # too many, or the same query again
        seen = Counter(map(self.of, found.page))
        believed = bool(self.every) or not any(seen[value] == 1 and value not in elsewhere for value in seen)
        return Split([{self.name: value} for value in values], not lacking and believed)


@dataclass(frozen=True, slots=True)
class ByRange:
    """Splits by a whole number that rows have, in two: only rows that have none are left out.

    Attributes:
        name: What is told apart.
        field: The row's field.
        least: The query parameter of the lower bound.
        most: That of the upper bound, inclusive.
    """

    name: str
    field: str
    least: str
    most: str

    def of(self, row: Any) -> int | None:
        """What a row has."""
        value = getattr(row, self.field, None)
        return None if value is None else math.floor(value)

    def kind(self, row: Any) -> str | None:
        """Whether a row has one, for its kind."""
        return None if self.of(row) is None else ""

    def admits(self, only: Only, row: Any) -> bool:
        """Whether a query with these filters shows a row."""
        if self.least not in only and self.most not in only:
            return True
        value = self.of(row)
        return value is not None and float(only.get(self.least, "-inf")) <= value <= float(only.get(self.most, "inf"))

    def admits_kind(self, only: Only, kind: str | None) -> bool:
        """Whether a query with these filters may show rows of a kind."""
        return kind is not None or (self.least not in only and self.most not in only)

    def split(self, only: Only, found: Found) -> Split:
        """Both halves of the numbers met."""
        numbers = sorted(value for row in found.rows if (value := self.of(row)) is not None)
        below = [value for value in numbers if value < numbers[-1]]
        if not below:
            return Split([])
        middle = min(numbers[len(numbers) // 2], below[-1])
        whole = len(numbers) == len(found.rows) and None not in found.elsewhere
        return Split([{self.most: str(middle)}, {self.least: str(middle + 1)}], whole)


Filter = ByValue | ByRange


Before = Callable[[datetime, datetime], Iterable[Kind]]


@dataclass(slots=True)
class Met:
    """Kinds of rows that were met, in a walk and before.

    Attributes:
        filters: What can be filtered by.
        before: Tells kinds met before the walk, but for those of a stretch; asked where that is overfull.
    """

    filters: tuple[Filter, ...]
    before: Before = lambda first, last: ()
    _kinds: set[Kind] = field(default_factory=set)

    def recall(self, first: datetime, last: datetime) -> None:
        """Adds the kinds met before, outside of a stretch."""
        self._kinds.update(self.before(first, last))

    def add(self, rows: Iterable[Any]) -> None:
        """Rows were seen; they are not in a stretch that is asked for in parts later."""
        self._kinds.update(tuple(each.kind(row) for each in self.filters) for row in rows)

    def of(self, only: Only) -> list[Kind]:
        """Kinds of which a query with these filters may show rows."""
        return [
            kind
            for kind in self._kinds
            if all(each.admits_kind(only, value) for each, value in zip(self.filters, kind, strict=True))
        ]
