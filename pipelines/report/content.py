"""The content of a report, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..destination.questions import as_json_value
from .bill import Bill
from .days import Days

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report.

    Attributes:
        days: The period.
        totals: Totals of the period: runs, completed_runs, failed_runs, cost, wasted_cost, tokens, p50_ms, p95_ms,
            p99_ms.
        before: The same for the previous period.
        by_day: day, runs, failed_runs, cost; one row for each day of the period.
        workflows: workflow_name, runs, failed_runs, cost, before (cost in the previous period), p95_ms.
        models: kind, name, runs, cost, before, tokens.
        errors: workflow_name, block_name, block_type, errors, runs, error_message.
        budgets: The rows of the view ``budget``, by account.
        periods_differ: Whether the calendar month was chosen since the accounts have different billing periods.
        bill: The bill of the latest billing period; None without v2.
        billing_off: Whether usage was read but there is no budget: billing is off on the server.
        anomalies: Rows of the view ``cost_anomalies`` in the period, the largest first.
        freshness: last_load, first_day (of the stored runs), newest_run, runs_with_cost, runs_split, open_runs,
            unreconciled.
    """

    days: Days
    totals: dict[str, Any]
    before: dict[str, Any]
    by_day: Rows
    workflows: Rows
    models: Rows
    errors: Rows
    budgets: Rows
    periods_differ: bool
    bill: Bill | None
    billing_off: bool
    anomalies: Rows
    freshness: dict[str, Any]

    @property
    def completeness(self) -> float | None:
        """Share of all stored runs with a cost whose cost by model is known; None if no run has a cost."""
        costly = self.freshness["runs_with_cost"]
        return self.freshness["runs_split"] / costly if costly else None

    @property
    def compared(self) -> bool:
        """Whether the previous period has runs to compare with."""
        return bool(self.before["runs"])

    def as_json(self) -> dict[str, Any]:
        """Returns the JSON object for ``--json``: amounts as text, timestamps and days in ISO format.

        ``budget`` is null if there are several accounts; ``budgets`` has all of them.
        """
        return {
            "period": {
                "first_day": str(self.days.first),
                "last_day": str(self.days.last),
                "billing_periods_differ": self.periods_differ,
            },
            "period_before": {"first_day": str(self.days.before.first), "last_day": str(self.days.before.last)},
            "totals": _plain(self.totals),
            "totals_before": _plain(self.before),
            "by_day": [_plain(row) for row in self.by_day],
            "workflows": [_plain(row) for row in self.workflows],
            "models": [_plain(row) for row in self.models],
            "errors": [_plain(row) for row in self.errors],
            "budget": _plain(self.budgets[0]) if len(self.budgets) == 1 else None,
            "budgets": [_plain(row) for row in self.budgets],
            "bill": _plain_bill(self.bill) if self.bill else None,
            "anomalies": [_plain(row) for row in self.anomalies],
            "freshness": _plain(self.freshness) | {"completeness": self.completeness},
        }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: as_json_value(value) for name, value in row.items()}


def _plain_bill(bill: Bill) -> dict[str, Any]:
    told = {
        "period_start": bill.period_start,
        "period_end": bill.period_end,
        "events": bill.events,
        "credits": bill.credits,
        "cost": bill.total("cost"),
        "explained_by_runs": bill.total("explained"),
        "unexplained": bill.total("unexplained"),
        "uncertainty": bill.uncertainty,
        "adds_up": bill.adds_up,
    }
    return _plain(told) | {"sources": [_plain(row) for row in bill.rows]}
