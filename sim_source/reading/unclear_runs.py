"""Requests plain list rows again in full if they do not show how their run ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..api import wire
from ..api.endpoints import SimApi
from ..paging.walk_runs import walk_runs
from ..rows import ending
from ..rows.fingerprint import Fingerprint
from ..rows.run_rows import RunRows
from ..run_tables import LOGS
from ..timestamps import utc
from .workspace import WorkspaceContext

FEW = 10
"""Most runs of a page that are requested one by one; for more, the page is requested in full."""

Told = tuple[wire.Run, RunRows]
"""A list row, and the rows of its run from a full answer."""


@dataclass(slots=True)
class UnclearRuns:
    """Finds out what plain rows of one workspace do not show: how runs without a cost ended.

    If runs are billed, these are few: runs that were swept. If nothing is billed, these are all runs, and one more page
    is read for each page.
    """

    workspace: WorkspaceContext
    _full: WorkspaceContext = field(init=False)

    def __post_init__(self) -> None:
        api, options = SimApi(self.workspace.session.client), replace(self.workspace.options, logs_only=False)
        self._full = replace(self.workspace, api=api, options=options)

    def settled(self, listed: Sequence[wire.Run], known: dict[str, Fingerprint]) -> dict[str, Told]:
        """Returns those runs in doubt for which a full answer was received, by id.

        Args:
            listed: Plain rows of a page, by start.
            known: Fingerprints of the stored ones; a run stored with the same end is not in doubt.
        """
        doubtful = [run for run in listed if ending.is_doubtful_row(run) and not _same_end(run, known.get(run.id))]
        if not doubtful:
            return {}
        ask = self._by_id if len(doubtful) <= FEW else self._by_list
        return {run.id: (run, rows) for run, rows in ask(doubtful)}

    def _by_id(self, doubtful: Sequence[wire.Run]) -> Iterator[Told]:
        for run, answer in self._full.concurrently(lambda run: self._full.detail(run.id), doubtful, LOGS.name):
            if isinstance(answer, wire.Run) and (rows := self._full.read(run, answer)) is not None:
                yield run, rows

    def _by_list(self, doubtful: Sequence[wire.Run]) -> Iterator[Told]:
        wanted = {run.id for run in doubtful}
        starts = [utc(run.started_at) for run in doubtful]
        pages = walk_runs(lambda query: self._full.api.runs(self._full.id, query), min(starts), max(starts))
        for run in (run for chunk in pages for run in chunk.rows if run.id in wanted):
            if (rows := self._full.read(run)) is not None:
                yield run, rows


def _same_end(run: wire.Run, known: Fingerprint | None) -> bool:
    ended_at = None if run.ended_at is None else utc(run.ended_at)
    return known is not None and (known.ended_at, known.level) == (ended_at, run.level)
