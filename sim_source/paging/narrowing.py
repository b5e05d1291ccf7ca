"""Reads more rows of one instant than fit on a page, by splitting the query with filters until each part fits. Pure.

The API has no filter for "all other values", so a split by values is complete only if all values are known. Therefore
the whole instant is first queried with every value that was seen anywhere, not only on its own truncated page, until
no new value appears. Then the values that similar rows have elsewhere are added. A split is not taken as complete if
similar rows elsewhere lack the field, if the server rejects a value, or if a value was seen only once: the share of
rows with an unseen value is about the share of values seen once (Good-Turing). A query whose answer reported more rows
must end up with more rows than its page had.
One case cannot be detected: rows beyond full pages, of a kind that no row anywhere has shown.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

from .. import errors
from ..api.decode import Page
from ..api.query import Query
from .filters import MOST_VALUES, ByValue, Found, Met

MOST_QUERIES = 300
"""Most requests spent on one instant with more rows than a page."""

Pages = Generator[Page[Any], None, bool]
"""Pages, with some rows repeated; returns whether they are complete, as far as the API can tell."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The result of a query.

    Attributes:
        fits: Its page held all its rows.
        shown: Rows on that page.
        page: Those of them whose filter values are known.
    """

    fits: bool
    shown: int
    page: list[Any]


_REFUSED = _Asked(False, 0, [])


@dataclass(slots=True)
class Narrowing:
    """Reads one instant with more rows than a page, in parts.

    Attributes:
        ask: Requests a page.
        met: Kinds seen in the walk; those of the instant are added.
        tells: Whether a row was parsed far enough to know its filter values; other rows are not counted.
    """

    ask: Callable[[Query], Page[Any]]
    met: Met
    tells: Callable[[Any], bool] = lambda row: True
    _rows: dict[str, Any] = field(default_factory=dict)
    _asked: dict[Query, _Asked] = field(default_factory=dict)
    _covered: dict[Query, bool] = field(default_factory=dict)

    def pages(self, query: Query) -> Pages:
        """Reads all rows of the instant that the API can return.

        Raises:
            SimError: The API failed. A part that it rejects (400) is skipped.
        """
        self.met.recall(query.start or query.end, query.end)
        known, complete = -1, False
        while len(self._rows) > known and not self._spent:  # new rows may have values to query
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
        """Returns filters and values with which to query the whole instant: values seen in it, then those elsewhere."""
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
        """Whether this query, or a wider one, was returned in full."""
        only = set(query.only)
        return any(asked.fits and only.issuperset(wider.only) for wider, asked in self._asked.items())

    def _by_filters(self, query: Query, asked: _Asked) -> Pages:
        """Splits by each filter in turn, until one separates all rows."""
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
        """Whether a query reported more rows than were read."""
        return any(
            not asked.fits and len(self._rows_of(query)) <= asked.shown
            for query, asked in self._asked.items()
            if asked is not _REFUSED
        )

    def _once(self, query: Query) -> Generator[Page[Any], None, _Asked]:
        """Sends a query, unless it was sent before or the limit of requests is reached."""
        if query not in self._asked:
            if self._spent:
                return _REFUSED
            try:
                page = self.ask(query)
            except errors.BadRequest:  # a user who left, or somebody else's workspace (audit_actor_not_member)
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
