"""Prints the report in the terminal: up to 80 columns wide, in colour on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from .figures import Report
from .phrases import (
    BLOCKS,
    NONE,
    PLAIN_BLOCKS,
    change,
    dollars,
    duration,
    gathered,
    many,
    percent,
    share_bar,
    sparkline,
)

NARROW = 72
"""Terminal width below which less important table columns are omitted."""
_TOTALS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("spend", "cost", dollars),
    ("runs", "runs", many),
    ("lost in failures", "wasted_cost", dollars),
    ("tokens", "tokens", many),
    ("median run", "p50_ms", duration),
    ("95 % of runs", "p95_ms", duration),
    ("99 % of runs", "p99_ms", duration),
)

Cells = tuple[str, ...]
Column = tuple[str, bool, bool]
"""Header, whether it is right-aligned, whether it is omitted on narrow terminals."""


def print_report(report: Report, out: Console) -> None:
    """Prints the report."""
    _Page(report, out).show()


class _Page:
    """A report and the console that it is printed to."""

    def __init__(self, report: Report, out: Console) -> None:
        self._report = report
        self._out = out
        self._narrow = out.width < NARROW
        plain = out.options.ascii_only
        self._blocks, self._full, self._rest = (PLAIN_BLOCKS, "#", ".") if plain else (BLOCKS, "█", "░")

    def show(self) -> None:
        """Prints all sections that are not empty."""
        self._head()
        self._totals()
        self._budget()
        self._bill()
        self._workflows()
        self._models()
        self._errors()
        self._anomalies()
        self._data()

    def _head(self) -> None:
        days, first = self._report.days, self._report.freshness["first_day"]
        against = f", compared with {days.before.first} to {days.before.last}" if self._report.compared else ""
        self._out.print(f"[bold]{days.first} to {days.last}[/]{against}")
        if first is not None and first > days.before.first:
            self._line(f"The stored runs start on {first}, so the previous period is incomplete")
        self._out.print()

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
        self._table(columns[:compared], rows)
        costs = gathered([row["cost"] for row in self._report.by_day], self._out.width - 12)
        self._line(f"by day  {sparkline(costs, self._blocks)}")
        self._out.print()

    def _budget(self) -> None:
        budget = self._report.budget
        if budget is None:
            if self._report.billing_off:
                self._line("Billing is off on this server, so there is no budget")
                self._out.print()
            return
        self._title(f"Budget of the account ({budget['plan'] or 'plan unknown'})")
        spend, limit = budget["spend"], budget["usage_limit"]
        if limit:
            shown = share_bar(float(budget["spend_share"]), 24, self._full, self._rest)
            self._line(f"{shown} {dollars(spend)} of {dollars(limit)} ({percent(spend, limit)})")
        else:
            self._line(f"{dollars(spend)} spent; no limit is set")
        self._line(_period_of(budget))
        if budget["forecast"] is not None:
            span = f"{dollars(budget['forecast_low'])} to {dollars(budget['forecast_high'])}"
            self._line(f"{dollars(budget['burn_per_day'])} a day; forecast {dollars(budget['forecast'])} ({span})")
        elif budget["burn_per_day"] is not None:
            self._line(f"{dollars(budget['burn_per_day'])} a day")
        if limit and budget["limit_at"] is not None:
            warn = "[bold red]" if budget["over_limit"] else "[dim]"
            when = f"the limit is reached in {budget['days_until_limit']:.0f} days, on {budget['limit_at']:%Y-%m-%d}"
            self._markup(f"{warn}{when}[/]")
        self._out.print()

    def _bill(self) -> None:
        bill = self._report.bill
        if bill is None:
            return
        whole = float(bill.total("cost")) or 1.0
        self._titled(
            "Bill",
            [("", False, False), ("cost", True, False), ("", False, True), ("events", True, False),
             ("of runs", True, False), ("not of runs", True, True)],
            [
                (
                    row["source"] or "(no source)",
                    dollars(row["cost"]),
                    share_bar(float(row["cost"]) / whole, 10, self._full),
                    many(row["events"]),
                    dollars(row["explained"]) if row["explained"] else "",
                    dollars(row["cost"]) if not row["explained"] else "",
                )
                for row in bill.rows
            ],
        )  # fmt: skip
        period = f"{bill.period_start:%Y-%m-%d} to {bill.period_end:%Y-%m-%d}"
        self._line(f"{period}: {dollars(bill.total('cost'))} for {bill.events:,} events")
        self._line(f"may be off by {dollars(bill.uncertainty)}, since Sim rounds credits over 100 events")
        if bill.twice:
            self._line(f"{dollars(bill.twice)} of Sim-agent blocks is also part of the cost of their runs")
        if bill.adds_up:
            self._line(f"the bill adds up to the ledger ({bill.credits:,} credits in this period)")
        else:
            self._markup("[bold red]the bill does not add up to the ledger[/]; run sim-sync check --data")
        self._out.print()

    def _workflows(self) -> None:
        rows = self._report.workflows
        whole = float(self._report.totals["cost"]) or 1.0
        self._titled(
            "Workflows",
            [("", False, False), ("cost", True, False), ("", False, True), ("change", True, False),
             ("runs", True, False), ("failed", True, False), ("95 %", True, True)],
            [
                (
                    _name(row["workflow_name"]),
                    dollars(row["cost"]),
                    share_bar(float(row["cost"]) / whole, 10, self._full),
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
        self._titled(
            "Models, tools and the rest",
            [("", False, False), ("cost", True, False), ("", False, True), ("change", True, False),
             ("runs", True, False), ("tokens", True, True)],
            [
                (
                    _item(row["kind"], row["name"]),
                    dollars(row["cost"]),
                    share_bar(float(row["cost"]) / whole, 10, self._full),
                    change(row["cost"], row["before"]),
                    many(row["runs"]),
                    many(row["tokens"]) if row["tokens"] else "",
                )
                for row in self._report.models
            ],
        )  # fmt: skip

    def _errors(self) -> None:
        self._titled(
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
        self._title("Unusual days")
        for row in rows:
            more = "more" if row["difference"] > 0 else "less"
            name, difference = _name(row["workflow_name"]), dollars(abs(row["difference"]))
            told = f"{dollars(row['cost'])}, {difference} {more} than usual for that weekday; {_driver(row)}"
            self._line(f"{row['day']} {name}: {told}")
        self._out.print()

    def _data(self) -> None:
        facts = self._report.freshness
        self._title("Data")
        load = f"{facts['last_load']:%Y-%m-%d %H:%M}" if facts["last_load"] else NONE
        newest = f"{facts['newest_run']:%Y-%m-%d %H:%M}" if facts["newest_run"] else NONE
        self._line(f"last load {load} UTC, newest run {newest}; {facts['open_runs']:,} unfinished runs")
        if self._report.completeness is not None:
            self._line(f"cost by model is known for {100 * self._report.completeness:.0f} % of the runs with a cost")
        if facts["unreconciled"]:
            self._markup(
                f"[bold red]the cost items of {facts['unreconciled']:,} runs do not add up to their cost[/]; "
                "sim-sync check --data shows examples"
            )
        else:
            self._line("the cost items of every run add up to its cost")

    def _titled(self, title: str, columns: Sequence[Column], rows: Sequence[Cells]) -> None:
        if rows:
            self._table([(f"[bold]{title}[/]", False, False), *columns[1:]], rows)
            self._out.print()

    def _title(self, text: str) -> None:
        self._out.print(f"[bold]{escape(text)}[/]")

    def _line(self, text: str) -> None:
        self._markup(escape(text))

    def _markup(self, text: str) -> None:
        self._out.print(Padding(text, (0, 0, 0, 2), expand=False), soft_wrap=False)

    def _table(self, columns: Sequence[Column], rows: Iterable[Cells]) -> None:
        left_out = {"" if self._report.compared else "change"} - {""}
        kept = [
            index
            for index, (head, _, droppable) in enumerate(columns)
            if not (droppable and self._narrow) and head not in left_out
        ]
        headed = any(columns[index][0] for index in kept)
        shown = Table(box=None, show_header=headed, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
        for place, index in enumerate(kept):
            head, right, _ = columns[index]
            free = place in (0, len(kept) - 1) and not right
            shown.add_column(head, justify="right" if right else "left", no_wrap=not free, overflow="fold")
        for row in rows:
            first, *others = (escape(row[index]) for index in kept)
            shown.add_row(f"  {first}", *others)
        self._out.print(shown, soft_wrap=False)


def _period_of(budget: dict[str, Any]) -> str:
    if budget["period_source"] == "none":
        return "Sim reports no billing period; the spend covers all time"
    start, end = (f"{budget[name]:%Y-%m-%d}" for name in ("period_start", "period_end"))
    assumed = "" if budget["period_source"] == "billing" else " (assumed; Sim reports none)"
    return f"billing period {start} to {end}{assumed}"


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
