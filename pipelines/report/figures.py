"""The figures of a report: cost of a period and of the previous one, by workflow and model, failures and forecast.

Queries the views only. Amounts are in USD, durations in ms, days in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sim_source.errors import ConfigurationError

from ..destination import questions
from ..destination.sql_text import one_of
from ..destination.target import Target
from ..views import all_views
from .bill import Bill, read_bill
from .days import Days

Rows = list[dict[str, Any]]
TOP = 8
"""Number of workflows, models and blocks that are shown."""


_ENDED = "CASE WHEN status IN ('completed', 'failed') THEN total_duration_ms END"

_NO_RUNS = {
    "runs": 0,
    "completed_runs": 0,
    "failed_runs": 0,
    "cost": Decimal(0),
    "wasted_cost": Decimal(0),
    "tokens": 0,
    "p50_ms": None,
    "p95_ms": None,
    "p99_ms": None,
}


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
        budget: The row of the view ``budget``, if there is one.
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
    budget: dict[str, Any] | None
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
        """Returns the JSON object for ``--json``: amounts as text, timestamps and days in ISO format."""
        return {
            "period": {"first_day": str(self.days.first), "last_day": str(self.days.last)},
            "period_before": {"first_day": str(self.days.before.first), "last_day": str(self.days.before.last)},
            "totals": _plain(self.totals),
            "totals_before": _plain(self.before),
            "by_day": [_plain(row) for row in self.by_day],
            "workflows": [_plain(row) for row in self.workflows],
            "models": [_plain(row) for row in self.models],
            "errors": [_plain(row) for row in self.errors],
            "budget": _plain(self.budget) if self.budget else None,
            "bill": _plain_bill(self.bill) if self.bill else None,
            "anomalies": [_plain(row) for row in self.anomalies],
            "freshness": _plain(self.freshness) | {"completeness": self.completeness},
        }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: questions.as_json_value(value) for name, value in row.items()}


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


def read_figures(
    target: Target, *, workspaces: Sequence[str] = (), since: datetime | None = None, now: datetime | None = None
) -> Report:
    """Reads the figures of a report.

    Args:
        target: The destination.
        workspaces: Workspaces to report; default: all. The budget always covers the whole account.
        since: Start of the period; default: start of the billing period, else of the month.
        now: End of the period.

    Raises:
        ConfigurationError: Nothing has been synced there yet, a view is missing, or the workspaces have no runs.
        TryLater: A sync is writing to the file.
    """
    missing = all_views().keys() - questions.stored_relations(target)
    if missing:
        raise ConfigurationError(f"{target} has no view {sorted(missing)[0]} yet; run sim-sync run to create it")
    asked = _Asked(target, workspaces)
    budget = asked.rows("SELECT * FROM sim.budget")
    days = _period(budget[0] if budget else None, since, now or datetime.now(UTC))
    totals, before = asked.totals(days)
    freshness = asked.freshness()
    if workspaces and freshness["newest_run"] is None:
        raise ConfigurationError(f"--workspace {', '.join(workspaces)}: {target} has no runs of it")
    return Report(
        days=days,
        totals=totals,
        before=before,
        by_day=asked.by_day(days),
        workflows=asked.workflows(days),
        models=asked.models(days),
        errors=asked.errors(days),
        budget=budget[0] if budget else None,
        bill=read_bill(asked.bill, by_workspace=bool(workspaces)),
        billing_off=not budget and bool(asked.rows("SELECT observed_at FROM sim.usage LIMIT 1")),
        anomalies=asked.anomalies(days),
        freshness=freshness,
    )


def _period(budget: dict[str, Any] | None, since: datetime | None, now: datetime) -> Days:
    """Returns the period from its start to today."""
    today = now.astimezone(UTC).date()
    if since is not None:
        return Days(min(since.astimezone(UTC).date(), today), today)
    if budget is not None and budget["period_source"] == "billing":
        start, end = budget["period_start"], budget["period_end"]
        if start <= now < end:
            return Days(start.astimezone(UTC).date(), today)
    return Days(today.replace(day=1), today)


class _Asked:
    """Queries the views of one destination."""

    def __init__(self, target: Target, workspaces: Sequence[str]) -> None:
        self._target = target
        self._where = f" AND {one_of('workspace_id', workspaces)}" if workspaces else ""

    def rows(self, sql: str) -> Rows:
        """Returns rows by column name; ``{where}`` in the query becomes the condition for the workspaces."""
        return questions.answer(self._target, sql.replace("{where}", self._where)).dicts

    def bill(self, sql: str) -> Rows:
        """Returns rows of a query of ``bill``."""
        return self.rows(sql.format(dataset="sim", where=f"TRUE{self._where}"))

    def totals(self, days: Days) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the totals of a period and of the previous one."""
        found = {
            row.pop("now"): row
            for row in self.rows(
                f"""
                SELECT {days.sql()} AS now, COUNT(*) AS runs,
                  COUNT(*) FILTER (WHERE status = 'completed') AS completed_runs,
                  COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
                  COALESCE(SUM(cost_total), 0) AS cost,
                  COALESCE(SUM(cost_total) FILTER (WHERE status IN ('failed', 'cancelled')), 0) AS wasted_cost,
                  CAST(COALESCE(SUM(total_tokens), 0) AS BIGINT) AS tokens,
                  QUANTILE_CONT({_ENDED}, 0.5) AS p50_ms,
                  QUANTILE_CONT({_ENDED}, 0.95) AS p95_ms,
                  QUANTILE_CONT({_ENDED}, 0.99) AS p99_ms
                FROM sim.runs WHERE ({days.sql()} OR {days.before.sql()}){{where}} GROUP BY {days.sql()}
                """
            )
        }
        return found.get(True, _NO_RUNS), found.get(False, _NO_RUNS)

    def by_day(self, days: Days) -> Rows:
        """Returns a row for each day, including days without runs."""
        found = {
            row["day"]: row
            for row in self.rows(
                f"""
                SELECT day, CAST(SUM(runs) AS BIGINT) AS runs, CAST(SUM(failed_runs) AS BIGINT) AS failed_runs,
                  SUM(total_cost) AS cost
                FROM sim.cost_by_day WHERE {days.sql()}{{where}} GROUP BY day
                """
            )
        }
        every = (days.first + timedelta(days=number) for number in range(days.count))
        nothing = {"runs": 0, "failed_runs": 0, "cost": Decimal(0)}
        return [found.get(day, {"day": day} | nothing) for day in every]

    def workflows(self, days: Days) -> Rows:
        """Returns the workflows with the highest cost."""
        return self.rows(
            f"""
            SELECT workspace_id, workflow_id, workflow_name,
              COUNT(*) FILTER (WHERE {days.sql()}) AS runs,
              COUNT(*) FILTER (WHERE {days.sql()} AND status = 'failed') AS failed_runs,
              COALESCE(SUM(cost_total) FILTER (WHERE {days.sql()}), 0) AS cost,
              COALESCE(SUM(cost_total) FILTER (WHERE {days.before.sql()}), 0) AS before,
              QUANTILE_CONT(CASE WHEN {days.sql()} THEN {_ENDED} END, 0.95) AS p95_ms
            FROM sim.runs WHERE ({days.sql()} OR {days.before.sql()}){{where}}
            GROUP BY workspace_id, workflow_id, workflow_name ORDER BY cost DESC, before DESC, workflow_name LIMIT {TOP}
            """
        )

    def models(self, days: Days) -> Rows:
        """Returns the models, tools and other items with the highest cost."""
        return self.rows(
            f"""
            SELECT kind, name,
              CAST(COALESCE(SUM(runs) FILTER (WHERE {days.sql()}), 0) AS BIGINT) AS runs,
              COALESCE(SUM(total_cost) FILTER (WHERE {days.sql()}), 0) AS cost,
              COALESCE(SUM(total_cost) FILTER (WHERE {days.before.sql()}), 0) AS before,
              CAST(COALESCE(SUM(total_tokens) FILTER (WHERE {days.sql()}), 0) AS BIGINT) AS tokens
            FROM sim.cost_by_model WHERE ({days.sql()} OR {days.before.sql()}){{where}}
            GROUP BY kind, name ORDER BY cost DESC, before DESC, name LIMIT {TOP}
            """
        )

    def errors(self, days: Days) -> Rows:
        """Returns the blocks with the most errors."""
        return self.rows(
            f"""
            SELECT workflow_name, block_name, block_type, CAST(SUM(errors) AS BIGINT) AS errors,
              CAST(SUM(runs) AS BIGINT) AS runs, MAX(last_error_at) AS last_error_at,
              MIN(error_message) AS error_message
            FROM sim.errors_by_block WHERE {days.sql()}{{where}}
            GROUP BY workflow_name, block_name, block_type ORDER BY errors DESC, workflow_name, block_name LIMIT {TOP}
            """
        )

    def anomalies(self, days: Days) -> Rows:
        """Returns days that cost much more or less than usual for their weekday."""
        return self.rows(
            f"""
            SELECT * FROM sim.cost_anomalies WHERE {days.sql()}{{where}}
            ORDER BY ABS(difference) DESC, day, workflow_id LIMIT {TOP}
            """
        )

    def freshness(self) -> dict[str, Any]:
        """Returns how new and how complete the data is."""
        (row,) = self.rows(
            """
            SELECT
              (SELECT MAX(inserted_at) FROM sim._dlt_loads WHERE status = 0) AS last_load,
              MIN(day) AS first_day,
              MAX(started_at) AS newest_run,
              COUNT(*) FILTER (WHERE cost_total > 0) AS runs_with_cost,
              COUNT(*) FILTER (
                WHERE cost_total > 0 AND unknown_cost IS NULL
                AND COALESCE(models_cost, tools_cost, other_cost) IS NOT NULL
              ) AS runs_split,
              COUNT(*) FILTER (WHERE status IN ('running', 'paused')) AS open_runs,
              (SELECT COUNT(*) FROM sim.cost_reconciliation WHERE NOT reconciled{where}) AS unreconciled
            FROM sim.runs WHERE TRUE{where}
            """
        )
        return row
