"""Reads snapshots of runs: one per deployment version, or one per run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from .workspace import BACKLOG_STEP, WorkspaceContext

Wanted = tuple[str, str | None]
"""Execution id and workflow id."""


@dataclass(slots=True)
class SnapshotReader:
    """Requests snapshots of one workspace's runs.

    Attributes:
        mode: Which snapshots: version, all or none.
    """

    workspace: WorkspaceContext
    mode: Snapshots
    _versions: set[str] | None = None
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
        while workspace.bounds.snapshots > 0 and not workspace.over():
            step = min(BACKLOG_STEP, workspace.bounds.snapshots)
            limit = step + len(workspace.handled)
            found = self._stored.without_snapshot(by_version=self.mode == "version", limit=limit)
            waiting = [entry for entry in found if entry[0] not in workspace.handled][:step]
            if not waiting:
                return
            self._read(waiting)
            yield from workspace.batch.flush()

    def _read(self, wanted: Sequence[Wanted]) -> None:
        workspace = self.workspace
        resource = EXECUTION_SNAPSHOTS.name
        for (execution_id, _), answer in workspace.concurrently(lambda one: self._snapshot(*one), wanted, resource):
            workspace.handled.add(execution_id)
            workspace.bounds.snapshots -= 1
            rows, odd = answer or (None, None)
            if odd is not None:
                workspace.reject(resource, execution_id, bytes(odd.row), odd.reason)
            if rows is None:
                continue
            workspace.batch.add(EXECUTION_SNAPSHOTS.name, [rows.snapshot])
            if rows.state is not None and rows.state[0] not in workspace.handled:
                workspace.handled.add(rows.state[0])
                workspace.batch.add(WORKFLOW_STATES.name, [rows.state])

    def _snapshot(
        self, execution_id: str, workflow_id: str | None
    ) -> tuple[snapshots.SnapshotRows | None, Rejected | None]:
        try:
            answer = self.workspace.api.execution(execution_id)
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
