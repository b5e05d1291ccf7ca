"""The report in the terminal: its figures worked out by hand, and how it is drawn."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.destination.target import Target
from pipelines.report import figures, printing
from pipelines.report.days import Days
from sim_source.errors import ConfigurationError
from tests.helpers.app import App
from tests.helpers.tables import Place, Row, at, usd

NOW = at("2026-11-10 12:00")
NOVEMBER = Days(date(2026, 11, 1), date(2026, 11, 10))


def run(log_id: str, day: str, cost: str, **more: Any) -> Row:
    """A run at noon that took a second."""
    base = {"id": log_id, "workspace_id": "ws", "workflow_id": "wf", "workflow_name": "Triage", "trigger": "api",
            "status": "completed", "started_at": at(f"{day} 12:00"), "total_duration_ms": 1000}  # fmt: skip
    return base | {"cost_total": usd(cost)} | more


def months() -> dict[str, list[Row]]:
    """October: two runs for 3 USD up to the 10th, and one on the 20th. November: three for 6 USD, of two workflows."""
    return {
        "logs": [
            run("o1", "2026-10-01", "1"),
            run("o2", "2026-10-10", "2", total_duration_ms=3000),
            run("o3", "2026-10-20", "100"),
            run("n1", "2026-11-01", "4", status="failed", total_duration_ms=2000),
            run("n2", "2026-11-09", "1.5", workspace_id="other", workflow_id="wf2", workflow_name="Chat [beta]"),
            run("n3", "2026-11-10", "0.5", status="running", total_duration_ms=None),
        ],
        "log_details": [{"id": "n1", "total_tokens": 1500}, {"id": "n2", "total_tokens": 500}],
        "cost_items": [
            {"log_id": "o1", "kind": "other", "name": "other", "total_cost": usd("1")},
            {"log_id": "o2", "kind": "model", "name": "gpt-4o", "total_cost": usd("2")},
            {"log_id": "o3", "kind": "other", "name": "other", "total_cost": usd("100")},
            {"log_id": "n1", "kind": "model", "name": "gpt-4o", "total_cost": usd("3"), "total_tokens": 1500},
            {"log_id": "n1", "kind": "tool", "name": "Exa Search", "total_cost": usd("1")},
            {"log_id": "n2", "kind": "other", "name": "other", "total_cost": usd("1.4")},
            {"log_id": "n3", "kind": "unknown", "name": "unknown", "total_cost": usd("0.5")},
        ],
        "trace_spans": [
            {"log_id": "n1", "span_index": 1, "status": "error", "block_id": "b", "name": "Fetch", "type": "api",
             "started_at": at("2026-11-01 12:00"), "error_message": "Request\ntimed out"},
        ],
    }  # fmt: skip


def event(id_: str, day: str, source: str, credits_: int, **more: Any) -> Row:
    """An event of the billing ledger of the first workspace."""
    told = {"id": id_, "workspace_id": "ws", "created_at": at(day), "source": source, "credits": credits_}
    return {**told, "cost_usd": credits_ * usd("0.005"), **more}


def report_text(found: figures.Report) -> str:
    """The report as it is printed."""
    out = io.StringIO()
    printing.print_report(found, Console(file=out, width=100))
    return out.getvalue()


def charged() -> dict[str, list[Row]]:
    """3 credits in October; in November 801 for a run of 4 USD, 201 for chats, and 40 of a Sim-agent block."""
    tables = months()
    tables["logs"] = [row | {"execution_id": f"e-{row['id']}"} for row in tables["logs"]]
    return tables | {
        "billing_logs": [
            event("1", "2026-10-05", "workflow", 3),
            event("2", "2026-11-02", "workflow", 400, execution_id="e-n1"),
            event("3", "2026-11-02 00:01", "workflow", 401, execution_id="e-n1"),
            event("4", "2026-11-03", "sim-chat", 201, workspace_id="other"),
            event("5", "2026-11-04", "mothership_block", 40),
        ]
    }


def test_the_bill_of_the_latest_period_and_what_runs_explain_of_it(place: Place, target: Target) -> None:
    place.fill(charged())
    found = figures.read_figures(target, now=NOW).bill
    assert found is not None
    assert (found.period_start, found.period_end) == (at("2026-11-01"), at("2026-12-01"))
    assert [(row["source"], row["events"], row["credits"], row["cost"], row["explained"]) for row in found.rows] == [
        ("workflow", 2, 801, usd("4.005"), usd("4")),
        ("sim-chat", 1, 201, usd("1.005"), 0),
        ("mothership_block", 1, 40, usd("0.2"), 0),
    ]
    assert (found.credits, found.total("cost"), found.twice, found.adds_up) == (1042, usd("5.21"), usd("0.2"), True)
    assert found.uncertainty == usd("0.02")  # at most a credit an event
    of_one = figures.read_figures(target, workspaces=["other"], now=NOW).bill
    assert of_one is not None
    assert [row["source"] for row in of_one.rows] == ["sim-chat"]


def test_many_events_are_right_to_half_a_credit_in_a_hundred(place: Place, target: Target) -> None:
    events = [event(f"{place:03}", "2026-11-02", "workflow", 1) for place in range(250)]
    place.fill(months() | {"billing_logs": events})
    found = figures.read_figures(target, now=NOW).bill
    assert found is not None
    assert found.uncertainty == usd("0.0125")  # three pages, and one credit
    place.fill(months() | {"billing_logs": [*events, event("x", "2026-10-01", "workflow", 1)]})
    cut = figures.read_figures(target, now=NOW).bill
    assert cut is not None
    assert cut.uncertainty == usd("0.2575")  # a page may hold events of both periods


def test_the_bill_is_printed_and_said_as_json(place: Place, target: Target) -> None:
    place.fill(charged())
    found = figures.read_figures(target, now=NOW)
    said = report_text(found)
    assert "2026-11-01 to 2026-12-01: $5.21 for 4 events" in said
    assert "may be off by $0.0200, since Sim rounds credits over 100 events" in said
    assert "$0.2000 of Sim-agent blocks is also part of the cost of their runs" in said
    assert "the bill adds up to the ledger (1,042 credits in this period)" in said
    told = found.as_json()["bill"]
    assert (told["credits"], told["cost"], told["explained_by_runs"]) == (1042, "5.210000000000", "4.000000000000")
    assert [row["source"] for row in told["sources"]] == ["workflow", "sim-chat", "mothership_block"]


def test_without_a_ledger_there_is_no_bill(place: Place, target: Target) -> None:
    place.fill(months())
    found = figures.read_figures(target, now=NOW)
    assert (found.bill, found.as_json()["bill"]) == (None, None)
    assert "ledger" not in report_text(found)


def test_a_period_is_set_against_as_many_days_before() -> None:
    assert NOVEMBER.before == Days(date(2026, 10, 1), date(2026, 10, 10))
    assert Days(date(2026, 3, 1), date(2026, 3, 31)).before == Days(date(2026, 2, 1), date(2026, 2, 28))
    assert Days(date(2026, 11, 4), date(2026, 11, 10)).before == Days(date(2026, 10, 28), date(2026, 11, 3))
    assert Days(date(2026, 11, 1), date(2026, 12, 10)).before == Days(date(2026, 9, 22), date(2026, 10, 31))


def test_a_month_up_to_now_against_the_month_before_up_to_that_day(place: Place, target: Target) -> None:
    place.fill(months())
    found = figures.read_figures(target, now=NOW)
    assert found.days == NOVEMBER
    assert (found.totals["runs"], found.totals["cost"], found.totals["wasted_cost"]) == (3, usd("6"), usd("4"))
    assert (found.before["runs"], found.before["cost"]) == (2, usd("3"))
    assert (found.totals["failed_runs"], found.totals["completed_runs"], found.totals["tokens"]) == (1, 1, 2000)
    assert (found.totals["p50_ms"], found.before["p50_ms"]) == (1500.0, 2000.0)
    assert [row["cost"] for row in found.by_day] == [usd("4"), 0, 0, 0, 0, 0, 0, 0, usd("1.5"), usd("0.5")]
    assert [(row["workflow_name"], row["runs"], row["cost"], row["before"]) for row in found.workflows] == [
        ("Triage", 2, usd("4.5"), usd("3")),
        ("Chat [beta]", 1, usd("1.5"), 0),
    ]
    assert [(row["kind"], row["name"], row["cost"], row["before"]) for row in found.models] == [
        ("model", "gpt-4o", usd("3"), usd("2")),
        ("other", "other", usd("1.4"), usd("1")),
        ("tool", "Exa Search", usd("1"), 0),
        ("unknown", "unknown", usd("0.5"), 0),
    ]
    assert [(row["block_name"], row["errors"]) for row in found.errors] == [("Fetch", 1)]
    assert found.freshness["first_day"] == date(2026, 10, 1)
    assert (found.freshness["open_runs"], found.freshness["unreconciled"]) == (1, 1)
    assert found.completeness == pytest.approx(5 / 6)


def test_a_period_can_be_chosen_and_workspaces(place: Place, target: Target) -> None:
    place.fill(months())
    found = figures.read_figures(target, workspaces=["other"], since=at("2026-11-09"), now=NOW)
    assert found.days == Days(date(2026, 11, 9), date(2026, 11, 10))
    assert (found.totals["cost"], [row["workflow_name"] for row in found.workflows]) == (usd("1.5"), ["Chat [beta]"])
    with pytest.raises(ConfigurationError, match="no runs of it"):
        figures.read_figures(target, workspaces=["o'ther"], now=NOW)


def billed(start: str, end: str, seen: str) -> dict[str, list[Row]]:
    """The same months, with the billing period that a run tells and the account's spend when it was seen."""
    tables = months()
    period = {"start": f"{start}T00:00:00.000Z", "end": f"{end}T00:00:00.000Z"}
    tables["log_details"].append(
        {"id": "o3", "execution_data": json.dumps({"billingAttribution": {"billingPeriod": period}})}
    )
    tables["usage"] = [{"observed_at": at(seen), "current_period_cost": usd("106"), "usage_limit": usd("500")}]
    return tables


def test_the_billing_period_that_sim_tells_is_the_period(place: Place, target: Target) -> None:
    place.fill(billed("2026-10-20", "2026-11-20", seen="2026-11-10"))
    found = figures.read_figures(target, now=NOW)
    assert found.days == Days(date(2026, 10, 20), date(2026, 11, 10))
    assert [row["spend"] for row in found.budgets] == [usd("106")]
    assert found.as_json()["budget"] == found.as_json()["budgets"][0]


def test_a_billing_period_that_ends_at_midnight_is_over_then(place: Place, target: Target) -> None:
    place.fill(billed("2026-10-10", "2026-11-10", seen="2026-11-09"))
    assert figures.read_figures(target, now=at("2026-11-09 23:59")).days.first == date(2026, 10, 10)
    assert figures.read_figures(target, now=NOW).days == NOVEMBER


def drawn(target: Target, width: int = 80, **options: Any) -> str:
    out = io.StringIO()
    printing.print_report(figures.read_figures(target, now=NOW), Console(file=out, width=width, **options))
    return out.getvalue()


def test_what_is_drawn_says_the_figures_in_words(place: Place, target: Target) -> None:
    place.fill(months())
    text = drawn(target)
    assert "2026-11-01 to 2026-11-10, compared with 2026-10-01 to 2026-10-10" in text
    for told in ("$6.00", "+100 %", "before: $3.00", "Chat [beta]", "Exa Search (tool)", "Triage: Fetch",
                 "Request timed out", "cost by model is known for 83 % of the runs with a cost",
                 "1 runs do not add up"):  # fmt: skip
        assert told in text, told
    assert "\x1b[" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_is_longer_than_the_terminal_is_wide(place: Place, target: Target, width: int) -> None:
    place.fill(months())
    text = drawn(target, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "$4.50" in text


def test_where_the_terminal_knows_no_blocks_plain_letters_are_drawn(place: Place, target: Target) -> None:
    place.fill(months())
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    printing.print_report(figures.read_figures(target, now=NOW), Console(file=out, width=80))
    out.flush()


def test_before_the_first_run_the_report_is_empty_and_does_not_compare(place: Place, target: Target) -> None:
    place.fill({})
    text = drawn(target)
    assert "compared with" not in text
    assert "change" not in text
    assert "$0.0000" in text


def test_the_command_prints_json(app: App, place: Place, target: Target) -> None:
    place.fill(months())
    where = ["--dataset", target.dataset]
    where += ["--database", str(target.database)] if target.database else ["--destination", target.destination]
    told = app("report", "--since", "2026-10-01", "--json", *where).json
    assert told["period"]["first_day"] == "2026-10-01"
    assert told["totals"]["cost"] == "109.000000000000"
    assert {"by_day", "workflows", "models", "errors", "budget", "anomalies", "freshness"} <= told.keys()
    plain = app("report", *where)
    assert plain.code == 0
    assert "\x1b[" not in plain.out


def test_without_a_database_it_says_what_to_do(app: App) -> None:
    done = app("report")
    assert done.code == 2
    assert "sim-sync run" in done.err


def test_a_period_that_begins_after_now_is_refused(app: App) -> None:
    done = app("report", "--since", "2999-01-01")
    assert (done.code, "--since" in done.err) == (2, True)


def test_without_views_it_says_what_to_do(app: App, tmp_path: Path) -> None:
    import duckdb

    duckdb.connect(str(tmp_path / "sim_sync.duckdb")).close()
    done = app("report")
    assert done.code == 2
    assert "sim-sync run" in done.err
