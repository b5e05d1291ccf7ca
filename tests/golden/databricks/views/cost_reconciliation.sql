CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_reconciliation` (
  `id` COMMENT 'Log id',
  `workspace_id` COMMENT 'Sim workspace',
  `workflow_id` COMMENT 'Workflow that ran',
  `workflow_name` COMMENT 'Name of the workflow when the run was last read',
  `trigger` COMMENT 'What started the run',
  `day` COMMENT 'Day the run started, UTC',
  `cost_total` COMMENT 'Cost of the run in USD, as returned by the API; null until it is known',
  `itemised_cost` COMMENT 'Sum of the run\'s cost_items in USD',
  `difference` COMMENT 'cost_total minus itemised_cost, in USD; 0 if the items add up',
  `items` COMMENT 'Number of the run\'s cost_items',
  `reconciled` COMMENT 'Whether the difference is exactly 0'
)
COMMENT 'Whether the cost items of a run add up to its cost; one row per run (sim-sync view 00000000)'
AS WITH `items` AS (
  SELECT
    `log_id`,
    SUM(`total_cost`) AS `itemised_cost`,
    COUNT(*) AS `items`
  FROM `analytics`.`sim`.`cost_items`
  GROUP BY
    `log_id`
)
SELECT
  `l`.`id`,
  `l`.`workspace_id`,
  `l`.`workflow_id`,
  `l`.`workflow_name`,
  `l`.`trigger`,
  CAST(CONVERT_TIMEZONE('UTC', `l`.`started_at`) AS DATE) AS `day`,
  `l`.`cost_total`,
  `i`.`itemised_cost`,
  COALESCE(`l`.`cost_total`, 0) - COALESCE(`i`.`itemised_cost`, 0) AS `difference`,
  COALESCE(`i`.`items`, 0) AS `items`,
  COALESCE(`l`.`cost_total`, 0) = COALESCE(`i`.`itemised_cost`, 0) AS `reconciled`
FROM `analytics`.`sim`.`logs` AS `l`
LEFT JOIN `items` AS `i`
  ON `i`.`log_id` = `l`.`id`;
