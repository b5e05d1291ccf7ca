"""What a first sync will ask for: counted where there is little, sampled where there is much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.endpoints import SimApi
from sim_source.api.query import Query
from sim_source.options import Details, Snapshots
from sim_source.paging import windows
from sim_source.paging.chunks import LARGEST_PAGE, Chunk, PageSize, has_fixed_order
from sim_source.paging.walk_audit import AUDIT_PAGE, walk_audit_logs
from sim_source.paging.walk_runs import walk_runs
from sim_source.rows import ending, run_rows, runs
from sim_source.rows.run_rows import ROW_FAULTS
from sim_source.timestamps import utc

from .forecast import Pace, Work, pages_by_time
from .sampling import Needs, SampledPage, Samples, Seen, counted, rows_in, sampled, standard_error

COUNTED_PAGES = 5
"""Pages of runs that are read to count what they need; where there are more, samples are read instead."""
MOMENTS = tuple(number * 0.618034 % 1 for number in range(1, 7))
"""Where samples begin, as shares of the time from the first run to the last: spread evenly, and not at one hour of
the day again and again (the golden section)."""
AUDIT_LOOKS = 6
"""Requests that look for the oldest audit log, where one page does not show it."""
CALL_CPU_S = 0.002
"""Seconds this project works on a detail (``make bench ARGS=details``)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a sync of runs is to do; see ``sim_source``. ``full``: it loads more of them than ``logs``."""

    details: Details
    snapshots: Snapshots
    full: bool = True


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was found of one workspace's runs.

    Attributes:
        runs: How many there are.
        work: What they need.
        unsure: By how many requests that may be off, twice the standard error; 0 where all runs were seen.
        pace: How fast the answers came.
        names_order: The server's cursors name their order: it is of August 2026 or later.
    """

    runs: int
    work: Work
    unsure: float
    pace: Pace
    names_order: bool


@dataclass(slots=True)
class Look:
    """Looks at the runs of one workspace.

    Attributes:
        api: Asks.
        workspace_id: Of which.
        options: What a sync is to do.
        clock: Seconds, to tell how fast answers come.
        first: Runs that started before do not count.
    """

    api: SimApi
    workspace_id: str
    options: Options
    clock: Callable[[], float]
    first: datetime = windows.BEGINNING
    _size: PageSize = field(default_factory=lambda: PageSize(LARGEST_PAGE))
    _pages: list[tuple[int, float]] = field(default_factory=list)

    def estimate(self, workflows: Sequence[wire.Workflow], now: datetime) -> Estimate:
        """Reads all runs if they are few; otherwise some, and believes Sim's count of each workflow's.

        Raises:
            SimError: As the API answers.
        """
        newest = self._ask(Query(self.first, now, 1, order="desc"))
        call_s = self._pages.pop()[1]
        last = utc(newest.rows[-1].started_at) if newest.rows else now
        whole = self.first <= windows.BEGINNING  # Sim counts all runs there ever were
        counts = {row.id: int(row.run_count or 0) for row in workflows} if whole else {}
        found, first, reached = self._from_the_beginning(now, last, sum(counts.values()))
        needs, lists, unsure = counted(found, self.options.snapshots), len(self._pages), 0.0
        if reached is not None:
            samples = [found, *self._samples(first, last, now)]
            if sum(counts.values()) < len(found):
                counts = {}  # a server that does not count
            needs, unsure = self._needs(samples, counts, len(found) * (last - first) / (reached - first))
            lists = pages_by_time(round(needs.runs), self._size.current)
        rows, seconds = sum(page[0] for page in self._pages), sum(page[1] for page in self._pages)
        page_s = seconds / max(rows, 1) * min(needs.runs, self._size.current)
        return Estimate(
            round(needs.runs),
            Work(lists=lists, details=round(needs.details), snapshots=round(needs.snapshots)),
            unsure,
            Pace(page_s, call_s, CALL_CPU_S),
            newest.next_cursor is not None and has_fixed_order(newest.next_cursor),
        )

    def _needs(self, samples: Samples, counts: dict[str, int], by_time: float) -> tuple[Needs, float]:
        """What the runs need that these are samples of, and by how many requests that may be off."""

        def needs(some: Samples) -> Needs:
            return sampled(some, counts, self.options.snapshots, by_time)

        def requests(some: Samples) -> float:
            needed = needs(some)
            return needed.details + needed.snapshots + needed.runs / self._size.current

        return needs(samples), 2 * standard_error(samples, requests)

    def _ask(self, query: Query) -> Page[wire.Run]:
        begun = self.clock()
        page = self.api.runs(self.workspace_id, query)
        self._pages.append((page.count, self.clock() - begun))
        return page

    def _from_the_beginning(
        self, now: datetime, last: datetime, expected: int
    ) -> tuple[list[Seen], datetime, datetime | None]:
        """Runs from the oldest on, its start, and up to where; None where these are all of them.

        Left as soon as both Sim's count and the time that they cover say that there are far more.
        """
        found: list[Seen] = []
        first, most = last, COUNTED_PAGES * LARGEST_PAGE
        pages = 0
        for chunk in self._walk(self.first, now):
            pages += bool(chunk.rows)  # where none brings anything new, the walk says so
            if not found and chunk.rows:
                first = utc(chunk.rows[0].started_at)
            found += [self._seen(run) for run in chunk.rows]
            if chunk.final:
                break
            more = expected > most and len(found) * (last - first) > most * (chunk.position - first)
            if chunk.position > first and (more or pages >= COUNTED_PAGES):
                return found, first, chunk.position
        return found, first, None

    def _samples(self, first: datetime, last: datetime, now: datetime) -> Iterator[list[Seen]]:
        for share in MOMENTS:
            page = next(self._walk(first + share * (last - first), now))
            yield [self._seen(run) for run in page.rows]

    def _walk(self, start: datetime, end: datetime) -> Iterator[Chunk[wire.Run]]:
        """Pages as a sync asks for them: smaller where they are heavy, or fail."""
        return walk_runs(self._ask, start, end, self._size)

    def _seen(self, run: wire.Run) -> Seen:
        return Seen(run.workflow_id, run.deployment_version_id, self._pending(run), run.execution_id is not None)

    def _pending(self, run: wire.Run) -> bool:
        if not self.options.full:  # plain rows leave open how a run without a cost ended: those are asked for
            return ending.is_doubtful_row(run)
        try:
            return runs.read_run(run, "", run_rows.RunOptions(self.options.details)).pending
        except ROW_FAULTS:  # a sync sets it aside
            return False


def audit_pages(ask: Callable[[Query], Page[wire.AuditLog]], now: datetime, first: datetime | None = None) -> int:
    """Pages of the audit trail: walked where they are few, else about, by how dense it is at several ages.

    Raises:
        SimError: As the API answers; 403 without Enterprise.
    """
    chunks: list[Sequence[wire.AuditLog]] = []
    for number, chunk in enumerate(walk_audit_logs(ask, first, now), start=1):
        if chunk.rows:  # where none brings anything new, the walk says so
            chunks.append(chunk.rows)
        if chunk.final:
            return number
        if len(chunks) == COUNTED_PAGES:
            break
    stretches = [_stretch([row for rows in chunks for row in rows], now)]
    high = (now - (first or windows.BEGINNING)).total_seconds()
    for _ in range(AUDIT_LOOKS):
        age = math.sqrt(max(stretches[-1].oldest, 1.0) * high)
        page = ask(Query(first, now - timedelta(seconds=age), AUDIT_PAGE, order="desc"))
        if not page.rows:
            high = age
            continue
        stretches.append(_stretch(page.rows, now))
        if page.next_cursor is None:
            break
    return pages_by_time(round(rows_in(stretches)), AUDIT_PAGE)


def _stretch(rows: Sequence[wire.AuditLog], now: datetime) -> SampledPage:
    ages = [(now - utc(row.created_at)).total_seconds() for row in rows]
    return SampledPage(min(ages), max(ages), len(ages))
