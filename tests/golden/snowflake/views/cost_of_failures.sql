CREATE OR REPLACE VIEW "SIM"."COST_OF_FAILURES" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the runs',
  "RUNS" COMMENT 'Number of runs started',
  "FAILED_RUNS" COMMENT 'Number of runs that failed',
  "CANCELLED_RUNS" COMMENT 'Number of runs that were cancelled',
  "FAILED_COST" COMMENT 'Cost of the failed runs in USD',
  "CANCELLED_COST" COMMENT 'Cost of the cancelled runs in USD',
  "WASTED_COST" COMMENT 'failed_cost plus cancelled_cost, in USD',
  "TOTAL_COST" COMMENT 'Cost of all runs in USD',
  "WASTED_SHARE" COMMENT 'wasted_cost divided by total_cost, from 0 to 1; null if nothing was spent'
)
COMMENT = 'Cost of failed and cancelled runs; one row per day, workflow and trigger with at least one such run (sim-sync view 00000000)'
AS SELECT
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER",
  COUNT(*) AS "RUNS",
  COUNT(CASE WHEN "STATUS" = 'failed' THEN 1 END) AS "FAILED_RUNS",
  COUNT(CASE WHEN "STATUS" = 'cancelled' THEN 1 END) AS "CANCELLED_RUNS",
  COALESCE(SUM(CASE WHEN "STATUS" = 'failed' THEN "COST_TOTAL" END), 0) AS "FAILED_COST",
  COALESCE(SUM(CASE WHEN "STATUS" = 'cancelled' THEN "COST_TOTAL" END), 0) AS "CANCELLED_COST",
  COALESCE(SUM(CASE WHEN "STATUS" IN ('failed', 'cancelled') THEN "COST_TOTAL" END), 0) AS "WASTED_COST",
  COALESCE(SUM("COST_TOTAL"), 0) AS "TOTAL_COST",
  CAST(COALESCE(SUM(CASE WHEN "STATUS" IN ('failed', 'cancelled') THEN "COST_TOTAL" END), 0) AS DOUBLE) / NULLIF(CAST(SUM("COST_TOTAL") AS DOUBLE), 0) AS "WASTED_SHARE"
FROM "SIM"."RUNS"
GROUP BY
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER"
HAVING
  COUNT(CASE WHEN "STATUS" IN ('failed', 'cancelled') THEN 1 END) > 0;
