CREATE OR REPLACE VIEW "SIM"."RUNS" (
  "ID" COMMENT 'Log id',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow; the last known name if it was deleted',
  "TRIGGER" COMMENT 'What started the run: api, schedule, webhook, chat, manual or another trigger',
  "DAY" COMMENT 'Day the run started, UTC',
  "EXECUTION_ID" COMMENT 'Execution id; used by snapshots and webhooks',
  "DEPLOYMENT_VERSION_ID" COMMENT 'Deployment version that ran; null for drafts and on older servers',
  "STATUS" COMMENT 'running, paused, completed, failed or cancelled, as far as the API reveals it',
  "LEVEL" COMMENT 'info or error, as returned by the API',
  "STARTED_AT" COMMENT 'Start of the run',
  "ENDED_AT" COMMENT 'End of the run; also set while the run is paused; null while it is running',
  "TOTAL_DURATION_MS" COMMENT 'Duration in ms',
  "COST_TOTAL" COMMENT 'Cost of the run in USD; null until it is known',
  "MODELS_COST" COMMENT 'Cost of models in USD; part of cost_total',
  "TOOLS_COST" COMMENT 'Cost of standalone tools in USD; part of cost_total',
  "OTHER_COST" COMMENT 'Cost that Sim does not itemise, in USD, mainly the base charge per run; part of cost_total',
  "UNKNOWN_COST" COMMENT 'Cost whose split is not known, in USD; part of cost_total',
  "PROMPT_TOKENS" COMMENT 'Input tokens, as counted by the providers',
  "COMPLETION_TOKENS" COMMENT 'Output tokens, as counted by the providers',
  "TOTAL_TOKENS" COMMENT 'Input and output tokens',
  "SPAN_COUNT" COMMENT 'Number of the run\'s spans in trace_spans',
  "FINALIZATION_PATH" COMMENT 'How the run ended (completed, paused, cancelled, force_failed); null if its detail was not read',
  "ERROR" COMMENT 'Error message of the run',
  "DETAIL_SOURCE" COMMENT 'list or detail: the most complete API response these columns come from; null if only the plain list was read'
)
COMMENT = 'Runs with their names, cost and tokens side by side; one row per run (sim-sync view 00000000)'
AS WITH "ITEMS" AS (
  SELECT
    "LOG_ID",
    SUM(CASE WHEN "KIND" = 'model' THEN "TOTAL_COST" END) AS "MODELS_COST",
    SUM(CASE WHEN "KIND" = 'tool' THEN "TOTAL_COST" END) AS "TOOLS_COST",
    SUM(CASE WHEN "KIND" = 'other' THEN "TOTAL_COST" END) AS "OTHER_COST",
    SUM(CASE WHEN "KIND" = 'unknown' THEN "TOTAL_COST" END) AS "UNKNOWN_COST",
    CAST(SUM("PROMPT_TOKENS") AS BIGINT) AS "PROMPT_TOKENS",
    CAST(SUM("COMPLETION_TOKENS") AS BIGINT) AS "COMPLETION_TOKENS",
    CAST(SUM("TOTAL_TOKENS") AS BIGINT) AS "TOTAL_TOKENS"
  FROM "SIM"."COST_ITEMS"
  GROUP BY
    "LOG_ID"
)
SELECT
  "L"."ID",
  "L"."WORKSPACE_ID",
  "L"."WORKFLOW_ID",
  COALESCE("W"."NAME", "L"."WORKFLOW_NAME", "D"."WORKFLOW_NAME") AS "WORKFLOW_NAME",
  "L"."TRIGGER",
  CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) AS "DAY",
  "L"."EXECUTION_ID",
  "L"."DEPLOYMENT_VERSION_ID",
  "L"."STATUS",
  "L"."LEVEL",
  "L"."STARTED_AT",
  "L"."ENDED_AT",
  "L"."TOTAL_DURATION_MS",
  "L"."COST_TOTAL",
  "I"."MODELS_COST",
  "I"."TOOLS_COST",
  "I"."OTHER_COST",
  "I"."UNKNOWN_COST",
  COALESCE("D"."PROMPT_TOKENS", "I"."PROMPT_TOKENS") AS "PROMPT_TOKENS",
  COALESCE("D"."COMPLETION_TOKENS", "I"."COMPLETION_TOKENS") AS "COMPLETION_TOKENS",
  COALESCE("D"."TOTAL_TOKENS", "I"."TOTAL_TOKENS") AS "TOTAL_TOKENS",
  "D"."SPAN_COUNT",
  "D"."FINALIZATION_PATH",
  "D"."ERROR",
  "D"."DETAIL_SOURCE"
FROM "SIM"."LOGS" AS "L"
LEFT JOIN "SIM"."WORKFLOWS" AS "W"
  ON "W"."ID" = "L"."WORKFLOW_ID"
LEFT JOIN "SIM"."LOG_DETAILS" AS "D"
  ON "D"."ID" = "L"."ID"
LEFT JOIN "ITEMS" AS "I"
  ON "I"."LOG_ID" = "L"."ID";
