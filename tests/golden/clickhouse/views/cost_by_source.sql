CREATE OR REPLACE VIEW `analytics`.`sim___cost_by_source` AS WITH "days" AS (
  SELECT
    CAST("created_at" AS Nullable(DATE)) AS "day",
    "workspace_id",
    "source",
    COUNT(*) AS "events",
    CAST(SUM("credits") AS Nullable(Int64)) AS "credits",
    SUM("cost_usd") AS "cost_usd"
  FROM "analytics"."sim___billing_logs"
  GROUP BY
    1,
    2,
    3
), "whole" AS (
  SELECT
    *,
    SUM("events") OVER (PARTITION BY "day") AS "of_day"
  FROM "days"
)
SELECT
  "day",
  "workspace_id",
  "source",
  "events",
  "credits",
  "cost_usd",
  CAST(LEAST("events", CEIL("of_day" / 100.0) * 0.5 + 100 + "of_day" - "events") AS Nullable(Float64)) AS "credits_uncertainty"
FROM "whole"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'What Sim charged, by day and source, one row per day, workspace and source. Empty on servers without the v2 API (sim-sync view 00000000)';
