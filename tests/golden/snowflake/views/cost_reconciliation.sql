CREATE OR REPLACE VIEW "SIM"."COST_RECONCILIATION" (
  "ID" COMMENT 'Log id',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran',
  "WORKFLOW_NAME" COMMENT 'Name of the workflow when the run was last read',
  "TRIGGER" COMMENT 'What started the run',
  "DAY" COMMENT 'Day the run started, UTC',
  "COST_TOTAL" COMMENT 'Cost of the run in USD, as returned by the API; null until it is known',
  "ITEMISED_COST" COMMENT 'Sum of the run\'s cost_items in USD',
  "DIFFERENCE" COMMENT 'cost_total minus itemised_cost, in USD; 0 if the items add up',
  "ITEMS" COMMENT 'Number of the run\'s cost_items',
  "RECONCILED" COMMENT 'Whether the difference is exactly 0'
)
COMMENT = 'Whether the cost items of a run add up to its cost; one row per run (sim-sync view 00000000)'
AS WITH "ITEMS" AS (
  SELECT
    "LOG_ID",
    SUM("TOTAL_COST") AS "ITEMISED_COST",
    COUNT(*) AS "ITEMS"
  FROM "SIM"."COST_ITEMS"
  GROUP BY
    "LOG_ID"
)
SELECT
  "L"."ID",
  "L"."WORKSPACE_ID",
  "L"."WORKFLOW_ID",
  "L"."WORKFLOW_NAME",
  "L"."TRIGGER",
  CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) AS "DAY",
  "L"."COST_TOTAL",
  "I"."ITEMISED_COST",
  COALESCE("L"."COST_TOTAL", 0) - COALESCE("I"."ITEMISED_COST", 0) AS "DIFFERENCE",
  COALESCE("I"."ITEMS", 0) AS "ITEMS",
  COALESCE("L"."COST_TOTAL", 0) = COALESCE("I"."ITEMISED_COST", 0) AS "RECONCILED"
FROM "SIM"."LOGS" AS "L"
LEFT JOIN "ITEMS" AS "I"
  ON "I"."LOG_ID" = "L"."ID";
