"""What is measured against what, and what must be reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bench.measure import Measure, program

RUN_TABLES = "logs,log_details,cost_items,trace_spans"
BARE_IMPORTS = [sys.executable, "-c", "import dlt, pyarrow, duckdb"]

Rounds = dict[str, list[Measure]]
"""Measures by variant, one a round."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One program with its options.

    Attributes:
        command: What is run; url, workspace and folder are added to programs that load.
        runs: Runs of the workspace, before scaling; 0 for a program that loads nothing.
        again: Loaded once, unmeasured, before the rounds; each round then finds nothing new.
        delay: What holds its answers back: ``-50ms`` for each, or ``-bucket600x60``, a rate limit.
    """

    name: str
    command: list[str]
    kind: str = "basic"
    runs: int = 0
    again: bool = False
    delay: str = ""

    def workspace(self, scale: float) -> str:
        """Its workspace's name, as the benchmark API knows it."""
        return f"{self.kind}-{max(int(self.runs * scale), 20)}{self.delay}"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that must be reached, as the median over rounds."""

    what: str
    sense: Literal["≥", "≤"]
    bound: float
    unit: str
    values: Callable[[Rounds], list[float]]

    def reached(self, median: float) -> bool:
        """Whether a median is good enough."""
        return median >= self.bound if self.sense == "≥" else median <= self.bound


@dataclass(frozen=True, slots=True)
class Case:
    """Variants measured in turn, and what must be reached between them."""

    name: str
    about: str
    variants: list[Variant]
    targets: list[Target] = field(default_factory=list)
    usual: bool = True


def _ratio(slow: str, fast: str, runs_slow: int = 1, runs_fast: int = 1) -> Callable[[Rounds], list[float]]:
    """How many times the wall seconds, per run where the numbers of runs differ; round by round."""

    def values(rounds: Rounds) -> list[float]:
        pairs = zip(rounds[slow], rounds[fast], strict=True)
        return [(a.wall / runs_slow) / (b.wall / runs_fast) for a, b in pairs]

    return values


def _peak(variant: str) -> Callable[[Rounds], list[float]]:
    return lambda rounds: [measure.rss for measure in rounds[variant]]


def _list_requests(variant: str) -> Callable[[Rounds], list[float]]:
    return lambda rounds: [float(measure.requests.get("list", 0)) for measure in rounds[variant]]


def _ours(runs: int, tables: str = "logs", kind: str = "basic", *options: str, delay: str = "") -> Variant:
    return Variant("sim-sync", program("ours", "--resources", tables, *options), kind, runs, delay=delay)


PLAIN, PARQUET, FLOOR = "rest_api_source", "rest_api_source, parquet", "no dlt (floor)"
IMPORTS = "import dlt, pyarrow, duckdb"

CASES = [
    Case(
        "basic100k",
        "100,000 runs as plain list rows into an empty DuckDB",
        [
            _ours(100_000),
            Variant(PLAIN, program("rest_api"), "basic", 100_000),
            Variant(PARQUET, program("rest_api", "--parquet"), "basic", 100_000),
            Variant(FLOOR, program("floor"), "basic", 100_000),
        ],
        [
            Target(f"times faster than {PLAIN}", "≥", 6.0, "×", _ratio(PLAIN, "sim-sync")),
            Target(f"times faster than {PARQUET}", "≥", 2.2, "×", _ratio(PARQUET, "sim-sync")),
            Target("list requests for 100,000 runs", "≤", 110, "", _list_requests("sim-sync")),
        ],
    ),
    Case(
        "full20k",
        "20,000 full rows: runs, details, cost items and spans",
        [
            _ours(20_000, RUN_TABLES, "march"),
            Variant(PARQUET, program("rest_api", "--full", "--parquet"), "march", 20_000),
        ],
        [Target(f"times faster than {PARQUET}", "≥", 4.0, "×", _ratio(PARQUET, "sim-sync"))],
    ),
    Case(
        "memory400k",
        "400,000 runs in committed pieces",
        [
            Variant("sim-sync run", program("application", "--resources", "logs"), "basic", 400_000),
            Variant(FLOOR, program("floor"), "basic", 400_000),
        ],
        [Target("MB peak memory", "≤", 400, "MB", _peak("sim-sync run"))],
    ),
    Case(
        "noop",
        "a sync with nothing new (usage asked and stored) over 10,000 runs",
        [
            Variant("sim-sync run", program("application"), "march", 10_000, again=True),
            Variant("sim_source in a pipeline", program("ours"), "march", 10_000, again=True),
            Variant(IMPORTS, BARE_IMPORTS),
        ],
        [Target("times the bare imports", "≤", 2.5, "×", _ratio("sim-sync run", IMPORTS))],
    ),
    Case(
        "details",
        "5,000 runs that need a detail each (peer: 1,000), 50 ms latency",
        [
            _ours(5_000, RUN_TABLES, "august", delay="-50ms"),
            Variant(PARQUET, program("rest_api", "--details", "--parquet"), "august", 1_000, delay="-50ms"),
        ],
        [Target(f"times faster than {PARQUET}, per run", "≥", 15.0, "×", _ratio(PARQUET, "sim-sync", 1_000, 5_000))],
        usual=False,
    ),
]
