"""What Sim's rate limit lets through."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`rate` tokens arrive at once at every interval (seconds); the bucket holds `capacity`."""

    rate: int
    capacity: int
    interval: float = 60.0

    @classmethod
    def per_minute(cls, rate: int) -> RateLimit:
        """Sim's own: a burst of twice the rate."""
        return cls(rate, 2 * rate)
