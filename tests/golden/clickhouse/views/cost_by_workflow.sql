CREATE OR REPLACE VIEW `analytics`.`sim___cost_by_workflow` AS SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  COUNT(CASE WHEN "status" = 'completed' THEN 1 END) AS "completed_runs",
  COUNT(CASE WHEN "status" = 'failed' THEN 1 END) AS "failed_runs",
  COALESCE(SUM("cost_total"), 0) AS "total_cost",
  CAST(ROUND((
    SUM("cost_total") / nullIf(COUNT("cost_total"), 0)
  ), 12) AS Nullable(Decimal(38, 12))) AS "cost_per_run",
  CAST(ROUND(
    (
      SUM("cost_total") / nullIf(COUNT(CASE WHEN "status" = 'completed' THEN 1 END), 0)
    ),
    12
  ) AS Nullable(Decimal(38, 12))) AS "cost_per_completed_run",
  CAST(COALESCE(SUM("total_tokens"), 0) AS Nullable(Int64)) AS "total_tokens",
  CAST(COALESCE(SUM("total_tokens"), 0) AS Nullable(Float64)) / COUNT(*) AS "tokens_per_run"
FROM "analytics"."sim___runs"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Cost of a workflow''s runs, in total and per run, one row per day, workflow and trigger (sim-sync view 00000000)';
