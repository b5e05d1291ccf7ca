"""Sim's rate limit: a token bucket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket of size `capacity` that gets `rate` tokens at once every `interval` seconds."""

    rate: int
    capacity: int
    interval: float = 60.0

    @classmethod
    def per_minute(cls, rate: int) -> RateLimit:
        """Returns the limit that Sim itself uses: `rate` tokens a minute and a burst of twice the rate."""
        return cls(rate, 2 * rate)
