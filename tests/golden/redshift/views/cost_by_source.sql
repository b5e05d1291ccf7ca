CREATE OR REPLACE VIEW "sim"."cost_by_source" AS WITH "days" AS (
  SELECT
    CAST("created_at" AT TIME ZONE 'UTC' AS DATE) AS "day",
    "workspace_id",
    "source",
    COUNT(*) AS "events",
    CAST(SUM("credits") AS BIGINT) AS "credits",
    SUM("cost_usd") AS "cost_usd"
  FROM "sim"."billing_logs"
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
  CAST(LEAST(
    "events",
    CEIL(CAST("of_day" AS DOUBLE PRECISION) / 100.0) * 0.5 + 100 + "of_day" - "events"
  ) AS DOUBLE PRECISION) AS "credits_uncertainty"
FROM "whole";

COMMENT ON VIEW "sim"."cost_by_source" IS 'What Sim charged, by day and source; one row per day, workspace and source. Empty on servers without the v2 API (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."cost_by_source"."day" IS 'Day of the events, UTC';

COMMENT ON COLUMN "sim"."cost_by_source"."workspace_id" IS 'Sim workspace; null if the event does not name one';

COMMENT ON COLUMN "sim"."cost_by_source"."source" IS 'What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more';

COMMENT ON COLUMN "sim"."cost_by_source"."events" IS 'Number of events';

COMMENT ON COLUMN "sim"."cost_by_source"."credits" IS 'Credits charged';

COMMENT ON COLUMN "sim"."cost_by_source"."cost_usd" IS 'The same in USD';

COMMENT ON COLUMN "sim"."cost_by_source"."credits_uncertainty" IS 'By how many credits the sum may be off at most: Sim rounds credits together, 100 events at a time, so that an event alone may be off by one';
