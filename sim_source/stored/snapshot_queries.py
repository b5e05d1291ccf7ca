"""What the destination holds of snapshots of one workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .warehouse import IDS_AT_ONCE, Warehouse


class SnapshotQueries:
    """What a destination holds of snapshots of one workspace."""

    def __init__(self, warehouse: Warehouse, workspace_id: str) -> None:
        self._warehouse = warehouse
        self._workspace = workspace_id

    def waiting(self, mode: str) -> list[str]:
        """Questions that find executions whose snapshot is to be asked for; each takes the workspace.

        Args:
            mode: Whose: version, all or none. Of a table that nobody selected nothing is missing.
        """
        if mode == "none" or not self._warehouse.has("execution_snapshots"):
            return []
        missing = self._no_snapshot()
        return [missing] if mode == "all" else [self._new_versions(), missing + _UNVERSIONED]

    def snapshot_versions(self) -> set[str]:
        """Deployment versions a snapshot of which is stored."""
        rows = self._ask(
            f"SELECT DISTINCT k.deployment_version_id {self._whole_snapshots()}"
            "AND k.workspace_id = %s AND k.deployment_version_id IS NOT NULL"
        )
        return {row[0] for row in rows}

    def without_snapshot(self, *, by_version: bool, limit: int) -> list[tuple[str, str | None]]:
        """Executions whose snapshot is to be asked for: (execution id, workflow id), newest first."""
        newest = f"ORDER BY l.started_at DESC LIMIT {int(limit)}"
        if not by_version:
            rows = self._ask(f"{self._no_snapshot()}{newest}")
        else:
            rows = self._ask(f"{self._new_versions()} LIMIT {int(limit)}")
            rows += self._ask(f"{self._no_snapshot()}{_UNVERSIONED}{newest}")
        return [(row[0], row[1]) for row in rows[:limit]]

    def with_snapshot(self, execution_ids: Sequence[str]) -> set[str]:
        """Those of which a whole snapshot is stored."""
        found: set[str] = set()
        for at in range(0, len(execution_ids), IDS_AT_ONCE):
            some = execution_ids[at : at + IDS_AT_ONCE]
            marks = ", ".join(["%s"] * len(some))
            rows = self._ask(
                f"SELECT s.execution_id {self._whole_snapshots()}AND k.workspace_id = %s "
                f"AND s.execution_id IN ({marks})",
                *some,
            )
            found.update(row[0] for row in rows)
        return found

    def _no_snapshot(self) -> str:
        """Runs without a snapshot."""
        return (
            "SELECT l.execution_id, l.workflow_id FROM {logs} l WHERE l.workspace_id = %s "
            f"AND l.execution_id IS NOT NULL AND {self._unasked()} "
        )

    def _new_versions(self) -> str:
        """Of each deployment version of which no snapshot is stored its first run, whoever asks and whenever."""
        return (
            "SELECT v.execution_id, v.workflow_id FROM (SELECT l.execution_id, l.workflow_id, row_number() OVER "
            "(PARTITION BY l.deployment_version_id ORDER BY l.started_at, l.id) AS place FROM {logs} l "
            "WHERE l.workspace_id = %s AND l.deployment_version_id IS NOT NULL AND l.execution_id IS NOT NULL "
            f"AND {self._unasked()} "
            f"AND l.deployment_version_id NOT IN (SELECT k.deployment_version_id {self._whole_snapshots()}"
            "AND k.deployment_version_id IS NOT NULL)) v WHERE v.place = 1"
        )

    def _unasked(self) -> str:
        """No snapshot of a run is stored, or one whose state did not arrive."""
        return (
            "NOT EXISTS (SELECT 1 FROM {execution_snapshots} s WHERE s.execution_id = l.execution_id "
            f"AND (s.state_hash IS NULL OR {self._has_state()}))"
        )

    def _whole_snapshots(self) -> str:
        return (
            "FROM {execution_snapshots} s JOIN {logs} k ON k.execution_id = s.execution_id "
            f"WHERE s.state_hash IS NOT NULL AND {self._has_state()} "
        )

    def _has_state(self) -> str:
        there = self._warehouse.has("workflow_states")
        return "s.state_hash IN (SELECT w.state_hash FROM {workflow_states} w)" if there else "1 = 1"

    def _ask(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self._warehouse.ask(sql, self._workspace, *args)


_UNVERSIONED = "AND l.deployment_version_id IS NULL "
