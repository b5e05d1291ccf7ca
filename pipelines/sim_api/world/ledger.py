"""The ledger: all billed events, of runs and of everything else."""

from __future__ import annotations

import random
from bisect import insort
from dataclasses import dataclass, field
from typing import Literal

from .entities import SimRun
from .ids import uuid4
from .truth import TrueCost

Source = Literal[
    "workflow",
    "wand",
    "sim-chat",
    "mcp_copilot",
    "mothership_block",
    "knowledge-base",
    "voice-input",
    "enrichment",
    "voice-output",
]


@dataclass(slots=True)
class LedgerEvent:
    """One event; `created_us` is epoch microseconds, as in Sim's database. Cost in USD.

    Attributes:
        actor_id: The person in the editor or behind a personal key, else the workspace's billed account user.
        run: The run that it belongs to, if any.
    """

    id: str
    created_us: int
    source: str
    usd: float
    workspace_id: str
    actor_id: str
    run: SimRun | None = None

    @property
    def created_ms(self) -> int:
        """The time as the API returns it: the microseconds are cut off."""
        return self.created_us // 1000


def _order(event: LedgerEvent) -> tuple[int, str]:
    return (event.created_us, event.id)


@dataclass(slots=True)
class Ledger:
    """All events, oldest first. Has its own random generator, so that billing does not change other ids."""

    seed: int = 0
    events: list[LedgerEvent] = field(default_factory=list)
    _random: random.Random = field(init=False)
    _billed: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def add(
        self, source: Source, usd: float, created_us: int, workspace_id: str, actor_id: str, run: SimRun | None = None
    ) -> LedgerEvent:
        """Adds an event."""
        event = LedgerEvent(uuid4(self._random), created_us, source, usd, workspace_id, actor_id, run)
        insort(self.events, event, key=_order)
        return event

    def raise_cost(self, event_id: str, usd: float) -> LedgerEvent:
        """Raises the cost of an event in place, as the next request of the same chat does: id and time stay."""
        event = next(event for event in self.events if event.id == event_id)
        event.usd = round(event.usd + usd, 12)
        return event

    def unbill(self, run: SimRun) -> None:
        """Removes the events of a run, which is about to get another past."""
        self._billed.pop(run.id, None)
        self.events[:] = [event for event in self.events if event.run is not run]

    def bill(self, run: SimRun, actor_id: str) -> None:
        """Bills the part of a run's cost that is not billed yet: fee, models and tools, all with the same time.

        A run that paused was billed then, and only the difference is added when it ends.
        """
        if not run.has_trace or not run.has_cost_row or run.ended_ms is None:
            return
        billed = self._billed.setdefault(run.id, {})
        created_us = run.ended_ms * 1000 + self._random.randrange(1000)
        for part, usd in _parts(run.seen.cost).items():
            more = round(usd - billed.get(part, 0.0), 12)
            if more > 0:
                billed[part] = usd
                self.add("workflow", more, created_us, run.workspace_id, actor_id, run)


def _parts(cost: TrueCost) -> dict[str, float]:
    """Splits the cost of a run as the ledger does."""
    models = {f"model {name}": model.total for name, model in cost.models.items()}
    return {"fee": cost.fee, **models, **{f"tool {name}": usd for name, usd in cost.tools.items()}}
