"""Walks through lists that outlive one extraction, and fetch pages ahead of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from ..api import wire
from ..paging.chunks import Chunk
from ..paging.prefetch import Prefetch
from .messages import DecodedPage

Step = tuple[Chunk[wire.Shown], Future[DecodedPage] | None]
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


class Walks:
    """The walks in hand: one that an extraction leaves at its bound goes on with the next.

    Args:
        lasting: Other extractions follow: what is asked for ahead at the bound of one is for the next.
    """

    def __init__(self, *, lasting: bool) -> None:
        self.lasting = lasting
        self._walks: dict[str, Walk] = {}

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
        if walk is not None and self.lasting:
            walk.steps.more()

    def leave(self, workspace_id: str) -> None:
        """Ends the walk through a workspace's runs."""
        walk = self._walks.pop(workspace_id, None)
        if walk is not None:
            walk.steps.close()

    def close(self) -> None:
        """Ends all walks."""
        for workspace_id in list(self._walks):
            self.leave(workspace_id)
