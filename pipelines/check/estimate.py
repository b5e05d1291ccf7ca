"""Estimates the requests of a first sync: counts the runs of small workspaces, and samples those of large ones."""

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
from sim_source.reading.reader import in_full
from sim_source.rows import ending, run_rows, runs
from sim_source.rows.run_rows import ROW_FAULTS
from sim_source.timestamps import utc

from ..settings import RunSettings
from .forecast import Pace, Work, pages_by_time
from .sampling import Needs, SampledPage, Samples, Seen, counted, rows_in, sampled, standard_error

COUNTED_PAGES = 5
"""Pages of runs up to which all runs are counted. Beyond that, samples are read instead."""
MOMENTS = tuple(number * 0.618034 % 1 for number in range(1, 7))
"""Where samples start, as fractions of the time from the first run to the last. Multiples of the golden ratio are
spread evenly and do not repeat the same hour of the day."""
AUDIT_LOOKS = 6
"""Maximum number of requests that search for the oldest audit log, if the first pages do not reach it."""
CALL_CPU_S = 0.002
"""CPU seconds that sim-sync spends on a detail (bench: details)."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a sync that decide its requests; see ``sim_source``.

    Attributes:
        details: Runs whose details are read.
        snapshots: Runs whose snapshots are read.
        full: Whether full list rows are read, because other tables than ``logs`` are loaded.
    """

    details: Details
    snapshots: Snapshots
    full: bool = True


def options_of(settings: RunSettings) -> Options:
    """Returns which details and snapshots a sync of the selected tables reads."""
    selected = settings.resources
    return Options(
        details=settings.plan.options.details if "log_details" in selected else "none",
        snapshots=settings.plan.snapshots if "execution_snapshots" in selected else "none",
        full=in_full(selected),
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimate for the runs of one workspace.

    Attributes:
        runs: Number of runs.
        work: Requests they need.
        unsure: Uncertainty of the number of requests: twice the standard error, 0 if all runs were counted.
        pace: How fast the server answered.
        names_order: Whether the server's cursors name their sort order, as they do since August 2026.
    """

    runs: int
    work: Work
    unsure: float
    pace: Pace
    names_order: bool


@dataclass(slots=True)
class Look:
    """Reads runs of one workspace to estimate the requests of a sync.

    Attributes:
        api: Sends the requests.
        workspace_id: Id of the workspace.
        options: Options of the sync.
        clock: Returns seconds; measures response times.
        first: Runs that started earlier do not count.
    """

    api: SimApi
    workspace_id: str
    options: Options
    clock: Callable[[], float]
    first: datetime = windows.BEGINNING
    _size: PageSize = field(default_factory=lambda: PageSize(LARGEST_PAGE))
    _pages: list[tuple[int, float]] = field(default_factory=list)

    def estimate(self, workflows: Sequence[wire.Workflow], now: datetime) -> Estimate:
        """Reads all runs if they are few. Otherwise reads samples and uses Sim's run count of each workflow.

        Args:
            workflows: Workflows of the workspace, with their run counts.
            now: End of the time range.

        Raises:
            SimError: A request failed.
        """
        newest = self._ask(Query(self.first, now, 1, order="desc"))
        call_s = self._pages.pop()[1]
        last = utc(newest.rows[-1].started_at) if newest.rows else now
        whole = self.first <= windows.BEGINNING  # Sim's counts cover all runs, whatever their age
        counts = {row.id: int(row.run_count or 0) for row in workflows} if whole else {}
        found, first, reached = self._from_the_beginning(now, last, sum(counts.values()))
        needs, lists, unsure = counted(found, self.options.snapshots), len(self._pages), 0.0
        if reached is not None:
            samples = [found, *self._samples(first, last, now)]
            if sum(counts.values()) < len(found):
                counts = {}  # the server's counts are wrong or missing
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
        """Extrapolates what all runs need from samples; also returns the uncertainty in requests."""

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
        """Reads runs from the oldest on, at most ``COUNTED_PAGES`` pages.

        Stops earlier if both Sim's count and the time range covered so far show that there are many more runs.

        Returns:
            The runs, the start of the oldest one, and the time up to which they were read; None if all were read.
        """
        found: list[Seen] = []
        first, most = last, COUNTED_PAGES * LARGEST_PAGE
        pages = 0
        for chunk in self._walk(self.first, now):
            pages += bool(chunk.rows)  # the walk also yields chunks without new rows
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
        """Reads pages like a sync does: smaller ones if pages are large or fail."""
        return walk_runs(self._ask, start, end, self._size)

    def _seen(self, run: wire.Run) -> Seen:
        return Seen(run.workflow_id, run.deployment_version_id, self._pending(run), run.execution_id is not None)

    def _pending(self, run: wire.Run) -> bool:
        if not self.options.full:  # plain rows do not tell how a run without a cost ended: its detail is read
            return ending.is_doubtful_row(run)
        try:
            return runs.read_run(run, "", run_rows.RunOptions(self.options.details)).pending
        except ROW_FAULTS:  # a sync sets the row aside
            return False


def audit_pages(ask: Callable[[Query], Page[wire.AuditLog]], now: datetime, first: datetime | None = None) -> int:
    """Counts the pages of the audit logs if they are few; otherwise estimates them from the density at several ages.

    Raises:
        SimError: A request failed; the API answers 403 without the Enterprise plan.
    """
    chunks: list[Sequence[wire.AuditLog]] = []
    for number, chunk in enumerate(walk_audit_logs(ask, first, now), start=1):
        if chunk.rows:  # the walk also yields chunks without new rows
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
