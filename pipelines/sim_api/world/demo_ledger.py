"""What the demo account is billed for beside its runs: chats, the copilot, knowledge bases, voices, enrichment."""

from __future__ import annotations

import random

from .builders import WORKSPACE
from .ledger import Source
from .world import World
from .world_setup import DAY_MS

_DAILY: tuple[tuple[Source, float, float, float], ...] = (
    ("sim-chat", 6.0, 0.01, 0.09),
    ("mcp_copilot", 1.5, 0.02, 0.16),
    ("knowledge-base", 0.7, 0.001, 0.03),
    ("voice-input", 0.6, 0.002, 0.01),
    ("voice-output", 0.4, 0.005, 0.03),
    ("enrichment", 0.8, 0.004, 0.02),
    ("wand", 1.0, 0.001, 0.006),
)
"""Source, events a day, and the range of their cost in USD."""


def add_charges(world: World, seed: int = 0, days: int = 30) -> None:
    """Adds the charges of the last days to a world's ledger."""
    source = random.Random(seed)
    last_us, span_us = world.now_ms * 1000, days * DAY_MS * 1000
    for name, a_day, least, most in _DAILY:
        for _ in range(round(a_day * days)):
            cost, moment = round(source.uniform(least, most), 6), last_us - source.randrange(span_us)
            world.charge(name, cost, WORKSPACE, created_us=moment)
