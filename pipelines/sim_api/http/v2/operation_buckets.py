"""Buckets of the v2 API: one per operation, for the key and for its person or workspace, and one per address."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ....rate_limit import RateLimit
from ...world.moments import iso_of_ms
from ..answers import Reply
from ..limits import Buckets, Decision
from ..permissions import Caller
from .replies import error_reply

ADDRESS = RateLimit(rate=300, capacity=600)
"""Limit per client address over all of v2, checked before the key (seen)."""


@dataclass(slots=True)
class V2Buckets:
    """The buckets of a server.

    Attributes:
        operations: One for each operation and payer.
        addresses: One for each client address, also on servers without other limits.
    """

    operations: Buckets
    addresses: Buckets

    def at_address(self, address: str, now: float) -> Reply | None:
        """Takes a token of the address; returns a 429 if there is none."""
        decision = self.addresses.take(address, now)
        return None if decision.allowed else too_many_requests(decision, self.addresses.limit, now)

    def take(self, operation: str, caller: Caller, now: float) -> Decision:
        """Takes a token of an operation from the bucket of the key and that of the payer; returns the tighter one."""
        payer = caller.key.workspace_id or caller.user.id
        decisions = [self.operations.take(f"{operation} {who}", now) for who in (caller.key.key, payer)]
        return min(decisions, key=lambda decision: (decision.allowed, decision.remaining))


def rate_headers(decision: Decision, limit: RateLimit) -> dict[str, str]:
    """`X-RateLimit-*`: Limit is the capacity, and all tokens come back at once at Reset."""
    return {
        "x-ratelimit-limit": str(limit.capacity),
        "x-ratelimit-remaining": str(decision.remaining),
        "x-ratelimit-reset": iso_of_ms(int(decision.resets_at * 1000)),
    }


def too_many_requests(decision: Decision, limit: RateLimit, now: float) -> Reply:
    """429, with Retry-After of 60 seconds at most."""
    seconds = min(60, max(1, math.ceil(decision.resets_at - now)))
    at = iso_of_ms(int((now + seconds) * 1000))
    reply = error_reply(429, "RATE_LIMITED", "API rate limit exceeded", retryAfter=at)
    reply.headers = {**rate_headers(decision, limit), "retry-after": str(seconds)}
    return reply
