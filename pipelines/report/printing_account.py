"""Prints what concerns accounts: budgets and the bill."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .bill import Bill
from .content import Rows
from .phrases import dollars, many, percent, share_bar
from .sheet import Sheet

OUTDATED = timedelta(days=1)
"""A budget that was read so much earlier than that of another account is printed with its date."""


def print_budgets(sheet: Sheet, budgets: Rows) -> None:
    """Prints the budget of each account; under its name if there are several."""
    for budget in budgets:
        newest = max(each["observed_at"] for each in budgets)
        name = "the account" if len(budgets) == 1 else budget["account"]
        sheet.title(f"Budget of {name} ({budget['plan'] or 'plan unknown'})")
        if budget["observed_at"] < newest - OUTDATED:
            sheet.line(f"as of {budget['observed_at']:%Y-%m-%d}; this account has not been read since")
        _spend(sheet, budget)
        _outlook(sheet, budget)
        sheet.space()


def _spend(sheet: Sheet, budget: dict[str, Any]) -> None:
    spend, limit = budget["spend"], budget["usage_limit"]
    if limit:
        shown = share_bar(float(budget["spend_share"]), 24, sheet.full, sheet.rest)
        sheet.line(f"{shown} {dollars(spend)} of {dollars(limit)} ({percent(spend, limit)})")
    else:
        sheet.line(f"{dollars(spend)} spent; no limit is set")
    sheet.line(_period_of(budget))


def _outlook(sheet: Sheet, budget: dict[str, Any]) -> None:
    if budget["forecast"] is not None:
        span = f"{dollars(budget['forecast_low'])} to {dollars(budget['forecast_high'])}"
        told = f" ({span})" if budget["forecast_low"] is not None else ""
        sheet.line(f"{dollars(budget['burn_per_day'])} a day; forecast {dollars(budget['forecast'])}{told}")
    elif budget["burn_per_day"] is not None:
        sheet.line(f"{dollars(budget['burn_per_day'])} a day")
    if budget["usage_limit"] and budget["limit_at"] is not None:
        warn = "[bold red]" if budget["over_limit"] else "[dim]"
        when = f"the limit is reached in {budget['days_until_limit']:.0f} days, on {budget['limit_at']:%Y-%m-%d}"
        sheet.markup(f"{warn}{when}[/]")


def _period_of(budget: dict[str, Any]) -> str:
    if budget["period_source"] == "none":
        return "Sim reports no billing period; the spend covers all time"
    start, end = (f"{budget[name]:%Y-%m-%d}" for name in ("period_start", "period_end"))
    assumed = "" if budget["period_source"] == "billing" else " (assumed; Sim reports none)"
    return f"billing period {start} to {end}{assumed}"


def print_bill(sheet: Sheet, bill: Bill) -> None:
    """Prints the bill of the latest period."""
    whole = float(bill.total("cost")) or 1.0
    sheet.titled(
        "Bill",
        [("", False, False), ("cost", True, False), ("", False, True), ("events", True, False),
         ("of runs", True, False), ("not of runs", True, True)],
        [
            (
                row["source"] or "(no source)",
                dollars(row["cost"]),
                share_bar(float(row["cost"]) / whole, 10, sheet.full),
                many(row["events"]),
                dollars(row["explained"]) if row["explained"] else "",
                dollars(row["cost"]) if not row["explained"] else "",
            )
            for row in bill.rows
        ],
    )  # fmt: skip
    period = f"{bill.period_start:%Y-%m-%d} to {bill.period_end:%Y-%m-%d}"
    sheet.line(f"{period}: {dollars(bill.total('cost'))} for {bill.events:,} events")
    sheet.line(f"may be off by {dollars(bill.uncertainty)}, since Sim rounds credits over 100 events")
    if bill.twice:
        sheet.line(f"{dollars(bill.twice)} of Sim-agent blocks is also part of the cost of their runs")
    if bill.adds_up:
        sheet.line(f"the bill adds up to the ledger ({bill.credits:,} credits in this period)")
    else:
        sheet.markup("[bold red]the bill does not add up to the ledger[/]; run sim-sync check --data")
    sheet.space()
