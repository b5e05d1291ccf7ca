"""Whether the v2 API is read in a sync, and what its failures mean."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from .. import errors
from ..api import wire
from ..api.v2_endpoints import SimV2Api
from ..rows.cost import split_of_lines
from .isolation import isolate_failure
from .plan import ReadPlan
from .session import SyncSession

A = TypeVar("A")
PLENTY = 1000
"""Requests left in v1's bucket from which on it does not limit: servers without billing tell a limit that no client
reaches, while v2 still limits the client's address to 300 requests a minute."""
MOST_FAULTS = 5
"""Snapshots in succession that v2 may fail to return before v1 is asked for all others."""


@dataclass(slots=True)
class V2Session:
    """Access to the v2 API during a sync.

    Attributes:
        selected: Names of the tables that are wanted.
    """

    session: SyncSession
    plan: ReadPlan
    selected: Collection[str]
    _snapshot_faults: int = 0
    _tells_split: bool = True

    @property
    def api(self) -> SimV2Api:
        """The endpoints."""
        return self.session.v2

    @property
    def allowed(self) -> bool:
        """Whether v2 is to be read, not known to be missing, and neither out of reach nor refused by the rate limit."""
        if self.plan.api == "v1" or self.api.offered is False:
            return False
        return self.session.client.reached and not self.api.is_exhausted

    @property
    def takes_snapshots(self) -> bool:
        """Whether snapshots are requested from v2: it is there, and the rate limit of v1 is what limits."""
        left = self.session.client.available
        limits = left is not None and left < PLENTY
        return limits and self.allowed and bool(self.api.offered) and self._snapshot_faults < MOST_FAULTS

    def snapshot(self, execution_id: str) -> wire.Execution | None:
        """Requests the snapshot of a run from v2; None if v1 is to be asked for it.

        Raises:
            OutOfTime: The next wait would exceed the time limit of this sync.
        """
        if not self.takes_snapshots:
            return None
        try:
            found = self.api.snapshot(execution_id)
        except errors.OutOfTime:
            raise
        except errors.SimError:  # v1 decides what is wrong
            self._snapshot_faults += 1
            return None
        self._snapshot_faults = 0
        return found if isinstance(found, wire.Execution) and wire.present(found.workflow_state) else None

    def split(self, execution_id: str) -> dict[str, wire.ModelCost] | None:
        """Returns a run's cost by model from v2, for runs of which v1 does not tell it; None if v2 does not either.

        The first run shows whether the server tells it at all.
        """
        if not self._tells_split or not self.allowed or not self.api.offered:
            return None
        try:
            lines = self.api.cost_lines(execution_id)
        except errors.OutOfTime:
            raise
        except errors.SimError:
            return None
        self._tells_split = lines is not None
        return split_of_lines(lines or ()) or None

    @contextmanager
    def isolate(self, resource: str, workspace_id: str | None) -> Iterator[None]:
        """Lets a resource of v2 be missing, or denied to this key; other failures as ``isolate_failure``."""
        with isolate_failure(self.session, resource, workspace_id):
            try:
                yield
            except (errors.NotOffered, errors.NotFound):
                return
            except errors.AccessDenied as denied:
                if denied.status == 401:  # v1 accepts the key, or would have said so
                    raise errors.Unavailable(f"{denied}") from denied

    def read(self, resource: str, workspace_id: str | None, read: Callable[[], A]) -> A | None:
        """Reads a resource of v2; returns None if nothing was read."""
        if resource in self.selected and self.allowed:
            with self.isolate(resource, workspace_id):
                return read()
        return None
