"""Pages of one workspace's lists: fetched ahead, and handed to worker processes if none of their runs is stored."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import cast

from .. import errors
from ..api import wire
from ..api.decode import Page
from ..api.query import Query
from ..paging import windows
from ..paging.chunks import Chunk, PageSize
from ..paging.walk_runs import walk_runs
from ..parallel.messages import DecodedPage, Task
from ..parallel.walks import Step
from ..run_tables import COST_ITEMS, LOG_DETAILS, LOGS, TRACE_SPANS
from .plan import UNLIMITED
from .workspace import WorkspaceContext

LIST_TABLES = (LOGS.name, LOG_DETAILS.name, COST_ITEMS.name, TRACE_SPANS.name)
"""Tables that list rows fill."""


@dataclass(slots=True)
class ListPages:
    """Walks the lists of a workspace.

    Attributes:
        newest: When the newest run in the destination started; None if it holds none. The destination is always queried
            for it, whatever the state says.
        size: Rows per page.
    """

    workspace: WorkspaceContext
    newest: datetime | None
    size: PageSize = field(default_factory=PageSize)

    def may_be_stored(self, started_at: datetime) -> bool:
        """Whether the destination may hold runs that started at this moment or later."""
        return self.newest is not None and started_at <= self.newest

    def steps(self, window: windows.Window) -> Iterator[Step]:
        """Yields the steps of a walk: the one that an earlier extraction left at this position, or a new one."""
        walks, workspace_id = self.workspace.session.walks, self.workspace.id
        held = walks.in_hand(workspace_id, window.start, window.end)
        held = held or walks.begin(workspace_id, window.start, window.end, self._walk(window))
        ahead = (
            walks.lasting or self.workspace.bounds.runs >= UNLIMITED // 2
        )  # otherwise the last pages would be fetched in vain
        try:
            for step in held.steps:
                held.position = step[0].position
                if ahead and self.workspace.session.is_far:
                    held.steps.more()
                yield step
        except errors.SimError:
            walks.leave(workspace_id)
            raise
        walks.leave(workspace_id)

    def _walk(self, window: windows.Window) -> Iterator[Step]:
        """Walks, and hands full pages to a worker if none of their runs can be in the destination yet.

        Plain rows are parsed here: that is faster than handing them over.
        """
        workspace = self.workspace
        workers = workspace.session.workers
        tables = [table for table in LIST_TABLES if workspace.batch.wants(table)]
        ask_now = workspace.bounds.details > 0 and workspace.batch.wants(LOG_DETAILS.name)

        def ask(query: Query) -> Page[wire.Shown]:
            if query.only:  # parts of an instant: the split needs rows parsed in full
                return cast(Page[wire.Shown], workspace.api.runs(workspace.id, query))
            new = query.start is not None and not self.may_be_stored(query.start)
            if new and workers.enabled and not workspace.options.logs_only:
                return workspace.api.listed(workspace.id, query)
            return cast(Page[wire.Shown], workspace.api.runs(workspace.id, query))

        for chunk in walk_runs(ask, window.start, window.end, self.size):
            answer = None
            if chunk.body is not None and not chunk.part and chunk.rows and isinstance(chunk.rows[0], wire.Listed):
                task = Task(chunk.body, chunk.seen, workspace.id, workspace.options, tables, ask_now)
                answer = workers.submit(task)
                if answer is not None:
                    answer.add_done_callback(partial(_let_go, chunk))
            yield chunk, answer


def _let_go(chunk: Chunk[wire.Shown], answer: Future[DecodedPage]) -> None:
    """Frees the body of a page that has been decoded, so that chunks waiting for their turn do not hold it."""
    if not answer.cancelled() and answer.exception() is None and not answer.result().left:
        chunk.body = None
