CREATE OR REPLACE VIEW "sim"."errors_by_block" AS SELECT
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "s"."block_id",
  "s"."name" AS "block_name",
  "s"."type" AS "block_type",
  "s"."error_type",
  COUNT(*) AS "errors",
  COUNT(DISTINCT "r"."id") AS "runs",
  COUNT(DISTINCT CASE WHEN "r"."status" = 'failed' THEN "r"."id" END) AS "failed_runs",
  MAX("s"."started_at") AS "last_error_at",
  MIN("s"."error_message") AS "error_message"
FROM "sim"."trace_spans" AS "s"
JOIN "sim"."runs" AS "r"
  ON "r"."id" = "s"."log_id"
WHERE
  "s"."status" = 'error' AND NOT "s"."block_id" IS NULL
GROUP BY
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "s"."block_id",
  "s"."name",
  "s"."type",
  "s"."error_type";

COMMENT ON VIEW "sim"."errors_by_block" IS 'Errors by block; one row per day, workflow, trigger, block and type of error (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."errors_by_block"."day" IS 'Day the runs started, UTC';

COMMENT ON COLUMN "sim"."errors_by_block"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."errors_by_block"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."errors_by_block"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."errors_by_block"."trigger" IS 'What started the runs';

COMMENT ON COLUMN "sim"."errors_by_block"."block_id" IS 'Block of the workflow that failed';

COMMENT ON COLUMN "sim"."errors_by_block"."block_name" IS 'Name of the block';

COMMENT ON COLUMN "sim"."errors_by_block"."block_type" IS 'Type of the block: agent, function, api and more';

COMMENT ON COLUMN "sim"."errors_by_block"."error_type" IS 'Type of error; null if Sim does not report one';

COMMENT ON COLUMN "sim"."errors_by_block"."errors" IS 'Number of the block\'s spans that ended in an error; a run can have several in a loop';

COMMENT ON COLUMN "sim"."errors_by_block"."runs" IS 'Number of runs with such an error';

COMMENT ON COLUMN "sim"."errors_by_block"."failed_runs" IS 'Number of those runs that failed; in the others the workflow continued';

COMMENT ON COLUMN "sim"."errors_by_block"."last_error_at" IS 'Start of the latest span with the error';

COMMENT ON COLUMN "sim"."errors_by_block"."error_message" IS 'One of the error messages';
