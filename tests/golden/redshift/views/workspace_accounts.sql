CREATE OR REPLACE VIEW "sim"."workspace_accounts" AS WITH "reads" AS (
  SELECT
    "workspace_id",
    COALESCE("account", 'default') AS "account",
    ROW_NUMBER() OVER (PARTITION BY "workspace_id" ORDER BY "observed_at" DESC NULLS LAST) AS "age"
  FROM "sim"."billing_status"
)
SELECT
  "workspace_id",
  "account"
FROM "reads"
WHERE
  "age" = 1;

COMMENT ON VIEW "sim"."workspace_accounts" IS 'Account that a workspace belongs to: the one whose API key last read its billing status; one row per workspace. Workspaces of servers without the v2 API have no row (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."workspace_accounts"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."workspace_accounts"."account" IS 'Configured account, or default';
