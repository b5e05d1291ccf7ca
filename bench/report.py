"""Tables of what was measured: for the terminal, and for ``docs/bench.md``."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench.cases import Case, Rounds
from bench.measure import Measure

BAR = 32
"""Width of the longest bar of a chart."""

Results = list[tuple[Case, Rounds]]


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
    """One case as a Markdown table, ratios to the first variant last."""
    first = next(iter(rounds.values()))
    lines = ["| | " + " | ".join(name for name, _, _ in COLUMNS) + " | wall, CPU × |"]
    lines.append("|---|" + "--:|" * (len(COLUMNS) + 1))
    for variant in chosen.variants:
        measures = rounds[variant.name]
        cells = [_spread([of(measure) for measure in measures], form) for _, of, form in COLUMNS]
        walls = [m.wall / f.wall for m, f in zip(measures, first, strict=True)]
        cpus = [m.cpu / f.cpu for m, f in zip(measures, first, strict=True)]
        lines.append(f"| {variant.name} | {' | '.join(cells)} | {median(walls):.2f}, {median(cpus):.2f} |")
    return lines


def chart(chosen: Case, rounds: Rounds) -> list[str]:
    """Wall seconds as bars of text."""
    walls = {variant.name: median(measure.wall for measure in rounds[variant.name]) for variant in chosen.variants}
    longest, width = max(walls.values()), max(map(len, walls))
    return [f"{name:{width}} {'█' * max(1, round(wall / longest * BAR))} {wall:.2f} s" for name, wall in walls.items()]


def targets(results: Results) -> list[tuple[str, bool]]:
    """Lines of a table of what must be reached, and whether each was."""
    lines = []
    for chosen, rounds in results:
        for target in chosen.targets:
            values = target.values(rounds)
            good = target.reached(median(values))
            form = ".2f" if target.unit == "×" else ".0f"
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
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {rounds} rounds, variants in turn, each in a fresh",
        "process against one benchmark API on loopback. Wall seconds are those of the whole process, imports",
        "included. Medians (min–max); the machine is shared, so read ratios, and CPU beside wall.",
        "",
        machine() + ".",
        "",
        "Every variant is checked to have loaded the same runs" + (" and spans." if len(results) > 1 else "."),
        "",
        *TARGETS_HEAD,
        *(line for line, _ in targets(results)),
    ]
    for chosen, measured in results:
        lines += ["", f"## {chosen.name}", "", f"{chosen.about[0].upper()}{chosen.about[1:]}.", ""]
        lines += [*table(chosen, measured), "", "```text", *chart(chosen, measured), "```"]
    if missed:
        lines += ["", "Something that must be reached was missed in this run."]
    return "\n".join(lines) + "\n"


def show(text: str) -> None:
    """Prints at once, progress included."""
    print(text, file=sys.stdout, flush=True)
