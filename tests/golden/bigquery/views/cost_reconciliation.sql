CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_reconciliation` (
  `id` OPTIONS (description = 'Log id'),
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow that ran'),
  `workflow_name` OPTIONS (description = 'Name of the workflow when the run was last read'),
  `trigger` OPTIONS (description = 'What started the run'),
  `day` OPTIONS (description = 'Day the run started, UTC'),
  `cost_total` OPTIONS (description = 'Cost of the run in USD, as returned by the API; null until it is known'),
  `itemised_cost` OPTIONS (description = 'Sum of the run\'s cost_items in USD'),
  `difference` OPTIONS (description = 'cost_total minus itemised_cost, in USD; 0 if the items add up'),
  `items` OPTIONS (description = 'Number of the run\'s cost_items'),
  `reconciled` OPTIONS (description = 'Whether the difference is exactly 0')
)
OPTIONS (description = 'Whether the cost items of a run add up to its cost; one row per run (sim-sync view 00000000)')
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
  CAST(DATETIME(`l`.`started_at`, 'UTC') AS DATE) AS `day`,
  `l`.`cost_total`,
  `i`.`itemised_cost`,
  COALESCE(`l`.`cost_total`, 0) - COALESCE(`i`.`itemised_cost`, 0) AS `difference`,
  COALESCE(`i`.`items`, 0) AS `items`,
  COALESCE(`l`.`cost_total`, 0) = COALESCE(`i`.`itemised_cost`, 0) AS `reconciled`
FROM `analytics`.`sim`.`logs` AS `l`
LEFT JOIN `items` AS `i`
  ON `i`.`log_id` = `l`.`id`;
