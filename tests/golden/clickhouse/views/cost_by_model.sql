CREATE OR REPLACE VIEW `analytics`.`sim___cost_by_model` AS SELECT
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "model",
  "i"."kind",
  "i"."name",
  COUNT(*) AS "runs",
  COALESCE(SUM("i"."total_cost"), 0) AS "total_cost",
  COALESCE(SUM("i"."input_cost"), 0) AS "input_cost",
  COALESCE(SUM("i"."output_cost"), 0) AS "output_cost",
  COALESCE(SUM("i"."tool_cost"), 0) AS "tool_cost",
  CAST(COALESCE(SUM("i"."prompt_tokens"), 0) AS Nullable(Int64)) AS "prompt_tokens",
  CAST(COALESCE(SUM("i"."completion_tokens"), 0) AS Nullable(Int64)) AS "completion_tokens",
  CAST(COALESCE(SUM("i"."total_tokens"), 0) AS Nullable(Int64)) AS "total_tokens"
FROM "analytics"."sim___cost_items" AS "i"
JOIN "analytics"."sim___runs" AS "r"
  ON "r"."id" = "i"."log_id"
GROUP BY
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "i"."kind",
  "i"."name"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Cost by model, tool and other item, one row per day, workflow, trigger and item. The rows add up to the cost of the runs (sim-sync view 00000000)';
