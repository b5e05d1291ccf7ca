CREATE OR REPLACE VIEW "SIM"."COST_BY_MODEL" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the runs',
  "MODEL" COMMENT 'Model id; null if the item is not a model',
  "KIND" COMMENT 'model, tool, other (charged but not itemised) or unknown (cost split not known)',
  "NAME" COMMENT 'Model id, tool name, other or unknown',
  "RUNS" COMMENT 'Number of runs that used the item',
  "TOTAL_COST" COMMENT 'Cost in USD',
  "INPUT_COST" COMMENT 'Cost of input tokens in USD',
  "OUTPUT_COST" COMMENT 'Cost of output tokens in USD',
  "TOOL_COST" COMMENT 'Cost of tools the model called, in USD; part of total_cost',
  "PROMPT_TOKENS" COMMENT 'Input tokens, as counted by the providers',
  "COMPLETION_TOKENS" COMMENT 'Output tokens, as counted by the providers',
  "TOTAL_TOKENS" COMMENT 'Input and output tokens'
)
COMMENT = 'Cost by model, tool and other item; one row per day, workflow, trigger and item. The rows add up to the cost of the runs (sim-sync view 00000000)'
AS SELECT
  "R"."DAY",
  "R"."WORKSPACE_ID",
  "R"."WORKFLOW_ID",
  "R"."WORKFLOW_NAME",
  "R"."TRIGGER",
  CASE WHEN "I"."KIND" = 'model' THEN "I"."NAME" END AS "MODEL",
  "I"."KIND",
  "I"."NAME",
  COUNT(*) AS "RUNS",
  COALESCE(SUM("I"."TOTAL_COST"), 0) AS "TOTAL_COST",
  COALESCE(SUM("I"."INPUT_COST"), 0) AS "INPUT_COST",
  COALESCE(SUM("I"."OUTPUT_COST"), 0) AS "OUTPUT_COST",
  COALESCE(SUM("I"."TOOL_COST"), 0) AS "TOOL_COST",
  CAST(COALESCE(SUM("I"."PROMPT_TOKENS"), 0) AS BIGINT) AS "PROMPT_TOKENS",
  CAST(COALESCE(SUM("I"."COMPLETION_TOKENS"), 0) AS BIGINT) AS "COMPLETION_TOKENS",
  CAST(COALESCE(SUM("I"."TOTAL_TOKENS"), 0) AS BIGINT) AS "TOTAL_TOKENS"
FROM "SIM"."COST_ITEMS" AS "I"
JOIN "SIM"."RUNS" AS "R"
  ON "R"."ID" = "I"."LOG_ID"
GROUP BY
  "R"."DAY",
  "R"."WORKSPACE_ID",
  "R"."WORKFLOW_ID",
  "R"."WORKFLOW_NAME",
  "R"."TRIGGER",
  "I"."KIND",
  "I"."NAME";
