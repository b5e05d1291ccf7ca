"""The same as ``test_kill``, in a lake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.torture.lab import Lab, Ordeal, lab
from tests.torture.lake_lab import LakeLab
from tests.torture.points import PHASES, spread

DIALECT = "2026-08"
POINTS = {"extract": 1, "normalize": 1, "load": 4, "between": 1}


@pytest.fixture(scope="module")
def killing() -> Iterator[Lab]:
    with lab(LakeLab) as made:
        yield made


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("phase", "number"), [(phase, n) for phase in PHASES for n in range(POINTS[phase])])
def test_killed_anywhere_and_run_again_the_lake_is_as_if_undisturbed(killing: Lab, phase: str, number: int) -> None:
    calls = [call for call in killing.undisturbed(DIALECT, "first").calls if call.phase == phase]
    verdict = killing.through(Ordeal(DIALECT, "first", spread(calls, POINTS[phase])[number]))
    assert verdict.killed, verdict.story
    assert verdict.differences == [], verdict.story


@pytest.mark.timeout(300)
def test_killed_in_a_load_and_the_working_folder_lost_the_lake_is_as_if_undisturbed(killing: Lab) -> None:
    calls = [call for call in killing.undisturbed(DIALECT, "first").calls if call.phase == "load"]
    verdict = killing.through(Ordeal(DIALECT, "first", spread(calls, 3)[1], lost=True))
    assert verdict.killed, verdict.story
    assert verdict.differences == [], verdict.story
