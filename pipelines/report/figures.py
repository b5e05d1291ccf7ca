"""The figures of a report: what was spent in a period and in the one before, on what, what failed, what comes.

Asks the views only. Amounts are USD, durations ms, days UTC.
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
from .days import Days

Rows = list[dict[str, Any]]
TOP = 8
"""Workflows, models and blocks that are shown."""


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
    """Everything a report shows.

    Attributes:
        days: The period.
        totals: runs, completed, failed, cost, wasted_cost, tokens, p50_ms, p95_ms, p99_ms; of the period.
        before: The same of the period before.
        by_day: day, runs, failed_runs, cost; one for each day of the period.
        workflows: workflow_name, runs, failed_runs, cost, before (cost in the period before), p95_ms.
        models: kind, name, runs, cost, before, tokens.
        errors: workflow_name, block_name, block_type, errors, runs, error_message.
        budget: The row of the view, if there is one.
        billing_off: Sim says of the account's spend what it says where nothing is billed.
        anomalies: Rows of the view in the period, the largest first.
        freshness: last_load, first_day (of the runs there are), newest_run, runs_with_cost, runs_split, open_runs,
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
    billing_off: bool
    anomalies: Rows
    freshness: dict[str, Any]

    @property
    def completeness(self) -> float | None:
        """Share of the runs with a cost whose split by model is read, of all there are; None without any."""
        costly = self.freshness["runs_with_cost"]
        return self.freshness["runs_split"] / costly if costly else None

    @property
    def compared(self) -> bool:
        """Whether there is something of the period before to compare with."""
        return bool(self.before["runs"])

    def as_json(self) -> dict[str, Any]:
        """The same, for ``--json``: amounts as text, moments and days in ISO."""
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
            "anomalies": [_plain(row) for row in self.anomalies],
            "freshness": _plain(self.freshness) | {"completeness": self.completeness},
        }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: questions.as_json_value(value) for name, value in row.items()}


def read_figures(
    target: Target, *, workspaces: Sequence[str] = (), since: datetime | None = None, now: datetime | None = None
) -> Report:
    """Asks for all of it.

    Args:
        target: Where the rows are.
        workspaces: Workspaces that count; all if none is named. The budget is that of the account.
        since: Begin of the period; that of the billing period, or of the month, if not given.
        now: End of the period.

    Raises:
        ConfigurationError: Nothing was synced there yet, or by a sim-sync that made no views, or nothing of the
            workspaces.
        TryLater: A sync holds the file.
    """
    missing = all_views().keys() - questions.stored_relations(target)
    if missing:
        raise ConfigurationError(f"{target} has no view {sorted(missing)[0]} yet; sim-sync run makes it")
    asked = _Asked(target, workspaces)
    budget = asked.rows("SELECT * FROM sim.budget")
    days = _period(budget[0] if budget else None, since, now or datetime.now(UTC))
    totals, before = asked.totals(days)
    freshness = asked.freshness()
    if workspaces and freshness["newest_run"] is None:
        raise ConfigurationError(f"--workspace {', '.join(workspaces)}: {target} has no run of it")
    return Report(
        days=days,
        totals=totals,
        before=before,
        by_day=asked.by_day(days),
        workflows=asked.workflows(days),
        models=asked.models(days),
        errors=asked.errors(days),
        budget=budget[0] if budget else None,
        billing_off=not budget and bool(asked.rows("SELECT observed_at FROM sim.usage LIMIT 1")),
        anomalies=asked.anomalies(days),
        freshness=freshness,
    )


def _period(budget: dict[str, Any] | None, since: datetime | None, now: datetime) -> Days:
    """From its begin to today."""
    today = now.astimezone(UTC).date()
    if since is not None:
        return Days(min(since.astimezone(UTC).date(), today), today)
    if budget is not None and budget["period_source"] == "billing":
        start, end = budget["period_start"], budget["period_end"]
        if start <= now < end:
            return Days(start.astimezone(UTC).date(), today)
    return Days(today.replace(day=1), today)


class _Asked:
    """Questions to the views of one destination."""

    def __init__(self, target: Target, workspaces: Sequence[str]) -> None:
        self._target = target
        self._where = f" AND {one_of('workspace_id', workspaces)}" if workspaces else ""

    def rows(self, sql: str) -> Rows:
        """Rows by name of column; ``{where}`` narrows to the workspaces."""
        return questions.answer(self._target, sql.replace("{where}", self._where)).dicts

    def totals(self, days: Days) -> tuple[dict[str, Any], dict[str, Any]]:
        """All runs of some days, and of those before."""
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
        """Each day, also one without a run."""
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
        """Those that cost most."""
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
        """Models, tools and the rest that cost most."""
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
        """Blocks that fail most."""
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
        """Days that cost much more or less than that weekday does."""
        return self.rows(
            f"""
            SELECT * FROM sim.cost_anomalies WHERE {days.sql()}{{where}}
            ORDER BY ABS(difference) DESC, day, workflow_id LIMIT {TOP}
            """
        )

    def freshness(self) -> dict[str, Any]:
        """How new and how complete the data is."""
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
