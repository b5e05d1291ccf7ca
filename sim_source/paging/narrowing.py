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

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

from .. import errors
from ..api.decode import Page
from ..api.query import Query
from .filters import MOST_VALUES, ByValue, Found, Met

MOST_QUERIES = 300
"""Requests that an overfull instant is worth."""

Pages = Generator[Page[Any], None, bool]
"""Pages, some rows more than once; returns whether they show all, as far as the API can tell."""


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
