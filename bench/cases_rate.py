"""What is measured of a rate limit: is what it allows used up, and nothing sent before its time?

The API times it, from the first limited request to the last answered one: imports and loads count only where they
hold requests up. The least possible is that of ``pipelines.check.forecast`` for as many requests.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.cases import RUN_TABLES, Case, Rounds, Target, Variant
from bench.measure import Measure, program

LIMITED = "600 a minute, burst 60"


def _of(variant: str, value: Callable[[dict[str, float]], float]) -> Callable[[Rounds], list[float]]:
    def one(measure: Measure) -> float:
        return value(measure.bucket)

    return lambda rounds: [one(measure) for measure in rounds[variant]]


BUCKET = Case(
    "bucket",
    "600 details under a rate limit",
    "details under a rate limit that is filled token by token",
    [Variant(LIMITED, program("ours", "--resources", RUN_TABLES), "august", 600, limit="600x60")],
    [
        Target("times the least possible", "≤", 1.05, "×", _of(LIMITED, lambda b: b["seconds"] / b["ideal"])),
        Target("requests before their time", "≤", 0, "", _of(LIMITED, lambda b: b["early"])),
        Target("answers 429 in 100 requests", "≤", 1, "", _of(LIMITED, lambda b: 100 * b["refused"] / b["asked"])),
    ],
)
