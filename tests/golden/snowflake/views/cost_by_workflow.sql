CREATE OR REPLACE VIEW "SIM"."COST_BY_WORKFLOW" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the runs',
  "RUNS" COMMENT 'Number of runs started',
  "COMPLETED_RUNS" COMMENT 'Number of runs that completed',
  "FAILED_RUNS" COMMENT 'Number of runs that failed',
  "TOTAL_COST" COMMENT 'Cost of the runs in USD',
  "COST_PER_RUN" COMMENT 'Average cost per run in USD, over the runs whose cost is known',
  "COST_PER_COMPLETED_RUN" COMMENT 'Total cost, failures included, divided by the completed runs, in USD; null if none completed',
  "TOTAL_TOKENS" COMMENT 'Input and output tokens',
  "TOKENS_PER_RUN" COMMENT 'Average tokens per run, over all runs'
)
COMMENT = 'Cost of a workflow\'s runs, in total and per run; one row per day, workflow and trigger (sim-sync view 00000000)'
AS SELECT
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER",
  COUNT(*) AS "RUNS",
  COUNT(CASE WHEN "STATUS" = 'completed' THEN 1 END) AS "COMPLETED_RUNS",
  COUNT(CASE WHEN "STATUS" = 'failed' THEN 1 END) AS "FAILED_RUNS",
  COALESCE(SUM("COST_TOTAL"), 0) AS "TOTAL_COST",
  CAST(SUM("COST_TOTAL") / NULLIF(COUNT("COST_TOTAL"), 0) AS DECIMAL(38, 12)) AS "COST_PER_RUN",
  CAST(SUM("COST_TOTAL") / NULLIF(COUNT(CASE WHEN "STATUS" = 'completed' THEN 1 END), 0) AS DECIMAL(38, 12)) AS "COST_PER_COMPLETED_RUN",
  CAST(COALESCE(SUM("TOTAL_TOKENS"), 0) AS BIGINT) AS "TOTAL_TOKENS",
  CAST(COALESCE(SUM("TOTAL_TOKENS"), 0) AS DOUBLE) / COUNT(*) AS "TOKENS_PER_RUN"
FROM "SIM"."RUNS"
GROUP BY
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER";
