CREATE OR REPLACE VIEW `analytics`.`sim___bill` AS WITH "read_periods" AS (
  SELECT
    "workspace_id",
    "period_start",
    "period_end",
    ROW_NUMBER() OVER (PARTITION BY "workspace_id" ORDER BY "observed_at" DESC) AS "age"
  FROM "analytics"."sim___billing_status"
  WHERE
    NOT (
      "period_start" IS NULL
    ) AND NOT (
      "period_end" IS NULL
    )
), "months" AS (
  SELECT
    "e"."id",
    "e"."workspace_id",
    "e"."created_at",
    "e"."source",
    "e"."credits",
    "e"."cost_usd",
    "p"."period_start" AS "told_start",
    "p"."period_end" AS "told_end",
    toDateTime64(dateTrunc('MONTH', "e"."created_at"), 6, 'UTC') AS "month_start",
    toDateTime64((
      dateTrunc('MONTH', "e"."created_at") + INTERVAL '1' MONTH
    ), 6, 'UTC') AS "month_end"
  FROM "analytics"."sim___billing_logs" AS "e"
  LEFT JOIN "read_periods" AS "p"
    ON "p"."workspace_id" = "e"."workspace_id" AND "p"."age" = 1
), "placed" AS (
  SELECT
    "id",
    "workspace_id",
    "created_at",
    "source",
    "credits",
    "cost_usd",
    CASE
      WHEN "created_at" >= "told_start" AND "created_at" < "told_end"
      THEN "told_start"
      WHEN "created_at" >= "told_end" AND "told_end" > "month_start"
      THEN "told_end"
      ELSE "month_start"
    END AS "period_start",
    CASE
      WHEN "created_at" >= "told_start" AND "created_at" < "told_end"
      THEN "told_end"
      WHEN "created_at" < "told_start" AND "told_start" < "month_end"
      THEN "told_start"
      ELSE "month_end"
    END AS "period_end"
  FROM "months"
), "latest" AS (
  SELECT
    "e"."id",
    "l"."cost_total",
    ROW_NUMBER() OVER (PARTITION BY "l"."id" ORDER BY "e"."created_at" DESC, "e"."id" DESC) AS "age"
  FROM "analytics"."sim___billing_logs" AS "e"
  JOIN "analytics"."sim___logs" AS "l"
    ON "l"."execution_id" = "e"."execution_id"
  WHERE
    "e"."source" = 'workflow'
), "explained" AS (
  SELECT
    "id",
    "cost_total"
  FROM "latest"
  WHERE
    "age" = 1
), "sums" AS (
  SELECT
    "b"."period_start",
    "b"."period_end",
    "b"."workspace_id",
    "b"."source",
    COUNT(*) AS "events",
    CAST(SUM("b"."credits") AS Nullable(Int64)) AS "credits",
    SUM("b"."cost_usd") AS "cost_usd",
    COALESCE(SUM("l"."cost_total"), 0) AS "of_runs"
  FROM "placed" AS "b"
  LEFT JOIN "explained" AS "l"
    ON "l"."id" = "b"."id"
  GROUP BY
    1,
    2,
    3,
    4
), "whole" AS (
  SELECT
    *,
    SUM("events") OVER (PARTITION BY "period_start") AS "of_period",
    SUM("credits") OVER (PARTITION BY "period_start", "period_end", "workspace_id") AS "all_credits"
  FROM "sums"
), "known" AS (
  SELECT
    *,
    CAST(LEAST("events", CEIL("of_period" / 100.0) * 0.5 + 100 + "of_period" - "events") AS Nullable(Float64)) AS "off_by"
  FROM "whole"
)
SELECT
  "period_start",
  "period_end",
  "workspace_id",
  "source",
  "events",
  "credits",
  "cost_usd",
  CASE
    WHEN "all_credits" > 0
    THEN CAST("credits" AS Nullable(Float64)) / "all_credits"
  END AS "share",
  "of_runs" AS "explained_by_runs_usd",
  "cost_usd" - "of_runs" AS "unexplained_usd",
  "source" = 'mothership_block' AS "also_in_runs",
  "off_by" AS "credits_uncertainty",
  "off_by" * 0.005 AS "uncertainty_usd"
FROM "known"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Sim''s bill and what runs explain of it, one row per billing period, workspace and source. Empty on servers without the v2 API. Periods are those that Sim reports for the payer of the workspace, before and after the latest of them, and without one, they are calendar months (UTC). The cost of a Sim-agent block (mothership_block) is also part of the cost of its run, so it stands in this ledger and in runs (sim-sync view 00000000)';
