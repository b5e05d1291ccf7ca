CREATE OR REPLACE VIEW "sim"."cost_by_day" AS SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  COUNT(CASE WHEN "status" = 'failed' THEN 1 END) AS "failed_runs",
  COALESCE(SUM("cost_total"), 0) AS "total_cost",
  COALESCE(SUM("models_cost"), 0) AS "models_cost",
  COALESCE(SUM("tools_cost"), 0) AS "tools_cost",
  COALESCE(SUM("other_cost"), 0) AS "other_cost",
  COALESCE(SUM("unknown_cost"), 0) AS "unknown_cost",
  CAST(COALESCE(SUM("prompt_tokens"), 0) AS BIGINT) AS "prompt_tokens",
  CAST(COALESCE(SUM("completion_tokens"), 0) AS BIGINT) AS "completion_tokens",
  CAST(COALESCE(SUM("total_tokens"), 0) AS BIGINT) AS "total_tokens"
FROM "sim"."runs"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger";

COMMENT ON VIEW "sim"."cost_by_day" IS 'Cost per day; one row per day, workflow and trigger (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."cost_by_day"."day" IS 'Day the runs started, UTC';

COMMENT ON COLUMN "sim"."cost_by_day"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."cost_by_day"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."cost_by_day"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."cost_by_day"."trigger" IS 'What started the runs';

COMMENT ON COLUMN "sim"."cost_by_day"."runs" IS 'Number of runs started';

COMMENT ON COLUMN "sim"."cost_by_day"."failed_runs" IS 'Number of runs that failed';

COMMENT ON COLUMN "sim"."cost_by_day"."total_cost" IS 'Cost of the runs in USD';

COMMENT ON COLUMN "sim"."cost_by_day"."models_cost" IS 'Cost of models in USD; part of total_cost';

COMMENT ON COLUMN "sim"."cost_by_day"."tools_cost" IS 'Cost of standalone tools in USD; part of total_cost';

COMMENT ON COLUMN "sim"."cost_by_day"."other_cost" IS 'Cost that Sim does not itemise, in USD, mainly the base charge per run; part of total_cost';

COMMENT ON COLUMN "sim"."cost_by_day"."unknown_cost" IS 'Cost whose split is not known, in USD; part of total_cost';

COMMENT ON COLUMN "sim"."cost_by_day"."prompt_tokens" IS 'Input tokens, as counted by the providers';

COMMENT ON COLUMN "sim"."cost_by_day"."completion_tokens" IS 'Output tokens, as counted by the providers';

COMMENT ON COLUMN "sim"."cost_by_day"."total_tokens" IS 'Input and output tokens';
