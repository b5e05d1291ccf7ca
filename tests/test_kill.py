"""A sync is killed with SIGKILL, run again, and every table equals that of a sync that nobody disturbed.

The points are spread over what an undisturbed sync was seen to do. ``make torture`` kills hundreds of times.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.torture.lab import Lab, lab
from tests.torture.points import PHASES, spread
from tests.torture.servers import SYNCS
from tests.torture.worlds import DIALECTS

POINTS = {"extract": 4, "normalize": 3, "load": 6, "between": 3}
"""Kills at a call, by phase, for each dialect and for first and second sync."""
TIMES = 2
"""Kills by the clock, likewise."""


@pytest.fixture(scope="session")
def killing() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sync", SYNCS)
@pytest.mark.parametrize(("phase", "number"), [(phase, n) for phase in PHASES for n in range(POINTS[phase])])
def test_killed_anywhere_and_run_again_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str, phase: str, number: int
) -> None:
    calls = [call for call in killing.undisturbed(dialect, sync).calls if call.phase == phase]
    point = spread(calls, POINTS[phase], shift=DIALECTS.index(dialect) * 2 + SYNCS.index(sync))[number]
    killing.begin(dialect, sync)
    assert killing.run(dialect, sync, point).killed, f"not killed {point}: {killing.said()}"
    assert killing.after_a_plain_run(dialect, sync) == [], f"killed {point}"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sync", SYNCS)
@pytest.mark.parametrize("number", range(TIMES))
def test_killed_at_any_time_and_run_again_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str, number: int
) -> None:
    after_s = killing.undisturbed(dialect, sync).seconds * (number + 0.5) / TIMES
    killing.begin(dialect, sync)
    killing.run(dialect, sync, after_s)  # on a faster moment it may be over by then
    assert killing.after_a_plain_run(dialect, sync) == [], f"killed after {after_s:.3f} s"
