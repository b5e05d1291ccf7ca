CREATE OR REPLACE VIEW "sim"."cost_reconciliation" AS WITH "items" AS (
  SELECT
    "log_id",
    SUM("total_cost") AS "itemised_cost",
    COUNT(*) AS "items"
  FROM "sim"."cost_items"
  GROUP BY
    "log_id"
)
SELECT
  "l"."id",
  "l"."workspace_id",
  "l"."workflow_id",
  "l"."workflow_name",
  "l"."trigger",
  CAST("l"."started_at" AT TIME ZONE 'UTC' AS DATE) AS "day",
  "l"."cost_total",
  "i"."itemised_cost",
  COALESCE("l"."cost_total", 0) - COALESCE("i"."itemised_cost", 0) AS "difference",
  COALESCE("i"."items", 0) AS "items",
  COALESCE("l"."cost_total", 0) = COALESCE("i"."itemised_cost", 0) AS "reconciled"
FROM "sim"."logs" AS "l"
LEFT JOIN "items" AS "i"
  ON "i"."log_id" = "l"."id";

COMMENT ON VIEW "sim"."cost_reconciliation" IS 'Whether the cost items of a run add up to its cost; one row per run (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."cost_reconciliation"."id" IS 'Log id';

COMMENT ON COLUMN "sim"."cost_reconciliation"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."cost_reconciliation"."workflow_id" IS 'Workflow that ran';

COMMENT ON COLUMN "sim"."cost_reconciliation"."workflow_name" IS 'Name of the workflow when the run was last read';

COMMENT ON COLUMN "sim"."cost_reconciliation"."trigger" IS 'What started the run';

COMMENT ON COLUMN "sim"."cost_reconciliation"."day" IS 'Day the run started, UTC';

COMMENT ON COLUMN "sim"."cost_reconciliation"."cost_total" IS 'Cost of the run in USD, as returned by the API; null until it is known';

COMMENT ON COLUMN "sim"."cost_reconciliation"."itemised_cost" IS 'Sum of the run\'s cost_items in USD';

COMMENT ON COLUMN "sim"."cost_reconciliation"."difference" IS 'cost_total minus itemised_cost, in USD; 0 if the items add up';

COMMENT ON COLUMN "sim"."cost_reconciliation"."items" IS 'Number of the run\'s cost_items';

COMMENT ON COLUMN "sim"."cost_reconciliation"."reconciled" IS 'Whether the difference is exactly 0';
