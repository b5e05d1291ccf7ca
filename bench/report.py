"""Benchmark results as tables for the terminal and for ``docs/bench.md``, and the data of the chart."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench.cases import Case, Rounds
from bench.measure import RETRIES, STILL_S, Measure

Results = list[tuple[Case, Rounds]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart. Ratios are the peer's wall seconds divided by this project's, per run.

    Attributes:
        what: What was loaded.
        peer: The program it is compared with.
        median: Median over the rounds.
        least: Minimum over the rounds.
        most: Maximum over the rounds.
        bound: The target.
    """

    what: str
    peer: str
    median: float
    least: float
    most: float
    bound: float


HOW = """\
- One benchmark API in its own process on loopback serves all programs with pages that were serialised beforehand.
- {rounds} rounds. In each round, the variants of a case run one after another, each in a new process and an empty
  folder (or, if runs are added to a table, in a new copy of it). Afterwards the tables are counted: all variants must
  have loaded the same runs and spans.
- Figures are medians (min–max) over the rounds. A ratio is calculated within each round, so that a slow phase of the
  machine affects both sides, and the median of these ratios is shown; it is per run if the variants load different
  numbers of runs. The machine is shared: compare ratios rather than seconds, and CPU time together with wall time.
- A measurement is repeated, at most {retries} times, if the measuring process, which samples the program 20 times a
  second, could not run for more than {still:g} s: in that case the whole machine stood still.
- Wall seconds are those of the whole process, imports included. CPU seconds are those of all its processes and threads.
- Peak memory is the larger of two values: the peak of the largest process as recorded by the system, and the highest
  sampled sum over all processes (shared pages counted once).
- `sim-sync` is the source in a dlt pipeline, in one load. `sim-sync run` is the command, which commits in pieces.
  `rest_api_source` is dlt’s own source, used as documented, or with `loader_file_format="parquet"`. The floor is
  urllib3, msgspec and an Arrow insert into DuckDB: no dlt, no state, no second run."""


def _spread(values: list[float], form: str) -> str:
    shown = format(median(values), form)
    return shown if len(values) == 1 else f"{shown} ({min(values):{form}}–{max(values):{form}})"


COLUMNS: list[tuple[str, Callable[[Measure], float], str]] = [
    ("wall s", lambda measure: measure.wall, ".2f"),
    ("CPU s", lambda measure: measure.cpu, ".2f"),
    ("peak MB", lambda measure: measure.rss, ".0f"),
    ("requests", lambda measure: float(sum(measure.requests.values())), ".0f"),
]


def table(chosen: Case, rounds: Rounds) -> list[str]:
    """Returns one case as a Markdown table; the last column has ratios to the first variant, per run if runs differ."""
    first = rounds[chosen.variants[0].name]
    per_run = " per run" if len({measures[0].runs for measures in rounds.values()}) > 1 else ""
    lines = ["| | " + " | ".join(name for name, _, _ in COLUMNS) + f" | wall, CPU ×{per_run} |"]
    lines.append("|---|" + "--:|" * (len(COLUMNS) + 1))
    for variant in chosen.variants:
        measures = rounds[variant.name]
        cells = [_spread([of(measure) for measure in measures], form) for _, of, form in COLUMNS]
        walls = [m.wall_per_run / f.wall_per_run for m, f in zip(measures, first, strict=True)]
        cpus = [m.cpu_per_run / f.cpu_per_run for m, f in zip(measures, first, strict=True)]
        lines.append(f"| {variant.name} | {' | '.join(cells)} | {median(walls):.2f}, {median(cpus):.2f} |")
    return lines


def bars(results: Results) -> list[Bar]:
    """Returns the bars of the chart: one for each target that is a speed ratio to a peer."""
    return [
        Bar(chosen.what, target.peer, median(values), min(values), max(values), target.bound)
        for chosen, rounds in results
        for target in chosen.targets
        if target.peer
        for values in [target.values(rounds)]
    ]


def targets(results: Results) -> list[tuple[str, bool]]:
    """Returns the lines of the table of targets, and whether each target was reached."""
    lines = []
    for chosen, rounds in results:
        for target in chosen.targets:
            values = target.values(rounds)
            good = target.reached(median(values))
            form = ".2f" if target.unit in ("×", "s") else ".0f"
            must = f"{target.sense} {target.bound:g} {target.unit}".strip()
            verdict = "reached" if good else "**MISSED**"
            lines.append((f"| {chosen.name} | {target.what} | {must} | {_spread(values, form)} | {verdict} |", good))
    return lines


TARGETS_HEAD = ["| case | what | must be | median (min–max) | |", "|---|---|--:|--:|---|"]


def machine() -> str:
    """Returns the machine and the versions, without host names or paths."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("dlt", "duckdb", "pyarrow", "msgspec"))
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}, {versions}"


def document(results: Results, rounds: int, missed: bool) -> str:
    """Returns the text of ``docs/bench.md``."""
    command = "make bench" + (f" (ROUNDS={rounds})" if os.environ.get("ROUNDS") else "")
    lines = [
        "# Speed and memory",
        "",
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}. {machine()}.",
        "",
        "![How many times as fast as dlt’s rest_api_source, per run; the figures are in the tables](bench.svg)",
        "",
        *TARGETS_HEAD,
        *(line for line, _ in targets(results)),
    ]
    if missed:
        lines += ["", "A target was missed in this run."]
    lines += ["", "## How it is measured", "", *HOW.format(rounds=rounds, retries=RETRIES, still=STILL_S).splitlines()]
    for chosen, measured in results:
        lines += ["", f"## {chosen.name}", "", f"{chosen.about[0].upper()}{chosen.about[1:]}.", ""]
        lines += table(chosen, measured)
    return "\n".join(lines) + "\n"


def show(text: str) -> None:
    """Prints without buffering, so that progress is visible."""
    print(text, file=sys.stdout, flush=True)
