CREATE OR REPLACE VIEW "SIM"."WORKSPACE_ACCOUNTS" (
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "ACCOUNT" COMMENT 'Configured account, or default'
)
COMMENT = 'Account that a workspace belongs to: the one whose API key last read its billing status; one row per workspace. Workspaces of servers without the v2 API have no row (sim-sync view 00000000)'
AS WITH "READS" AS (
  SELECT
    "WORKSPACE_ID",
    COALESCE("ACCOUNT", 'default') AS "ACCOUNT",
    ROW_NUMBER() OVER (PARTITION BY "WORKSPACE_ID" ORDER BY "OBSERVED_AT" DESC NULLS LAST) AS "AGE"
  FROM "SIM"."BILLING_STATUS"
)
SELECT
  "WORKSPACE_ID",
  "ACCOUNT"
FROM "READS"
WHERE
  "AGE" = 1;
