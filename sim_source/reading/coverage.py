"""Which stretch of time a sync covers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..paging import resync, windows
from ..paging.state import ResourceState
from .plan import ReadPlan
from .session import SyncSession


@dataclass(slots=True)
class Coverage:
    """What an extraction is to cover of a resource.

    Attributes:
        session: Whose clock counts, and where the sync ends once that is known.
        plan: What is to be read.
    """

    session: SyncSession
    plan: ReadPlan
    _is_first: bool = field(init=False)

    def __post_init__(self) -> None:
        self._is_first = self.session.end is None

    def wanted(self, walked: bool = False) -> windows.Extent:
        """What this sync is to cover: up to ``until``, or now; never what the server has not lived yet.

        Args:
            walked: This sync has read something of it already.
        """
        plan, now = self.plan, self.session.client.server_time
        end = self.session.end or plan.until or now or datetime.now(UTC)
        self.session.end = end = end if now is None else min(end, now)
        fresh = plan.until is None and self._is_first and not walked
        only = None if plan.resync is None else resync.KEY
        return windows.Extent(end, plan.since, plan.lookback, plan.reconcile, fresh, only)

    def trusted(self, state: ResourceState) -> ResourceState:
        """A resource's state, its watermark taken back where it lies in the server's future."""
        now = self.session.client.server_time or datetime.now(UTC)
        if state.take_back(now, self.plan.reconcile):
            self.session.log.warn(
                "the last sync ended in the future of the server's clock; the last days are read again"
            )
        return state
