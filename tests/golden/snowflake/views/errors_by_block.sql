CREATE OR REPLACE VIEW "SIM"."ERRORS_BY_BLOCK" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the runs',
  "BLOCK_ID" COMMENT 'Block of the workflow that failed',
  "BLOCK_NAME" COMMENT 'Name of the block',
  "BLOCK_TYPE" COMMENT 'Type of the block: agent, function, api and more',
  "ERROR_TYPE" COMMENT 'Type of error; null if Sim does not report one',
  "ERRORS" COMMENT 'Number of the block\'s spans that ended in an error; a run can have several in a loop',
  "RUNS" COMMENT 'Number of runs with such an error',
  "FAILED_RUNS" COMMENT 'Number of those runs that failed; in the others the workflow continued',
  "LAST_ERROR_AT" COMMENT 'Start of the latest span with the error',
  "ERROR_MESSAGE" COMMENT 'One of the error messages'
)
COMMENT = 'Errors by block; one row per day, workflow, trigger, block and type of error (sim-sync view 00000000)'
AS SELECT
  "R"."DAY",
  "R"."WORKSPACE_ID",
  "R"."WORKFLOW_ID",
  "R"."WORKFLOW_NAME",
  "R"."TRIGGER",
  "S"."BLOCK_ID",
  "S"."NAME" AS "BLOCK_NAME",
  "S"."TYPE" AS "BLOCK_TYPE",
  "S"."ERROR_TYPE",
  COUNT(*) AS "ERRORS",
  COUNT(DISTINCT "R"."ID") AS "RUNS",
  COUNT(DISTINCT CASE WHEN "R"."STATUS" = 'failed' THEN "R"."ID" END) AS "FAILED_RUNS",
  MAX("S"."STARTED_AT") AS "LAST_ERROR_AT",
  MIN("S"."ERROR_MESSAGE") AS "ERROR_MESSAGE"
FROM "SIM"."TRACE_SPANS" AS "S"
JOIN "SIM"."RUNS" AS "R"
  ON "R"."ID" = "S"."LOG_ID"
WHERE
  "S"."STATUS" = 'error' AND NOT "S"."BLOCK_ID" IS NULL
GROUP BY
  "R"."DAY",
  "R"."WORKSPACE_ID",
  "R"."WORKFLOW_ID",
  "R"."WORKFLOW_NAME",
  "R"."TRIGGER",
  "S"."BLOCK_ID",
  "S"."NAME",
  "S"."TYPE",
  "S"."ERROR_TYPE";
