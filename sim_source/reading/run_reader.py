"""Reads runs of one workspace into Arrow tables; each page is parsed once and fills all its tables."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from ..api import decode, wire
from ..options import Snapshots
from ..paging import resync, windows
from ..paging.chunks import Chunk
from ..paging.state import ResourceState
from ..paging.walk_runs import walk_runs
from ..parallel.messages import DecodedPage
from ..parallel.workers import WorkerLost
from ..rows import merge
from ..rows.fingerprint import Fingerprint
from ..rows.life import OpenRun
from ..rows.run_rows import RunRows
from ..rows.stored_run import StoredRun
from ..run_tables import LOG_DETAILS, LOGS
from ..timestamps import MILLISECOND, utc
from .batch import Tables
from .detail_reader import DetailReader
from .gaps import Gaps
from .list_pages import ListPages
from .open_runs import OpenRunReader, tell_split
from .snapshot_reader import SnapshotReader
from .unclear_runs import UnclearRuns
from .workspace import WorkspaceContext

Fresh = tuple[wire.Run, RunRows, StoredRun | None]
"""A new or changed run: its list row, its rows, and what is stored of it."""


@dataclass(slots=True)
class RunReader:
    """Reads the runs of one workspace.

    Attributes:
        state: The state of this workspace's runs; changed in place.
        wanted: Returns what this sync covers, given whether it has already walked part of it.
        mend: The destination may hold the first part of a load that was interrupted and is lost: read its runs again.
        alive: The server has returned data of this workspace in this sync.
    """

    workspace: WorkspaceContext
    snapshot_mode: Snapshots
    state: ResourceState
    wanted: Callable[[bool], windows.Extent]
    mend: bool = False
    alive: bool = False
    _lists_tell: bool = False
    _taken: set[str] = field(default_factory=set)
    _walked: list[tuple[datetime, datetime]] = field(default_factory=list)
    _gaps: Gaps = field(init=False)
    _details: DetailReader = field(init=False)
    _snapshots: SnapshotReader = field(init=False)
    _doubts: UnclearRuns = field(init=False)
    _pages: ListPages = field(init=False)

    def __post_init__(self) -> None:
        self._gaps = Gaps(self.state, self.workspace.session, LOGS.name, self.workspace.id)
        self._details = DetailReader(self.workspace)
        self._snapshots = SnapshotReader(self.workspace, self.snapshot_mode)
        self._doubts = UnclearRuns(self.workspace)
        self._pages = ListPages(self.workspace, self.workspace.queries.newest())

    def tables(self) -> Iterator[Tables]:
        """Reads lists, then open runs, then the backlog of details, then that of snapshots; within the bounds.

        Raises:
            SimError: The API rejects a request or stays unavailable; rows read before it have been handed over.
        """
        session, bounds = self.workspace.session, self.workspace.bounds
        if bounds.runs > 0:
            done = yield from self._lists()
            if done and not self.workspace.over():
                yield from self._again()
        elif windows.next_window(self.state, self.wanted(bool(self._walked))):
            session.extraction.more = True  # another workspace used up this extraction's bounds
        if session.out_of_time:
            return
        if bounds.catch_up:
            yield from self._catch_up()

    def _catch_up(self) -> Iterator[Tables]:
        """Requests details and snapshots that earlier extractions left."""
        try:
            self._snapshots.ahead()
            for tables in self._details.backlog():
                yield tables
                self._snapshots.ahead()
            yield from self._snapshots.backlog()
        finally:
            self._snapshots.close()

    def _lists(self) -> Generator[Tables, None, bool]:
        """Walks all time ranges that are due; returns whether it finished."""
        workspace, bounds = self.workspace, self.workspace.bounds
        while window := windows.next_window(self.state, self.wanted(bool(self._walked))):
            windows.begin_walk(self.state, window)
            position = window.start
            rows = workspace.batch.count
            for chunk, answer in self._pages.steps(window):
                self._take_step(chunk, answer, again=window.again, anew=window.key == resync.KEY)
                self._gaps.note(chunk.gap)
                position = chunk.position
                self.state.reached(position, window.key)
                yield from workspace.batch.full()
                bounds.runs -= len(chunk.rows)
                bounds.rows -= workspace.batch.count - rows
                rows = workspace.batch.count
                # not inside the instant where the walk began: the next extraction would start and stop there again
                full = bounds.spent and position > window.start
                if (full or workspace.over()) and not chunk.final:
                    workspace.session.extraction.more = True
                    self._gaps.walked(window.start, position - MILLISECOND)
                    if not workspace.session.client.out_of_time:
                        workspace.session.walks.go_on(workspace.id)
                    yield from workspace.batch.flush()
                    return False
            self.state.finished(window.key, workspace.session.client.server_time)
            self._gaps.walked(window.start, window.end)
            self._walked.append((window.start, window.end))
        done = yield from self._missing()
        yield from workspace.batch.flush()
        return done

    def _missing(self) -> Generator[Tables, None, bool]:
        """Walks time ranges again that may lack rows; returns whether there was time for all of them."""
        workspace = self.workspace
        for first, last in self._gaps.again():
            for chunk in walk_runs(partial(workspace.api.runs, workspace.id), first, last, self._pages.size):
                self._take(chunk)
                self._gaps.note(chunk.gap)
                yield from workspace.batch.full()
                if workspace.over() and not chunk.final:
                    return False
            self._gaps.walked(first, last)
        return True

    def _take_step(
        self, chunk: Chunk[wire.Shown], answer: Future[DecodedPage] | None, *, again: bool = False, anew: bool = False
    ) -> None:
        """Processes a chunk, as decoded by a worker process if possible.

        None of its runs were stored when its page was handed to a worker. If some are by now, the page is decoded here,
        unless a worker has already started it.

        Args:
            chunk: What a list returned.
            answer: Its decoded page, if it was handed to a worker.
            again: Take all rows, including stored and unchanged ones.
            anew: Also request again everything that they need beside the list.
        """
        known = self._known(chunk)
        if answer is None or ((known or self.workspace.session.workers.has_enough) and answer.cancel()):
            self._take(_read_here(chunk), known=known, again=again, anew=anew)
            return
        self._seen(chunk)
        self.workspace.batch.later(answer, lambda: self._take_answer(chunk, answer))
        self._snapshots.now(chunk.rows)

    def _take_answer(self, chunk: Chunk[wire.Shown], answer: Future[DecodedPage]) -> None:
        """Processes what a worker decoded, and decodes here what it left."""
        try:
            found = answer.result()
        except WorkerLost:
            self.workspace.session.log.warn(
                "a worker process could not be started, or ended early; all pages are now decoded in the main process, "
                "which is slower but loses no rows"
            )
            left = {row.id for row in chunk.rows}
        else:
            for table, rows in found.arrow().items():
                self.workspace.batch.add_arrow(table, rows)
                self.workspace.session.log.runs["new"] += rows.num_rows if table == LOGS.name else 0
            left = set(found.left)
            self.workspace.session.workers.useful(len(chunk.rows), len(left))
        if left:
            here = _read_here(chunk)
            self.workspace.set_aside(here.rejected)
            self._take_rows([run for run in here.rows if run.id in left], {})

    def _again(self) -> Iterator[Tables]:
        """Reads again what may have changed outside the time ranges just walked."""
        if self.mend and self._pages.newest is not None:
            yield from self._follower(partial(self._take, again=True, anew=True)).torn()
        yield from self._follower(self._take).open_runs()

    def _follower(self, take: Callable[[Chunk[wire.Run]], None]) -> OpenRunReader:
        return OpenRunReader(
            self.workspace,
            self._details,
            take,
            self.state,
            self.alive,
            self._gaps,
            self._lists_tell,
            self._walked,
            self._taken,
        )

    def _take(
        self,
        chunk: Chunk[wire.Run],
        known: dict[str, Fingerprint] | None = None,
        *,
        again: bool = False,
        anew: bool = False,
    ) -> None:
        """Processes the new and changed rows of a chunk, or all of them.

        Args:
            chunk: What a list returned.
            known: Fingerprints of its stored runs, if they were already queried.
            again: Take all rows.
            anew: Take all rows, and request their details and snapshots as if none were stored.
        """
        self._seen(chunk)
        known = self._known(chunk) if known is None else known
        fresh = self._take_rows(chunk.rows, known, again=again, anew=anew)
        self._snapshots.now([run for run, _, stored in fresh if stored is None or anew], anew=anew)

    def _seen(self, chunk: Chunk[Any]) -> None:
        self.workspace.set_aside(chunk.rejected)
        if chunk.rows:
            self.alive = True
            self.state.shown(run.id for run in chunk.rows)

    def _take_rows(
        self, runs: Sequence[wire.Run], known: dict[str, Fingerprint], *, again: bool = False, anew: bool = False
    ) -> list[Fresh]:
        """Processes new and changed runs, and returns them."""
        workspace = self.workspace
        settled = self._doubts.settled(runs, known) if workspace.options.logs_only else {}
        if settled:
            runs = [run for run in runs if run.id not in settled]
        self._lists_tell = self._lists_tell or tell_split(runs)
        if workspace.options.logs_only and runs and not known and workspace.add_plain(runs):
            workspace.session.log.runs["new"] += len(runs)
            runs = []  # plain rows need no other requests
        read = [(run, rows) for run in runs if (rows := workspace.read(run)) is not None]
        read += settled.values()
        changed = {run.id for run, rows in read if run.id in known and merge.changed(known[run.id], rows)}
        stored = sum(run.id in known for run, _ in read)
        workspace.session.log.runs.update(new=len(read) - stored, changed=len(changed), unchanged=stored - len(changed))
        if known and not again:
            read = [(run, rows) for run, rows in read if run.id not in known or run.id in changed]
        fresh = self._with_stored(read, known, anew=anew)
        self._taken.update(run.id for run, _, held in fresh if held is not None)
        complete = self._details.now(fresh, anew=anew)
        workspace.add([complete.get(run.id, rows) for run, rows, _ in fresh])
        return fresh

    def _with_stored(
        self, read: list[tuple[wire.Run, RunRows]], known: dict[str, Fingerprint], *, anew: bool
    ) -> list[Fresh]:
        """Adds what is stored of the runs; no stored value is overwritten by a less complete one."""
        again = [OpenRun(run.id, utc(run.started_at)) for run, _ in read if run.id in known]
        stored = self.workspace.queries.stored(again, anew=anew) if again else {}
        return [
            (run, merge.richer(rows, stored[run.id]) if run.id in stored else rows, stored.get(run.id))
            for run, rows in read
        ]

    def _known(self, chunk: Chunk[Any]) -> dict[str, Fingerprint]:
        """Returns the fingerprints of the chunk's stored runs."""
        if self._pages.newest is None or not chunk.rows:
            return {}
        starts = [utc(row.started_at) for row in chunk.rows]
        if not self._pages.may_be_stored(min(starts)):
            return {}
        details = self.workspace.batch.wants(LOG_DETAILS.name)
        now = self.workspace.session.client.server_time or datetime.now(UTC)
        past = [at for at in starts if at <= now]
        stretches = {(at, at) for at in starts if at > now}  # a wrong date: a range up to it would be too long
        stored: dict[str, Fingerprint] = {}
        for first, last in [*stretches, *([(min(past), max(past))] if past else [])]:
            stored |= self.workspace.queries.fingerprints(first, last, details=details)
        return {row.id: stored[row.id] for row in chunk.rows if row.id in stored}


def _read_here(chunk: Chunk[wire.Shown]) -> Chunk[wire.Run]:
    """Returns the chunk with its rows parsed in full; rows that do not fit are detected only now."""
    if not chunk.rows or isinstance(chunk.rows[0], wire.Run):
        return cast(Chunk[wire.Run], chunk)
    ids = {row.id for row in chunk.rows}
    page = decode.run_page(cast(bytes, chunk.body))
    return replace(
        cast(Chunk[wire.Run], chunk),
        rows=[run for run in page.rows if run.id in ids],
        rejected=[row for row in page.rejected if row.id in ids],
    )
