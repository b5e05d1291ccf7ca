CREATE OR REPLACE VIEW `analytics`.`sim___cost_by_day` AS SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  COUNT(CASE WHEN "status" = 'failed' THEN 1 END) AS "failed_runs",
  COALESCE(SUM("cost_total"), 0) AS "total_cost",
  COALESCE(SUM("models_cost"), 0) AS "models_cost",
  COALESCE(SUM("tools_cost"), 0) AS "tools_cost",
  COALESCE(SUM("other_cost"), 0) AS "other_cost",
  COALESCE(SUM("unknown_cost"), 0) AS "unknown_cost",
  CAST(COALESCE(SUM("prompt_tokens"), 0) AS Nullable(Int64)) AS "prompt_tokens",
  CAST(COALESCE(SUM("completion_tokens"), 0) AS Nullable(Int64)) AS "completion_tokens",
  CAST(COALESCE(SUM("total_tokens"), 0) AS Nullable(Int64)) AS "total_tokens"
FROM "analytics"."sim___runs"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Cost per day, one row per day, workflow and trigger (sim-sync view 00000000)';
