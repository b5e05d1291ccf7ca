"""What the source remembers between runs: dlt's source state, typed. Nothing else knows its keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .state import Kept, ResourceState


@dataclass(slots=True)
class WorkspaceState:
    """What is remembered of a workspace."""

    id: str
    kept: Kept

    @property
    def logs(self) -> ResourceState:
        """Its runs."""
        return ResourceState(self.kept.setdefault("logs", {}))

    @property
    def is_first(self) -> bool:
        """None of its runs were read to their end yet."""
        return ResourceState(self.kept.get("logs", {})).is_first

    @property
    def was_read(self) -> bool:
        """A sync began to read its runs."""
        return "logs" in self.kept

    @property
    def workflows_hash(self) -> str | None:
        """Digest of its workflows, as they were last stored."""
        return self.kept.get("workflows")

    @workflows_hash.setter
    def workflows_hash(self, digest: str) -> None:
        self.kept["workflows"] = digest


@dataclass(slots=True)
class SourceState:
    """What the source remembers; committed by dlt with the rows.

    Attributes:
        kept: dlt's source state; changed in place.
    """

    kept: Kept

    @property
    def audit_logs(self) -> ResourceState:
        """Audit logs of the account."""
        return ResourceState(self.kept.setdefault("audit_logs", {}))

    def workspace(self, workspace_id: str) -> WorkspaceState:
        """A workspace."""
        return WorkspaceState(workspace_id, self.kept.setdefault("workspaces", {}).setdefault(workspace_id, {}))

    def workspaces(self) -> Iterator[WorkspaceState]:
        """All workspaces that a sync has met."""
        for workspace_id, kept in self.kept.get("workspaces", {}).items():
            yield WorkspaceState(workspace_id, kept)

    def forget(self) -> None:
        """Forgets everything: the destination does not hold what this belongs to."""
        self.kept.clear()
