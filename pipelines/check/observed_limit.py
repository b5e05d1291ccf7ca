"""Derives the server's token bucket from the rate limit headers of its responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sim_source.api.rate import SAME_RESET_S, Pacer, parse_iso

from ..rate_limit import RateLimit

MINUTE_S = 60.0
"""Seconds between refills of Sim's own token buckets (Sim's source: ``rate-limiter/storage``)."""


@dataclass(frozen=True, slots=True)
class Told:
    """Rate limit headers of one response.

    Attributes:
        asked: Requests that had taken a token by then, including this one.
        remaining: ``X-RateLimit-Remaining``.
        resets_at: ``X-RateLimit-Reset``, epoch seconds of the server's clock.
    """

    asked: int
    remaining: int
    resets_at: float


class Listening(Pacer):
    """A pacer that records the rate limit headers. For a client that sends one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []
        self._asked = 0

    def answered(self, status: int, headers: Mapping[str, str], now: float, retry_at: float | None = None) -> None:
        """Records the headers of a response."""
        super().answered(status, headers, now, retry_at)
        self._asked += status != 429
        remaining, reset = headers.get("X-RateLimit-Remaining", ""), parse_iso(headers.get("X-RateLimit-Reset"))
        if status == 200 and remaining.isdigit() and reset is not None:
            self.told.append(Told(self._asked, int(remaining), reset))

    def limit_of_server(self, *, names_capacity: bool) -> RateLimit | None:
        """Returns the result of ``limit_of``; None if the server names no limit."""
        return limit_of(self.limit, self.told, names_capacity=names_capacity) if self.limit else None


def limit_of(header: int, told: Sequence[Told], *, names_capacity: bool) -> RateLimit:
    """Derives the rate limit from the headers of responses.

    Sim's buckets are refilled once a minute and hold twice the tokens of a refill (recorded: 2026-03 says limit 500,
    remaining 999). If refills were observed, the result is what was observed.

    Args:
        header: ``X-RateLimit-Limit``.
        told: Headers of the responses, in order.
        names_capacity: Whether ``header`` is the capacity (since 2026-08) or the tokens of a refill (earlier).
    """
    capacity = capacity_of(header, told, names_capacity=names_capacity)
    moves = [after.resets_at - before.resets_at for before, after in _refills(told)]
    came, passed = seen_to_come(told, capacity)
    if came <= 0:
        return RateLimit(max(capacity // 2, 1), capacity, min(moves, default=MINUTE_S))
    rate = max(round(came / passed * min(moves)), 1)
    return RateLimit(rate, capacity, passed * rate / came)


def capacity_of(header: int, told: Sequence[Told], *, names_capacity: bool) -> int:
    """Returns the capacity of the bucket.

    It is never below what a response said was left. A header below that value cannot be the capacity.
    """
    most = max((each.remaining + 1 for each in told), default=0)
    return header if names_capacity and most <= header else max(2 * header, most)


def seen_to_come(told: Sequence[Told], capacity: int) -> tuple[int, float]:
    """Returns the tokens of observed refills and the seconds between them. Skips refills that may have overflowed."""
    seen = [(before, after) for before, after in _refills(told) if after.remaining < capacity - 1]
    came = sum(after.remaining - before.remaining + after.asked - before.asked for before, after in seen)
    return came, sum(after.resets_at - before.resets_at for before, after in seen)


def _refills(told: Sequence[Told]) -> list[tuple[Told, Told]]:
    """Returns pairs of responses with a refill between them."""
    return [(before, after) for before, after in pairwise(told) if after.resets_at > before.resets_at + SAME_RESET_S]
