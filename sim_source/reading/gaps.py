"""What may be missing of one resource: said, remembered with the data, and tried again once by every sync."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .. import errors
from ..paging import windows
from ..paging.chunks import Gap
from .session import SyncSession


@dataclass(slots=True)
class Gaps:
    """The gaps of one resource of one workspace.

    Attributes:
        state: What is remembered of the resource; changed in place.
        session: Told of gaps, and knows which were tried in this sync.
    """

    state: windows.State
    session: SyncSession
    resource: str
    workspace_id: str | None = None

    def note(self, gap: Gap | None) -> None:
        """A walk gave a chunk, with a gap or without."""
        if gap is None:
            return
        self._missing.append((gap.first, gap.last))
        windows.missed(self.state, gap.first, gap.last)
        self.session.log.failed(self.resource, self.workspace_id, errors.Incomplete(str(gap), gap.first, gap.last))

    def walked(self, first: datetime, last: datetime) -> None:
        """A stretch was walked: what is missing of it is what was noted, no more."""
        windows.proved(self.state, first, last)
        for gap in self._missing:
            windows.missed(self.state, *gap)

    def again(self) -> Iterator[windows.Stretch]:
        """Stretches to walk again: those that this sync has not walked yet."""
        for first, last in windows.stretches(self.state):
            if not any(start <= last and first <= end for start, end in (*self._missing, *self._tried)):
                self._tried.append((first, last))
                yield first, last

    def hold(self, moment: datetime) -> bool:
        """Whether a row of this moment may be there though it was not shown."""
        return any(first <= moment <= last for first, last in windows.stretches(self.state))

    @property
    def _missing(self) -> list[windows.Stretch]:
        return self.session.missing.setdefault((self.resource, self.workspace_id), [])

    @property
    def _tried(self) -> list[windows.Stretch]:
        return self.session.tried.setdefault((self.resource, self.workspace_id), [])
