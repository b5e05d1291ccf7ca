"""More rows of one instant than a page shows, asked for by the API's filters until each part fits a page. Pure.

No filter of the API says "all others", so a split by values is complete only as far as all values were met. Therefore
the whole instant is first asked for by every value that was met anywhere, not only on its own cut page, until that
shows no further one. Then the values that have rows there are joined. A split by what some rows lack, or by a value
that the server refuses, proves nothing, and a query that said there is more must be left with more rows than its page
had.
What cannot be known of: rows behind full pages whose value no row anywhere has shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import errors
from .decode import Page
from .paging import Query

MOST_VALUES = 60
"""An overfull instant is asked for by at most so many values of one filter."""
MOST_QUERIES = 300
"""Requests that an overfull instant is worth."""

Only = Mapping[str, str]
"""Filters of a query, by parameter."""
Pages = Generator[Page[Any], None, bool]
"""Pages, some rows more than once; returns whether they show all, as far as the API can tell."""


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
        every: Values that are always asked for.
        anew: Ids, made with each thing: there may well be others than those met. The share of rows whose id was not met
            is about that of the ids met once (Good-Turing): only where there are none of these is the split believed.
    """

    name: str
    field: str
    every: tuple[str, ...] = ()
    anew: bool = False

    def of(self, row: Any) -> str | None:
        """What a row has."""
        value = getattr(row, self.field, None)
        return None if value is None else str(value)

    def admits(self, only: Only, row: Any) -> bool:
        """Whether a query with these filters shows a row."""
        return self.name not in only or only[self.name] == self.of(row)

    def split(self, only: Only, rows: list[Any]) -> Split:
        """One part for each value that rows have."""
        if self.name in only:
            return Split([])
        found = Counter(self.of(row) for row in rows)
        lacking = found.pop(None, 0)
        values = [value for value in found if value is not None]
        if len(values) > MOST_VALUES or (len(values) == 1 and not lacking):
            return Split([])  # too many, or the same query again
        believed = not self.anew or 1 not in found.values()
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

    def admits(self, only: Only, row: Any) -> bool:
        """Whether a query with these filters shows a row."""
        if self.least not in only and self.most not in only:
            return True
        value = self.of(row)
        return value is not None and float(only.get(self.least, "-inf")) <= value <= float(only.get(self.most, "inf"))

    def split(self, only: Only, rows: list[Any]) -> Split:
        """Both halves of the numbers met."""
        found = sorted(value for row in rows if (value := self.of(row)) is not None)
        below = [value for value in found if value < found[-1]]
        if not below:
            return Split([])
        middle = min(found[len(found) // 2], below[-1])
        return Split([{self.most: str(middle)}, {self.least: str(middle + 1)}], len(found) == len(rows))


Filter = ByValue | ByRange


@dataclass(slots=True)
class Met:
    """Values of filters that were met, in a walk and before.

    Attributes:
        filters: What can be filtered by.
        before: Tells values met before the walk, by filter; asked where an instant is overfull, which is rare.
    """

    filters: tuple[Filter, ...]
    before: Callable[[], Mapping[str, Iterable[str]]] = dict
    _values: dict[str, set[str]] = field(default_factory=dict)

    def recall(self) -> None:
        """Adds the values met before."""
        for name, values in self.before().items():
            self._values.setdefault(name, set()).update(values)

    def add(self, rows: Iterable[Any]) -> None:
        """Rows were seen."""
        names = [each for each in self.filters if isinstance(each, ByValue) and not each.anew]
        for row in rows:
            for each in names:
                value = each.of(row)
                if value is not None:
                    self._values.setdefault(each.name, set()).add(value)

    def parts(self) -> list[tuple[str, str]]:
        """Filters with the values that they can ask for."""
        return [
            (each.name, value)
            for each in self.filters
            if isinstance(each, ByValue)
            for value in sorted({*each.every, *self._values.get(each.name, ())})[:MOST_VALUES]
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What became of a query.

    Attributes:
        fits: Its page showed all of it.
        shown: Rows on that page.
    """

    fits: bool
    shown: int


_REFUSED = _Asked(False, 0)


@dataclass(slots=True)
class Narrowing:
    """One instant with more rows than a page, while it is asked for in parts.

    Attributes:
        ask: Asks for a page; rows of it that tell no filter's values may be left out by ``tells``.
        met: Values met in the walk; more are added here.
        tells: Whether a row was read far enough to tell its values.
    """

    ask: Callable[[Query], Page[Any]]
    met: Met
    tells: Callable[[Any], bool] = lambda row: True
    _rows: dict[str, Any] = field(default_factory=dict)
    _asked: dict[Query, _Asked] = field(default_factory=dict)
    _covered: dict[Query, bool] = field(default_factory=dict)

    def pages(self, query: Query) -> Pages:
        """All that can be had of the instant.

        Raises:
            SimError: As the API answers; a part that it refuses (400) is left out.
        """
        self.met.recall()
        known, complete = -1, False
        while len(self._rows) > known and not self._spent:  # what came may name values to ask for
            known = len(self._rows)
            self._covered.clear()
            yield from self._once(query)
            for part in self.met.parts():
                yield from self._once(replace(query, only=(part,)))
            complete = yield from self._all_of(query)
        return complete and len(self._rows) == known

    @property
    def _spent(self) -> bool:
        return len(self._asked) >= MOST_QUERIES

    def _all_of(self, query: Query) -> Pages:
        if query not in self._covered:
            self._covered[query] = False
            asked = yield from self._once(query)
            self._covered[query] = asked.fits or (asked.shown > 0 and (yield from self._by_filters(query, asked.shown)))
        return self._covered[query]

    def _by_filters(self, query: Query, shown: int) -> Pages:
        """By each filter in turn, until one tells all of it apart."""
        only = dict(query.only)
        for each in self.met.filters:
            split = each.split(only, self._rows_of(query))
            whole = bool(split.parts) and split.whole
            for part in split.parts:
                narrower = replace(query, only=tuple(sorted((only | part).items())))
                whole = (yield from self._all_of(narrower)) and whole
            if whole and len(self._rows_of(query)) > shown:
                return True
        return False

    def _once(self, query: Query) -> Generator[Page[Any], None, _Asked]:
        """Asks, unless that was asked before or it is too much."""
        if query not in self._asked:
            if self._spent:
                return _REFUSED
            try:
                page = self.ask(query)
            except errors.BadRequest:  # a person who left, a workspace of somebody else (audit_actor_not_member)
                if not query.only:
                    raise
                self._asked[query] = _REFUSED
                return _REFUSED
            self._asked[query] = _Asked(page.next_cursor is None, page.count)
            told = [row for row in page.rows if self.tells(row)]
            self._rows.update((row.id, row) for row in told)
            self.met.add(told)
            yield page
        return self._asked[query]

    def _rows_of(self, query: Query) -> list[Any]:
        only = dict(query.only)
        return [row for row in self._rows.values() if all(each.admits(only, row) for each in self.met.filters)]
