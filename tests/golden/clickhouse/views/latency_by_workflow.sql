CREATE OR REPLACE VIEW `analytics`.`sim___latency_by_workflow` AS WITH "placed" AS (
  SELECT
    "day",
    "workspace_id",
    "workflow_id",
    "workflow_name",
    "trigger",
    "total_duration_ms",
    CAST(ROW_NUMBER() OVER (
      PARTITION BY "day", "workspace_id", "workflow_id", "workflow_name", "trigger"
      ORDER BY "total_duration_ms"
    ) - 1 AS Nullable(Float64)) AS "place",
    CAST(COUNT(*) OVER (PARTITION BY "day", "workspace_id", "workflow_id", "workflow_name", "trigger") - 1 AS Nullable(Float64)) AS "last_place"
  FROM "analytics"."sim___runs"
  WHERE
    "status" IN ('completed', 'failed') AND NOT (
      "total_duration_ms" IS NULL
    )
)
SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  SUM("total_duration_ms" * GREATEST(1 - ABS("place" - 0.5 * "last_place"), 0)) AS "p50_ms",
  SUM("total_duration_ms" * GREATEST(1 - ABS("place" - 0.95 * "last_place"), 0)) AS "p95_ms",
  SUM("total_duration_ms" * GREATEST(1 - ABS("place" - 0.99 * "last_place"), 0)) AS "p99_ms",
  MAX("total_duration_ms") AS "max_ms"
FROM "placed"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Duration of completed and failed runs, one row per day, workflow and trigger (sim-sync view 00000000)';
