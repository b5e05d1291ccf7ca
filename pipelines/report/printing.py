"""Prints the report in the terminal: up to 80 columns wide, in colour on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console

from .content import Report
from .phrases import NONE, change, dollars, duration, gathered, many, percent, share_bar, sparkline
from .printing_account import print_bill, print_budgets
from .sheet import Cells, Sheet

_TOTALS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("spend", "cost", dollars),
    ("runs", "runs", many),
    ("lost in failures", "wasted_cost", dollars),
    ("tokens", "tokens", many),
    ("median run", "p50_ms", duration),
    ("95 % of runs", "p95_ms", duration),
    ("99 % of runs", "p99_ms", duration),
)


def print_report(report: Report, out: Console) -> None:
    """Prints the report."""
    _Page(report, out).show()


class _Page:
    """A report and the console that it is printed to."""

    def __init__(self, report: Report, out: Console) -> None:
        self._report = report
        self._sheet = Sheet(out, compared=report.compared)

    def show(self) -> None:
        """Prints all sections that are not empty."""
        self._head()
        self._totals()
        self._account()
        self._workflows()
        self._models()
        self._errors()
        self._anomalies()
        self._data()

    def _head(self) -> None:
        days, first = self._report.days, self._report.freshness["first_day"]
        against = f", compared with {days.before.first} to {days.before.last}" if self._report.compared else ""
        self._sheet.heading(f"[bold]{days.first} to {days.last}[/]{against}")
        if self._report.periods_differ:
            self._sheet.line("The accounts have different billing periods, so this is the calendar month; see --since")
        if first is not None and first > days.before.first:
            self._sheet.line(f"The stored runs start on {first}, so the previous period is incomplete")
        self._sheet.space()

    def _totals(self) -> None:
        now, before = self._report.totals, self._report.before

        def share(part: str, of: dict[str, Any]) -> str:
            return percent(of[part], of["runs"])

        rows: list[Cells] = [
            (label, shown(now[name]), change(now[name], before[name]), f"before: {shown(before[name])}")
            for label, name, shown in _TOTALS
        ]
        failed = ("failed", share("failed_runs", now), "", f"before: {share('failed_runs', before)}")
        rows.insert(2, failed)
        columns = [("", False, False), ("", True, False), ("", True, False), ("", False, True)]
        compared = len(columns) if self._report.compared else 2
        self._sheet.table(columns[:compared], rows)
        costs = gathered([row["cost"] for row in self._report.by_day], self._sheet.width - 12)
        self._sheet.line(f"by day  {sparkline(costs, self._sheet.blocks)}")
        self._sheet.space()

    def _account(self) -> None:
        if self._report.billing_off:
            self._sheet.line("Billing is off on this server, so there is no budget")
            self._sheet.space()
        print_budgets(self._sheet, self._report.budgets)
        if self._report.bill is not None:
            print_bill(self._sheet, self._report.bill)

    def _workflows(self) -> None:
        rows = self._report.workflows
        whole = float(self._report.totals["cost"]) or 1.0
        self._sheet.titled(
            "Workflows",
            [("", False, False), ("cost", True, False), ("", False, True), ("change", True, False),
             ("runs", True, False), ("failed", True, False), ("95 %", True, True)],
            [
                (
                    _name(row["workflow_name"]),
                    dollars(row["cost"]),
                    share_bar(float(row["cost"]) / whole, 10, self._sheet.full),
                    change(row["cost"], row["before"]),
                    many(row["runs"]),
                    percent(row["failed_runs"], row["runs"]),
                    duration(row["p95_ms"]),
                )
                for row in rows
            ],
        )  # fmt: skip

    def _models(self) -> None:
        whole = float(self._report.totals["cost"]) or 1.0
        self._sheet.titled(
            "Models, tools and the rest",
            [("", False, False), ("cost", True, False), ("", False, True), ("change", True, False),
             ("runs", True, False), ("tokens", True, True)],
            [
                (
                    _item(row["kind"], row["name"]),
                    dollars(row["cost"]),
                    share_bar(float(row["cost"]) / whole, 10, self._sheet.full),
                    change(row["cost"], row["before"]),
                    many(row["runs"]),
                    many(row["tokens"]) if row["tokens"] else "",
                )
                for row in self._report.models
            ],
        )  # fmt: skip

    def _errors(self) -> None:
        self._sheet.titled(
            "Failing blocks",
            [("", False, False), ("errors", True, False), ("runs", True, True), ("example", False, False)],
            [
                (
                    f"{_name(row['workflow_name'])}: {_name(row['block_name'])}",
                    many(row["errors"]),
                    many(row["runs"]),
                    " ".join((row["error_message"] or "").split())[:60],
                )
                for row in self._report.errors
            ],
        )

    def _anomalies(self) -> None:
        rows = self._report.anomalies
        if not rows:
            return
        self._sheet.title("Unusual days")
        for row in rows:
            more = "more" if row["difference"] > 0 else "less"
            name, difference = _name(row["workflow_name"]), dollars(abs(row["difference"]))
            told = f"{dollars(row['cost'])}, {difference} {more} than usual for that weekday; {_driver(row)}"
            self._sheet.line(f"{row['day']} {name}: {told}")
        self._sheet.space()

    def _data(self) -> None:
        facts = self._report.freshness
        self._sheet.title("Data")
        load = f"{facts['last_load']:%Y-%m-%d %H:%M}" if facts["last_load"] else NONE
        newest = f"{facts['newest_run']:%Y-%m-%d %H:%M}" if facts["newest_run"] else NONE
        self._sheet.line(f"last load {load} UTC, newest run {newest}; {facts['open_runs']:,} unfinished runs")
        if self._report.completeness is not None:
            self._sheet.line(
                f"cost by model is known for {100 * self._report.completeness:.0f} % of the runs with a cost"
            )
        if facts["unreconciled"]:
            self._sheet.markup(
                f"[bold red]the cost items of {facts['unreconciled']:,} runs do not add up to their cost[/]; "
                "sim-sync check --data shows examples"
            )
        else:
            self._sheet.line("the cost items of every run add up to its cost")


def _name(value: str | None) -> str:
    return value or "(no name)"


def _item(kind: str, name: str) -> str:
    words = {"tool": f"{name} (tool)", "other": "not itemised, base charge", "unknown": "split not known"}
    return words.get(kind, name)


def _driver(row: dict[str, Any]) -> str:
    """Returns what drove a day's cost."""
    found = {
        "runs": f"{many(row['runs'])} runs instead of {many(row['expected_runs'] or 0)}",
        "tokens per run": f"{many(row['tokens_per_run'] or 0)} tokens per run instead of "
        f"{many(row['expected_tokens_per_run'] or 0)}",
        "price": "token price",
    }
    told = found.get(row["driver"], row["driver"])
    return f"{told}, mostly {row['model']}" if row["model"] else told
