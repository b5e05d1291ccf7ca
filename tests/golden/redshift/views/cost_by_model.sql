CREATE OR REPLACE VIEW "sim"."cost_by_model" AS SELECT
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "model",
  "i"."kind",
  "i"."name",
  COUNT(*) AS "runs",
  COALESCE(SUM("i"."total_cost"), 0) AS "total_cost",
  COALESCE(SUM("i"."input_cost"), 0) AS "input_cost",
  COALESCE(SUM("i"."output_cost"), 0) AS "output_cost",
  COALESCE(SUM("i"."tool_cost"), 0) AS "tool_cost",
  CAST(COALESCE(SUM("i"."prompt_tokens"), 0) AS BIGINT) AS "prompt_tokens",
  CAST(COALESCE(SUM("i"."completion_tokens"), 0) AS BIGINT) AS "completion_tokens",
  CAST(COALESCE(SUM("i"."total_tokens"), 0) AS BIGINT) AS "total_tokens"
FROM "sim"."cost_items" AS "i"
JOIN "sim"."runs" AS "r"
  ON "r"."id" = "i"."log_id"
GROUP BY
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "i"."kind",
  "i"."name";

COMMENT ON VIEW "sim"."cost_by_model" IS 'Cost by model, tool and other item; one row per day, workflow, trigger and item. The rows add up to the cost of the runs (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."cost_by_model"."day" IS 'Day the runs started, UTC';

COMMENT ON COLUMN "sim"."cost_by_model"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."cost_by_model"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."cost_by_model"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."cost_by_model"."trigger" IS 'What started the runs';

COMMENT ON COLUMN "sim"."cost_by_model"."model" IS 'Model id; null if the item is not a model';

COMMENT ON COLUMN "sim"."cost_by_model"."kind" IS 'model, tool, other (charged but not itemised) or unknown (cost split not known)';

COMMENT ON COLUMN "sim"."cost_by_model"."name" IS 'Model id, tool name, other or unknown';

COMMENT ON COLUMN "sim"."cost_by_model"."runs" IS 'Number of runs that used the item';

COMMENT ON COLUMN "sim"."cost_by_model"."total_cost" IS 'Cost in USD';

COMMENT ON COLUMN "sim"."cost_by_model"."input_cost" IS 'Cost of input tokens in USD';

COMMENT ON COLUMN "sim"."cost_by_model"."output_cost" IS 'Cost of output tokens in USD';

COMMENT ON COLUMN "sim"."cost_by_model"."tool_cost" IS 'Cost of tools the model called, in USD; part of total_cost';

COMMENT ON COLUMN "sim"."cost_by_model"."prompt_tokens" IS 'Input tokens, as counted by the providers';

COMMENT ON COLUMN "sim"."cost_by_model"."completion_tokens" IS 'Output tokens, as counted by the providers';

COMMENT ON COLUMN "sim"."cost_by_model"."total_tokens" IS 'Input and output tokens';
