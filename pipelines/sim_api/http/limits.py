"""The API's own rate limit: chunked token buckets, one per payer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...rate_limit import RateLimit

NO_LIMIT = RateLimit(rate=1_000_000_000, capacity=2_000_000_000)
"""Self-hosted without billing: the headers are present, but the limit is never reached."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The bucket's answer to one request; times in epoch seconds."""

    allowed: bool
    remaining: int
    resets_at: float
    retry_after: int


class Buckets:
    """All buckets of a server."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._state: dict[str, tuple[int, float]] = {}

    def take(self, payer: str, now: float) -> Decision:
        """Takes a token at this moment (epoch seconds), if one is left."""
        limit = self.limit
        tokens, refilled = self._state.get(payer, (limit.capacity, now))
        passed = max(0, math.floor((now - refilled) / limit.interval))
        tokens = min(limit.capacity, tokens + passed * limit.rate)
        refilled += passed * limit.interval
        allowed = tokens > 0
        tokens -= allowed
        self._state[payer] = (tokens, refilled)
        resets_at = refilled + limit.interval
        return Decision(allowed, tokens, resets_at, max(1, math.ceil(resets_at - now)))
