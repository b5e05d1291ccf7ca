"""A database of a million runs, made by DuckDB itself: syncing it would take minutes, and is measured elsewhere.

Tables and views are those that sim-sync makes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import duckdb

from pipelines.destination import keep_views
from sim_source import TABLES

DATASET = "sim"
DAYS, WORKFLOWS = 200, 20
END = "TIMESTAMPTZ '2026-11-25 12:00:00+00'"

_RUNS = f"""
INSERT INTO sim.logs BY NAME
SELECT
  'run-' || n AS id,
  'ws-' || (w % 2) AS workspace_id,
  'execution-' || n AS execution_id,
  'wf-' || w AS workflow_id,
  'version-' || w || '-' || (d // 25) AS deployment_version_id,
  CASE WHEN failed THEN 'error' ELSE 'info' END AS level,
  ['api', 'schedule', 'webhook', 'chat', 'manual'][1 + (hash(n, 'trigger') % 5)::INT] AS trigger,
  CASE WHEN failed THEN 'failed' ELSE 'completed' END AS status,
  started_at,
  started_at + to_milliseconds(duration) AS ended_at,
  duration AS total_duration_ms,
  CAST(0.005 + 0.000000000001 * (price * 2) AS DECIMAL(38, 12)) AS cost_total
FROM (
  SELECT
    n,
    (hash(n, 'workflow') % {WORKFLOWS})::BIGINT AS w,
    ({DAYS} * n // $runs)::BIGINT AS d,
    hash(n, 'failed') % 25 = 0 AS failed,
    (200 + hash(n, 'duration') % 20000)::BIGINT AS duration,
    {END} - to_seconds(({DAYS} * 86400.0 * ($runs - n)) / $runs) AS started_at,
    (100000000 + hash(n, 'price') % 10000000000)::BIGINT AS price
  FROM range($runs) AS r(n)
)
"""
_DETAILS = """
INSERT INTO sim.log_details BY NAME
SELECT id, workspace_id, 'list' AS detail_source, execution_id, workflow_id, 6 AS span_count, cost_total,
  2000 AS prompt_tokens, 400 AS completion_tokens, 2400 AS total_tokens,
  CASE WHEN hash(id) % 100 = 0 THEN
    '{"billingAttribution":{"billingPeriod":{"start":"2026-11-01T00:00:00.000Z","end":"2026-12-01T00:00:00.000Z"}}}'
  END AS execution_data
FROM sim.logs
"""
_ITEMS = """
INSERT INTO sim.cost_items BY NAME
SELECT id AS log_id, kind, name, workspace_id, workflow_id, execution_id, started_at,
  CASE WHEN kind = 'other' THEN 0.005 ELSE CAST((cost_total - 0.005) / 2 AS DECIMAL(38, 12)) END AS total_cost,
  CASE WHEN kind = 'model' THEN 1000 END AS prompt_tokens,
  CASE WHEN kind = 'model' THEN 200 END AS completion_tokens,
  CASE WHEN kind = 'model' THEN 1200 END AS total_tokens
FROM sim.logs, (VALUES ('model', 0), ('model', 1), ('other', 2)) AS k(kind, place),
  LATERAL (SELECT CASE WHEN kind = 'other' THEN 'other'
    ELSE ['gpt-4o', 'claude-sonnet-4-5', 'gpt-4o-mini', 'gemini-2.5-flash'][1 + (hash(id) % 3)::INT + place]
    END AS name)
"""
_SPANS = """
INSERT INTO sim.trace_spans BY NAME
SELECT id AS log_id, place AS span_index, workspace_id, CASE WHEN place > 0 THEN 0 END AS parent_index,
  CASE WHEN place > 0 THEN 1 ELSE 0 END AS depth, 'span-' || place AS span_id,
  CASE WHEN place IN (1, 2, 5) THEN 'block-' || place END AS block_id,
  ['Workflow', 'Start', 'Agent', 'gpt-4o', 'gpt-4o', 'Route'][place + 1] AS name,
  ['workflow', 'start_trigger', 'agent', 'model', 'model', 'function'][place + 1] AS type,
  CASE WHEN status = 'failed' AND place IN (0, 5) THEN 'error' ELSE 'success' END AS status,
  CASE WHEN place IN (2, 3, 4) THEN 'gpt-4o' END AS model, CASE WHEN place IN (3, 4) THEN 'openai' END AS provider,
  started_at, ended_at, total_duration_ms::DOUBLE AS duration_ms,
  CASE WHEN place IN (2, 3, 4) THEN 1000 END AS prompt_tokens,
  CASE WHEN place IN (2, 3, 4) THEN 200 END AS completion_tokens,
  CASE WHEN place IN (2, 3, 4) THEN 1200 END AS total_tokens,
  CASE WHEN status = 'failed' AND place = 5 THEN 'cannot read properties of undefined' END AS error_message
FROM sim.logs, range(6) AS r(place)
"""
_OTHERS = f"""
INSERT INTO sim.workflows BY NAME SELECT 'wf-' || n AS id, 'ws-' || (n % 2) AS workspace_id, 'Workflow ' || n AS name
FROM range({WORKFLOWS}) AS r(n);
INSERT INTO sim.usage BY NAME SELECT {END} AS observed_at, 'team' AS plan, 1900 AS current_period_cost,
  2500 AS usage_limit;
CHECKPOINT;
"""


def build(file: Path, runs: int) -> None:
    """Makes the database: three cost items and six spans for each run."""
    pipeline = dlt.pipeline(
        "answers",
        destination=dlt.destinations.duckdb(str(file)),
        dataset_name=DATASET,
        pipelines_dir=str(file.with_suffix(".dlt")),
    )
    tables: list[Any] = [dlt.resource([table.empty()], **table.hints()) for table in TABLES.values()]
    pipeline.run(tables)
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_RUNS, {"runs": runs})
        for statement in (_DETAILS, _ITEMS, _SPANS, _OTHERS):
            connection.execute(statement)
    keep_views.ensure_views(pipeline)
