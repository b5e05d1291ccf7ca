CREATE OR REPLACE VIEW "SIM"."COST_BY_DAY" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the runs',
  "RUNS" COMMENT 'Number of runs started',
  "FAILED_RUNS" COMMENT 'Number of runs that failed',
  "TOTAL_COST" COMMENT 'Cost of the runs in USD',
  "MODELS_COST" COMMENT 'Cost of models in USD; part of total_cost',
  "TOOLS_COST" COMMENT 'Cost of standalone tools in USD; part of total_cost',
  "OTHER_COST" COMMENT 'Cost that Sim does not itemise, in USD, mainly the base charge per run; part of total_cost',
  "UNKNOWN_COST" COMMENT 'Cost whose split is not known, in USD; part of total_cost',
  "PROMPT_TOKENS" COMMENT 'Input tokens, as counted by the providers',
  "COMPLETION_TOKENS" COMMENT 'Output tokens, as counted by the providers',
  "TOTAL_TOKENS" COMMENT 'Input and output tokens'
)
COMMENT = 'Cost per day; one row per day, workflow and trigger (sim-sync view 00000000)'
AS SELECT
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER",
  COUNT(*) AS "RUNS",
  COUNT(CASE WHEN "STATUS" = 'failed' THEN 1 END) AS "FAILED_RUNS",
  COALESCE(SUM("COST_TOTAL"), 0) AS "TOTAL_COST",
  COALESCE(SUM("MODELS_COST"), 0) AS "MODELS_COST",
  COALESCE(SUM("TOOLS_COST"), 0) AS "TOOLS_COST",
  COALESCE(SUM("OTHER_COST"), 0) AS "OTHER_COST",
  COALESCE(SUM("UNKNOWN_COST"), 0) AS "UNKNOWN_COST",
  CAST(COALESCE(SUM("PROMPT_TOKENS"), 0) AS BIGINT) AS "PROMPT_TOKENS",
  CAST(COALESCE(SUM("COMPLETION_TOKENS"), 0) AS BIGINT) AS "COMPLETION_TOKENS",
  CAST(COALESCE(SUM("TOTAL_TOKENS"), 0) AS BIGINT) AS "TOTAL_TOKENS"
FROM "SIM"."RUNS"
GROUP BY
  "DAY",
  "WORKSPACE_ID",
  "WORKFLOW_ID",
  "WORKFLOW_NAME",
  "TRIGGER";
