"""Finds the v2 status of given runs in as few pages as possible. Pure except for the requests.

The list of runs in v2 is ordered by start and id, in whole milliseconds, and its cursor skips nothing (8 runs per
instant, pages of 1 to 100 rows: all came). Its rows are validated by the server: one that its schema rejects makes
every page with it a 500, always. Such a page is split until only the rejected run is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from .. import errors
from ..api import wire
from ..api.decode import Page, Rejected
from ..api.query import Query
from ..timestamps import MILLISECOND, utc
from .chunks import StalePages

STATES_PAGE = 1000
"""Most rows per page."""
ATTEMPTS = 3
"""Attempts of a request that cannot be split any more, or that failed in a way that splitting does not mend."""
MOST_FAULTS = 25
"""Requests in succession that may fail before v2 is tested as such: one rejected row makes about 11 fail."""
MOST_IN_ALL = 250
"""Requests that may fail before all runs that are left on such pages are given up."""


class Sought(NamedTuple):
    """A run whose status is wanted."""

    started_at: datetime
    execution_id: str


@dataclass(slots=True)
class StatesWalk:
    """Asks v2 for the status of runs.

    Args:
        ask: Requests a page, with at most so many attempts.
        may_ask: Whether to send another request now.
        patient: Whether requests are tried again before the walk goes on without them.

    Attributes:
        told: The rows of v2, by execution id: of the runs that were sought, and of runs between them.
        odd: Rows that do not fit.
        unreadable: Runs that the server cannot return.
        left: Runs that were not asked for, since ``may_ask`` said no.
    """

    ask: Callable[[Query, int], Page[wire.RunState]]
    may_ask: Callable[[], bool]
    patient: bool = False
    told: dict[str, wire.RunState] = field(default_factory=dict)
    odd: list[Rejected] = field(default_factory=list)
    unreadable: list[Sought] = field(default_factory=list)
    left: list[Sought] = field(default_factory=list)
    _faults: int = 0
    _in_all: int = 0
    _works: bool = False

    def read(self, *groups: Iterable[Sought]) -> None:
        """Asks for the status of these runs. Runs that v2 does not have are not in ``told`` afterwards.

        Args:
            *groups: The runs; no page spans two groups.

        Raises:
            NotOffered, AccessDenied: The server, or the key, has no such list.
            Unavailable: The list fails whatever is requested.
            NoProgress: The server keeps reporting more runs without returning a new one.
        """
        parts, least = [sorted(group) for group in reversed(groups)], ATTEMPTS if self.patient else 1
        attempts = least
        while parts:
            part = parts.pop()
            if not part:
                continue
            if not self.may_ask():
                self.left += [run for each in (part, *parts) for run in each]
                return
            try:
                parts.append(self._page(part, ATTEMPTS if len(part) == 1 else attempts))
                attempts = least
            except errors.Unavailable as failed:
                if isinstance(failed.__cause__, errors.RateLimited):
                    self.left += [run for each in (part, *parts) for run in each]
                    return
                if _is_of_one_answer(failed):
                    parts += self._split(part)
                elif attempts < ATTEMPTS:
                    parts, attempts = [*parts, part], ATTEMPTS
                else:
                    raise

    def _page(self, part: Sequence[Sought], attempts: int) -> list[Sought]:
        """Requests the page that begins with the first run of a part; returns the runs behind it."""
        first, last = part[0].started_at, part[-1].started_at
        query = Query(first, last, STATES_PAGE, only=(("runId", part[0].execution_id),) if len(part) == 1 else ())
        stale = StalePages()
        while True:
            page = self.ask(query, attempts)
            self._faults, self._works, before = 0, True, len(self.told)
            self.told.update((row.run_id, row) for row in page.rows)
            self.odd += page.rejected
            if page.next_cursor is None:
                return []
            starts = [utc(row.started_at) for row in page.rows]
            if starts != sorted(starts):
                raise errors.Unavailable("/api/v2/logs: the server returns runs in another order than requested")
            if starts and starts[-1] > first:
                return [run for run in part if run.started_at >= starts[-1] and run.execution_id not in self.told]
            if len(self.told) > before:  # a full page of one instant
                stale.made()
            else:
                stale.missed("status of runs")
            query = replace(query, cursor=page.next_cursor)

    def _split(self, part: list[Sought]) -> list[list[Sought]]:
        """Returns smaller parts of one whose page failed, the first one last; a single run is given up.

        Raises:
            Unavailable: The list fails whatever is requested.
        """
        self._faults, self._in_all = self._faults + 1, self._in_all + 1
        if self._faults > MOST_FAULTS:
            self._prove(part[0].started_at)
            self._faults = 0
        if self._in_all > MOST_IN_ALL:
            self.unreadable += part
            return []
        page, rest = part[:STATES_PAGE], part[STATES_PAGE:]
        instants = sorted({run.started_at for run in page})
        if len(instants) > 1:
            middle = instants[len(instants) // 2]
            early = [run for run in page if run.started_at < middle]
            return [rest, [run for run in page if run.started_at >= middle], early]
        if 1 < len(page) <= MOST_FAULTS:
            return [rest, *([run] for run in page)]
        if not self._works:
            self._prove(instants[0])
        self.unreadable += page
        return [rest]

    def _prove(self, moment: datetime) -> None:
        """Requests the runs of another moment, of which there are hardly any: that shows whether the list works at all.

        Raises:
            Unavailable: It does not.
        """
        before = moment - MILLISECOND
        self.ask(Query(before, before, 1), 1)
        self._works = True


def _is_of_one_answer(failed: errors.Unavailable) -> bool:
    """Whether another page may work: this one was answered with 500, as one with a rejected row always is (seen)."""
    return isinstance(failed.__cause__, errors.ServerFault) and failed.__cause__.status == 500
