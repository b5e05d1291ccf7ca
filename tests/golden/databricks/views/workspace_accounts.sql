CREATE OR REPLACE VIEW `analytics`.`sim`.`workspace_accounts` (
  `workspace_id` COMMENT 'Sim workspace',
  `account` COMMENT 'Configured account, or default'
)
COMMENT 'Account that a workspace belongs to: the one whose API key last read its billing status; one row per workspace. Workspaces of servers without the v2 API have no row (sim-sync view 00000000)'
AS WITH `reads` AS (
  SELECT
    `workspace_id`,
    COALESCE(`account`, 'default') AS `account`,
    ROW_NUMBER() OVER (PARTITION BY `workspace_id` ORDER BY `observed_at` DESC) AS `age`
  FROM `analytics`.`sim`.`billing_status`
)
SELECT
  `workspace_id`,
  `account`
FROM `reads`
WHERE
  `age` = 1;
