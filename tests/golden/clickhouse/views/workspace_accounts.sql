CREATE OR REPLACE VIEW `analytics`.`sim___workspace_accounts` AS WITH "reads" AS (
  SELECT
    "workspace_id",
    COALESCE("account", 'default') AS "account",
    ROW_NUMBER() OVER (PARTITION BY "workspace_id" ORDER BY "observed_at" DESC) AS "age"
  FROM "analytics"."sim___billing_status"
)
SELECT
  "workspace_id",
  "account"
FROM "reads"
WHERE
  "age" = 1
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Account that a workspace belongs to: the one whose API key last read its billing status, one row per workspace. Workspaces of servers without the v2 API have no row (sim-sync view 00000000)';
