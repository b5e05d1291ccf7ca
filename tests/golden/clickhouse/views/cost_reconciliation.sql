CREATE OR REPLACE VIEW `analytics`.`sim___cost_reconciliation` AS WITH "items" AS (
  SELECT
    "log_id",
    SUM("total_cost") AS "itemised_cost",
    COUNT(*) AS "items"
  FROM "analytics"."sim___cost_items"
  GROUP BY
    "log_id"
)
SELECT
  "l"."id",
  "l"."workspace_id",
  "l"."workflow_id",
  "l"."workflow_name",
  "l"."trigger",
  CAST("l"."started_at" AS Nullable(DATE)) AS "day",
  "l"."cost_total",
  "i"."itemised_cost",
  COALESCE("l"."cost_total", 0) - COALESCE("i"."itemised_cost", 0) AS "difference",
  COALESCE("i"."items", 0) AS "items",
  COALESCE("l"."cost_total", 0) = COALESCE("i"."itemised_cost", 0) AS "reconciled"
FROM "analytics"."sim___logs" AS "l"
LEFT JOIN "items" AS "i"
  ON "i"."log_id" = "l"."id"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Whether the cost items of a run add up to its cost, one row per run (sim-sync view 00000000)';
