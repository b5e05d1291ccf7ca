"""The state that the source keeps between syncs: dlt's source state, typed. No other module knows its keys. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from ..options import DEFAULT_ACCOUNT
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
class AccountState:
    """The state of what an API key reads of its account: audit logs, and its list of workspaces."""

    kept: Kept

    @property
    def audit_logs(self) -> ResourceState:
        """The state of the audit logs."""
        return ResourceState(self.kept.setdefault("audit_logs", {}))

    @property
    def workspaces_hash(self) -> str | None:
        """Hash of the list of workspaces as last stored."""
        return self.kept.get("listed_workspaces")

    @workspaces_hash.setter
    def workspaces_hash(self, digest: str) -> None:
        self.kept["listed_workspaces"] = digest


Part = Sequence[str]
"""Path of a part of the state: ("workspaces", id), ("accounts", name), ("billing_logs", reader), or () for the default
account."""
_SEQUENCE = "sequence"
"""Key in a part: how often it was read. Of two copies, the one with the higher number is newer."""
_READ = "read"
"""Key in the state: the parts that the last extraction has read."""
_OF_DEFAULT_ACCOUNT = ("audit_logs", "listed_workspaces", _SEQUENCE)


@dataclass(slots=True)
class SourceState:
    """The state of the source; dlt commits it with the rows.

    Several pipelines can load into one dataset at the same time, each of them other workspaces or accounts. Each has a
    state of its own, and which of them reads a workspace can change. The newest copy of each part counts.

    Attributes:
        kept: dlt's source state; changed in place.
    """

    kept: Kept

    def account(self, name: str) -> AccountState:
        """Returns the state of an account. The default one is kept where versions without accounts keep theirs."""
        if name == DEFAULT_ACCOUNT:
            return AccountState(self.kept)
        return AccountState(self.kept.setdefault("accounts", {}).setdefault(name, {}))

    def accounts(self) -> Iterator[tuple[str, AccountState]]:
        """Yields the name and the state of every account whose audit logs a sync has read."""
        named = {DEFAULT_ACCOUNT: self.kept, **self.kept.get("accounts", {})}
        yield from ((name, AccountState(kept)) for name, kept in named.items() if "audit_logs" in kept)

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

    def workspace(self, workspace_id: str) -> WorkspaceState:
        """Returns the state of a workspace."""
        return WorkspaceState(workspace_id, self.kept.setdefault("workspaces", {}).setdefault(workspace_id, {}))

    def workspaces(self) -> Iterator[WorkspaceState]:
        """Yields the state of every workspace that a sync has read."""
        for workspace_id, kept in self.kept.get("workspaces", {}).items():
            yield WorkspaceState(workspace_id, kept)

    def begin_extraction(self, elsewhere: Iterable[SourceState] = ()) -> None:
        """Takes over the parts that other pipelines have read since; ``reads`` then records what is read."""
        self.adopt(elsewhere)
        self.kept[_READ] = []

    def reads(self, *part: str) -> None:
        """Records that this extraction reads a part of the state."""
        kept = self.kept if not part else self.kept.setdefault(part[0], {}).setdefault(part[1], {})
        kept[_SEQUENCE] = kept.get(_SEQUENCE, 0) + 1
        self.kept[_READ].append(list(part))

    def reads_account(self, name: str) -> None:
        """Records that this extraction reads what belongs to an account."""
        self.reads(*(() if name == DEFAULT_ACCOUNT else ("accounts", name)))

    def adopt(self, elsewhere: Iterable[SourceState]) -> None:
        """Takes over every part of which another state has a newer copy."""
        for other in elsewhere:
            for group in ("workspaces", "accounts", "billing_logs"):
                for name in other.kept.get(group, {}):
                    if other._age((group, name)) > self._age((group, name)):
                        self.kept.setdefault(group, {})[name] = deepcopy(other._part((group, name)))
            if other._age(()) > self._age(()):
                self.kept.update(deepcopy(other._part(())))

    def is_superseded(self, elsewhere: Iterable[SourceState]) -> bool:
        """Whether another pipeline has also read a part that the last extraction of this one has read."""
        return any(
            other._age(part) >= self._age(part) and other._part(part) != self._part(part)
            for other in elsewhere
            for part in self.kept.get(_READ, ())
        )

    def _part(self, part: Part) -> Kept:
        if not part:
            return {key: self.kept[key] for key in _OF_DEFAULT_ACCOUNT if key in self.kept}
        found: Kept = self.kept.get(part[0], {}).get(part[1], {})
        return found

    def _age(self, part: Part) -> int:
        """How often a part was read; -1 if it does not exist, and 0 in states of earlier versions."""
        kept = self._part(part)
        return int(kept.get(_SEQUENCE, 0)) if kept else -1

    def forget(self) -> None:
        """Clears the state: the destination does not hold the data that it describes."""
        self.kept.clear()
