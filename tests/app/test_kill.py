"""A sync is killed with SIGKILL, run again, and every table equals that of a sync that nobody disturbed.

The points are spread over what an undisturbed sync was seen to do. ``make torture`` kills hundreds of times.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.torture.lab import Lab, Ordeal, lab
from tests.torture.points import PHASES, PLACES, Point, spread
from tests.torture.servers import SYNCS
from tests.torture.worlds import DIALECTS

POINTS = {"extract": 4, "normalize": 2, "load": 6, "between": 3}
"""Kills at a call, by phase, for each dialect and for first and second sync."""
TIMES = 1
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
def test_killed_twice_in_a_row_and_run_again_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str
) -> None:
    number = DIALECTS.index(dialect) * 2 + SYNCS.index(sync)
    verdict = killing.through(Ordeal(dialect, sync, point_in(killing, dialect, sync, "load", 1), again=number))
    assert verdict.differences == [], verdict.story


@every_sync
def test_killed_and_moved_twice_in_a_row_all_tables_are_as_if_undisturbed(
    killing: Lab, dialect: str, sync: str
) -> None:
    number = DIALECTS.index(dialect) * 2 + SYNCS.index(sync)
    point = point_in(killing, dialect, sync, "load", number)
    verdict = killing.through(Ordeal(dialect, sync, point, again=number, moved=True))
    assert verdict.differences == [], verdict.story


@pytest.mark.parametrize("dialect", DIALECTS)
def test_killed_and_the_working_folder_lost_all_tables_are_as_if_undisturbed(killing: Lab, dialect: str) -> None:
    # between two merges: of the package that is lost with the folder some tables are loaded, the others are not
    place = "dlt.destinations.impl.duckdb.sql_client:DuckDbSqlClient.commit_transaction"
    calls = killing.undisturbed(dialect, "first").calls
    merges = [call for call in calls if call.place == place and call.phase == "load"]
    middle = merges[len(merges) // 2]
    verdict = killing.through(Ordeal(dialect, "first", Point(place, middle.nth, "after"), lost=True))
    assert verdict.killed, verdict.story
    assert verdict.differences == [], verdict.story


@pytest.mark.parametrize("step", ["LoadStorage.commit_new_load_package", "PackageStorage.complete_loading_package"])
def test_killed_between_two_halves_of_a_step_of_dlt_the_next_run_does_not_stumble(killing: Lab, step: str) -> None:
    (place,) = (place for place in PLACES if place.endswith(f":{step}"))
    verdict = killing.through(Ordeal("2026-03", "second", Point(place, 1, "after")))
    assert verdict.killed, verdict.story
    assert verdict.differences == [], verdict.story


@pytest.mark.parametrize("step", ["LoadStorage.commit_new_load_package", "PackageStorage.complete_loading_package"])
@pytest.mark.parametrize("internals_at_first", [True, False], ids=["switched off since", "switched off"])
def test_without_dlts_insides_a_killed_sync_ends_as_if_undisturbed(
    killing: Lab, monkeypatch: pytest.MonkeyPatch, step: str, internals_at_first: bool
) -> None:
    (place,) = (place for place in PLACES if place.endswith(f":{step}"))
    killing.undisturbed("2026-08", "second")
    killing.begin("2026-08", "second")
    monkeypatch.setattr(killing, "dlt_internals", internals_at_first)
    assert killing.run("2026-08", "second", Point(place, 1, "after")).killed
    killing.dlt_internals = False
    assert killing.after_a_plain_run("2026-08", "second") == []
