CREATE OR REPLACE VIEW "SIM"."LATENCY_BY_WORKFLOW" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the runs',
  "RUNS" COMMENT 'Number of completed and failed runs whose duration is known',
  "P50_MS" COMMENT 'Median duration in ms',
  "P95_MS" COMMENT '95th percentile of the duration in ms',
  "P99_MS" COMMENT '99th percentile of the duration in ms',
  "MAX_MS" COMMENT 'Longest duration in ms; for a run that paused for a person, the duration that Sim reports'
)
COMMENT = 'Duration of completed and failed runs; one row per day, workflow and trigger (sim-sync view 00000000)'
AS WITH "PLACED" AS (
  SELECT
    "DAY",
    "WORKSPACE_ID",
    "WORKFLOW_ID",
    "WORKFLOW_NAME",
    "TRIGGER",
    "TOTAL_DURATION_MS",
    CAST(ROW_NUMBER() OVER (
      PARTITION BY "DAY", "WORKSPACE_ID", "WORKFLOW_ID", "WORKFLOW_NAME", "TRIGGER"
      ORDER BY "TOTAL_DURATION_MS"
    ) - 1 AS DOUBLE) AS "PLACE",
    CAST(COUNT(*) OVER (PARTITION BY "DAY", "WORKSPACE_ID", "WORKFLOW_ID", "WORKFLOW_NAME", "TRIGGER") - 1 AS DOUBLE) AS "LAST_PLACE"
  FROM "SIM"."RUNS"
  WHERE
    "STATUS" IN ('completed', 'failed') AND NOT "TOTAL_DURATION_MS" IS NULL
)
SELECT
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER",
  COUNT(*) AS "RUNS",
  SUM(
    "TOTAL_DURATION_MS" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE" - 0.5 * "LAST_PLACE"), 0)
  ) AS "P50_MS",
  SUM(
    "TOTAL_DURATION_MS" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE" - 0.95 * "LAST_PLACE"), 0)
  ) AS "P95_MS",
  SUM(
    "TOTAL_DURATION_MS" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE" - 0.99 * "LAST_PLACE"), 0)
  ) AS "P99_MS",
  MAX("TOTAL_DURATION_MS") AS "MAX_MS"
FROM "PLACED"
GROUP BY
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER";
