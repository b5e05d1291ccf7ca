CREATE OR REPLACE VIEW "sim"."cost_of_failures" AS SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  COUNT(CASE WHEN "status" = 'failed' THEN 1 END) AS "failed_runs",
  COUNT(CASE WHEN "status" = 'cancelled' THEN 1 END) AS "cancelled_runs",
  COALESCE(SUM(CASE WHEN "status" = 'failed' THEN "cost_total" END), 0) AS "failed_cost",
  COALESCE(SUM(CASE WHEN "status" = 'cancelled' THEN "cost_total" END), 0) AS "cancelled_cost",
  COALESCE(SUM(CASE WHEN "status" IN ('failed', 'cancelled') THEN "cost_total" END), 0) AS "wasted_cost",
  COALESCE(SUM("cost_total"), 0) AS "total_cost",
  CAST(COALESCE(SUM(CASE WHEN "status" IN ('failed', 'cancelled') THEN "cost_total" END), 0) AS DOUBLE PRECISION) / NULLIF(CAST(SUM("cost_total") AS DOUBLE PRECISION), 0) AS "wasted_share"
FROM "sim"."runs"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger"
HAVING
  COUNT(CASE WHEN "status" IN ('failed', 'cancelled') THEN 1 END) > 0;

COMMENT ON VIEW "sim"."cost_of_failures" IS 'Cost of failed and cancelled runs; one row per day, workflow and trigger with at least one such run (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."cost_of_failures"."day" IS 'Day the runs started, UTC';

COMMENT ON COLUMN "sim"."cost_of_failures"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."cost_of_failures"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."cost_of_failures"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."cost_of_failures"."trigger" IS 'What started the runs';

COMMENT ON COLUMN "sim"."cost_of_failures"."runs" IS 'Number of runs started';

COMMENT ON COLUMN "sim"."cost_of_failures"."failed_runs" IS 'Number of runs that failed';

COMMENT ON COLUMN "sim"."cost_of_failures"."cancelled_runs" IS 'Number of runs that were cancelled';

COMMENT ON COLUMN "sim"."cost_of_failures"."failed_cost" IS 'Cost of the failed runs in USD';

COMMENT ON COLUMN "sim"."cost_of_failures"."cancelled_cost" IS 'Cost of the cancelled runs in USD';

COMMENT ON COLUMN "sim"."cost_of_failures"."wasted_cost" IS 'failed_cost plus cancelled_cost, in USD';

COMMENT ON COLUMN "sim"."cost_of_failures"."total_cost" IS 'Cost of all runs in USD';

COMMENT ON COLUMN "sim"."cost_of_failures"."wasted_share" IS 'wasted_cost divided by total_cost, from 0 to 1; null if nothing was spent';
