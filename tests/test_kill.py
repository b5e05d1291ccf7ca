"""A sync is killed with SIGKILL, run again, and every table equals that of a sync that nobody disturbed.

The points are spread over what an undisturbed sync was seen to do. ``make torture`` kills hundreds of times.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.torture.lab import Lab, Ordeal, lab
from tests.torture.points import PHASES, Point, spread
from tests.torture.servers import SYNCS
from tests.torture.worlds import DIALECTS

POINTS = {"extract": 4, "normalize": 3, "load": 6, "between": 3}
"""Kills at a call, by phase, for each dialect and for first and second sync."""
TIMES = 2
"""Kills by the clock, likewise."""

every_sync = pytest.mark.parametrize(("dialect", "sync"), [(d, s) for d in DIALECTS for s in SYNCS])


@pytest.fixture(scope="session")
def killing() -> Iterator[Lab]:
    with lab() as made:
        yield made


def point_in(killing: Lab, dialect: str, sync: str, phase: str, number: int) -> Point:
    """A point of a phase; each dialect and sync has its own."""
    calls = [call for call in killing.undisturbed(dialect, sync).calls if call.phase == phase]
    shift = DIALECTS.index(dialect) * 2 + SYNCS.index(sync)
    return spread(calls, POINTS[phase], shift)[number]


@every_sync
@pytest.mark.parametrize(("phase", "number"), [(phase, n) for phase in PHASES for n in range(POINTS[phase])])
def test_killed_anywhere_and_run_again_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str, phase: str, number: int
) -> None:
    verdict = killing.through(Ordeal(dialect, sync, point_in(killing, dialect, sync, phase, number)))
    assert verdict.killed, verdict.story
    assert verdict.differences == [], verdict.story


@every_sync
@pytest.mark.parametrize("number", range(TIMES))
def test_killed_at_any_time_and_run_again_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str, number: int
) -> None:
    after_s = killing.undisturbed(dialect, sync).seconds * (number + 0.5) / TIMES
    verdict = killing.through(Ordeal(dialect, sync, after_s))  # on a faster moment it may be over by then
    assert verdict.differences == [], verdict.story


@every_sync
@pytest.mark.parametrize("phase", ["load", "between"])
def test_killed_twice_in_a_row_and_run_again_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str, phase: str
) -> None:
    number = DIALECTS.index(dialect) * 2 + SYNCS.index(sync)
    verdict = killing.through(Ordeal(dialect, sync, point_in(killing, dialect, sync, phase, 1), again=number))
    assert verdict.differences == [], verdict.story


@every_sync
@pytest.mark.parametrize(("phase", "number"), [("extract", 1), ("load", 1), ("load", 3), ("between", 1)])
def test_killed_and_the_working_folder_lost_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str, phase: str, number: int
) -> None:
    point = point_in(killing, dialect, sync, phase, number)
    verdict = killing.through(Ordeal(dialect, sync, point, lost=True))
    assert verdict.differences == [], verdict.story
