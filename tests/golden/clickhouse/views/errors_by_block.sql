CREATE OR REPLACE VIEW `analytics`.`sim___errors_by_block` AS SELECT
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "s"."block_id",
  "s"."name" AS "block_name",
  "s"."type" AS "block_type",
  "s"."error_type",
  COUNT(*) AS "errors",
  COUNT(DISTINCT "r"."id") AS "runs",
  COUNT(DISTINCT CASE WHEN "r"."status" = 'failed' THEN "r"."id" END) AS "failed_runs",
  MAX("s"."started_at") AS "last_error_at",
  MIN("s"."error_message") AS "error_message"
FROM "analytics"."sim___trace_spans" AS "s"
JOIN "analytics"."sim___runs" AS "r"
  ON "r"."id" = "s"."log_id"
WHERE
  "s"."status" = 'error' AND NOT (
    "s"."block_id" IS NULL
  )
GROUP BY
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "s"."block_id",
  "s"."name",
  "s"."type",
  "s"."error_type"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Errors by block, one row per day, workflow, trigger, block and type of error (sim-sync view 00000000)';
