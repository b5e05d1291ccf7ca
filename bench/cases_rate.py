"""What is measured of a rate limit: is what it allows used up, and nothing sent before its time?

The API times it, from the first limited request to the last answered one: imports and loads count only where they
hold requests up. The least possible is that of ``pipelines.forecast`` for as many requests.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.cases import RUN_TABLES, Case, Rounds, Target, Variant
from bench.measure import Measure, program

TOKENS, MINUTES = "600 a minute, burst 60", "200 a minute, burst 400"


def _of(variant: str, value: Callable[[dict[str, float]], float]) -> Callable[[Rounds], list[float]]:
    def one(measure: Measure) -> float:
        return value(measure.bucket)

    return lambda rounds: [one(measure) for measure in rounds[variant]]


def _targets(variant: str, limit: str) -> list[Target]:
    return [
        Target(f"times the least possible, {limit}", "≤", 1.05, "×", _of(variant, lambda b: b["seconds"] / b["ideal"])),
        Target(f"requests before their time, {limit}", "≤", 0, "", _of(variant, lambda b: b["early"])),
        Target(f"429 per 100 requests, {limit}", "≤", 1, "", _of(variant, lambda b: 100 * b["refused"] / b["asked"])),
    ]


def _variant(name: str, limit: str, runs: int) -> Variant:
    return Variant(name, program("ours", "--resources", RUN_TABLES), "august", runs, limit=limit)


BUCKET = Case(
    "bucket",
    "details under a rate limit: filled token by token, and once a minute as Sim fills its own",
    [_variant(TOKENS, "600x60", 1_000), _variant(MINUTES, "200x400", 1_000)],
    [*_targets(TOKENS, "600x60"), *_targets(MINUTES, "200x400")],
)
