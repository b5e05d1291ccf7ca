"""More rows of one instant than a page shows, asked for by the API's filters until each part fits a page. Pure.

No filter of the API says "all others", so a split by values is complete only as far as all values were met. Therefore
the whole instant is first asked for by every value that was met anywhere, not only on its own cut page, until that
shows no further one. Then the values that such rows had anywhere are joined. A split proves nothing by what such rows
lack somewhere, by a value that the server refuses, or where a value was met once: the share of rows whose value was not
met at all is about that of the values met once (Good-Turing). A query that said there is more must be left with more
rows than its page had.
What cannot be known of: rows behind full pages of a kind that no row anywhere has shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .. import errors
from ..api.decode import Page
from ..api.query import Query

MOST_VALUES = 60
"""Values of one filter by which a whole instant is asked for at most, and ids by which a part is."""
MOST_QUERIES = 300
"""Requests that an overfull instant is worth."""

Only = Mapping[str, str]
"""Filters of a query, by parameter."""
Kind = tuple[str | None, ...]
"""What a row has of each filter; "" stands for a number or an id that only this row has."""
Pages = Generator[Page[Any], None, bool]
"""Pages, some rows more than once; returns whether they show all, as far as the API can tell."""


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What became of a query.

    Attributes:
        fits: Its page showed all of it.
        shown: Rows on that page.
        page: Those of them that tell their values.
    """

    fits: bool
    shown: int
    page: list[Any]


_REFUSED = _Asked(False, 0, [])


@dataclass(slots=True)
class Narrowing:
    """One instant with more rows than a page, while it is asked for in parts.

    Attributes:
        ask: Asks for a page; rows of it that tell no filter's values may be left out by ``tells``.
        met: Kinds met in the walk; those of the instant are added.
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
        self.met.recall(query.start or query.end, query.end)
        known, complete = -1, False
        while len(self._rows) > known and not self._spent:  # what came may name values to ask for
            known = len(self._rows)
            self._covered.clear()
            yield from self._once(query)
            for part in self._by_one_value():
                yield from self._once(replace(query, only=(part,)))
            complete = yield from self._all_of(query)
        self.met.add(self._rows.values())
        return complete and len(self._rows) == known and not self._contradicted()

    @property
    def _spent(self) -> bool:
        return len(self._asked) >= MOST_QUERIES

    def _by_one_value(self) -> list[tuple[str, str]]:
        """Filters with the values to ask the whole instant for: those that it shows before those met elsewhere."""
        kinds, parts = self.met.of({}), list[tuple[str, str]]()
        for number, each in enumerate(self.met.filters):
            if isinstance(each, ByValue) and not each.anew:
                here = {each.of(row): None for row in self._rows.values()}
                elsewhere = sorted(value for kind in kinds if (value := kind[number]) is not None)
                values = [value for value in dict.fromkeys((*each.every, *here, *elsewhere)) if value is not None]
                parts += [(each.name, value) for value in values[:MOST_VALUES]]
        return parts

    def _all_of(self, query: Query) -> Pages:
        if query not in self._covered:
            self._covered[query] = self._is_known(query) or (yield from self._in_parts(query))
        return self._covered[query]

    def _in_parts(self, query: Query) -> Pages:
        asked = yield from self._once(query)
        return asked.fits or (asked.shown > 0 and (yield from self._by_filters(query, asked)))

    def _is_known(self, query: Query) -> bool:
        """Whether a query that is at least as wide was shown in full."""
        only = set(query.only)
        return any(asked.fits and only.issuperset(wider.only) for wider, asked in self._asked.items())

    def _by_filters(self, query: Query, asked: _Asked) -> Pages:
        """By each filter in turn, until one tells all of it apart."""
        only = dict(query.only)
        for number, each in enumerate(self.met.filters):
            elsewhere = [kind[number] for kind in self.met.of(only)]
            split = each.split(only, Found(self._rows_of(query), asked.page, elsewhere))
            whole = bool(split.parts) and split.whole
            for part in split.parts:
                narrower = replace(query, only=tuple(sorted((only | part).items())))
                whole = (yield from self._all_of(narrower)) and whole
            if whole and len(self._rows_of(query)) > asked.shown:
                return True
        return False

    def _contradicted(self) -> bool:
        """Whether a query said that there is more than has come."""
        return any(
            not asked.fits and len(self._rows_of(query)) <= asked.shown
            for query, asked in self._asked.items()
            if asked is not _REFUSED
        )

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
            told = [row for row in page.rows if self.tells(row)]
            self._asked[query] = _Asked(page.next_cursor is None, page.count, told)
            self._rows.update((row.id, row) for row in told)
            yield page
        return self._asked[query]

    def _rows_of(self, query: Query) -> list[Any]:
        only = dict(query.only)
        return [row for row in self._rows.values() if all(each.admits(only, row) for each in self.met.filters)]
