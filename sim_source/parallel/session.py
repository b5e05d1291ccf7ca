"""Where pages come from: the client, the walks in hand, and the processes that read pages.

One feed serves all extractions of a sync. A walk that was left at the bound of one piece goes on with the next,
and does not stand still while the piece is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from ..api import wire
from ..api.client import SimClient
from ..paging.chunks import Chunk
from ..paging.prefetch import Prefetch
from .worker import Answer
from .workers import Workers

FAR_S = 0.02
"""Seconds to an answer from which the next page is asked for while this one is read. From nearer servers it is there
before two threads have agreed on who goes first (measured: 4 ms a page)."""

Step = tuple[Chunk[wire.Shown], Future[Answer] | None]
"""A chunk, and its page as another process reads it, if one does."""


@dataclass(slots=True)
class Walk:
    """A walk in hand.

    Attributes:
        end: Where it ends.
        position: How far its steps have been wanted.
        steps: Its steps, some of them taken already.
    """

    end: datetime
    position: datetime
    steps: Prefetch[Step]


class SyncSession:
    """What extractions of one sync share; closed by who made it.

    Args:
        client: How the API is asked; closed with the feed.
        lasting: Other extractions follow: what is asked for ahead at the bound of one is for the next.
        processes: Processes that read pages beside this one; None for what the machine has cores for.
    """

    def __init__(self, client: SimClient, *, lasting: bool = True, processes: int | None = None) -> None:
        self.client = client
        self.lasting = lasting
        self.crew = Workers(processes)
        self._walks: dict[str, Walk] = {}

    def __enter__(self) -> SyncSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def far(self) -> bool:
        """Whether an answer takes long to come."""
        return self.client.latency_s > FAR_S

    def in_hand(self, workspace_id: str, position: datetime, end: datetime) -> Walk | None:
        """The walk through a workspace's runs that stands where one is to begin."""
        walk = self._walks.get(workspace_id)
        return walk if walk is not None and (walk.position, walk.end) == (position, end) else None

    def begin(self, workspace_id: str, position: datetime, end: datetime, steps: Iterator[Step]) -> Walk:
        """Begins a walk; one that stood elsewhere is over."""
        self.leave(workspace_id)
        self._walks[workspace_id] = Walk(end, position, Prefetch(steps, lambda step: step[0].size))
        return self._walks[workspace_id]

    def go_on(self, workspace_id: str) -> None:
        """Lets a walk go on while the piece that ends here is loaded."""
        walk = self._walks.get(workspace_id)
        if walk is not None and self.lasting and not self.client.out_of_time:
            walk.steps.more()

    def leave(self, workspace_id: str) -> None:
        """Ends the walk through a workspace's runs."""
        walk = self._walks.pop(workspace_id, None)
        if walk is not None:
            walk.steps.close()

    def leave_all(self) -> None:
        """Ends all walks."""
        for workspace_id in list(self._walks):
            self.leave(workspace_id)

    def close(self) -> None:
        """Ends all of it."""
        self.leave_all()
        self.crew.close()
        self.client.close()
