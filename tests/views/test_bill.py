"""The bill, its sources and trees of runs: values worked out by hand, on DuckDB and on PostgreSQL."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.helpers.tables import Place, Row, at, usd

_ids = count()


def event(moment: str, source: str, credits_: int, workspace: str | None = "ws", execution: str | None = None) -> Row:
    """A row of ``billing_logs``."""
    return {
        "id": f"event-{next(_ids)}",
        "workspace_id": workspace,
        "created_at": at(moment),
        "source": source,
        "execution_id": execution,
        "credits": credits_,
        "cost_usd": usd("0.005") * credits_,
    }


def run(execution: str, cost: str | None, moment: str = "2026-11-02 10:00", workspace: str = "ws") -> Row:
    """A row of ``logs``."""
    return {
        "id": f"log-{execution}",
        "execution_id": execution,
        "workspace_id": workspace,
        "started_at": at(moment),
        "cost_total": None if cost is None else usd(cost),
    }


def calls(execution: str, child: str, place: int = 0) -> Row:
    """A span of a run that started another run."""
    return {"log_id": f"log-{execution}", "span_index": place, "child_execution_id": child}


def status(moment: str, start: str | None, end: str | None) -> Row:
    """A row of ``billing_status``."""
    return {
        "observed_at": at(moment),
        "workspace_id": "ws",
        "period_start": None if start is None else at(start),
        "period_end": None if end is None else at(end),
    }


def bill(place: Place, **tables: list[Row]) -> list[tuple[Any, ...]]:
    place.fill({"billing_logs": [], "billing_status": [], "logs": [], **tables})
    return place.ask(
        "SELECT period_start, period_end, workspace_id, source, events, credits, cost_usd, explained_by_runs_usd, "
        "unexplained_usd FROM sim.bill ORDER BY period_start, workspace_id, source"
    )


def test_without_a_ledger_there_is_no_bill_and_no_error(place: Place) -> None:
    assert bill(place, logs=[run("x1", "1")]) == []
    assert place.ask("SELECT * FROM sim.cost_by_source") == []


def test_events_are_summed_by_month_and_source_and_runs_explain_their_part(place: Place) -> None:
    rows = bill(
        place,
        billing_logs=[
            event("2026-10-31 23:59", "workflow", 10, execution="x1"),
            event("2026-11-01 00:00", "workflow", 3, execution="x1"),  # the run was resumed
            event("2026-11-02 10:00", "workflow", 7, execution="x2"),
            event("2026-11-02 10:00", "workflow", 1, execution="x2"),
            event("2026-11-03 10:00", "sim-chat", 20),
            event("2026-11-04 10:00", "wand", 2, workspace=None),
        ],
        logs=[run("x1", "0.066"), run("x2", "0.039"), run("x3", "5")],
    )
    october, november = (at("2026-10-01"), at("2026-11-01")), (at("2026-11-01"), at("2026-12-01"))
    assert [tuple(row[:6]) for row in rows] == [
        (*october, "ws", "workflow", 1, 10),
        (*november, "ws", "sim-chat", 1, 20),
        (*november, "ws", "workflow", 3, 11),
        (*november, None, "wand", 1, 2),
    ]
    assert [tuple(row[6:]) for row in rows] == [
        (usd("0.05"), 0, usd("0.05")),
        (usd("0.1"), 0, usd("0.1")),
        (usd("0.055"), usd("0.105"), usd("-0.05")),
        (usd("0.01"), 0, usd("0.01")),
    ]


def test_the_period_that_sim_reports_cuts_the_months_around_it(place: Place) -> None:
    rows = bill(
        place,
        billing_status=[
            status("2026-11-20", "2026-11-10", "2026-12-10"),
            status("2026-11-01", "2026-10-10", "2026-11-10"),
        ],
        billing_logs=[
            event("2026-11-09 10:00", "wand", 1),
            event("2026-11-10 00:00", "wand", 2),
            event("2026-12-09 10:00", "wand", 3),
            event("2026-12-10 00:00", "wand", 4),
        ],
    )
    assert [(row[0], row[1], row[5]) for row in rows] == [
        (at("2026-11-01"), at("2026-11-10"), 1),
        (at("2026-11-10"), at("2026-12-10"), 5),
        (at("2026-12-10"), at("2027-01-01"), 4),
    ]


def test_shares_uncertainty_and_what_is_counted_twice(place: Place) -> None:
    bill(
        place,
        billing_logs=[
            event("2026-11-02 10:00", "mothership_block", 25),
            event("2026-11-02 11:00", "sim-chat", 75),
        ],
    )
    rows = place.ask(
        "SELECT source, share, also_in_runs, credits_uncertainty, uncertainty_usd FROM sim.bill ORDER BY source"
    )
    assert [tuple(row[:4]) for row in rows] == [
        ("mothership_block", 0.25, True, 1.0),
        ("sim-chat", 0.75, False, 1.0),
    ]
    assert [float(row[4]) for row in rows] == pytest.approx([0.005, 0.005])


def test_sources_by_day(place: Place) -> None:
    moments = ("2026-11-02 23:59", "2026-11-03 00:00", "2026-11-03 09:00")
    place.fill({"billing_logs": [event(moment, "wand", number) for number, moment in enumerate(moments, 1)]})
    rows = place.ask("SELECT CAST(day AS TEXT), source, events, credits, cost_usd FROM sim.cost_by_source ORDER BY day")
    assert rows == [("2026-11-02", "wand", 1, 1, usd("0.005")), ("2026-11-03", "wand", 2, 5, usd("0.025"))]


def tree(place: Place, logs: list[Row], spans: list[Row]) -> dict[str, tuple[Any, ...]]:
    place.fill({"logs": logs, "trace_spans": spans})
    rows = place.ask(
        "SELECT execution_id, parent_execution_id, root_execution_id, depth, children, own_cost, tree_cost "
        "FROM sim.run_tree"
    )
    assert len(rows) == len(logs)
    return {row[0]: row[1:] for row in rows}


def test_a_run_has_the_cost_of_all_below_it_and_keeps_its_own(place: Place) -> None:
    logs = [run("a", "1"), run("b", "2", workspace="other"), run("c", "4"), run("d", None), run("e", "8")]
    found = tree(place, logs, [calls("a", "b"), calls("b", "c"), calls("b", "d", 1), calls("b", "c", 2)])
    assert found == {
        "a": (None, "a", 0, 1, usd("1"), usd("7")),
        "b": ("a", "a", 1, 2, usd("2"), usd("6")),
        "c": ("b", "a", 2, 0, usd("4"), usd("4")),
        "d": ("b", "a", 2, 0, None, None),
        "e": (None, "e", 0, 0, usd("8"), usd("8")),
    }


def test_of_two_callers_the_earlier_is_the_parent(place: Place) -> None:
    logs = [run("late", "1", "2026-11-02 11:00"), run("early", "1", "2026-11-02 10:00"), run("child", "1")]
    assert tree(place, logs, [calls("late", "child"), calls("early", "child")])["child"][0] == "early"


def test_runs_that_name_each_other_are_roots_of_their_own(place: Place) -> None:
    found = tree(place, [run("a", "1"), run("b", "2")], [calls("a", "b"), calls("b", "a")])
    assert found == {"a": (None, "a", 0, 0, usd("1"), usd("1")), "b": (None, "b", 0, 0, usd("2"), usd("2"))}


def test_a_child_that_was_not_synced_changes_nothing(place: Place) -> None:
    assert tree(place, [run("a", "1")], [calls("a", "elsewhere")]) == {"a": (None, "a", 0, 0, usd("1"), usd("1"))}
