"""The state that the source keeps between syncs: dlt's source state, typed. No other module knows its keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .state import KEYS, Kept, ResourceState, WalkInHand


@dataclass(slots=True)
class WorkspaceState:
    """The state of a workspace."""

    id: str
    kept: Kept

    @property
    def logs(self) -> ResourceState:
        """The state of its runs."""
        return ResourceState(self.kept.setdefault("logs", {}))

    @property
    def is_first(self) -> bool:
        """Whether no time range of its runs has been read completely yet."""
        return ResourceState(self.kept.get("logs", {})).is_first

    @property
    def was_read(self) -> bool:
        """Whether a sync has started to read its runs."""
        return "logs" in self.kept

    @property
    def workflows_hash(self) -> str | None:
        """Hash of its workflows as last stored."""
        return self.kept.get("workflows")

    @workflows_hash.setter
    def workflows_hash(self, digest: str) -> None:
        self.kept["workflows"] = digest

    @property
    def deployed(self) -> dict[str, str]:
        """When each workflow was last deployed, as of when its deployment versions were read; changed in place."""
        kept: dict[str, str] = self.kept.setdefault("deployed", {})
        return kept


@dataclass(slots=True)
class SourceState:
    """The state of the source; dlt commits it with the rows.

    Attributes:
        kept: dlt's source state; changed in place.
    """

    kept: Kept

    @property
    def audit_logs(self) -> ResourceState:
        """The state of the account's audit logs."""
        return ResourceState(self.kept.setdefault("audit_logs", {}))

    def billing_logs(self, reader: str) -> ResourceState:
        """Returns the state of the billing ledger as one API key reads it; each key sees other events."""
        return ResourceState(self.kept.setdefault("billing_logs", {}).setdefault(reader, {}))

    @property
    def ledgers(self) -> list[ResourceState]:
        """The states of the billing ledger, one for each API key that has read it."""
        return [ResourceState(kept) for kept in self.kept.get("billing_logs", {}).values()]

    @property
    def ledger_walks(self) -> list[WalkInHand]:
        """The unfinished walks through the billing ledger."""
        return [walk for state in self.ledgers for key in KEYS if (walk := state.walk(key)) is not None]

    @property
    def workspaces_hash(self) -> str | None:
        """Hash of the list of workspaces as last stored."""
        return self.kept.get("listed_workspaces")

    @workspaces_hash.setter
    def workspaces_hash(self, digest: str) -> None:
        self.kept["listed_workspaces"] = digest

    def workspace(self, workspace_id: str) -> WorkspaceState:
        """Returns the state of a workspace."""
        return WorkspaceState(workspace_id, self.kept.setdefault("workspaces", {}).setdefault(workspace_id, {}))

    def workspaces(self) -> Iterator[WorkspaceState]:
        """Yields the state of every workspace that a sync has read."""
        for workspace_id, kept in self.kept.get("workspaces", {}).items():
            yield WorkspaceState(workspace_id, kept)

    def forget(self) -> None:
        """Clears the state: the destination does not hold the data that it describes."""
        self.kept.clear()
