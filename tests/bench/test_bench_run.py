"""A case is measured round by round, from the same start, and only where every program loaded what there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import measure, run
from bench.cases import CASES
from bench.measure import STILL_S, Api, Measure, Wrong

pytestmark = pytest.mark.timeout(300)  # seconds of work, in ten processes one after the other

SCALE = 0.003
CASE = next(case for case in CASES if case.name == "later10k")
ONE = replace(CASE, variants=CASE.variants[1:])


@pytest.fixture
def api() -> Iterator[Api]:
    with measure.api() as found:
        yield found


def test_every_round_goes_on_from_the_first_load(api: Api, tmp_path: Path) -> None:
    said: list[str] = []
    (measures,) = run.case(replace(ONE, targets=[]), api, 2, SCALE, tmp_path, said.append).values()
    assert [found.runs for found in measures] == [30, 30]
    assert [found.requests["list"] for found in measures] == [1, 1]
    assert len(said) == 2
    assert not list(tmp_path.glob("later10k*"))


def test_a_program_that_loads_too_little_is_not_measured(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "prepare", lambda self, name: {"rows": 21, "spans": 0})
    with pytest.raises(Wrong, match=r"\{'rows': \(20, 21\), 'ids': \(20, 21\)\}"):
        run.case(replace(ONE, variants=[replace(ONE.variants[0], runs=20)]), api, 1, 1.0, tmp_path, print)


@pytest.mark.parametrize(("pauses", "kept"), [([0.1], 0), ([20.0, 0.1], 1), ([20.0] * 9, 3)])
def test_a_measure_is_taken_again_where_the_machine_stood_still(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], kept: int
) -> None:
    taken = [Measure(float(number), 1.0, 1.0, pause=pause) for number, pause in enumerate(pauses)]
    left = iter(taken)
    monkeypatch.setattr(run, "_fresh", lambda *_: next(left))
    case = replace(CASES[-1], variants=CASES[-1].variants[-1:])
    ((found,),) = run.case(case, Api(0), 1, 1.0, Path("nowhere"), lambda _: None).values()
    assert found is taken[kept]
    assert found.pause < STILL_S or kept == measure.RETRIES
