"""The cost report of the demo: what it cost, which model and workflow spent it, what failed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .. import terminal
from ..query import Answer, ask
from ..settings import Target

TOTALS = """
SELECT count(*) AS runs, sum(cost_total) AS cost, count(*) FILTER (WHERE status = 'failed') AS failed,
       min(started_at)::DATE AS first_day, max(started_at)::DATE AS last_day
FROM {dataset}.logs
"""
BY_MODEL = """
SELECT CASE kind WHEN 'model' THEN name WHEN 'tool' THEN name || ' (tool)' ELSE kind END AS what,
       sum(total_cost) AS cost, round(100 * sum(total_cost) / sum(sum(total_cost)) OVER (), 1) AS percent,
       count(DISTINCT log_id) AS runs, sum(total_tokens)::BIGINT AS tokens
FROM {dataset}.cost_items GROUP BY ALL ORDER BY cost DESC
"""
BY_WORKFLOW = """
SELECT workflow_name AS workflow, count(*) AS runs, sum(cost_total) AS cost,
       round(100.0 * count(*) FILTER (WHERE status = 'failed') / count(*), 1) AS failed_percent,
       median(total_duration_ms)::BIGINT AS median_ms, quantile_cont(total_duration_ms, 0.95)::BIGINT AS p95_ms
FROM {dataset}.logs GROUP BY ALL ORDER BY cost DESC NULLS LAST
"""
BY_DAY = """
SELECT strftime(started_at AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, count(*) AS runs, sum(cost_total) AS cost
FROM {dataset}.logs GROUP BY ALL ORDER BY day DESC LIMIT 7
"""


def show_costs(target: Target) -> None:
    """Prints the report."""
    runs, cost, failed, first, last = _ask(target, TOTALS).rows[0]
    terminal.out.print(
        f"\n[bold]{runs:,} runs[/] from {first} to {last} cost [bold]{dollars(cost)}[/]; {failed:,} of them failed\n"
    )
    for title, sql in (("By model", BY_MODEL), ("By workflow", BY_WORKFLOW), ("Last seven days", BY_DAY)):
        answer = _ask(target, sql)
        rows = [[_shown(name, value) for name, value in zip(answer.columns, row, strict=True)] for row in answer.rows]
        terminal.table(answer.columns, rows, title)
        terminal.out.print()


def _ask(target: Target, sql: str) -> Answer:
    return ask(target, sql.format(dataset=target.dataset))


def _shown(column: str, value: Any) -> str | None:
    if value is None:
        return None
    if column == "cost":
        return dollars(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def dollars(value: Decimal | None) -> str:
    """An amount as a person reads it."""
    return "–" if value is None else f"${value:,.4f}"
