"""FOCUS-aligned cost and usage: values worked out by hand, and the rules of FOCUS 1.2, on DuckDB and PostgreSQL."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.destination import keep_views
from pipelines.sim_api import OWNER_KEY, WORKSPACE, serve
from pipelines.views import all_views
from sim_source import sim_source
from tests.helpers.app import one_of_every_kind
from tests.helpers.focus_rules import COLUMNS, broken, broken_by_names, broken_together
from tests.helpers.tables import Place, Row, at, usd

ALL = "SELECT * FROM sim.focus_cost_and_usage ORDER BY x_log_id, x_kind, x_name"
NAMES = tuple(name for name, _ in all_views()["focus_cost_and_usage"].columns)

NO_NAME_OF_WORKSPACE = {"SubAccountName goes with SubAccountId"}
NO_QUANTITY = {"ConsumedQuantity of usage is told", "PricingQuantity of usage is told"}
NO_SKU = {"SkuId of usage is told", "SkuPriceId of usage is told"}
"""What FOCUS asks for and Sim's API does not tell: the only rules that rows may break, as the columns say."""


def run(log_id: str, cost: str, **more: Any) -> Row:
    """A row of ``logs``: a run of a second and a half at 23:10 on the last of November."""
    return {
        "id": log_id,
        "workspace_id": "ws",
        "execution_id": f"x-{log_id}",
        "workflow_id": "wf",
        "workflow_name": "Triage",
        "trigger": "api",
        "status": "completed",
        "started_at": at("2026-11-30 23:10:05.250"),
        "ended_at": at("2026-11-30 23:10:06.750"),
        "cost_total": usd(cost),
    } | more


def item(log_id: str, kind: str, name: str, cost: str, **more: Any) -> Row:
    """A row of ``cost_items``."""
    return {"log_id": log_id, "kind": kind, "name": name, "workspace_id": "ws", "total_cost": usd(cost)} | more


def detail(log_id: str, account: str, since: str, until: str, kind: str = "organization", ws: str = "ws") -> Row:
    """A row of ``log_details`` that tells who pays."""
    billed = {"billingEntity": {"id": account, "type": kind}, "billingPeriod": {"start": since, "end": until}}
    return {"id": log_id, "workspace_id": ws, "execution_data": json.dumps({"billingAttribution": billed})}


def split_run() -> dict[str, list[Row]]:
    """A run with an item of each kind that can stand together."""
    tokens = {"prompt_tokens": 90, "completion_tokens": 20, "total_tokens": 110}
    return {
        "workflows": [{"id": "wf", "workspace_id": "ws", "name": "Triage, renamed since"}],
        "logs": [run("a", "0.285000000001", deployment_version_id='v"2')],
        "cost_items": [
            item("a", "model", "gpt-4o", "0.080000000001", input_cost=usd("0.05"), **tokens),
            item("a", "other", "other", "0.005"),
            item("a", "tool", "Exa Search", "0.2"),
        ],
    }


def by_log(place: Place) -> dict[str, Row]:
    """Rows of runs with one item each."""
    return {row["x_log_id"]: row for row in place.dicts(ALL)}


def utc(text: str) -> datetime:
    """A moment as a driver gives it, whatever its time zone."""
    return at(text).astimezone(UTC)


def test_each_item_of_a_run_is_a_charge_in_the_hour_the_run_started(place: Place) -> None:
    model, other, tool = place.fill(split_run()).dicts(ALL)
    for row in (model, other, tool):
        assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (utc("2026-11-30 23:00"), utc("2026-12-01 00:00"))
        assert (row["x_started_at"], row["x_log_id"]) == (utc("2026-11-30 23:10:05.250"), "a")
        assert (row["ResourceId"], row["ResourceName"], row["ResourceType"]) == ("wf", "Triage", "Workflow")
        assert (row["SubAccountId"], row["BillingCurrency"], row["ChargeCategory"]) == ("ws", "USD", "Usage")
        costs = {row[name] for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")}
        assert costs == {row["BilledCost"]}
        assert json.loads(row["Tags"]) == {"sim:trigger": "api", "sim:deployment_version_id": 'v"2'}
    assert [row["BilledCost"] for row in (model, other, tool)] == [usd("0.080000000001"), usd("0.005"), usd("0.2")]


def test_a_quantity_is_told_of_models_and_made_up_for_nothing_else(place: Place) -> None:
    model, other, tool = place.fill(split_run()).dicts(ALL)
    assert (model["ConsumedQuantity"], model["ConsumedUnit"]) == (Decimal(110), "Tokens")
    assert (model["PricingQuantity"], model["PricingUnit"]) == (Decimal(110), "Tokens")
    assert (model["SkuId"], model["SkuPriceId"], model["x_model"]) == ("gpt-4o", "gpt-4o", "gpt-4o")
    assert (model["x_prompt_tokens"], model["x_completion_tokens"], model["x_input_cost"]) == (90, 20, usd("0.05"))
    assert (tool["x_name"], tool["ChargeDescription"]) == ("Exa Search", "Tool Exa Search")
    for row in (other, tool):
        told = [row[name] for name in COLUMNS if name.startswith(("Consumed", "Pricing", "Sku")) and name in row]
        assert told == [None] * 7, row["x_kind"]


def test_a_running_run_has_a_charge_period_and_a_deleted_workflow_is_no_resource(place: Place) -> None:
    row = place.fill({
        "logs": [run("r", "0.005", ended_at=None, status="running", workflow_id=None, trigger=None)],
        "cost_items": [item("r", "unknown", "unknown", "0.005")],
    }).dicts(ALL)[0]  # fmt: skip
    assert (row["ChargePeriodEnd"], row["x_ended_at"]) == (utc("2026-12-01 00:00"), None)
    assert (row["ResourceId"], row["ResourceName"], row["ResourceType"]) == (None, None, None)
    assert (json.loads(row["Tags"]), row["x_kind"]) == ({"sim:trigger": None}, "unknown")
    assert broken(row) == NO_NAME_OF_WORKSPACE | NO_QUANTITY | NO_SKU


MID = ("2026-11-17T09:30:00.000Z", "2026-12-17T09:30:00.000Z")


def test_account_and_billing_period_are_those_that_the_run_tells(place: Place) -> None:
    row = place.fill({
        "logs": [run("a", "1")],
        "log_details": [detail("a", "org-1", *MID)],
        "cost_items": [item("a", "other", "other", "1")],
    }).dicts(ALL)[0]  # fmt: skip
    assert (row["BillingAccountId"], row["BillingAccountType"], row["x_billing_source"]) == (
        "org-1", "Organization", "run",
    )  # fmt: skip
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (utc("2026-11-17 09:30"), utc("2026-12-17 09:30"))


def test_a_run_that_tells_no_account_has_that_of_its_workspace_and_day_where_all_agree(place: Place) -> None:
    place.fill({
        "logs": [
            run("told", "1"),
            run("same", "1", started_at=at("2026-11-30 00:00")),
            run("next", "1", started_at=at("2026-12-01 00:00")),
            run("elsewhere", "1", workspace_id="ws2"),
        ],
        "log_details": [detail("told", "u-1", *MID, kind="user"), {"id": "same", "workspace_id": "ws"}],
        "cost_items": [item(name, "other", "other", "1") for name in ("told", "same", "next", "elsewhere")],
    })  # fmt: skip
    rows = by_log(place)
    found = {
        name: (row["x_billing_source"], row["BillingAccountType"], row["BillingAccountId"], row["BillingPeriodEnd"])
        for name, row in rows.items()
    }
    assert found == {
        "told": ("run", "User", "u-1", utc("2026-12-17 09:30")),
        "same": ("day", "User", "u-1", utc("2026-12-17 09:30")),
        "next": ("none", "Workspace", "ws", utc("2027-01-01")),
        "elsewhere": ("none", "Workspace", "ws2", utc("2026-12-01")),
    }


def test_a_day_whose_runs_disagree_or_whose_period_begins_later_says_nothing_of_others(place: Place) -> None:
    place.fill({
        "logs": [
            run("a", "1"),
            run("b", "1"),
            run("c", "1"),
            run("d", "1", started_at=at("2026-11-17 12:00")),
            run("e", "1", started_at=at("2026-11-17 09:00")),
        ],
        "log_details": [detail("a", "org-1", *MID), detail("b", "org-2", *MID), detail("d", "org-1", *MID)],
        "cost_items": [item(name, "other", "other", "1") for name in "abcde"],
    })  # fmt: skip
    rows = by_log(place)
    assert {name: row["x_billing_source"] for name, row in rows.items()} == {
        "a": "run", "b": "run", "c": "none", "d": "run", "e": "none",
    }  # fmt: skip
    assert (rows["e"]["BillingPeriodStart"], rows["e"]["BillingPeriodEnd"]) == (utc("2026-11-01"), utc("2026-12-01"))


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("1970-01-01T00:00:00.000Z", "9999-12-31T00:00:00.000Z"),
        ("soon", "2026-12-01T00:00:00.000Z"),
        ("2026-12-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"),
    ],
    ids=["Sim's way to say none", "no moments", "the wrong way round"],
)
def test_where_sim_tells_no_billing_period_the_calendar_month_stands_in(place: Place, since: str, until: str) -> None:
    row = place.fill({
        "logs": [run("a", "1")],
        "log_details": [detail("a", "org-1", since, until)],
        "cost_items": [item("a", "other", "other", "1")],
    }).dicts(ALL)[0]  # fmt: skip
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (utc("2026-11-01"), utc("2026-12-01"))
    assert (row["BillingAccountId"], row["x_billing_source"]) == ("org-1", "run")


def test_columns_bear_the_names_of_focus_in_order_and_all_mandatory_ones_are_there(place: Place) -> None:
    assert broken_by_names(NAMES) == set()
    assert tuple(place.fill(split_run()).dicts(ALL)[0]) == NAMES
    quoted = '"BilledCost"'  # PostgreSQL folds names that are not
    assert place.ask(f"SELECT sum({quoted}) FROM sim.focus_cost_and_usage") == [(usd("0.285000000001"),)]


def test_rows_break_only_rules_that_ask_for_what_sim_does_not_tell(place: Place) -> None:
    model, other, tool = place.fill(split_run()).dicts(ALL)
    assert broken(model) == NO_NAME_OF_WORKSPACE
    assert broken(other) == broken(tool) == NO_NAME_OF_WORKSPACE | NO_QUANTITY | NO_SKU


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08", "documents"])
def test_what_an_api_tells_becomes_charges_that_add_up_and_keep_the_rules(place: Place, dialect: str) -> None:
    with serve(one_of_every_kind(), dialect) as server:
        for _ in range(2):  # details come after logs
            place.pipeline.run(sim_source(workspace_id=WORKSPACE, api_key=OWNER_KEY, base_url=server.base_url))
    keep_views.ensure_views(place.pipeline)
    rows = place.dicts(ALL)
    allowed = {
        "model": NO_NAME_OF_WORKSPACE,
        "tool": NO_NAME_OF_WORKSPACE | NO_QUANTITY | NO_SKU,
        "other": NO_NAME_OF_WORKSPACE | NO_QUANTITY | NO_SKU,
        "unknown": NO_NAME_OF_WORKSPACE | NO_QUANTITY | NO_SKU,
    }
    assert {(row["x_kind"], name) for row in rows for name in broken(row) - allowed[row["x_kind"]]} == set()
    assert broken_together(rows) == set()
    assert {"model", "tool", "other"} <= {row["x_kind"] for row in rows}
    assert [(len(rows), sum(row["BilledCost"] for row in rows))] == place.ask(
        "SELECT (SELECT count(*) FROM sim.cost_items), sum(cost_total) FROM sim.logs"
    )
    assert Counter(row["x_billing_source"] for row in rows)["run"] > 0 or dialect != "2026-08"
