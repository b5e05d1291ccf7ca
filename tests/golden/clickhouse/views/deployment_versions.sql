CREATE OR REPLACE VIEW `analytics`.`sim___deployment_versions` AS WITH "ended" AS (
  SELECT
    *,
    CASE WHEN "status" IN ('completed', 'failed') THEN "total_duration_ms" END AS "duration_ms"
  FROM "analytics"."sim___runs"
  WHERE
    NOT (
      "deployment_version_id" IS NULL
    )
), "placed" AS (
  SELECT
    *,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY "workspace_id", "workflow_id", "workflow_name", "deployment_version_id"
      ORDER BY "duration_ms"
    ) - 1 AS Nullable(Float64)) AS "place",
    CAST(COUNT("duration_ms") OVER (
      PARTITION BY "workspace_id", "workflow_id", "workflow_name", "deployment_version_id"
    ) - 1 AS Nullable(Float64)) AS "last_place"
  FROM "ended"
), "versions" AS (
  SELECT
    "workspace_id",
    "workflow_id",
    "workflow_name",
    "deployment_version_id",
    MIN("started_at") AS "first_run_at",
    MAX("started_at") AS "last_run_at",
    COUNT(*) AS "runs",
    COUNT(CASE WHEN "status" = 'completed' THEN 1 END) AS "completed_runs",
    COUNT(CASE WHEN "status" = 'failed' THEN 1 END) AS "failed_runs",
    COALESCE(SUM("cost_total"), 0) AS "total_cost",
    CAST(ROUND(
      (
        SUM("cost_total") / nullIf(COUNT(CASE WHEN "status" = 'completed' THEN 1 END), 0)
      ),
      12
    ) AS Nullable(Decimal(38, 12))) AS "cost_per_completed_run",
    CAST(COALESCE(SUM("total_tokens"), 0) AS Nullable(Float64)) / COUNT(*) AS "tokens_per_run",
    SUM("duration_ms" * GREATEST(1 - ABS("place" - 0.5 * "last_place"), 0)) AS "p50_ms"
  FROM "placed"
  GROUP BY
    "workspace_id",
    "workflow_id",
    "workflow_name",
    "deployment_version_id"
), "compared" AS (
  SELECT
    *,
    CAST("failed_runs" AS Nullable(Float64)) / "runs" AS "failed_share",
    lag("deployment_version_id") OVER (
      PARTITION BY "workspace_id", "workflow_id"
      ORDER BY "first_run_at", "deployment_version_id"
    ) AS "previous_deployment_version_id",
    lag(CAST("failed_runs" AS Nullable(Float64)) / "runs") OVER (
      PARTITION BY "workspace_id", "workflow_id"
      ORDER BY "first_run_at", "deployment_version_id"
    ) AS "previous_failed_share",
    lag("cost_per_completed_run") OVER (
      PARTITION BY "workspace_id", "workflow_id"
      ORDER BY "first_run_at", "deployment_version_id"
    ) AS "previous_cost_per_completed_run"
  FROM "versions"
)
SELECT
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "deployment_version_id",
  "first_run_at",
  "last_run_at",
  "runs",
  "completed_runs",
  "failed_runs",
  "failed_share",
  "total_cost",
  "cost_per_completed_run",
  "tokens_per_run",
  "p50_ms",
  "previous_deployment_version_id",
  "previous_failed_share",
  "previous_cost_per_completed_run",
  CAST("cost_per_completed_run" AS Nullable(Float64)) / nullIf(CAST("previous_cost_per_completed_run" AS Nullable(Float64)), 0) - 1 AS "cost_change"
FROM "compared"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Runs of a workflow before and after each deployment, one row per workflow and version, without drafts (sim-sync view 00000000)';
