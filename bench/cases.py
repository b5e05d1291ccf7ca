"""What is measured against what, and what must be reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from bench.measure import Measure, program

RUN_TABLES = "logs,log_details,cost_items,trace_spans"
BARE_IMPORTS = [sys.executable, "-c", "import dlt, pyarrow, duckdb"]
FEWEST_RUNS = 20

Rounds = dict[str, list[Measure]]
"""Measures by variant, one a round."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One program with its options.

    Attributes:
        command: What is run; url, workspace and folder are added to programs that load.
        runs: Runs of the workspace, before scaling; 0 for a program that loads nothing.
        again: Loaded once, unmeasured, before the rounds; each round goes on from a copy of that.
        later: Runs that come after this first load, before scaling.
        delay_ms: What every list page and detail takes.
        limit: Its rate limit, as ``<a minute>x<burst>``.
        postgres: It loads into an empty PostgreSQL instead of a DuckDB file.
    """

    name: str
    command: list[str]
    kind: str = "basic"
    runs: int = 0
    again: bool = False
    later: int = 0
    delay_ms: int = 0
    limit: str = ""
    postgres: bool = False

    def workspace(self, scale: float) -> str:
        """Its workspace's name, as the benchmark API knows it."""
        later = f"-{_scaled(self.later, scale)}later" if self.later else ""
        delay = f"-{self.delay_ms}ms" if self.delay_ms else ""
        limit = f"-{self.limit}" if self.limit else ""
        return f"{self.kind}-{_scaled(self.runs, scale)}{later}{delay}{limit}"

    def new_runs(self, scale: float) -> int:
        """Runs there are for a round to load."""
        return _scaled(self.later if self.again else self.runs, scale)


def _scaled(runs: int, scale: float) -> int:
    return max(int(runs * scale), FEWEST_RUNS) if runs else 0


@dataclass(frozen=True, slots=True)
class Target:
    """Something that must be reached, as the median over rounds.

    Attributes:
        values: One a round.
        peer: Whom this project must be so many times as fast as: that is shown in the chart.
    """

    what: str
    sense: Literal["≥", "≤"]
    bound: float
    unit: str
    values: Callable[[Rounds], list[float]]
    peer: str = ""

    def reached(self, median: float) -> bool:
        """Whether a median is good enough."""
        return median >= self.bound if self.sense == "≥" else median <= self.bound


@dataclass(frozen=True, slots=True)
class Case:
    """Variants measured in turn, and what must be reached between them.

    Attributes:
        what: What is loaded, short enough for the chart.
        about: The same at more length.
    """

    name: str
    what: str
    about: str
    variants: list[Variant]
    targets: list[Target] = field(default_factory=list)


OURS, CRON = "sim-sync", "sim-sync run"
PLAIN, PARQUET, FLOOR = "rest_api_source", "rest_api_source, parquet", "no dlt (floor)"
IMPORTS = "import dlt, pyarrow, duckdb"


def _ratio(over: str, under: str, of: Callable[[Measure], float]) -> Callable[[Rounds], list[float]]:
    """How many times as much, round by round: what slows the machine for a while slows both."""
    return lambda rounds: [of(a) / of(b) for a, b in zip(rounds[over], rounds[under], strict=True)]


def _wall(measure: Measure) -> float:
    return measure.wall_per_run


def _faster(bound: float, peer: str, ours: str = OURS) -> Target:
    return Target(f"{ours}: times as fast as {peer}", "≥", bound, "×", _ratio(peer, ours, _wall), peer)


def _slower(bound: float, variant: str, other: str) -> Target:
    return Target(f"{variant}: times the wall of {other}", "≤", bound, "×", _ratio(variant, other, _wall))


def _peak(bound: float, variant: str) -> Target:
    def values(rounds: Rounds) -> list[float]:
        return [measure.rss for measure in rounds[variant]]

    return Target(f"{variant}: MB peak memory", "≤", bound, "MB", values)


def _list_requests(bound: float, variant: str) -> Target:
    def values(rounds: Rounds) -> list[float]:
        return [float(measure.requests.get("list", 0)) for measure in rounds[variant]]

    return Target(f"{variant}: list requests", "≤", bound, "", values)


def _ours(runs: int, tables: str = "logs", kind: str = "basic", delay_ms: int = 0) -> Variant:
    return Variant(OURS, program("ours", "--resources", tables), kind, runs, delay_ms=delay_ms)


def _cron(name: str, runs: int, tables: str = "logs", kind: str = "basic", *, later: int = 0) -> Variant:
    command = program("application", "--resources", tables)
    return Variant(name, command, kind, runs, again=later > 0, later=later)


def _peer(name: str, runs: int, kind: str = "basic", *options: str, delay_ms: int = 0) -> Variant:
    return Variant(name, program("rest_api", *options), kind, runs, delay_ms=delay_ms)


def _floor(runs: int) -> Variant:
    return Variant(FLOOR, program("floor"), "basic", runs)


OLD, YOUNG = f"{CRON}, 1,000,000 runs", f"{CRON}, 100,000 runs"
INTO_OLD, INTO_YOUNG = f"{CRON} into 1,000,000", f"{CRON} into 100,000"

CASES = [
    Case(
        "basic100k",
        "100,000 plain runs",
        "100,000 runs as plain list rows into an empty DuckDB",
        [
            _cron(CRON, 100_000),
            _ours(100_000),
            _peer(PLAIN, 100_000),
            _peer(PARQUET, 100_000, "basic", "--parquet"),
            _floor(100_000),
        ],
        [_faster(9.0, PLAIN, CRON), _faster(3.0, PARQUET, CRON), _list_requests(101, CRON)],
    ),
    Case(
        "basic400k",
        "400,000 plain runs",
        "400,000 runs as plain list rows into an empty DuckDB",
        [
            _cron(CRON, 400_000),
            _ours(400_000),
            _peer(PARQUET, 400_000, "basic", "--parquet"),
            _floor(400_000),
        ],
        [_faster(5.0, PARQUET, CRON), _slower(1.6, CRON, FLOOR)],
    ),
    Case(
        "full100k",
        "100,000 full rows",
        "100,000 full rows (peer: 20,000): runs, details, cost items and spans",
        [
            _cron(CRON, 100_000, RUN_TABLES, "march"),
            _peer(PARQUET, 20_000, "march", "--full", "--parquet"),
        ],
        [_faster(8.0, PARQUET, CRON), _peak(600, CRON)],
    ),
    Case(
        "postgres100k",
        "100,000 full rows into PostgreSQL",
        "100,000 full rows into an empty PostgreSQL (peer: 10,000): runs, details, cost items and spans",
        [
            replace(_cron(CRON, 100_000, RUN_TABLES, "march"), postgres=True),
            replace(_peer(PLAIN, 10_000, "march", "--full"), postgres=True),
        ],
        [_faster(3.0, PLAIN, CRON), _peak(600, CRON)],
    ),
    Case(
        "details",
        "5,000 runs, a detail each",
        "5,000 runs that need a detail each (peer: 1,000), 50 ms latency",
        [
            _ours(5_000, RUN_TABLES, "august", delay_ms=50),
            _peer(PARQUET, 1_000, "august", "--details", "--parquet", delay_ms=50),
        ],
        [_faster(15.0, PARQUET)],
    ),
    Case(
        "memory1m",
        "1,000,000 plain runs",
        "plain list rows into an empty DuckDB, ten times as many",
        [_cron(OLD, 1_000_000), _cron(YOUNG, 100_000)],
        [
            Target("times the peak memory of 100,000 runs", "≤", 1.3, "×", _ratio(OLD, YOUNG, lambda each: each.rss)),
            _peak(450, OLD),
            _list_requests(1010, OLD),
        ],
    ),
    Case(
        "later10k",
        "10,000 new runs",
        "10,000 new runs into a table of 1,000,000 and into one of 100,000",
        [_cron(INTO_OLD, 1_000_000, later=10_000), _cron(INTO_YOUNG, 100_000, later=10_000)],
        [_slower(1.3, INTO_OLD, INTO_YOUNG)],
    ),
    Case(
        "noop",
        "nothing new",
        "a sync with nothing new (usage asked and stored) over 10,000 runs",
        [
            Variant(CRON, program("application"), "march", 10_000, again=True),
            Variant("sim_source in a pipeline", program("ours"), "march", 10_000, again=True),
            Variant(IMPORTS, BARE_IMPORTS),
        ],
        [_slower(2.0, CRON, IMPORTS)],
    ),
]
