"""Tables of what was measured, for the terminal and for ``docs/bench.md``, and what its chart shows."""

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
    """A bar; ratios are those of the peer's wall seconds to this project's, per run.

    Attributes:
        what: What was loaded.
        peer: Against which peer.
        median: Over rounds.
        least: Of all rounds.
        most: Of all rounds.
        bound: What must be reached.
    """

    what: str
    peer: str
    median: float
    least: float
    most: float
    bound: float


HOW = """\
- One benchmark API in a process of its own, on loopback, answers everyone with pages serialised beforehand.
- {rounds} rounds; in each, the variants of a case run in turn, each in a fresh process and an empty folder (where runs
  come into a table, in a fresh copy of it). Afterwards its tables are counted: all have the same runs and spans.
- Figures are medians (min–max) over rounds. A ratio is taken within each round, so that what slows the machine for a
  while slows both sides of it, and then the median of the ratios; per run, where variants load different numbers of
  runs. The machine is shared: read ratios rather than seconds, and CPU beside wall.
- A measure is taken again, at most {retries} times, where the measuring process itself, which looks at the program 20
  times a second, could not for over {still:g} s: then the whole machine stood still.
- Wall seconds are those of the whole process, imports included; CPU seconds those of all its processes and threads.
- Peak memory is that of its largest process, as the system notes it, or of all its processes together as seen in those
  looks (shared pages once), whichever is more.
- `sim-sync` is the source in a dlt pipeline, in one load; `sim-sync run` the command, in committed pieces;
  `rest_api_source` is dlt’s own, as documented, or told `loader_file_format="parquet"`; the floor is urllib3, msgspec
  and an Arrow insert into DuckDB: no dlt, no state, no second run."""


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
    """One case as a Markdown table, ratios to the first variant last; per run, where the numbers of runs differ."""
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
    """What the chart shows: every peer that this project must be so many times as fast as."""
    return [
        Bar(chosen.what, target.peer, median(values), min(values), max(values), target.bound)
        for chosen, rounds in results
        for target in chosen.targets
        if target.peer
        for values in [target.values(rounds)]
    ]


def targets(results: Results) -> list[tuple[str, bool]]:
    """Lines of a table of what must be reached, and whether each was."""
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
    """The machine and the versions, without a name or path of either."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("dlt", "duckdb", "pyarrow", "msgspec"))
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}, {versions}"


def document(results: Results, rounds: int, missed: bool) -> str:
    """``docs/bench.md``."""
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
        lines += ["", "Something that must be reached was missed in this run."]
    lines += ["", "## How it is measured", "", *HOW.format(rounds=rounds, retries=RETRIES, still=STILL_S).splitlines()]
    for chosen, measured in results:
        lines += ["", f"## {chosen.name}", "", f"{chosen.about[0].upper()}{chosen.about[1:]}.", ""]
        lines += table(chosen, measured)
    return "\n".join(lines) + "\n"


def show(text: str) -> None:
    """Prints at once, progress included."""
    print(text, file=sys.stdout, flush=True)
