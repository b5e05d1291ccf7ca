"""An account whose report is known: by hand, with names that would be scripts if they could."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import duckdb

from pipelines.destination.target import Target
from tests.helpers.tables import Place, Row, at
from tests.views.test_views import item, run

EVIL = "</script><img src=x onerror=alert(1)>'; DROP TABLE runs; --"
NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


def account() -> dict[str, list[Row]]:
    """Two workspaces, names that would be scripts if they could, and amounts that floats would round."""
    evil = {"workflow_id": "evil", "workflow_name": EVIL, "workspace_id": "o'ne"}
    return {
        "logs": [
            run("a", "900719.925474099301", **evil),  # a hundred times what a float has to the last digit
            run("b", "0.000000000001", status="failed", total_duration_ms=3000, **evil),
            run(
                "c",
                "0.3",
                started_at=at("2026-11-05"),
                workspace_id="two",
                execution_id="execution-c",
                trigger="chat",
                total_duration_ms=250_000,
            ),
            run("d", "0.1", started_at=at("2026-11-05"), workspace_id="two", trigger=None, status="cancelled"),
            run("e", "0.2", started_at=at("2026-11-06"), workspace_id="two", workflow_id=None, workflow_name="Gone"),
            run("f", None, started_at=at("2026-11-09"), workspace_id="two", status="running", total_duration_ms=None),
            run("old", "5", started_at=at("2024-02-29"), workspace_id="two"),
        ],
        "cost_items": [
            item("a", "model", EVIL, "900719.920474099301", (90, 20)),
            item("a", "other", "other", "0.005"),
            item("b", "other", "other", "0.000000000001"),
            item("c", "model", "gpt-4o", "0.2", (1000, 500)),
            item("c", "tool", "Exa", "0.095"),
            item("c", "other", "other", "0.005"),
            item("d", "other", "other", "0.09"),  # does not add up
            item("e", "unknown", "unknown", "0.2"),
            item("old", "model", "gpt-4", "5", (7, 7)),
        ],
        "billing_logs": [
            event("1", "2026-10-31", "workflow", 3),
            event("2", "2026-11-05", "workflow", 60, execution_id="execution-c"),
            event("3", "2026-11-06", "sim-chat", 8, workspace_id="o'ne"),
            event("4", "2026-11-07", "mothership_block", 2),
            event("5", "2026-11-08", EVIL, 1),
        ],
    }


def event(id_: str, day: str, source: str, credits_: int, **more: Any) -> Row:
    """An event of the billing ledger."""
    cost = Decimal(credits_) * Decimal("0.005")
    told = {"id": id_, "workspace_id": "two", "created_at": at(day), "source": source}
    return {**told, "credits": credits_, "cost_usd": cost, **more}


BUDGET = """
CREATE OR REPLACE VIEW sim.budget AS SELECT 'default' AS account,
  TIMESTAMPTZ '2026-11-09 12:00:00+00' AS observed_at, 'team' AS plan,
  'billing' AS period_source, TIMESTAMPTZ '2026-11-01 00:00:00+00' AS period_start,
  TIMESTAMPTZ '2026-12-01 00:00:00+00' AS period_end, 40.5::DECIMAL(38, 12)
  AS spend, 100::DECIMAL(38, 12) AS usage_limit, 0.405 AS spend_share, 59.5::DECIMAL(38, 12) AS remaining,
  8.5 AS days_elapsed, 21.5 AS days_left, 4.5::DECIMAL(38, 12) AS burn_per_day, 4::DECIMAL(38, 12) AS burn_low,
  5::DECIMAL(38, 12) AS burn_high, 137.25::DECIMAL(38, 12) AS forecast, 120::DECIMAL(38, 12) AS forecast_low,
  150::DECIMAL(38, 12) AS forecast_high, 13.2 AS days_until_limit, TIMESTAMPTZ '2026-11-22 17:00:00+00' AS limit_at,
  true AS over_limit
"""
ANOMALIES = """
CREATE OR REPLACE VIEW sim.cost_anomalies AS SELECT day, workspace_id, workflow_id, workflow_name, trigger,
  total_cost AS cost, 0.1::DECIMAL(38, 12) AS expected_cost, total_cost - 0.1::DECIMAL(38, 12) AS difference, 7.5 AS
  score, runs, 1.0 AS expected_runs, 5.0 AS tokens_per_run, 5.0 AS expected_tokens_per_run, 'model' AS driver,
  'gpt-4o' AS model, 0.1::DECIMAL(38, 12) AS model_difference, 14 AS baseline_days FROM sim.cost_by_day WHERE runs > 0
"""


def fill(folder: Path) -> Target:
    """The account in DuckDB, with a budget and anomalies."""
    Place(dlt.destinations.duckdb(str(folder / "tables.duckdb")), folder / "dlt").fill(account())
    with duckdb.connect(str(folder / "tables.duckdb")) as connection:
        connection.execute(BUDGET)
        connection.execute(ANOMALIES)
    return Target(database=folder / "tables.duckdb")


def assert_same(name: str, rows: Any, answer: Any) -> None:
    """A table of the page against rows of an answer; where nothing tells the order of two, it may be any."""
    likes = [next((value for value in column if value is not None), "") for column in zip(*answer, strict=True)]
    wanted = [tuple(map(_said, map(_text, row), likes)) for row in answer]
    found = [tuple(map(_said, row, likes)) if likes else tuple(row) for row in rows]
    if name in ("workflows", "models"):
        cost = 5 if name == "workflows" else 2
        assert [row[cost] for row in found] == [row[cost] for row in wanted], name
        found, wanted = sorted(found), sorted(wanted)
    assert found == wanted, name


def _text(value: Any) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _said(text: str | None, like: Any) -> str:
    """A value as a text that tells it from all others: to the last digit, but for what SQL itself says in floats."""
    if text is None:
        return ""
    if isinstance(like, float):
        return f"{float(text):.12g}"
    return f"{Decimal(text).normalize():f}" if isinstance(like, Decimal | int) else text
