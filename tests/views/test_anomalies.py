"""Days on which a workflow cost too much or too little: worked out by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from tests.helpers.tables import Place, Row, at, usd

FIRST = date(2026, 8, 31)  # a Monday
SPIKE = FIRST + timedelta(weeks=8)  # the first Monday with eight before it
Run = tuple[Row, Row]
_ids = count()


def ran(
    day: date,
    runs: int = 2,
    cost: str = "0.5",
    tokens: int | None = 1000,
    item: str = "model gpt-4o",
    **more: Any,
) -> list[Run]:
    """Runs of a day and their items: each run costs as much, for one item."""
    kind, name = item.split()
    made = []
    for _ in range(runs):
        log = {"id": f"run-{next(_ids)}", "workspace_id": "ws", "workflow_id": "wf", "workflow_name": "Triage",
               "trigger": "api", "started_at": at(f"{day} 12:00"), "cost_total": usd(cost)} | more  # fmt: skip
        made.append(
            (log, {"log_id": log["id"], "kind": kind, "name": name, "total_cost": usd(cost), "total_tokens": tokens})
        )
    return made


def quiet(days: int = 63, first: date = FIRST, but: Sequence[date] = (SPIKE,), **each: Any) -> list[Run]:
    """The same every day: 2 runs of 0.50 USD and 1,000 tokens, if nothing else is said."""
    dates = (first + timedelta(days=day) for day in range(days))
    return [run for day in dates if day not in but for run in ran(day, **each)]


def anomalies(place: Place, runs: Iterable[Run]) -> list[Row]:
    """Rows of the view."""
    logs, items = zip(*runs, strict=True)
    place.fill({"logs": logs, "cost_items": items}, ("logs", "cost_items"))
    return place.dicts("SELECT * FROM sim.cost_anomalies ORDER BY workflow_id, day")


def test_a_day_with_more_runs_is_told_with_the_trigger_that_brought_them(place: Place) -> None:
    (row,) = anomalies(place, [*quiet(), *ran(SPIKE), *ran(SPIKE, 6, trigger="webhook")])
    assert [row[name] for name in ("day", "workspace_id", "workflow_id", "workflow_name", "trigger")] == (
        [SPIKE, "ws", "wf", "Triage", "webhook"]
    )
    assert (row["cost"], row["expected_cost"], row["difference"]) == (4, 1, 3)
    assert row["score"] == pytest.approx(0.6745 * 3 / 0.1)  # days did not differ: 10 % of the median
    assert (row["runs"], row["expected_runs"], row["driver"]) == (8, 2, "runs")
    assert (row["tokens_per_run"], row["expected_tokens_per_run"], row["baseline_days"]) == (1000, 1000, 8)
    assert (row["model"], row["model_difference"]) == ("gpt-4o", 3)


def test_a_dearer_model_is_told_by_its_name(place: Place) -> None:
    (row,) = anomalies(place, [*quiet(), *ran(SPIKE, cost="1.5", item="model gpt-4.5")])
    assert (row["cost"], row["driver"], row["trigger"]) == (3, "price", "api")
    assert (row["model"], row["model_difference"]) == ("gpt-4.5", 3)  # that gpt-4o cost 1 less went the other way
    assert (row["runs"], row["tokens_per_run"]) == (2, 1000)


def test_longer_prompts_are_told(place: Place) -> None:
    (row,) = anomalies(place, [*quiet(), *ran(SPIKE, cost="1.5", tokens=3000)])
    assert (row["driver"], row["tokens_per_run"], row["expected_tokens_per_run"]) == ("tokens per run", 3000, 1000)


def test_what_explains_most_is_the_driver(place: Place) -> None:
    # thrice the runs, or tokens of a run, or price of a token, while the others move less
    cases = {"runs": (6, "1.5", 2000), "tokens per run": (3, "3", 3000), "price": (3, "3", 2000)}
    cases |= {"runs, not tokens": (6, "0.5", 2000)}
    spikes = {name: ran(SPIKE, runs, cost, tokens, workflow_id=name) for name, (runs, cost, tokens) in cases.items()}
    rows = anomalies(place, [run for name in cases for run in (*quiet(workflow_id=name), *spikes[name])])
    assert {row["workflow_id"]: row["driver"] for row in rows} == {name: name.split(",")[0] for name in cases}


def test_a_day_without_runs_is_a_drop(place: Place) -> None:
    (row,) = anomalies(place, quiet())
    assert (row["day"], row["cost"], row["difference"], row["score"]) == (SPIKE, 0, -1, pytest.approx(-6.745))
    assert (row["runs"], row["driver"], row["tokens_per_run"]) == (0, "runs", None)
    assert (row["trigger"], row["model"], row["model_difference"]) == ("api", "gpt-4o", -1)


def test_what_fell_most_explains_a_drop(place: Place) -> None:
    day = [*ran(SPIKE, 1, "0.05", 100), *ran(SPIKE, 1, "0.05", 100, trigger="chat")]
    (row,) = anomalies(place, [*quiet(), *day])
    assert (row["cost"], row["runs"], row["driver"], row["trigger"]) == (usd("0.1"), 2, "tokens per run", "api")


def test_a_weekly_rhythm_is_nothing_unusual(place: Place) -> None:
    days = [FIRST + timedelta(days=day) for day in range(70)]
    weekdays = [run for day in days if day.weekday() < 5 for run in ran(day, 5)]
    sundays = [run for day in days if day.weekday() == 6 for run in ran(day, 1, "0.1")]
    assert anomalies(place, [*weekdays, *sundays]) == []
    (row,) = anomalies(place, ran(days[61], 5))  # a Saturday, as if it were a Friday
    assert (row["day"], row["expected_cost"], row["cost"]) == (days[61], 0, usd("2.5"))


def test_a_workflow_is_not_judged_before_it_is_three_weeks_old(place: Place) -> None:
    told = FIRST + timedelta(days=21)
    early = told - timedelta(days=1)
    (row,) = anomalies(place, [*quiet(40, but=(early, told)), *ran(early, 9), *ran(told, 9)])
    assert (row["day"], row["baseline_days"]) == (told, 3)


def test_a_day_that_only_three_are_compared_with_must_be_twice_as_unusual(place: Place) -> None:
    third, fourth = FIRST + timedelta(days=21), FIRST + timedelta(days=29)
    days = [*quiet(40, but=(third, fourth)), *ran(third, 1, "1.6"), *ran(fourth, 1, "1.6")]
    (row,) = anomalies(place, days)
    assert (row["day"], row["baseline_days"]) == (fourth, 4)
    assert 3.5 <= row["score"] < 7


def test_days_without_runs_count_from_the_first_day_of_a_workflow(place: Place) -> None:
    later = FIRST + timedelta(days=29)
    (row,) = anomalies(place, [*ran(FIRST), *ran(later), *quiet(40, workflow_id="other", but=())])
    assert (row["day"], row["expected_cost"], row["expected_runs"], row["baseline_days"]) == (later, 0, 0, 4)
    assert (row["driver"], row["expected_tokens_per_run"], row["model_difference"]) == ("runs", None, 1)


def test_only_eight_weeks_are_looked_back(place: Place) -> None:
    day = FIRST + timedelta(weeks=17)  # nine weeks at 10 a day, then eight at 1
    runs = [*quiet(63, cost="5", but=()), *quiet(56, FIRST + timedelta(weeks=9), but=()), *ran(day, 8)]
    (row,) = [row for row in anomalies(place, runs) if row["day"] == day]
    assert (row["expected_cost"], row["baseline_days"]) == (1, 8)


def test_the_last_day_may_not_be_over_yet(place: Place) -> None:
    last = FIRST + timedelta(days=59)
    assert anomalies(place, [*quiet(59, but=()), *ran(last, 1, "0.01")]) == []
    rows = anomalies(place, [*quiet(59, workflow_id="up", but=()), *ran(last, 4, workflow_id="up")])
    assert [(row["workflow_id"], row["day"], row["cost"]) for row in rows] == [("up", last, 2)]
    after = [row["workflow_id"] for row in anomalies(place, ran(last + timedelta(days=1), workflow_id="up"))]
    assert after == ["up", "wf"]  # now that it is over, it cost too little


@pytest.mark.parametrize(
    ("each", "most", "more"),
    [("0.5", "1.51", "1.53"), ("0.001", "0.053", "0.054")],
    ids=["half as much again", "a few cents"],
)
def test_a_history_without_change_does_not_make_little_unusual(place: Place, each: str, most: str, more: str) -> None:
    # the same every day: 3.5 * 0.1 / 0.6745 of the median, or 3.5 * 0.01 USD / 0.6745, is still usual
    rows = anomalies(place, [
        *quiet(cost=each, workflow_id="usual"), *ran(SPIKE, 1, most, workflow_id="usual"),
        *quiet(cost=each, workflow_id="unusual"), *ran(SPIKE, 1, more, workflow_id="unusual"),
    ])  # fmt: skip
    assert [row["workflow_id"] for row in rows] == ["unusual"]


def mondays(workflow: str, *costs: str) -> list[Run]:
    """One run on each of the Mondays up to the spike, and one on the day after it, which ends the history."""
    first = SPIKE - timedelta(weeks=len(costs) - 1)
    runs = [ran(first + timedelta(weeks=week), 1, cost, workflow_id=workflow) for week, cost in enumerate(costs)]
    return [*(run for day in runs for run in day), *ran(SPIKE + timedelta(days=1), 1, "0", workflow_id=workflow)]


def test_how_unusual_a_day_is_depends_on_how_days_differ(place: Place) -> None:
    # of 1 to 8 the median is 4.5; the distances from it are 0.5, 1.5, 2.5 and 3.5, each twice: their median is 2
    history = [str(cost) for cost in range(1, 9)]
    (row,) = anomalies(place, [*mondays("usual", *history, "14.8"), *mondays("unusual", *history, "14.9")])
    assert (row["workflow_id"], row["expected_cost"]) == ("unusual", usd("4.5"))
    assert row["score"] == pytest.approx(0.6745 * (14.9 - 4.5) / 2)


def test_a_spike_does_not_hide_the_next_but_what_comes_often_is_usual(place: Place) -> None:
    once, twice = ["1"] * 7 + ["5"], ["1"] * 6 + ["5"] * 2
    rows = [row for row in anomalies(place, [*mondays("once", *once, "5"), *mondays("twice", *twice, "5")])
            if row["day"] == SPIKE]  # fmt: skip
    assert [row["workflow_id"] for row in rows] == ["once"]
    assert rows[0]["score"] == pytest.approx(0.6745 * 4 / (0.845 * 4 / 8))  # MAD is 0, the mean distance 0.5


def test_cost_without_tokens_is_driven_by_runs_or_by_price(place: Place) -> None:
    tool = {"tokens": None, "item": "tool Exa"}
    (many, price) = anomalies(place, [
        *quiet(workflow_id="many", **tool), *ran(SPIKE, 8, workflow_id="many", **tool),
        *quiet(workflow_id="price", **tool), *ran(SPIKE, cost="2", workflow_id="price", **tool),
    ])  # fmt: skip
    assert (many["driver"], many["model"], many["tokens_per_run"]) == ("runs", "Exa", 0)
    assert (price["driver"], price["model"], price["model_difference"]) == ("price", "Exa", 3)


def test_drivers_where_a_factor_was_or_is_nothing(place: Place) -> None:
    free = {"cost": "0", "tokens": 1000}
    bare = {"cost": "0.005", "tokens": None, "item": "other other"}
    cases = {
        "free before: price": [*quiet(**free), *ran(SPIKE)],
        "free now: price": [*quiet(), *ran(SPIKE, **free)],
        "no model before: tokens per run": [*quiet(**bare), *ran(SPIKE)],
        "no model now: tokens per run": [*quiet(), *ran(SPIKE, **bare)],
        "dear without a model: price": [*quiet(), *ran(SPIKE, cost="3", tokens=None, item="tool Exa")],
    }  # fmt: skip
    runs = [(log | {"workflow_id": name}, item) for name, made in cases.items() for log, item in made]
    rows = anomalies(place, runs)
    assert {row["workflow_id"]: row["driver"] for row in rows} == {name: name.split(": ")[1] for name in cases}


def test_runs_whose_workflow_is_not_known_and_workspaces_are_kept_apart(place: Place) -> None:
    nowhere = {"workspace_id": None, "workflow_id": None, "workflow_name": None, "trigger": None}
    rows = anomalies(place, [
        *quiet(**nowhere), *ran(SPIKE, 8, **nowhere),
        *quiet(workspace_id="a"), *ran(SPIKE, workspace_id="a"),
        *quiet(workspace_id="b"), *ran(SPIKE, 8, workspace_id="b"),
    ])  # fmt: skip
    found = {row["workspace_id"]: row for row in rows}
    assert (sorted(map(str, found)), len(rows)) == (["None", "b"], 2)
    lost = found[None]
    assert (lost["cost"], lost["workflow_id"], lost["trigger"], lost["model_difference"]) == (4, None, None, 3)
    assert (found["b"]["cost"], found["b"]["expected_cost"], found["b"]["model_difference"]) == (4, 1, 3)
