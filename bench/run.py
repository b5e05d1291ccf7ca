"""Runs the cases: variants in turn, round by round, each in a fresh process and folder, and checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from bench.cases import Case, Rounds, Variant
from bench.measure import Api, Measure, Wrong, program, run

COST_TOLERANCE = 1e-12


def case(chosen: Case, api: Api, rounds: int, scale: float, folder: Path, say: Callable[[str], None]) -> Rounds:
    """All rounds of a case.

    Raises:
        Wrong: A program failed or loaded something else than there is.
    """
    measured: Rounds = {variant.name: [] for variant in chosen.variants}
    for number, variant in enumerate(chosen.variants):
        if rounds > 1:  # modules get compiled, files cached
            _one(variant, api, 0.0, folder / f"{chosen.name}-{number}-small")
        if variant.runs:
            api.prepare(variant.workspace(scale))
        if variant.again:
            _one(variant, api, scale, folder / f"{chosen.name}-{number}")
    for round_number in range(rounds):
        for number, variant in enumerate(chosen.variants):
            place = folder / f"{chosen.name}-{number}"
            measure = _one(variant, api, scale, place)
            if not variant.again:
                shutil.rmtree(place, ignore_errors=True)
            measured[variant.name].append(measure)
            say(
                f"{chosen.name} {round_number + 1}/{rounds} {variant.name}: {measure.wall:.2f} s, "
                f"{measure.cpu:.2f} s CPU, {measure.rss:.0f} MB{_steps(measure)}"
            )
    return measured


def _steps(measure: Measure) -> str:
    steps = measure.said.get("steps", {})
    return "".join(f", {name} {seconds:.2f}" for name, seconds in steps.items())


def _one(variant: Variant, api: Api, scale: float, folder: Path) -> Measure:
    api.requests()
    if not variant.runs:
        return run(variant.command, folder)
    workspace = variant.workspace(scale)
    where = ["--url", api.url, "--workspace", workspace, "--folder", str(folder)]
    measure = run([*variant.command, *where], folder)
    measure.requests, measure.bucket = api.requests(), api.bucket(workspace)
    _check(variant, folder, api.prepare(workspace))
    return measure


def _check(variant: Variant, folder: Path, expected: dict[str, float]) -> None:
    """The same rows for everyone: a peer that loses some would be fast for nothing."""
    found = run(program("count", str(folder / "bench.duckdb")), folder).said
    wanted = {"rows": expected["rows"], "ids": expected["rows"]}
    if variant.kind != "basic":
        wanted["spans"] = expected["spans"]
    if "details" in found:
        wanted["details"] = expected["rows"]
    wrong = {name: (found[name], value) for name, value in wanted.items() if found[name] != value}
    if wrong or abs(found.get("cost_difference", 0.0)) > COST_TOLERANCE:
        raise Wrong(f"{variant.name}: (found, expected) {wrong}, all of it: {found}")
