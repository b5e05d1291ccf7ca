CREATE OR REPLACE VIEW "sim"."latency_by_workflow" AS WITH "placed" AS (
  SELECT
    "day",
    "workspace_id",
    "workflow_id",
    "workflow_name",
    "trigger",
    "total_duration_ms",
    CAST(ROW_NUMBER() OVER (
      PARTITION BY "day", "workspace_id", "workflow_id", "workflow_name", "trigger"
      ORDER BY "total_duration_ms"
    ) - 1 AS DOUBLE PRECISION) AS "place",
    CAST(COUNT(*) OVER (PARTITION BY "day", "workspace_id", "workflow_id", "workflow_name", "trigger") - 1 AS DOUBLE PRECISION) AS "last_place"
  FROM "sim"."runs"
  WHERE
    "status" IN ('completed', 'failed') AND NOT "total_duration_ms" IS NULL
)
SELECT
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger",
  COUNT(*) AS "runs",
  SUM("total_duration_ms" * GREATEST(1 - ABS("place" - 0.5 * "last_place"), 0)) AS "p50_ms",
  SUM("total_duration_ms" * GREATEST(1 - ABS("place" - 0.95 * "last_place"), 0)) AS "p95_ms",
  SUM("total_duration_ms" * GREATEST(1 - ABS("place" - 0.99 * "last_place"), 0)) AS "p99_ms",
  MAX("total_duration_ms") AS "max_ms"
FROM "placed"
GROUP BY
  "day",
  "workspace_id",
  "workflow_id",
  "workflow_name",
  "trigger";

COMMENT ON VIEW "sim"."latency_by_workflow" IS 'Duration of completed and failed runs; one row per day, workflow and trigger (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."latency_by_workflow"."day" IS 'Day the runs started, UTC';

COMMENT ON COLUMN "sim"."latency_by_workflow"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."latency_by_workflow"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."latency_by_workflow"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."latency_by_workflow"."trigger" IS 'What started the runs';

COMMENT ON COLUMN "sim"."latency_by_workflow"."runs" IS 'Number of completed and failed runs whose duration is known';

COMMENT ON COLUMN "sim"."latency_by_workflow"."p50_ms" IS 'Median duration in ms';

COMMENT ON COLUMN "sim"."latency_by_workflow"."p95_ms" IS '95th percentile of the duration in ms';

COMMENT ON COLUMN "sim"."latency_by_workflow"."p99_ms" IS '99th percentile of the duration in ms';

COMMENT ON COLUMN "sim"."latency_by_workflow"."max_ms" IS 'Longest duration in ms; for a run that paused for a person, the duration that Sim reports';
