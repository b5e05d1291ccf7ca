"""Runs the cases: variants in turn, round by round, each in a fresh process and folder, and checked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from bench.cases import Case, Rounds, Variant
from bench.measure import RETRIES, STILL_S, Api, Measure, Wrong, program, run
from tests.helpers.postgres import throwaway_postgres

COST_TOLERANCE = 1e-12


def case(chosen: Case, api: Api, rounds: int, scale: float, folder: Path, say: Callable[[str], None]) -> Rounds:
    """All rounds of a case.

    Raises:
        Wrong: A program failed or loaded something else than there is.
    """
    measured: Rounds = {variant.name: [] for variant in chosen.variants}
    places = {variant.name: folder / f"{chosen.name}-{number}" for number, variant in enumerate(chosen.variants)}
    for variant in chosen.variants:
        if rounds > 1:  # modules get compiled, files cached
            _fresh(variant, api, 0.0, places[variant.name])
        _prepare(variant, api, scale, places[variant.name])
    for number in range(rounds):
        for variant in chosen.variants:
            measure = _undisturbed(variant, api, scale, places[variant.name], say)
            measured[variant.name].append(measure)
            say(
                f"{chosen.name} {number + 1}/{rounds} {variant.name}: {measure.wall:.2f} s, "
                f"{measure.cpu:.2f} s CPU, {measure.rss:.0f} MB{_steps(measure)}"
            )
    for place in places.values():
        shutil.rmtree(_before(place), ignore_errors=True)
    return measured


def _steps(measure: Measure) -> str:
    steps = measure.said.get("steps", {})
    return "".join(f", {name} {seconds:.2f}" for name, seconds in steps.items())


def _before(place: Path) -> Path:
    """Where the folder is kept that every round starts from."""
    return place.with_name(f"{place.name}-before")


def _prepare(variant: Variant, api: Api, scale: float, place: Path) -> None:
    """Makes the workspace; where rounds go on from a first load, does that and lets further runs come."""
    if not variant.runs:
        return
    api.prepare(variant.workspace(scale))
    if variant.again:
        _one(variant, api, scale, place)
        place.rename(_before(place))
    if variant.later:
        api.grow(variant.workspace(scale))


def _undisturbed(variant: Variant, api: Api, scale: float, place: Path, say: Callable[[str], None]) -> Measure:
    """Runs a variant, again where the machine stood still meanwhile: that tells nothing of the program."""
    measure = _fresh(variant, api, scale, place)
    for _ in range(RETRIES):
        if measure.pause < STILL_S:
            break
        say(f"{variant.name}: the machine stood still for {measure.pause:.1f} s; measured again")
        measure = _fresh(variant, api, scale, place)
    return measure


def _fresh(variant: Variant, api: Api, scale: float, place: Path) -> Measure:
    """Runs a variant in its folder, which starts empty, or as the first load left it, and is gone afterwards."""
    if _before(place).exists():
        shutil.copytree(_before(place), place, copy_function=_copy)
    measure = _one(variant, api, scale, place)
    measure.runs = variant.new_runs(scale)
    shutil.rmtree(place)
    return measure


def _copy(source: str, target: str) -> None:
    """Copies a file onto the disk: written now, not while a program is measured."""
    with open(shutil.copy2(source, target), "rb") as file:
        os.fsync(file.fileno())


def _one(variant: Variant, api: Api, scale: float, folder: Path) -> Measure:
    api.requests()
    if not variant.runs:
        return run(variant.command, folder)
    workspace = variant.workspace(scale)
    where = ["--url", api.url, "--workspace", workspace, "--folder", str(folder)]
    with throwaway_postgres() if variant.postgres else nullcontext() as url:
        measure = run([*variant.command, *where, *(["--postgres", url] if url else [])], folder)
        measure.requests, measure.bucket = api.requests(), api.bucket(workspace)
        _check(variant, url or str(folder / "bench.duckdb"), folder, api.prepare(workspace))
    return measure


def _check(variant: Variant, loaded: str, folder: Path, expected: dict[str, int]) -> None:
    """The same rows for everyone: a peer that loses some would be fast for nothing."""
    found = run(program("count", loaded), folder).said
    wanted = {"rows": expected["rows"], "ids": expected["rows"]}
    if variant.kind != "basic":
        wanted["spans"] = expected["spans"]
    if "details" in found:
        wanted["details"] = expected["rows"]
    wrong = {name: (found[name], value) for name, value in wanted.items() if found[name] != value}
    if wrong or abs(found.get("cost_difference", 0.0)) > COST_TOLERANCE:
        raise Wrong(f"{variant.name}: (found, expected) {wrong}, all of it: {found}")
