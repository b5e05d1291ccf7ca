CREATE OR REPLACE VIEW "SIM"."BILL" (
  "PERIOD_START" COMMENT 'Start of the period',
  "PERIOD_END" COMMENT 'End of the period',
  "WORKSPACE_ID" COMMENT 'Sim workspace; null if the event does not name one',
  "SOURCE" COMMENT 'What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more',
  "EVENTS" COMMENT 'Number of events',
  "CREDITS" COMMENT 'Credits charged',
  "COST_USD" COMMENT 'The same in USD',
  "SHARE" COMMENT 'Share of the credits of the period in this workspace, from 0 to 1; null if there are none',
  "EXPLAINED_BY_RUNS_USD" COMMENT 'Cost of the runs that these events belong to, in USD; a run with events in two periods counts in the later one',
  "UNEXPLAINED_USD" COMMENT 'cost_usd minus explained_by_runs_usd',
  "ALSO_IN_RUNS" COMMENT 'Whether the cost of these events is also part of the cost of runs, without naming them',
  "CREDITS_UNCERTAINTY" COMMENT 'By how many credits the sum may be off at most: Sim rounds credits together, 100 events at a time, so that an event alone may be off by one',
  "UNCERTAINTY_USD" COMMENT 'The same in USD'
)
COMMENT = 'Sim\'s bill and what runs explain of it; one row per billing period, workspace and source. Empty on servers without the v2 API. Periods are those that Sim reports for the payer of the workspace; before and after the latest of them, and without one, they are calendar months (UTC). The cost of a Sim-agent block (mothership_block) is also part of the cost of its run, so it stands in this ledger and in runs (sim-sync view 00000000)'
AS WITH "READ_PERIODS" AS (
  SELECT
    "WORKSPACE_ID",
    "PERIOD_START",
    "PERIOD_END",
    ROW_NUMBER() OVER (PARTITION BY "WORKSPACE_ID" ORDER BY "OBSERVED_AT" DESC NULLS LAST) AS "AGE"
  FROM "SIM"."BILLING_STATUS"
  WHERE
    NOT "PERIOD_START" IS NULL AND NOT "PERIOD_END" IS NULL
), "MONTHS" AS (
  SELECT
    "E"."ID",
    "E"."WORKSPACE_ID",
    "E"."CREATED_AT",
    "E"."SOURCE",
    "E"."CREDITS",
    "E"."COST_USD",
    "P"."PERIOD_START" AS "TOLD_START",
    "P"."PERIOD_END" AS "TOLD_END",
    DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', "E"."CREATED_AT")) AS "MONTH_START",
    (
      DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', "E"."CREATED_AT")) + INTERVAL '1 MONTH'
    ) AS "MONTH_END"
  FROM "SIM"."BILLING_LOGS" AS "E"
  LEFT JOIN "READ_PERIODS" AS "P"
    ON "P"."WORKSPACE_ID" = "E"."WORKSPACE_ID" AND "P"."AGE" = 1
), "PLACED" AS (
  SELECT
    "ID",
    "WORKSPACE_ID",
    "CREATED_AT",
    "SOURCE",
    "CREDITS",
    "COST_USD",
    CASE
      WHEN "CREATED_AT" >= "TOLD_START" AND "CREATED_AT" < "TOLD_END"
      THEN "TOLD_START"
      WHEN "CREATED_AT" >= "TOLD_END" AND "TOLD_END" > "MONTH_START"
      THEN "TOLD_END"
      ELSE "MONTH_START"
    END AS "PERIOD_START",
    CASE
      WHEN "CREATED_AT" >= "TOLD_START" AND "CREATED_AT" < "TOLD_END"
      THEN "TOLD_END"
      WHEN "CREATED_AT" < "TOLD_START" AND "TOLD_START" < "MONTH_END"
      THEN "TOLD_START"
      ELSE "MONTH_END"
    END AS "PERIOD_END"
  FROM "MONTHS"
), "LATEST" AS (
  SELECT
    "E"."ID",
    "L"."COST_TOTAL",
    ROW_NUMBER() OVER (
      PARTITION BY "L"."ID"
      ORDER BY "E"."CREATED_AT" DESC NULLS LAST, "E"."ID" DESC NULLS LAST
    ) AS "AGE"
  FROM "SIM"."BILLING_LOGS" AS "E"
  JOIN "SIM"."LOGS" AS "L"
    ON "L"."EXECUTION_ID" = "E"."EXECUTION_ID"
  WHERE
    "E"."SOURCE" = 'workflow'
), "EXPLAINED" AS (
  SELECT
    "ID",
    "COST_TOTAL"
  FROM "LATEST"
  WHERE
    "AGE" = 1
), "SUMS" AS (
  SELECT
    "B"."PERIOD_START",
    "B"."PERIOD_END",
    "B"."WORKSPACE_ID",
    "B"."SOURCE",
    COUNT(*) AS "EVENTS",
    CAST(SUM("B"."CREDITS") AS BIGINT) AS "CREDITS",
    SUM("B"."COST_USD") AS "COST_USD",
    COALESCE(SUM("L"."COST_TOTAL"), 0) AS "OF_RUNS"
  FROM "PLACED" AS "B"
  LEFT JOIN "EXPLAINED" AS "L"
    ON "L"."ID" = "B"."ID"
  GROUP BY
    1,
    2,
    3,
    4
), "WHOLE" AS (
  SELECT
    *,
    SUM("EVENTS") OVER (PARTITION BY "PERIOD_START") AS "OF_PERIOD",
    SUM("CREDITS") OVER (PARTITION BY "PERIOD_START", "PERIOD_END", "WORKSPACE_ID") AS "ALL_CREDITS"
  FROM "SUMS"
), "KNOWN" AS (
  SELECT
    *,
    CAST(LEAST_IGNORE_NULLS("EVENTS", CEIL("OF_PERIOD" / 100.0) * 0.5 + 100 + "OF_PERIOD" - "EVENTS") AS DOUBLE) AS "OFF_BY"
  FROM "WHOLE"
)
SELECT
  "PERIOD_START",
  "PERIOD_END",
  "WORKSPACE_ID",
  "SOURCE",
  "EVENTS",
  "CREDITS",
  "COST_USD",
  CASE WHEN "ALL_CREDITS" > 0 THEN CAST("CREDITS" AS DOUBLE) / "ALL_CREDITS" END AS "SHARE",
  "OF_RUNS" AS "EXPLAINED_BY_RUNS_USD",
  "COST_USD" - "OF_RUNS" AS "UNEXPLAINED_USD",
  "SOURCE" = 'mothership_block' AS "ALSO_IN_RUNS",
  "OFF_BY" AS "CREDITS_UNCERTAINTY",
  "OFF_BY" * 0.005 AS "UNCERTAINTY_USD"
FROM "KNOWN";
