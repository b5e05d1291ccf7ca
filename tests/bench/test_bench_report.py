"""``docs/bench.md`` and its chart say what was measured, and what was missed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from bench import chart, report
from bench.cases import CASES, CRON, OURS, PARQUET, PLAIN, Case, Rounds
from bench.measure import ROOT, Measure

ROUNDS = 5
BY_NAME = {case.name: case for case in CASES}


def measures(case: Case, wall: Callable[[str], float]) -> Rounds:
    """Made-up rounds of a case, each a little slower than the one before."""
    return {
        variant.name: [
            Measure(wall(variant.name) + number / 8, 1.0, 100.0, variant.new_runs(1.0), {"list": 7})
            for number in range(ROUNDS)
        ]
        for variant in case.variants
    }


def all_cases() -> report.Results:
    chance = random.Random("measures")
    return [(case, measures(case, lambda _: chance.uniform(1, 30))) for case in CASES]


def test_ratios_are_taken_within_each_round_and_their_median_is_judged() -> None:
    case = BY_NAME["basic100k"]
    rounds = measures(case, lambda _: 1.0)
    rounds[CRON] = [Measure(wall, 1.0, 100.0, 100_000, {"list": 101}) for wall in (1.0, 2.0, 4.0, 1.0, 1.0)]
    rounds[PLAIN] = [Measure(wall, 1.0, 100.0, 100_000) for wall in (10.0, 20.0, 20.0, 8.0, 9.0)]
    lines = report.targets([(case, rounds)])
    assert lines[0] == (f"| basic100k | {CRON}: times as fast as {PLAIN} | ≥ 9 × | 9.00 (5.00–10.00) | reached |", True)
    assert lines[1][0].endswith("| **MISSED** |")
    assert not lines[1][1]
    assert lines[2] == (f"| basic100k | {CRON}: list requests | ≤ 101 | 101 (101–101) | reached |", True)


def test_ratios_are_per_run_where_the_numbers_of_runs_differ() -> None:
    case = BY_NAME["details"]
    rounds = {OURS: [Measure(10.0, 5.0, 100.0, 5_000)], PARQUET: [Measure(60.0, 6.0, 100.0, 1_000)]}
    (line, reached), *_ = report.targets([(case, rounds)])
    assert reached
    assert "| 30.00 |" in line
    table = report.table(case, rounds)
    assert table[0].endswith("| wall, CPU × per run |")
    assert table[-1].endswith("| 30.00, 6.00 |")


def test_the_document_has_every_case_every_target_and_the_chart() -> None:
    results = all_cases()
    document = report.document(results, ROUNDS, missed=True)
    assert "](bench.svg)" in document
    assert f"{ROUNDS} rounds" in document
    assert "was missed in this run" in document
    assert "was missed in this run" not in report.document(results, ROUNDS, missed=False)
    for case in CASES:
        assert f"\n## {case.name}\n" in document
        for variant in case.variants:
            assert f"\n| {variant.name} | " in document
        for target in case.targets:
            assert f"\n| {case.name} | {target.what} | " in document


def test_the_chart_shows_every_peer_with_its_median() -> None:
    bars = report.bars(all_cases())
    assert [(bar.what, bar.peer) for bar in bars] == [
        (case.what, target.peer) for case in CASES for target in case.targets if target.peer
    ]
    drawn = ElementTree.fromstring(chart.svg(bars, "A title"))  # noqa: S314 - it was made here
    texts = {"".join(element.itertext()) for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    words = " ".join(texts)
    assert "A title" in words
    for bar in bars:
        assert bar.least <= bar.median <= bar.most
        assert bar.what in words
        assert f"against {bar.peer}" in words
        assert f"{bar.median:.1f} ×" in texts


def test_chart_and_document_are_small_and_name_nothing_of_this_machine() -> None:
    results = all_cases()
    drawn = chart.svg(report.bars(results), "A title")
    assert len(drawn) < 60_000
    for text in (drawn, report.document(results, ROUNDS, missed=False)):
        assert str(ROOT) not in text
        assert not re.search(r"/(home|root|tmp|Users)/", text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_target_can_be_judged(case: Case) -> None:
    rounds = measures(case, lambda _: 2.0)
    for target in case.targets:
        assert len(target.values(rounds)) == ROUNDS
