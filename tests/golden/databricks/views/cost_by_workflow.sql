CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_by_workflow` (
  `day` COMMENT 'Day the runs started, UTC',
  `workspace_id` COMMENT 'Sim workspace',
  `workflow_id` COMMENT 'Workflow that ran; null if Sim does not name one',
  `workflow_name` COMMENT 'Current name of the workflow',
  `trigger` COMMENT 'What started the runs',
  `runs` COMMENT 'Number of runs started',
  `completed_runs` COMMENT 'Number of runs that completed',
  `failed_runs` COMMENT 'Number of runs that failed',
  `total_cost` COMMENT 'Cost of the runs in USD',
  `cost_per_run` COMMENT 'Average cost per run in USD, over the runs whose cost is known',
  `cost_per_completed_run` COMMENT 'Total cost, failures included, divided by the completed runs, in USD; null if none completed',
  `total_tokens` COMMENT 'Input and output tokens',
  `tokens_per_run` COMMENT 'Average tokens per run, over all runs'
)
COMMENT 'Cost of a workflow\'s runs, in total and per run; one row per day, workflow and trigger (sim-sync view 00000000)'
AS SELECT
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`,
  COUNT(*) AS `runs`,
  COUNT(CASE WHEN `status` = 'completed' THEN 1 END) AS `completed_runs`,
  COUNT(CASE WHEN `status` = 'failed' THEN 1 END) AS `failed_runs`,
  COALESCE(SUM(`cost_total`), 0) AS `total_cost`,
  CAST(SUM(`cost_total`) / NULLIF(COUNT(`cost_total`), 0) AS DECIMAL(38, 12)) AS `cost_per_run`,
  CAST(SUM(`cost_total`) / NULLIF(COUNT(CASE WHEN `status` = 'completed' THEN 1 END), 0) AS DECIMAL(38, 12)) AS `cost_per_completed_run`,
  CAST(COALESCE(SUM(`total_tokens`), 0) AS BIGINT) AS `total_tokens`,
  CAST(COALESCE(SUM(`total_tokens`), 0) AS DOUBLE) / COUNT(*) AS `tokens_per_run`
FROM `analytics`.`sim`.`runs`
GROUP BY
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`;
