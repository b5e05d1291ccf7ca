"""Queries for stored snapshots of one workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..run_tables import EXECUTION_SNAPSHOTS, WORKFLOW_STATES
from .warehouse import Warehouse, in_steps

_STATE_IS_THERE = "s.state_hash IN (SELECT w.state_hash FROM {workflow_states} w)"
_STATES_ARE_NOT_LOADED = "1 = 1"

_STORED = """
    FROM {{execution_snapshots}} s JOIN {{logs}} k ON k.execution_id = s.execution_id
    WHERE s.state_hash IS NOT NULL AND {state_is_there}
"""
_STORED_VERSIONS = """
    SELECT DISTINCT k.deployment_version_id {stored}
        AND k.workspace_id = %s AND k.deployment_version_id IS NOT NULL
"""
_STORED_OF = "SELECT s.execution_id {stored} AND k.workspace_id = %s AND s.execution_id IN ({{ids}})"

_UNASKED = """
    NOT EXISTS (
        SELECT 1 FROM {{execution_snapshots}} s
        WHERE s.execution_id = l.execution_id AND (s.state_hash IS NULL OR {state_is_there})
    )
"""
_WITHOUT_SNAPSHOT = """
    SELECT l.execution_id, l.workflow_id
    FROM {{logs}} l
    WHERE l.workspace_id = %s AND l.execution_id IS NOT NULL AND {unasked}
"""
_UNVERSIONED = "AND l.deployment_version_id IS NULL"
_NEW_VERSIONS = """
    SELECT v.execution_id, v.workflow_id
    FROM (
        SELECT l.execution_id, l.workflow_id,
            row_number() OVER (PARTITION BY l.deployment_version_id ORDER BY l.started_at, l.id) AS place
        FROM {{logs}} l
        WHERE l.workspace_id = %s AND l.execution_id IS NOT NULL AND {unasked}
            AND l.deployment_version_id IS NOT NULL
            AND l.deployment_version_id NOT IN (
                SELECT k.deployment_version_id {stored} AND k.deployment_version_id IS NOT NULL
            )
    ) v
    WHERE v.place = 1
"""
"""The first run of each deployment version without a stored snapshot; the same run is chosen every time."""


class SnapshotQueries:
    """Queries for stored snapshots of one workspace."""

    def __init__(self, warehouse: Warehouse, workspace_id: str) -> None:
        self._warehouse = warehouse
        self._workspace = workspace_id

    def waiting(self, mode: str) -> list[str]:
        """Returns queries for executions whose snapshot is still to be requested; each takes the workspace id.

        Args:
            mode: Which snapshots: version, all or none. If the table does not exist, there are no queries.
        """
        if mode == "none" or not self._warehouse.has(EXECUTION_SNAPSHOTS.name):
            return []
        missing = self._about(_WITHOUT_SNAPSHOT)
        return [missing] if mode == "all" else [self._about(_NEW_VERSIONS), missing + _UNVERSIONED]

    def snapshot_versions(self) -> set[str]:
        """Returns deployment versions that have a stored snapshot."""
        return {row[0] for row in self._ask(self._about(_STORED_VERSIONS))}

    def without_snapshot(self, *, by_version: bool, limit: int) -> list[tuple[str, str | None]]:
        """Returns executions whose snapshot is still to be requested: (execution id, workflow id).

        Newest first; but with ``by_version``, the first runs of deployment versions precede runs without a version.
        """
        newest = f"ORDER BY l.started_at DESC LIMIT {int(limit)}"
        missing = self._about(_WITHOUT_SNAPSHOT)
        if not by_version:
            rows = self._ask(missing + newest)
        else:
            rows = self._ask(f"{self._about(_NEW_VERSIONS)} LIMIT {int(limit)}")
            rows += self._ask(f"{missing}{_UNVERSIONED} {newest}")
        return [(row[0], row[1]) for row in rows[:limit]]

    def with_snapshot(self, execution_ids: Sequence[str]) -> set[str]:
        """Returns those of the executions that have a complete stored snapshot."""
        question = self._about(_STORED_OF)
        return {row[0] for some in in_steps(execution_ids) for row in self._ask(question, ids=some)}

    def _about(self, statement: str) -> str:
        """Fills in a statement.

        If workflow states are loaded, a snapshot is complete only if its state is stored, too.
        """
        there = _STATE_IS_THERE if self._warehouse.has(WORKFLOW_STATES.name) else _STATES_ARE_NOT_LOADED
        stored, unasked = (part.format(state_is_there=there) for part in (_STORED, _UNASKED))
        return statement.format(stored=stored, unasked=unasked)

    def _ask(self, sql: str, *args: Any, ids: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        return self._warehouse.ask(sql, self._workspace, *args, ids=ids)
