"""The report of two accounts: in the terminal, as JSON and as a page."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dlt

from pipelines.destination.questions import ask
from pipelines.destination.target import Target
from pipelines.report import figures, page
from pipelines.report.days import Days
from tests.helpers.app import App
from tests.helpers.browser import Browser
from tests.helpers.report_account import assert_same
from tests.helpers.tables import Place, Row, at, usd
from tests.report.test_report import NOVEMBER, NOW, charged, drawn, event, report_text

OCTOBER_20 = ("2026-10-20", "2026-11-20")


def payer(account: str, workspace: str, limit: int | None, *period: str) -> Row:
    """The billing status of a workspace; 1,200 credits are used."""
    start, end = (at(day) for day in period)
    told = {"account": account, "workspace_id": workspace, "observed_at": at("2026-11-10"), "plan": "team"}
    return {**told, "credits_used": 1_200, "credits_limit": limit, "period_start": start, "period_end": end}


def usage(account: str, observed: str, spend: str, limit: str) -> Row:
    """A reading of usage."""
    told = {"observed_at": at(observed), "account": account, "plan": "pro"}
    return {**told, "current_period_cost": usd(spend), "usage_limit": usd(limit)}


def two_accounts(*payers: Row) -> dict[str, list[Row]]:
    """Acme has the workspace ``ws``, Beta ``other``; Beta was read two days before."""
    readings = [usage("acme", "2026-11-10", "6", "100"), usage("beta", "2026-11-08", "5", "4")]
    return charged() | {"usage": readings, "billing_status": list(payers)}


def test_each_budget_is_printed_under_the_name_of_its_account(place: Place, target: Target) -> None:
    place.fill(two_accounts(payer("acme", "ws", 20_000, *OCTOBER_20)))
    text = drawn(target)
    acme, beta = text.index("Budget of acme (team)"), text.index("Budget of beta (pro)")
    assert "$6.00 of $100.00 (6.0 %)" in text[acme:beta]
    assert "billing period 2026-10-20 to 2026-11-20" in text[acme:beta]
    assert "not been read since" not in text[acme:beta]
    assert "as of 2026-11-08; this account has not been read since" in text[beta:]
    assert "$5.00 of $4.00 (125.0 %)" in text[beta:]
    assert "(assumed; Sim reports none)" in text[beta:]
    assert "the limit is reached in 0 days, on 2026-11-08" in text[beta:]
    assert max(map(len, text.splitlines())) <= 80


def test_a_forecast_without_a_range_is_printed_without_one(place: Place, target: Target) -> None:
    place.fill(two_accounts())
    assert "$0.7143 a day; forecast $21.43\n" in drawn(target).replace(" \n", "\n")


def test_json_has_a_list_of_budgets(app: App, place: Place, target: Target) -> None:
    place.fill(two_accounts(payer("acme", "ws", 20_000, *OCTOBER_20)))
    where = ["--dataset", target.dataset]
    where += ["--database", str(target.database)] if target.database else ["--destination", target.destination]
    told = app("report", "--since", "2026-10-01", "--json", *where).json
    assert told["budget"] is None
    assert [(each["account"], each["usage_limit"]) for each in told["budgets"]] == [
        ("acme", "100.000000000000"), ("beta", "4.000000000000"),
    ]  # fmt: skip
    assert told["period"]["billing_periods_differ"] is False  # since was given


def test_the_period_is_the_billing_period_if_all_accounts_have_the_same(place: Place, target: Target) -> None:
    place.fill(two_accounts(payer("acme", "ws", None, *OCTOBER_20), payer("beta", "other", None, *OCTOBER_20)))
    place.fill({"usage": [usage("beta", "2026-11-09 12:00", "5", "4")]}, ("usage",))
    found = figures.read_figures(target, now=NOW)
    assert (found.days, found.periods_differ) == (Days(date(2026, 10, 20), date(2026, 11, 10)), False)
    assert "different billing periods" not in report_text(found)


def test_the_period_is_the_calendar_month_if_billing_periods_differ(place: Place, target: Target) -> None:
    place.fill(two_accounts(payer("acme", "ws", 20_000, *OCTOBER_20)))
    found = figures.read_figures(target, now=NOW)
    assert (found.days, found.periods_differ) == (NOVEMBER, True)
    assert "The accounts have different billing periods, so this is the calendar month" in report_text(found)
    assert found.as_json()["period"]["billing_periods_differ"] is True


def test_the_bill_of_two_accounts_is_as_exact_as_their_pages(place: Place, target: Target) -> None:
    events = [event(f"{number:03}", "2026-11-02", "workflow", 1) for number in range(250)]
    november = ("2026-11-01", "2026-12-01")
    payers = [payer("acme", "ws", None, *november), payer("beta", "other", None, *november)]
    place.fill(two_accounts(*payers) | {"billing_logs": events})
    found = figures.read_figures(target, now=NOW).bill
    assert found is not None
    assert found.uncertainty == usd("0.02")  # at most four pages, and two credits


def test_the_page_shows_the_budget_of_each_account(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "tables.duckdb"
    Place(dlt.destinations.duckdb(str(file)), tmp_path / "dlt").fill(
        two_accounts(payer("acme", "ws", 20_000, *OCTOBER_20))
    )
    target = Target(database=file)
    page.write_page(target, tmp_path / "report.html", now=NOW)
    found = browser.open(tmp_path / "report.html", "#from=2026-10-01&to=2026-11-10").figures()
    acme, beta = found["budget"], found["budget-2"]
    for name in ("budget", "budget-2"):
        assert_same(name, found[name][1], ask(target, found[name][0]).rows)
    assert "workspace_id IN ('ws')" in acme[0]
    assert [row[0] for row in acme[1]] == ["2026-10-20", "2026-11-01", "2026-11-10"]  # none of the other workspace
    assert beta[1] == []
    assert "Budget of acme" in browser.text("#budget")
    assert "6 % of the limit of $100.00" in browser.text("#budget")
    assert "Budget of beta" in browser.text("#budget-2")
    assert "the limit is exceeded" in browser.text("#budget-2")
    assert "The runs of this account are not known" in browser.text("#budget-2")
    assert "not known" not in browser.text("#budget")
    cards = browser.script("return [...document.querySelectorAll('.card')].map((card) => card.innerText)")
    assert [text for text in cards if "1 of 2" in text and "most used: beta, 125 % of its limit" in text]
    assert browser.complaints() == []
