CREATE OR REPLACE VIEW "sim"."deployment_versions" AS WITH "ended" AS (
  SELECT
    *,
    CASE WHEN "status" IN ('completed', 'failed') THEN "total_duration_ms" END AS "duration_ms"
  FROM "sim"."runs"
  WHERE
    NOT "deployment_version_id" IS NULL
), "placed" AS (
  SELECT
    *,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY "workspace_id", "workflow_id", "workflow_name", "deployment_version_id"
      ORDER BY "duration_ms"
    ) - 1 AS DOUBLE PRECISION) AS "place",
    CAST(COUNT("duration_ms") OVER (
      PARTITION BY "workspace_id", "workflow_id", "workflow_name", "deployment_version_id"
    ) - 1 AS DOUBLE PRECISION) AS "last_place"
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
    CAST(CAST(SUM("cost_total") AS DOUBLE PRECISION) / NULLIF(COUNT(CASE WHEN "status" = 'completed' THEN 1 END), 0) AS DECIMAL(38, 12)) AS "cost_per_completed_run",
    CAST(COALESCE(SUM("total_tokens"), 0) AS DOUBLE PRECISION) / COUNT(*) AS "tokens_per_run",
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
    CAST("failed_runs" AS DOUBLE PRECISION) / "runs" AS "failed_share",
    LAG("deployment_version_id") OVER (
      PARTITION BY "workspace_id", "workflow_id"
      ORDER BY "first_run_at", "deployment_version_id"
    ) AS "previous_deployment_version_id",
    LAG(CAST("failed_runs" AS DOUBLE PRECISION) / "runs") OVER (
      PARTITION BY "workspace_id", "workflow_id"
      ORDER BY "first_run_at", "deployment_version_id"
    ) AS "previous_failed_share",
    LAG("cost_per_completed_run") OVER (
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
  CAST("cost_per_completed_run" AS DOUBLE PRECISION) / NULLIF(CAST("previous_cost_per_completed_run" AS DOUBLE PRECISION), 0) - 1 AS "cost_change"
FROM "compared";

COMMENT ON VIEW "sim"."deployment_versions" IS 'Runs of a workflow before and after each deployment; one row per workflow and version, without drafts (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."deployment_versions"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."deployment_versions"."workflow_id" IS 'Workflow';

COMMENT ON COLUMN "sim"."deployment_versions"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."deployment_versions"."deployment_version_id" IS 'Deployment version';

COMMENT ON COLUMN "sim"."deployment_versions"."first_run_at" IS 'Start of the first run with this version';

COMMENT ON COLUMN "sim"."deployment_versions"."last_run_at" IS 'Start of the last run with this version';

COMMENT ON COLUMN "sim"."deployment_versions"."runs" IS 'Number of runs with this version';

COMMENT ON COLUMN "sim"."deployment_versions"."completed_runs" IS 'Number of runs that completed';

COMMENT ON COLUMN "sim"."deployment_versions"."failed_runs" IS 'Number of runs that failed';

COMMENT ON COLUMN "sim"."deployment_versions"."failed_share" IS 'failed_runs divided by runs, from 0 to 1';

COMMENT ON COLUMN "sim"."deployment_versions"."total_cost" IS 'Cost of the runs in USD';

COMMENT ON COLUMN "sim"."deployment_versions"."cost_per_completed_run" IS 'Total cost, failures included, divided by the completed runs, in USD; null if none completed';

COMMENT ON COLUMN "sim"."deployment_versions"."tokens_per_run" IS 'Average tokens per run';

COMMENT ON COLUMN "sim"."deployment_versions"."p50_ms" IS 'Median duration of completed and failed runs, in ms';

COMMENT ON COLUMN "sim"."deployment_versions"."previous_deployment_version_id" IS 'Version that ran before this one; null for the first';

COMMENT ON COLUMN "sim"."deployment_versions"."previous_failed_share" IS 'failed_share of the previous version';

COMMENT ON COLUMN "sim"."deployment_versions"."previous_cost_per_completed_run" IS 'cost_per_completed_run of the previous version, in USD';

COMMENT ON COLUMN "sim"."deployment_versions"."cost_change" IS 'Relative change of cost_per_completed_run from the previous version: 0.25 means 25 % more';
