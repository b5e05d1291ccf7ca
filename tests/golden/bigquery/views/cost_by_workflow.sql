CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_by_workflow` (
  `day` OPTIONS (description = 'Day the runs started, UTC'),
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow that ran; null if Sim does not name one'),
  `workflow_name` OPTIONS (description = 'Current name of the workflow'),
  `trigger` OPTIONS (description = 'What started the runs'),
  `runs` OPTIONS (description = 'Number of runs started'),
  `completed_runs` OPTIONS (description = 'Number of runs that completed'),
  `failed_runs` OPTIONS (description = 'Number of runs that failed'),
  `total_cost` OPTIONS (description = 'Cost of the runs in USD'),
  `cost_per_run` OPTIONS (description = 'Average cost per run in USD, over the runs whose cost is known'),
  `cost_per_completed_run` OPTIONS (description = 'Total cost, failures included, divided by the completed runs, in USD; null if none completed'),
  `total_tokens` OPTIONS (description = 'Input and output tokens'),
  `tokens_per_run` OPTIONS (description = 'Average tokens per run, over all runs')
)
OPTIONS (description = 'Cost of a workflow\'s runs, in total and per run; one row per day, workflow and trigger (sim-sync view 00000000)')
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
  ROUND(CAST((
    SUM(`cost_total`) / NULLIF(COUNT(`cost_total`), 0)
  ) AS BIGNUMERIC), 12) AS `cost_per_run`,
  ROUND(
    CAST((
      SUM(`cost_total`) / NULLIF(COUNT(CASE WHEN `status` = 'completed' THEN 1 END), 0)
    ) AS BIGNUMERIC),
    12
  ) AS `cost_per_completed_run`,
  CAST(COALESCE(SUM(`total_tokens`), 0) AS INT64) AS `total_tokens`,
  CAST(COALESCE(SUM(`total_tokens`), 0) AS FLOAT64) / COUNT(*) AS `tokens_per_run`
FROM `analytics`.`sim`.`runs`
GROUP BY
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`;
