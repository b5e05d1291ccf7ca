"""Plain list rows that leave open how their run ended, asked for again in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..api import wire
from ..api.endpoints import SimApi
from ..paging.walk_runs import walk_runs
from ..rows import ending
from ..rows.fingerprint import Fingerprint
from ..rows.run_rows import RunRows
from ..tables import LOGS
from ..timestamps import utc
from .workspace import WorkspaceContext

FEW = 10
"""Runs of a page that are asked for one by one; where there are more, the page is asked for in full."""

Told = tuple[wire.Run, RunRows]
"""A list row, and what an answer in full says of its run."""


@dataclass(slots=True)
class UnclearRuns:
    """Reads what plain rows of one workspace leave open: how runs without a cost ended.

    Where runs are billed these are few: those that were swept. Where nothing is billed they are all, and of
    each page one more is read.
    """

    workspace: WorkspaceContext
    _full: WorkspaceContext = field(init=False)

    def __post_init__(self) -> None:
        api, options = SimApi(self.workspace.session.client), replace(self.workspace.options, logs_only=False)
        self._full = replace(self.workspace, api=api, options=options)

    def settled(self, listed: Sequence[wire.Run], known: dict[str, Fingerprint]) -> dict[str, Told]:
        """Of the runs in doubt, by id, those of which an answer in full was had.

        Args:
            listed: Plain rows of a page, by start.
            known: What is stored of them; one that is stored with the same end is in no doubt.
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
