"""The server's bucket, as its answers show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sim_source.api.rate import SAME_RESET_S, Pacer, parse_iso

from ..rate_limit import RateLimit

MINUTE_S = 60.0
"""How often Sim fills its own buckets (source: ``rate-limiter/storage``)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer said of the bucket.

    Attributes:
        asked: Requests that had taken a token by then, this one included.
        remaining: ``X-RateLimit-Remaining``.
        resets_at: ``X-RateLimit-Reset``, epoch seconds of the server's clock.
    """

    asked: int
    remaining: int
    resets_at: float


class Listening(Pacer):
    """A pacer that keeps what it is told; for a client that asks for one thing after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []
        self._asked = 0

    def answered(self, status: int, headers: Mapping[str, str], now: float, retry_at: float | None = None) -> None:
        """An answer came."""
        super().answered(status, headers, now, retry_at)
        self._asked += status != 429
        remaining, reset = headers.get("X-RateLimit-Remaining", ""), parse_iso(headers.get("X-RateLimit-Reset"))
        if status == 200 and remaining.isdigit() and reset is not None:
            self.told.append(Told(self._asked, int(remaining), reset))

    def limit_of_server(self, *, names_capacity: bool) -> RateLimit | None:
        """As ``limit_of`` tells it; None where the server names no limit."""
        return limit_of(self.limit, self.told, names_capacity=names_capacity) if self.limit else None


def limit_of(header: int, told: Sequence[Told], *, names_capacity: bool) -> RateLimit:
    """The limit behind what answers said.

    Sim's buckets are filled once a minute and hold twice what comes (recorded: 2026-03 says limit 500, remaining
    999). A bucket that was seen to be filled is taken for what it was seen to be.

    Args:
        header: ``X-RateLimit-Limit``.
        told: What the answers said, in their order.
        names_capacity: Whether the header is the capacity (2026-08), or what comes at once (before).
    """
    capacity = capacity_of(header, told, names_capacity=names_capacity)
    moves = [after.resets_at - before.resets_at for before, after in _refills(told)]
    came, passed = seen_to_come(told, capacity)
    if came <= 0:
        return RateLimit(max(capacity // 2, 1), capacity, min(moves, default=MINUTE_S))
    rate = max(round(came / passed * min(moves)), 1)
    return RateLimit(rate, capacity, passed * rate / came)


def capacity_of(header: int, told: Sequence[Told], *, names_capacity: bool) -> int:
    """What the bucket holds: no less than was left in it, and a limit below that is no capacity."""
    most = max((each.remaining + 1 for each in told), default=0)
    return header if names_capacity and most <= header else max(2 * header, most)


def seen_to_come(told: Sequence[Told], capacity: int) -> tuple[int, float]:
    """Tokens that were seen to come, and in how many seconds; without refills that may have run over."""
    seen = [(before, after) for before, after in _refills(told) if after.remaining < capacity - 1]
    came = sum(after.remaining - before.remaining + after.asked - before.asked for before, after in seen)
    return came, sum(after.resets_at - before.resets_at for before, after in seen)


def _refills(told: Sequence[Told]) -> list[tuple[Told, Told]]:
    """Answers between which the bucket was filled."""
    return [(before, after) for before, after in pairwise(told) if after.resets_at > before.resets_at + SAME_RESET_S]
