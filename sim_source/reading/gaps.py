"""Rows of one resource that may be missing: reported, kept in the state, and tried again once by every sync."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .. import errors
from ..paging.chunks import Gap
from ..paging.state import ResourceState
from ..paging.stretches import Stretch
from .session import SyncSession


@dataclass(slots=True)
class Gaps:
    """The gaps of one resource of one workspace.

    Attributes:
        state: The state of the resource; changed in place.
        session: Collects gaps, and knows which were tried in this sync.
    """

    state: ResourceState
    session: SyncSession
    resource: str
    workspace_id: str | None = None

    def note(self, gap: Gap | None) -> None:
        """Records the gap of a chunk, if it has one."""
        if gap is None:
            return
        self._missing.append(Stretch(gap.first, gap.last))
        self.state.missed(gap.first, gap.last)
        self.session.log.failed(self.resource, self.workspace_id, errors.Incomplete(str(gap), gap.first, gap.last))

    def walked(self, first: datetime, last: datetime) -> None:
        """Records that a time range was walked: only the gaps noted in this sync remain in it."""
        self.state.proved(first, last)
        for gap in self._missing:
            self.state.missed(*gap)

    def again(self) -> Iterator[Stretch]:
        """Yields the time ranges to walk again: those that this sync has not walked yet."""
        for first, last in self.state.missing:
            if not any(start <= last and first <= end for start, end in (*self._missing, *self._tried)):
                self._tried.append(Stretch(first, last))
                yield Stretch(first, last)

    @property
    def _missing(self) -> list[Stretch]:
        return self.session.missing.setdefault((self.resource, self.workspace_id), [])

    @property
    def _tried(self) -> list[Stretch]:
        return self.session.tried.setdefault((self.resource, self.workspace_id), [])
