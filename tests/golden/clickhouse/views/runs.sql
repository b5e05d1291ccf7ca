CREATE OR REPLACE VIEW `analytics`.`sim___runs` AS WITH "items" AS (
  SELECT
    "log_id",
    SUM(CASE WHEN "kind" = 'model' THEN "total_cost" END) AS "models_cost",
    SUM(CASE WHEN "kind" = 'tool' THEN "total_cost" END) AS "tools_cost",
    SUM(CASE WHEN "kind" = 'other' THEN "total_cost" END) AS "other_cost",
    SUM(CASE WHEN "kind" = 'unknown' THEN "total_cost" END) AS "unknown_cost",
    CAST(SUM("prompt_tokens") AS Nullable(Int64)) AS "prompt_tokens",
    CAST(SUM("completion_tokens") AS Nullable(Int64)) AS "completion_tokens",
    CAST(SUM("total_tokens") AS Nullable(Int64)) AS "total_tokens"
  FROM "analytics"."sim___cost_items"
  GROUP BY
    "log_id"
)
SELECT
  "l"."id",
  "l"."workspace_id",
  "l"."workflow_id",
  COALESCE("w"."name", "l"."workflow_name", "d"."workflow_name") AS "workflow_name",
  "l"."trigger",
  CAST("l"."started_at" AS Nullable(DATE)) AS "day",
  "l"."execution_id",
  "l"."deployment_version_id",
  "l"."status",
  "l"."level",
  "l"."started_at",
  "l"."ended_at",
  "l"."total_duration_ms",
  "l"."cost_total",
  "i"."models_cost",
  "i"."tools_cost",
  "i"."other_cost",
  "i"."unknown_cost",
  COALESCE("d"."prompt_tokens", "i"."prompt_tokens") AS "prompt_tokens",
  COALESCE("d"."completion_tokens", "i"."completion_tokens") AS "completion_tokens",
  COALESCE("d"."total_tokens", "i"."total_tokens") AS "total_tokens",
  "d"."span_count",
  "d"."finalization_path",
  "d"."error",
  "d"."detail_source"
FROM "analytics"."sim___logs" AS "l"
LEFT JOIN "analytics"."sim___workflows" AS "w"
  ON "w"."id" = "l"."workflow_id"
LEFT JOIN "analytics"."sim___log_details" AS "d"
  ON "d"."id" = "l"."id"
LEFT JOIN "items" AS "i"
  ON "i"."log_id" = "l"."id"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Runs with their names, cost and tokens side by side, one row per run (sim-sync view 00000000)';
