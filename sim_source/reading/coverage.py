"""Decides which time range a sync covers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..paging import resync, windows
from ..paging.state import ResourceState
from .plan import ReadPlan
from .session import SyncSession


@dataclass(slots=True)
class Coverage:
    """The time range of a resource that an extraction covers.

    Attributes:
        session: Provides the server's clock, and keeps the end of the sync once it is known.
        plan: What to read.
    """

    session: SyncSession
    plan: ReadPlan
    _is_first: bool = field(init=False)

    def __post_init__(self) -> None:
        self._is_first = self.session.end is None

    def wanted(self, walked: bool = False) -> windows.Extent:
        """Returns what this sync covers: up to ``until``, or now, but never beyond the server's clock.

        Args:
            walked: This sync has already read part of it.
        """
        plan, now = self.plan, self.session.client.server_time
        end = self.session.end or plan.until or now or datetime.now(UTC)
        self.session.end = end = end if now is None else min(end, now)
        fresh = plan.until is None and self._is_first and not walked
        only = None if plan.resync is None else resync.KEY
        return windows.Extent(end, plan.since, plan.lookback, plan.reconcile, fresh, only)

    def trusted(self, state: ResourceState) -> ResourceState:
        """Returns a resource's state, with its watermark moved back if it is ahead of the server's clock."""
        now = self.session.client.server_time or datetime.now(UTC)
        if state.clamp_to_clock(now, self.plan.reconcile):
            self.session.log.warn(
                "the watermark of the last sync is ahead of the server's clock; reading the last days again"
            )
        return state
