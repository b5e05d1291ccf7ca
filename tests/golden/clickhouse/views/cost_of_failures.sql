CREATE OR REPLACE VIEW `analytics`.`sim___cost_of_failures` AS SELECT
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
  CAST(COALESCE(SUM(CASE WHEN "status" IN ('failed', 'cancelled') THEN "cost_total" END), 0) AS Nullable(Float64)) / nullIf(CAST(SUM("cost_total") AS Nullable(Float64)), 0) AS "wasted_share"
FROM "analytics"."sim___runs"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger"
HAVING
  COUNT(CASE WHEN "status" IN ('failed', 'cancelled') THEN 1 END) > 0
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Cost of failed and cancelled runs, one row per day, workflow and trigger with at least one such run (sim-sync view 00000000)';
