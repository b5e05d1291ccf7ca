CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_of_failures` (
  `day` OPTIONS (description = 'Day the runs started, UTC'),
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow that ran; null if Sim does not name one'),
  `workflow_name` OPTIONS (description = 'Current name of the workflow'),
  `trigger` OPTIONS (description = 'What started the runs'),
  `runs` OPTIONS (description = 'Number of runs started'),
  `failed_runs` OPTIONS (description = 'Number of runs that failed'),
  `cancelled_runs` OPTIONS (description = 'Number of runs that were cancelled'),
  `failed_cost` OPTIONS (description = 'Cost of the failed runs in USD'),
  `cancelled_cost` OPTIONS (description = 'Cost of the cancelled runs in USD'),
  `wasted_cost` OPTIONS (description = 'failed_cost plus cancelled_cost, in USD'),
  `total_cost` OPTIONS (description = 'Cost of all runs in USD'),
  `wasted_share` OPTIONS (description = 'wasted_cost divided by total_cost, from 0 to 1; null if nothing was spent')
)
OPTIONS (description = 'Cost of failed and cancelled runs; one row per day, workflow and trigger with at least one such run (sim-sync view 00000000)')
AS SELECT
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`,
  COUNT(*) AS `runs`,
  COUNT(CASE WHEN `status` = 'failed' THEN 1 END) AS `failed_runs`,
  COUNT(CASE WHEN `status` = 'cancelled' THEN 1 END) AS `cancelled_runs`,
  COALESCE(SUM(CASE WHEN `status` = 'failed' THEN `cost_total` END), 0) AS `failed_cost`,
  COALESCE(SUM(CASE WHEN `status` = 'cancelled' THEN `cost_total` END), 0) AS `cancelled_cost`,
  COALESCE(SUM(CASE WHEN `status` IN ('failed', 'cancelled') THEN `cost_total` END), 0) AS `wasted_cost`,
  COALESCE(SUM(`cost_total`), 0) AS `total_cost`,
  CAST(COALESCE(SUM(CASE WHEN `status` IN ('failed', 'cancelled') THEN `cost_total` END), 0) AS FLOAT64) / NULLIF(CAST(SUM(`cost_total`) AS FLOAT64), 0) AS `wasted_share`
FROM `analytics`.`sim`.`runs`
GROUP BY
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`
HAVING
  COUNT(CASE WHEN `status` IN ('failed', 'cancelled') THEN 1 END) > 0;
