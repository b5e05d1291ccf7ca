"""Reads a list that the API returns newest first, as audit logs and the billing ledger: walks, gaps and bounds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from ..paging import windows
from ..paging.chunks import C, Chunk
from ..paging.state import ResourceState
from ..timestamps import MILLISECOND
from .batch import Batch, Tables
from .gaps import Gaps
from .session import SyncSession


@dataclass(slots=True)
class NewestFirstReader(Generic[C]):
    """Walks all time ranges of a list that are due.

    Attributes:
        resource: The table, for messages.
        state: The state of the list; changed in place.
        walk: Walks a time range, newest first.
        wanted: Returns what this sync covers, given the start of what this extraction has already walked, or None.
        take: Adds the rows of a chunk to the batch.
    """

    resource: str
    session: SyncSession
    state: ResourceState
    batch: Batch
    walk: Callable[[datetime, datetime], Iterator[Chunk[C]]]
    wanted: Callable[[datetime | None], windows.Extent]
    take: Callable[[Chunk[C]], None]

    def tables(self, most: int) -> Generator[Tables, None, bool]:
        """Reads the list.

        Args:
            most: Most rows that this extraction reads; the next one continues.

        Returns:
            Whether the list was read to its end; False if the bound or the time limit was reached.

        Raises:
            SimError: The API rejects a request or stays unavailable; nothing is recorded if that was the first one.
        """
        state, gaps = self.state, Gaps(self.state, self.session, self.resource)
        left, lowest = most, None
        while window := windows.next_window(state, self.wanted(lowest), newest_first=True):
            for number, chunk in enumerate(self.walk(window.start, window.end)):
                if number == 0:  # access is confirmed: the walk is recorded only now
                    windows.begin_walk(state, window, newest_first=True)
                self.take(chunk)
                gaps.note(chunk.gap)
                state.reached(chunk.position, window.key)
                yield from self.batch.full()
                left -= len(chunk.rows)
                # an extraction must get past the instant where it began
                full = left <= 0 and chunk.position < window.end
                if (full or self.session.out_of_time) and not chunk.final:
                    gaps.walked(chunk.position + MILLISECOND, window.end)
                    return False
            state.finished(window.key, self.session.client.server_time)
            gaps.walked(window.start, window.end)
            lowest = window.start
        return (yield from self._missing(gaps))

    def _missing(self, gaps: Gaps) -> Generator[Tables, None, bool]:
        """Walks time ranges again that may lack rows; returns whether there was time for all of them."""
        for first, last in gaps.again():
            for chunk in self.walk(first, last):
                self.take(chunk)
                gaps.note(chunk.gap)
                yield from self.batch.full()
                if self.session.out_of_time and not chunk.final:
                    return False
            gaps.walked(first, last)
        return True
