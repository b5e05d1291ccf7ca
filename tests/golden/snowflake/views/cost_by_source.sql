CREATE OR REPLACE VIEW "SIM"."COST_BY_SOURCE" (
  "DAY" COMMENT 'Day of the events, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace; null if the event does not name one',
  "SOURCE" COMMENT 'What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more',
  "EVENTS" COMMENT 'Number of events',
  "CREDITS" COMMENT 'Credits charged',
  "COST_USD" COMMENT 'The same in USD',
  "CREDITS_UNCERTAINTY" COMMENT 'By how many credits the sum may be off at most: Sim rounds credits together, 100 events at a time, so that an event alone may be off by one'
)
COMMENT = 'What Sim charged, by day and source; one row per day, workspace and source. Empty on servers without the v2 API (sim-sync view 00000000)'
AS WITH "DAYS" AS (
  SELECT
    CAST(CONVERT_TIMEZONE('UTC', "CREATED_AT") AS DATE) AS "DAY",
    "WORKSPACE_ID",
    "SOURCE",
    COUNT(*) AS "EVENTS",
    CAST(SUM("CREDITS") AS BIGINT) AS "CREDITS",
    SUM("COST_USD") AS "COST_USD"
  FROM "SIM"."BILLING_LOGS"
  GROUP BY
    1,
    2,
    3
), "WHOLE" AS (
  SELECT
    *,
    SUM("EVENTS") OVER (PARTITION BY "DAY") AS "OF_DAY"
  FROM "DAYS"
)
SELECT
  "DAY",
  "WORKSPACE_ID",
  "SOURCE",
  "EVENTS",
  "CREDITS",
  "COST_USD",
  CAST(LEAST_IGNORE_NULLS("EVENTS", CEIL("OF_DAY" / 100.0) * 0.5 + 100 + "OF_DAY" - "EVENTS") AS DOUBLE) AS "CREDITS_UNCERTAINTY"
FROM "WHOLE";
