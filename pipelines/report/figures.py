"""The figures of a report: cost of a period and of the previous one, by workflow and model, failures and forecast.

Queries the views only. Amounts are in USD, durations in ms, days in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sim_source.errors import ConfigurationError

from ..destination import questions
from ..destination.sql_text import one_of
from ..destination.target import Target
from ..views import all_views
from .bill import read_bill
from .content import Report, Rows
from .days import Days

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


def read_figures(
    target: Target, *, workspaces: Sequence[str] = (), since: datetime | None = None, now: datetime | None = None
) -> Report:
    """Reads the figures of a report.

    Args:
        target: The destination.
        workspaces: Workspaces to report; default: all. Budgets always cover whole accounts.
        since: Start of the period; default: start of the billing period if it is the same for all accounts,
            else of the month.
        now: End of the period.

    Raises:
        ConfigurationError: Nothing has been synced there yet, a view is missing, or the workspaces have no runs.
        TryLater: A sync is writing to the file.
    """
    missing = all_views().keys() - questions.stored_relations(target)
    if missing:
        raise ConfigurationError(f"{target} has no view {sorted(missing)[0]} yet; run sim-sync run to create it")
    asked = _Asked(target, workspaces)
    budgets = asked.rows("SELECT * FROM sim.budget ORDER BY account")
    days, periods_differ = _period(budgets, since, now or datetime.now(UTC))
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
        budgets=budgets,
        periods_differ=periods_differ,
        bill=read_bill(asked.bill, by_workspace=bool(workspaces)),
        billing_off=not budgets and bool(asked.rows("SELECT observed_at FROM sim.usage LIMIT 1")),
        anomalies=asked.anomalies(days),
        freshness=freshness,
    )


def _period(budgets: Rows, since: datetime | None, now: datetime) -> tuple[Days, bool]:
    """Returns the period from its start to today, and whether accounts have different billing periods instead."""
    today = now.astimezone(UTC).date()
    if since is not None:
        return Days(min(since.astimezone(UTC).date(), today), today), False
    periods = {_billing_period(budget, now) for budget in budgets}
    (start, _), *others = periods or {(None, None)}
    if start is not None and not others:
        return Days(start.astimezone(UTC).date(), today), False
    return Days(today.replace(day=1), today), bool(others)


def _billing_period(budget: dict[str, Any], now: datetime) -> tuple[datetime | None, datetime | None]:
    """Returns the billing period; nothing if Sim reports none that ``now`` lies in."""
    if budget["period_source"] == "billing" and budget["period_start"] <= now < budget["period_end"]:
        return budget["period_start"], budget["period_end"]
    return None, None


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
