"""Requests the per-run details that lists do not provide, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import errors
from ..api import wire
from ..rows import merge
from ..rows.run_rows import RunRows
from ..rows.stored_run import StoredRun, run_of
from ..run_tables import LOG_DETAILS
from .batch import Tables
from .workspace import BACKLOG_STEP, Detail, WorkspaceContext


@dataclass(slots=True)
class DetailReader:
    """Requests details of one workspace's runs."""

    workspace: WorkspaceContext

    def now(
        self, fresh: Sequence[tuple[wire.Run, RunRows, StoredRun | None]], *, anew: bool = False
    ) -> dict[str, RunRows]:
        """Completes new runs with their details, as far as the rate limit allows without waiting; the rest comes later.

        Args:
            fresh: The runs.
            anew: Request the details of stored runs even if that means waiting: their turn came already.
        """
        workspace = self.workspace
        if not workspace.batch.wants(LOG_DETAILS.name):
            return {}
        pending = [entry for entry in reversed(fresh) if entry[1].pending]
        waited_for = [entry for entry in pending if anew and entry[2] is not None]
        others = [entry for entry in pending if not (anew and entry[2] is not None)]
        wanted = waited_for + others[: workspace.allowance(workspace.bounds.details)]
        complete: dict[str, RunRows] = {}
        answers = workspace.concurrently(lambda entry: workspace.detail(entry[0].id), wanted, LOG_DETAILS.name)
        for (run, _, stored), answer in answers:
            workspace.bounds.details -= 1
            if answer is None:
                continue
            workspace.handled.add(run.id)
            rows = workspace.read(run, answer, stored)
            if rows is not None:
                complete[run.id] = rows
        return complete

    def backlog(self) -> Iterator[Tables]:
        """Requests details that earlier syncs left."""
        workspace = self.workspace
        if not workspace.batch.wants(LOG_DETAILS.name):
            return
        while workspace.bounds.details > 0 and not workspace.over():
            step = min(BACKLOG_STEP, workspace.bounds.details)
            waiting = workspace.queries.pending(workspace.options.details, step + len(workspace.handled))
            stored = workspace.queries.stored([run for run in waiting if run.id not in workspace.handled][:step])
            if not stored:
                return
            for id_, answer in workspace.concurrently(workspace.detail, list(stored), LOG_DETAILS.name):
                workspace.handled.add(id_)
                workspace.bounds.details -= 1
                if answer is not None:
                    self.take(stored[id_], answer)
            yield from workspace.batch.flush()

    def take(self, stored: StoredRun, answer: Detail, *, only_changed: bool = False) -> None:
        """Processes the answer for a stored run.

        Args:
            stored: The run.
            answer: Its detail, or the error that it no longer exists.
            only_changed: Drop an answer that does not change the run (see ``merge.changed``), even if some values are
                more complete: otherwise an open run would be loaded again and again. A detail that was waited for is
                kept.
        """
        workspace = self.workspace
        if isinstance(answer, errors.NotFound):
            rows: RunRows | None = merge.gone_run(stored)
        else:
            rows = workspace.read(run_of(stored), answer, stored)
            waited = stored.fingerprint.status == "paused" and not merge.is_read(stored)
            if rows and only_changed and not waited and not merge.changed(stored.fingerprint, rows):
                return
        told = rows and merge.news(rows, stored)
        if told:
            workspace.session.log.runs["changed"] += only_changed
            workspace.add([told])
