CREATE OR REPLACE VIEW "SIM"."RUN_TREE" (
  "LOG_ID" COMMENT 'Log id of the run',
  "EXECUTION_ID" COMMENT 'Execution id of the run',
  "WORKSPACE_ID" COMMENT 'Sim workspace in which it ran',
  "WORKFLOW_ID" COMMENT 'Workflow that ran',
  "WORKFLOW_NAME" COMMENT 'Name of the workflow when the run was last read',
  "PARENT_EXECUTION_ID" COMMENT 'Execution id of the run whose block started this one; null for a root',
  "ROOT_EXECUTION_ID" COMMENT 'Execution id of the first run of the tree',
  "DEPTH" COMMENT 'Number of runs above this one; 0 for a root',
  "CHILDREN" COMMENT 'Number of runs that it started itself',
  "OWN_COST" COMMENT 'Cost of the run alone, in USD',
  "TREE_COST" COMMENT 'Cost of the run and all runs below it, in USD'
)
COMMENT = 'Runs and the runs of custom blocks below them; one row per run. A custom block runs in the workspace that published it, and its cost is not part of the cost of the run that called it. A run that no trace names as its child is a root (sim-sync view 00000000)'
AS WITH RECURSIVE "CALLS" AS (
  SELECT
    "C"."EXECUTION_ID",
    "P"."EXECUTION_ID" AS "PARENT_EXECUTION_ID",
    "C"."COST_TOTAL",
    ROW_NUMBER() OVER (
      PARTITION BY "C"."EXECUTION_ID"
      ORDER BY "P"."STARTED_AT", "P"."ID", "S"."SPAN_INDEX"
    ) AS "PLACE"
  FROM "SIM"."TRACE_SPANS" AS "S"
  JOIN "SIM"."LOGS" AS "P"
    ON "P"."ID" = "S"."LOG_ID"
  JOIN "SIM"."LOGS" AS "C"
    ON "C"."EXECUTION_ID" = "S"."CHILD_EXECUTION_ID" AND "C"."ID" <> "P"."ID"
  WHERE
    NOT "S"."CHILD_EXECUTION_ID" IS NULL
), "EDGES" AS (
  SELECT
    "EXECUTION_ID",
    "PARENT_EXECUTION_ID",
    "COST_TOTAL"
  FROM "CALLS"
  WHERE
    "PLACE" = 1
), "ABOVE"("EXECUTION_ID", "ANCESTOR", "COST_TOTAL", "DISTANCE") AS (
  SELECT
    "EXECUTION_ID",
    "PARENT_EXECUTION_ID" AS "ANCESTOR",
    "COST_TOTAL",
    1 AS "DISTANCE"
  FROM "EDGES"
  UNION ALL
  SELECT
    "A"."EXECUTION_ID",
    "E"."PARENT_EXECUTION_ID",
    "A"."COST_TOTAL",
    "A"."DISTANCE" + 1
  FROM "ABOVE" AS "A"
  JOIN "EDGES" AS "E"
    ON "E"."EXECUTION_ID" = "A"."ANCESTOR"
  WHERE
    "A"."DISTANCE" < 50
), "CIRCLES" AS (
  SELECT DISTINCT
    "EXECUTION_ID"
  FROM "ABOVE"
  WHERE
    "DISTANCE" = 50 OR "ANCESTOR" = "EXECUTION_ID"
), "TOPS" AS (
  SELECT
    "EXECUTION_ID",
    "ANCESTOR",
    "DISTANCE",
    ROW_NUMBER() OVER (PARTITION BY "EXECUTION_ID" ORDER BY "DISTANCE" DESC NULLS LAST) AS "PLACE"
  FROM "ABOVE"
  WHERE
    NOT "EXECUTION_ID" IN (
      SELECT
        "EXECUTION_ID"
      FROM "CIRCLES"
    )
), "BELOW" AS (
  SELECT
    "ANCESTOR",
    SUM("COST_TOTAL") AS "COST",
    SUM(CASE WHEN "DISTANCE" = 1 THEN 1 ELSE 0 END) AS "CHILDREN"
  FROM "ABOVE"
  WHERE
    NOT "EXECUTION_ID" IN (
      SELECT
        "EXECUTION_ID"
      FROM "CIRCLES"
    )
  GROUP BY
    "ANCESTOR"
)
SELECT
  "L"."ID" AS "LOG_ID",
  "L"."EXECUTION_ID",
  "L"."WORKSPACE_ID",
  "L"."WORKFLOW_ID",
  "L"."WORKFLOW_NAME",
  CASE WHEN NOT "T"."ANCESTOR" IS NULL THEN "E"."PARENT_EXECUTION_ID" END AS "PARENT_EXECUTION_ID",
  COALESCE("T"."ANCESTOR", "L"."EXECUTION_ID") AS "ROOT_EXECUTION_ID",
  COALESCE("T"."DISTANCE", 0) AS "DEPTH",
  CAST(COALESCE("B"."CHILDREN", 0) AS BIGINT) AS "CHILDREN",
  "L"."COST_TOTAL" AS "OWN_COST",
  CASE
    WHEN "B"."COST" IS NULL
    THEN "L"."COST_TOTAL"
    ELSE COALESCE("L"."COST_TOTAL", 0) + "B"."COST"
  END AS "TREE_COST"
FROM "SIM"."LOGS" AS "L"
LEFT JOIN "TOPS" AS "T"
  ON "T"."EXECUTION_ID" = "L"."EXECUTION_ID" AND "T"."PLACE" = 1
LEFT JOIN "EDGES" AS "E"
  ON "E"."EXECUTION_ID" = "L"."EXECUTION_ID"
LEFT JOIN "BELOW" AS "B"
  ON "B"."ANCESTOR" = "L"."EXECUTION_ID";
