"""Walks through lists that outlive one extraction and fetch pages for the next."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from ..api import wire
from ..paging.chunks import Chunk
from .messages import DecodedPage
from .prefetch import Prefetch

Step = tuple[Chunk[wire.Shown], Future[DecodedPage] | None]
"""A chunk, and its page as decoded by a worker process, if one does."""


@dataclass(slots=True)
class Walk:
    """An unfinished walk.

    Attributes:
        end: Where it ends.
        position: Position of the last step that was used.
        steps: Its steps, some of which are already fetched.
    """

    end: datetime
    position: datetime
    steps: Prefetch[Step]


class Walks:
    """The unfinished walks: if an extraction stops at its bound, the next one resumes its walk.

    Args:
        lasting: More extractions follow, so pages fetched ahead at the bound of one serve the next.
    """

    def __init__(self, *, lasting: bool) -> None:
        self.lasting = lasting
        self._walks: dict[str, Walk] = {}

    def in_hand(self, workspace_id: str, position: datetime, end: datetime) -> Walk | None:
        """Returns the unfinished walk through a workspace's runs, if it stands at this position."""
        walk = self._walks.get(workspace_id)
        return walk if walk is not None and (walk.position, walk.end) == (position, end) else None

    def begin(self, workspace_id: str, position: datetime, end: datetime, steps: Iterator[Step]) -> Walk:
        """Starts a walk; an unfinished one of this workspace ends."""
        self.leave(workspace_id)
        self._walks[workspace_id] = Walk(end, position, Prefetch(steps, lambda step: step[0].size))
        return self._walks[workspace_id]

    def go_on(self, workspace_id: str) -> None:
        """Lets a walk fetch ahead while the current piece is loaded."""
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
