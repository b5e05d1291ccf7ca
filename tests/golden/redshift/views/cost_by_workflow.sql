CREATE OR REPLACE VIEW "sim"."cost_by_workflow" AS SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  COUNT(CASE WHEN "status" = 'completed' THEN 1 END) AS "completed_runs",
  COUNT(CASE WHEN "status" = 'failed' THEN 1 END) AS "failed_runs",
  COALESCE(SUM("cost_total"), 0) AS "total_cost",
  CAST(CAST(SUM("cost_total") AS DOUBLE PRECISION) / NULLIF(COUNT("cost_total"), 0) AS DECIMAL(38, 12)) AS "cost_per_run",
  CAST(CAST(SUM("cost_total") AS DOUBLE PRECISION) / NULLIF(COUNT(CASE WHEN "status" = 'completed' THEN 1 END), 0) AS DECIMAL(38, 12)) AS "cost_per_completed_run",
  CAST(COALESCE(SUM("total_tokens"), 0) AS BIGINT) AS "total_tokens",
  CAST(COALESCE(SUM("total_tokens"), 0) AS DOUBLE PRECISION) / COUNT(*) AS "tokens_per_run"
FROM "sim"."runs"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger";

COMMENT ON VIEW "sim"."cost_by_workflow" IS 'Cost of a workflow\'s runs, in total and per run; one row per day, workflow and trigger (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."cost_by_workflow"."day" IS 'Day the runs started, UTC';

COMMENT ON COLUMN "sim"."cost_by_workflow"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."cost_by_workflow"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."cost_by_workflow"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."cost_by_workflow"."trigger" IS 'What started the runs';

COMMENT ON COLUMN "sim"."cost_by_workflow"."runs" IS 'Number of runs started';

COMMENT ON COLUMN "sim"."cost_by_workflow"."completed_runs" IS 'Number of runs that completed';

COMMENT ON COLUMN "sim"."cost_by_workflow"."failed_runs" IS 'Number of runs that failed';

COMMENT ON COLUMN "sim"."cost_by_workflow"."total_cost" IS 'Cost of the runs in USD';

COMMENT ON COLUMN "sim"."cost_by_workflow"."cost_per_run" IS 'Average cost per run in USD, over the runs whose cost is known';

COMMENT ON COLUMN "sim"."cost_by_workflow"."cost_per_completed_run" IS 'Total cost, failures included, divided by the completed runs, in USD; null if none completed';

COMMENT ON COLUMN "sim"."cost_by_workflow"."total_tokens" IS 'Input and output tokens';

COMMENT ON COLUMN "sim"."cost_by_workflow"."tokens_per_run" IS 'Average tokens per run, over all runs';
