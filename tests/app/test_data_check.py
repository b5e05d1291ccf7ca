"""``check --data``: every rule is broken once, in a real destination, and told with examples."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pipelines.check import data
from pipelines.check.data import Verdict
from pipelines.destination.target import Target
from sim_source import TABLES
from tests.helpers.app import App
from tests.helpers.tables import Place, Row, at, usd

LOADED = at("2026-11-20")


def sound() -> dict[str, list[Row]]:
    """A run with its detail, items and span, and what the account has spent."""
    return {
        "logs": [
            {"id": "a", "status": "completed", "started_at": at("2026-11-10"), "cost_total": usd("0.300000000001")},
            {"id": "b", "status": "running", "started_at": at("2026-11-19 22:30")},
        ],
        "log_details": [
            {
                "id": "a",
                "execution_data": json.dumps(
                    {"billingAttribution": {"billingPeriod": {"start": "2026-11-01T00:00:00.000Z",
                                                              "end": "2026-12-01T00:00:00.000Z"}}}
                ),
            }
        ],
        "cost_items": [
            {"log_id": "a", "kind": "model", "name": "gpt-4o", "total_cost": usd("0.3")},
            {"log_id": "a", "kind": "other", "name": "other", "total_cost": usd("0.000000000001")},
        ],
        "trace_spans": [{"log_id": "a", "span_index": 0}],
        "usage": [{"observed_at": at("2026-11-20"), "current_period_cost": usd("0.31"), "usage_limit": usd("5")}],
    }  # fmt: skip


def load(place: Place, tables: dict[str, list[Row]], **more: Any) -> None:
    """Loads at a moment of our own."""
    place.fill(tables, **more)
    _execute(place, f"UPDATE sim._dlt_loads SET inserted_at = '{LOADED.isoformat()}'")


def broken(target: Target) -> list[Verdict]:
    """The verdicts on rules that are broken."""
    return [verdict for verdict in data.try_rules(target) if verdict.ok is False]


def looked_at(place: Place, target: Target, tables: dict[str, list[Row]]) -> list[Verdict]:
    """The same, of these rows."""
    load(place, tables)
    return broken(target)


def test_what_holds_together_breaks_no_rule(place: Place, target: Target) -> None:
    assert looked_at(place, target, sound()) == []


def test_items_that_do_not_add_up_are_told_to_the_last_digit(place: Place, target: Target) -> None:
    tables = sound()
    tables["cost_items"].pop()
    (verdict,) = looked_at(place, target, tables)
    assert "add up" in verdict.what
    assert verdict.examples[0]["id"] == "a"
    assert verdict.examples[0]["difference"] == usd("0.000000000001")


def charged(*credits_: int, ended: str = "2026-11-10 00:01", status: str = "completed") -> dict[str, list[Row]]:
    """The same, and the events that the ledger has of the first run, beside a chat."""
    tables = sound()
    tables["logs"][0] |= {"execution_id": "e-a", "ended_at": at(ended), "status": status}
    events = [
        {"id": f"of-a-{place}", "created_at": at("2026-11-10 00:01"), "source": "workflow", "execution_id": "e-a",
         "credits": each, "cost_usd": each * usd("0.005")}
        for place, each in enumerate(credits_)
    ]  # fmt: skip
    chat = {"id": "chat", "created_at": at("2026-11-12"), "source": "sim-chat", "credits": 9, "cost_usd": usd("0.045")}
    return tables | {"billing_logs": [*events, chat]}


@pytest.mark.parametrize(
    ("tables", "is_broken"),
    [
        (charged(58, 1), False),
        (charged(60, 2), False),  # two events: two credits
        (charged(60, 3), True),
        (charged(50), True),
        (charged(), False),
        (charged(50, status="paused"), False),
        (charged(50, ended="2026-11-13"), False),
    ],
    ids=["fits", "rounded", "too much", "too little", "not in the ledger", "goes on", "ended after the newest event"],
)
def test_a_run_is_charged_what_it_cost(
    place: Place, target: Target, tables: dict[str, list[Row]], is_broken: bool
) -> None:
    tables["cost_items"][0]["total_cost"] = usd("0.3")
    found = looked_at(place, target, tables)
    assert [verdict.what.split(",")[0] for verdict in found] == (
        ["the ledger charges for every run what the run cost"] if is_broken else []
    )


def test_keys_that_are_there_twice_are_told_with_five_examples_and_their_number(place: Place, target: Target) -> None:
    load(place, sound() | {"trace_spans": [{"log_id": "a", "span_index": index} for index in range(7)]})
    _execute(place, "INSERT INTO sim.trace_spans SELECT * FROM sim.trace_spans")
    (verdict,) = broken(target)
    assert verdict.what.startswith("every row of trace_spans has a key")
    assert (verdict.broken, len(verdict.examples)) == (7, 5)
    assert verdict.examples[0]["times"] == 2


@pytest.mark.parametrize("table", ["log_details", "cost_items", "trace_spans"])
def test_rows_without_their_run_are_told(place: Place, target: Target, table: str) -> None:
    tables = sound()
    lost: dict[str, Row] = {
        "log_details": {"id": "gone"},
        "cost_items": {"log_id": "gone", "kind": "other", "name": "other", "total_cost": usd("1")},
        "trace_spans": {"log_id": "gone", "span_index": 0},
    }
    tables[table].append(lost[table])
    (verdict,) = looked_at(place, target, tables)
    assert verdict.what == f"every row of {table} belongs to a row of logs"
    assert verdict.examples == ({TABLES[table].references[0].column: "gone", "times": 1},)


def test_a_run_that_runs_longer_than_any_plan_allows_is_told(place: Place, target: Target) -> None:
    tables = sound()
    for minutes in (1, 121):
        started = LOADED - timedelta(minutes=minutes)
        tables["logs"].append({"id": f"r{minutes}", "status": "running", "started_at": started})
    (verdict,) = looked_at(place, target, tables)
    assert "running" in verdict.what
    assert [each["id"] for each in verdict.examples] == ["r121"]


def test_runs_that_cost_more_than_the_account_has_spent_are_told(place: Place, target: Target) -> None:
    tables = sound()
    for name in ("0", "1"):
        run = {"id": name, "status": "completed", "started_at": at("2026-11-12"), "cost_total": usd("0.02")}
        tables["logs"].append(run)
        tables["cost_items"].append({"log_id": name, "kind": "other", "name": "other", "total_cost": usd("0.02")})
    (verdict,) = looked_at(place, target, tables)
    assert "spend" in verdict.what
    assert verdict.examples[0]["runs_cost"] == usd("0.340000000001")


def test_runs_of_one_account_are_no_spend_of_another(place: Place, target: Target) -> None:
    """Two accounts that each spent what their runs cost; then the second has a run too many."""
    tables = sound()
    run = {"id": "x", "status": "completed", "started_at": at("2026-11-12"), "workspace_id": "ws-b"}
    tables["logs"].append(run | {"cost_total": usd("4")})
    tables["cost_items"].append({"log_id": "x", "kind": "other", "name": "other", "total_cost": usd("4")})
    tables["logs"][0] |= {"workspace_id": "ws-a"}
    tables["usage"] = [
        {"observed_at": at("2026-11-20"), "account": account, "current_period_cost": usd(spend)}
        for account, spend in (("a", "0.31"), ("b", "4"))
    ]
    period = {"period_start": at("2026-11-01"), "period_end": at("2026-12-01")}
    tables["billing_status"] = [
        {"observed_at": at("2026-11-20"), "account": account, "workspace_id": f"ws-{account}", **period}
        for account in ("a", "b")
    ]
    assert looked_at(place, target, tables) == []
    tables["logs"].append(run | {"id": "y", "cost_total": usd("1")})
    tables["cost_items"].append({"log_id": "y", "kind": "other", "name": "other", "total_cost": usd("1")})
    (verdict,) = looked_at(place, target, tables)
    assert [(each["account"], each["runs_cost"]) for each in verdict.examples] == [("b", 5)]


def test_what_was_not_loaded_is_not_looked_at(place: Place, target: Target) -> None:
    load(place, {}, names=("logs",))
    verdicts = data.try_rules(target)
    assert not [verdict for verdict in verdicts if verdict.ok is False]
    (items,) = (verdict for verdict in verdicts if verdict.what.startswith("every row of cost_items has a key"))
    assert (items.ok, items.told) == (None, "not checked: missing cost_items")


def test_the_command_says_what_breaks_and_ends_with_1(app: App, place: Place, target: Target) -> None:
    tables = sound()
    tables["cost_items"].pop()
    load(place, tables)
    where = ["--dataset", target.dataset]
    where += ["--database", str(target.database)] if target.database else ["--destination", target.destination]
    done = app("check", "--data", "--json", *where)
    assert done.code == 1
    assert done.json["ok"] is False
    (told,) = (finding for finding in done.json["findings"] if finding["ok"] is False)
    assert told["examples"][0]["difference"].rstrip("0") == "0.000000000001"
    assert "id=a" in done.out


def test_where_nothing_was_synced_it_says_so(app: App) -> None:
    done = app("check", "--data")
    assert done.code == 2
    assert "sim-sync run" in done.err


def _execute(place: Place, statement: str) -> None:
    with place.pipeline.sql_client() as client:
        client.execute_sql(statement.replace("sim.", f"{client.fully_qualified_dataset_name()}."))


@pytest.mark.parametrize(
    ("usage", "hours", "ok"),
    [
        ({"plan": "pro", "current_period_cost": usd("5"), "usage_limit": usd("100")}, 1, True),
        ({"plan": "pro", "current_period_cost": usd("5"), "usage_limit": usd("100")}, 3, False),
        ({"plan": "enterprise", "current_period_cost": usd("5"), "usage_limit": usd("100")}, 100, True),
        ({"plan": "enterprise", "current_period_cost": usd("5"), "usage_limit": usd("100")}, 200, False),
        ({"plan": "free", "current_period_cost": usd("0"), "usage_limit": usd("99999")}, 20_000, True),
    ],
)
def test_a_run_may_run_as_long_as_its_plan_allows(
    place: Place, target: Target, usage: dict[str, Any], hours: int, ok: bool
) -> None:
    from datetime import UTC, datetime, timedelta

    run = {"id": "r", "status": "running", "started_at": datetime.now(UTC) - timedelta(hours=hours)}
    place.fill({"logs": [run], "usage": [{"observed_at": datetime.now(UTC), **usage}]})
    (verdict,) = (each for each in data.try_rules(target) if "longest time" in each.what)
    assert verdict.ok is ok


def test_the_plan_that_allows_most_counts_if_there_are_several_accounts(place: Place, target: Target) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    plans = [("a", "enterprise", 1), ("b", "free", 0)]
    usage = [
        {"observed_at": now - timedelta(hours=hours), "account": account, "plan": plan, "current_period_cost": usd("5")}
        for account, plan, hours in plans
    ]
    for hours, ok in ((100, True), (200, False)):
        run = {"id": "r", "status": "running", "started_at": now - timedelta(hours=hours)}
        place.fill({"logs": [run], "usage": usage})
        (verdict,) = (each for each in data.try_rules(target) if "longest time" in each.what)
        assert verdict.ok is ok


def test_rows_of_versions_without_accounts_have_a_key(place: Place, target: Target) -> None:
    load(place, sound())
    (verdict,) = (each for each in data.try_rules(target) if each.what.startswith("every row of usage has a key"))
    assert verdict.ok is True
