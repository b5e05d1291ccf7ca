CREATE OR REPLACE VIEW "sim"."runs" AS WITH "items" AS (
  SELECT
    "log_id",
    SUM(CASE WHEN "kind" = 'model' THEN "total_cost" END) AS "models_cost",
    SUM(CASE WHEN "kind" = 'tool' THEN "total_cost" END) AS "tools_cost",
    SUM(CASE WHEN "kind" = 'other' THEN "total_cost" END) AS "other_cost",
    SUM(CASE WHEN "kind" = 'unknown' THEN "total_cost" END) AS "unknown_cost",
    CAST(SUM("prompt_tokens") AS BIGINT) AS "prompt_tokens",
    CAST(SUM("completion_tokens") AS BIGINT) AS "completion_tokens",
    CAST(SUM("total_tokens") AS BIGINT) AS "total_tokens"
  FROM "sim"."cost_items"
  GROUP BY
    "log_id"
)
SELECT
  "l"."id",
  "l"."workspace_id",
  "l"."workflow_id",
  COALESCE("w"."name", "l"."workflow_name", "d"."workflow_name") AS "workflow_name",
  "l"."trigger",
  CAST("l"."started_at" AT TIME ZONE 'UTC' AS DATE) AS "day",
  "l"."execution_id",
  "l"."deployment_version_id",
  "l"."status",
  "l"."level",
  "l"."started_at",
  "l"."ended_at",
  "l"."total_duration_ms",
  "l"."cost_total",
  "i"."models_cost",
  "i"."tools_cost",
  "i"."other_cost",
  "i"."unknown_cost",
  COALESCE("d"."prompt_tokens", "i"."prompt_tokens") AS "prompt_tokens",
  COALESCE("d"."completion_tokens", "i"."completion_tokens") AS "completion_tokens",
  COALESCE("d"."total_tokens", "i"."total_tokens") AS "total_tokens",
  "d"."span_count",
  "d"."finalization_path",
  "d"."error",
  "d"."detail_source"
FROM "sim"."logs" AS "l"
LEFT JOIN "sim"."workflows" AS "w"
  ON "w"."id" = "l"."workflow_id"
LEFT JOIN "sim"."log_details" AS "d"
  ON "d"."id" = "l"."id"
LEFT JOIN "items" AS "i"
  ON "i"."log_id" = "l"."id";

COMMENT ON VIEW "sim"."runs" IS 'Runs with their names, cost and tokens side by side; one row per run (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."runs"."id" IS 'Log id';

COMMENT ON COLUMN "sim"."runs"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."runs"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."runs"."workflow_name" IS 'Current name of the workflow; the last known name if it was deleted';

COMMENT ON COLUMN "sim"."runs"."trigger" IS 'What started the run: api, schedule, webhook, chat, manual or another trigger';

COMMENT ON COLUMN "sim"."runs"."day" IS 'Day the run started, UTC';

COMMENT ON COLUMN "sim"."runs"."execution_id" IS 'Execution id; used by snapshots and webhooks';

COMMENT ON COLUMN "sim"."runs"."deployment_version_id" IS 'Deployment version that ran; null for drafts and on older servers';

COMMENT ON COLUMN "sim"."runs"."status" IS 'running, paused, completed, failed or cancelled, as far as the API reveals it';

COMMENT ON COLUMN "sim"."runs"."level" IS 'info or error, as returned by the API';

COMMENT ON COLUMN "sim"."runs"."started_at" IS 'Start of the run';

COMMENT ON COLUMN "sim"."runs"."ended_at" IS 'End of the run; also set while the run is paused; null while it is running';

COMMENT ON COLUMN "sim"."runs"."total_duration_ms" IS 'Duration in ms';

COMMENT ON COLUMN "sim"."runs"."cost_total" IS 'Cost of the run in USD; null until it is known';

COMMENT ON COLUMN "sim"."runs"."models_cost" IS 'Cost of models in USD; part of cost_total';

COMMENT ON COLUMN "sim"."runs"."tools_cost" IS 'Cost of standalone tools in USD; part of cost_total';

COMMENT ON COLUMN "sim"."runs"."other_cost" IS 'Cost that Sim does not itemise, in USD, mainly the base charge per run; part of cost_total';

COMMENT ON COLUMN "sim"."runs"."unknown_cost" IS 'Cost whose split is not known, in USD; part of cost_total';

COMMENT ON COLUMN "sim"."runs"."prompt_tokens" IS 'Input tokens, as counted by the providers';

COMMENT ON COLUMN "sim"."runs"."completion_tokens" IS 'Output tokens, as counted by the providers';

COMMENT ON COLUMN "sim"."runs"."total_tokens" IS 'Input and output tokens';

COMMENT ON COLUMN "sim"."runs"."span_count" IS 'Number of the run\'s spans in trace_spans';

COMMENT ON COLUMN "sim"."runs"."finalization_path" IS 'How the run ended (completed, paused, cancelled, force_failed); null if its detail was not read';

COMMENT ON COLUMN "sim"."runs"."error" IS 'Error message of the run';

COMMENT ON COLUMN "sim"."runs"."detail_source" IS 'list or detail: the most complete API response these columns come from; null if only the plain list was read';
