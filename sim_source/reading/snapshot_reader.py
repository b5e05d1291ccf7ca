"""Reads snapshots of runs: one per deployment version, or one per run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .. import errors
from ..api import wire
from ..api.decode import Rejected
from ..options import Snapshots
from ..rows import rejecting, snapshots
from ..run_tables import EXECUTION_SNAPSHOTS, WORKFLOW_STATES
from ..stored.snapshot_queries import SnapshotQueries
from ..timestamps import utc
from .batch import Tables
from .concurrent_requests import ConcurrentRequests
from .workspace import BACKLOG_STEP, WorkspaceContext

Wanted = tuple[str, str | None]
"""Execution id and workflow id."""
Answer = tuple[snapshots.SnapshotRows | None, Rejected | None]
"""The rows of a snapshot, or an answer that could not be read."""
AHEAD = 2 * BACKLOG_STEP
"""Most snapshots that are requested from v2 at a time while details are read: a snapshot may be large."""


@dataclass(slots=True)
class SnapshotReader:
    """Requests snapshots of one workspace's runs.

    Attributes:
        mode: Which snapshots: version, all or none.
    """

    workspace: WorkspaceContext
    mode: Snapshots
    _versions: set[str] | None = None
    _begun: ConcurrentRequests[Wanted, Answer] | None = None
    _stored: SnapshotQueries = field(init=False)

    def __post_init__(self) -> None:
        self._stored = self.workspace.queries.snapshots

    @property
    def wanted(self) -> bool:
        """Whether snapshots are read at all."""
        return self.mode != "none" and self.workspace.batch.wants(EXECUTION_SNAPSHOTS.name)

    def now(self, fresh: Sequence[wire.Shown], *, anew: bool = False) -> None:
        """Requests snapshots of runs seen for the first time, as far as the rate limit allows without waiting.

        Args:
            fresh: The runs.
            anew: Some of them are stored: request the snapshots that are not completely stored, even if that means
                waiting.
        """
        workspace = self.workspace
        if not self.wanted or not fresh or not (workspace.bounds.snapshots or anew):
            return
        if anew:
            whole = self._stored.with_snapshot([run.execution_id for run in fresh if run.execution_id is not None])
            fresh = [run for run in fresh if run.execution_id not in whole]
        if self._versions is None:
            self._versions = self._stored.snapshot_versions()
        first: dict[str, wire.Shown] = {}
        wanted: list[Wanted] = []
        for run in reversed(fresh):
            version = run.deployment_version_id
            if run.execution_id is None or run.execution_id in workspace.handled:
                continue
            if self.mode == "all" or version is None:
                wanted.append((run.execution_id, run.workflow_id))
            elif version not in self._versions and (version not in first or _started(run) < _started(first[version])):
                first[version] = run
        self._versions.update(first)
        wanted += [(run.execution_id, run.workflow_id) for run in first.values() if run.execution_id is not None]
        self._read(wanted if anew else wanted[: workspace.allowance(workspace.bounds.snapshots)])

    def backlog(self) -> Iterator[Tables]:
        """Requests snapshots that earlier syncs left."""
        workspace = self.workspace
        if not self.wanted:
            return
        if self._begun is not None:
            self._take(self._begun)
            yield from workspace.batch.flush()
        while not workspace.over() and (waiting := self._waiting(BACKLOG_STEP)):
            self._read(waiting)
            yield from workspace.batch.flush()

    def ahead(self) -> None:
        """Requests snapshots that earlier syncs left from v2 meanwhile, if v1's rate limit holds back details.

        Takes those that have arrived, and requests the next ones once all have.
        """
        workspace = self.workspace
        if self._begun is not None:
            self._take(self._begun.arrived())
        if self._begun or not self.wanted or workspace.over() or not workspace.v2.takes_snapshots:
            return
        if waiting := self._waiting(AHEAD):
            self._begun = workspace.begun(self._ask, waiting, EXECUTION_SNAPSHOTS.name)

    def close(self) -> None:
        """Drops requests that have not been sent yet."""
        if self._begun is not None:
            self._begun.close()

    def _waiting(self, most: int) -> list[Wanted]:
        """Returns the next snapshots that earlier syncs left."""
        workspace = self.workspace
        step = min(most, workspace.bounds.snapshots)
        if step <= 0:
            return []
        limit = step + len(workspace.handled)
        found = self._stored.without_snapshot(by_version=self.mode == "version", limit=limit)
        return [entry for entry in found if entry[0] not in workspace.handled][:step]

    def _read(self, wanted: Sequence[Wanted]) -> None:
        self._take(self.workspace.concurrently(self._ask, wanted, EXECUTION_SNAPSHOTS.name))

    def _take(self, answers: Iterable[tuple[Wanted, Answer | None]]) -> None:
        workspace = self.workspace
        for (execution_id, _), answer in answers:
            workspace.handled.add(execution_id)
            workspace.bounds.snapshots -= 1
            rows, odd = answer or (None, None)
            if odd is not None:
                workspace.reject(EXECUTION_SNAPSHOTS.name, execution_id, bytes(odd.row), odd.reason)
            if rows is None:
                continue
            workspace.batch.add(EXECUTION_SNAPSHOTS.name, [rows.snapshot])
            if rows.state is not None and rows.state[0] not in workspace.handled:
                workspace.handled.add(rows.state[0])
                workspace.batch.add(WORKFLOW_STATES.name, [rows.state])

    def _ask(self, wanted: Wanted) -> Answer:
        execution_id, workflow_id = wanted
        try:
            answer = self.workspace.v2.snapshot(execution_id) or self.workspace.api.execution(execution_id)
        except errors.NotFound:
            return snapshots.gone_snapshot(execution_id, self.workspace.id, workflow_id), None
        if isinstance(answer, Rejected):
            return None, answer
        return rejecting.read_or_reject(
            lambda execution: snapshots.read_snapshot(execution, self.workspace.id, execution_id), answer
        )


def _started(run: wire.Shown) -> tuple[datetime, str]:
    """Orders the runs of a version: the first one provides its snapshot, as in ``SnapshotQueries``."""
    return utc(run.started_at), run.id
