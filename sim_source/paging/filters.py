"""The filters of the API's lists, and how they split an instant with more rows than a page. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MOST_VALUES = 60
"""Most values of one filter with which a whole instant is queried, and most ids with which a part of it is."""


Only = Mapping[str, str]
"""Filters of a query, by parameter name."""


Kind = tuple[str | None, ...]
"""A row's value for each filter; "" stands for any number, and for any id that is new with each object."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known about a query that matches more rows than fit on a page.

    Attributes:
        rows: All rows read so far that match it.
        page: The rows on its own page: a sample for which no value was chosen.
        elsewhere: Values of a filter that rows of the same kinds have elsewhere.
    """

    rows: list[Any]
    page: list[Any] = field(default_factory=list)
    elsewhere: Sequence[str | None] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """A query split into parts.

    Attributes:
        parts: Filters of each part, to be added to the query's own.
        whole: The parts together cover the whole query, as far as can be known.
    """

    parts: list[dict[str, str]]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ByValue:
    """Splits a query by the values of a text field.

    Attributes:
        name: The query parameter.
        field: The row's field.
        every: All possible values; the instant is always queried with each of them.
        anew: The values are ids, new with each object: those seen elsewhere are not queried.
    """

    name: str
    field: str
    every: tuple[str, ...] = ()
    anew: bool = False

    def of(self, row: Any) -> str | None:
        """Returns a row's value."""
        value = getattr(row, self.field, None)
        return None if value is None else str(value)

    def kind(self, row: Any) -> str | None:
        """Returns a row's entry in its ``Kind``."""
        value = self.of(row)
        return "" if self.anew and value is not None else value

    def admits(self, only: Only, row: Any) -> bool:
        """Whether a query with these filters returns a row."""
        return self.name not in only or only[self.name] == self.of(row)

    def admits_kind(self, only: Only, kind: str | None) -> bool:
        """Whether a query with these filters may return rows of a kind."""
        return self.name not in only or (kind is not None if self.anew else only[self.name] == kind)

    def split(self, only: Only, found: Found) -> Split:
        """Makes one part for each value that the rows have, or that rows of the same kinds have elsewhere."""
        if self.name in only:
            return Split([])
        here, elsewhere = dict.fromkeys(map(self.of, found.rows)), () if self.anew else found.elsewhere
        values = [value for value in dict.fromkeys((*here, *elsewhere)) if value is not None]
        lacking = None in here or None in found.elsewhere
        if (self.anew and len(values) > MOST_VALUES) or (len(values) == 1 and not lacking):
            return Split([])  # too many parts, or a part that equals the query
        seen = Counter(map(self.of, found.page))
        believed = bool(self.every) or not any(seen[value] == 1 and value not in elsewhere for value in seen)
        return Split([{self.name: value} for value in values], not lacking and believed)


@dataclass(frozen=True, slots=True)
class ByRange:
    """Splits a query into two by a whole number; only rows without the number are left out.

    Attributes:
        name: Name of the filter.
        field: The row's field.
        least: The query parameter of the lower bound.
        most: The query parameter of the upper bound, inclusive.
    """

    name: str
    field: str
    least: str
    most: str

    def of(self, row: Any) -> int | None:
        """Returns a row's number, rounded down."""
        value = getattr(row, self.field, None)
        return None if value is None else math.floor(value)

    def kind(self, row: Any) -> str | None:
        """Returns a row's entry in its ``Kind``: whether it has the number."""
        return None if self.of(row) is None else ""

    def admits(self, only: Only, row: Any) -> bool:
        """Whether a query with these filters returns a row."""
        if self.least not in only and self.most not in only:
            return True
        value = self.of(row)
        return value is not None and float(only.get(self.least, "-inf")) <= value <= float(only.get(self.most, "inf"))

    def admits_kind(self, only: Only, kind: str | None) -> bool:
        """Whether a query with these filters may return rows of a kind."""
        return kind is not None or (self.least not in only and self.most not in only)

    def split(self, only: Only, found: Found) -> Split:
        """Splits at the median of the numbers seen."""
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
    """Kinds of rows seen in a walk and before it.

    Attributes:
        filters: The available filters.
        before: Returns the kinds seen before the walk, except in a time range; called when that range holds more rows
            than a page.
    """

    filters: tuple[Filter, ...]
    before: Before = lambda first, last: ()
    _kinds: set[Kind] = field(default_factory=set)

    def recall(self, first: datetime, last: datetime) -> None:
        """Adds the kinds seen before the walk, except in a time range."""
        self._kinds.update(self.before(first, last))

    def add(self, rows: Iterable[Any]) -> None:
        """Adds the kinds of rows; they must not lie in a time range that is split later."""
        self._kinds.update(tuple(each.kind(row) for each in self.filters) for row in rows)

    def of(self, only: Only) -> list[Kind]:
        """Returns the kinds of rows that a query with these filters may return."""
        return [
            kind
            for kind in self._kinds
            if all(each.admits_kind(only, value) for each, value in zip(self.filters, kind, strict=True))
        ]
