CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_by_day` (
  `day` OPTIONS (description = 'Day the runs started, UTC'),
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow that ran; null if Sim does not name one'),
  `workflow_name` OPTIONS (description = 'Current name of the workflow'),
  `trigger` OPTIONS (description = 'What started the runs'),
  `runs` OPTIONS (description = 'Number of runs started'),
  `failed_runs` OPTIONS (description = 'Number of runs that failed'),
  `total_cost` OPTIONS (description = 'Cost of the runs in USD'),
  `models_cost` OPTIONS (description = 'Cost of models in USD; part of total_cost'),
  `tools_cost` OPTIONS (description = 'Cost of standalone tools in USD; part of total_cost'),
  `other_cost` OPTIONS (description = 'Cost that Sim does not itemise, in USD, mainly the base charge per run; part of total_cost'),
  `unknown_cost` OPTIONS (description = 'Cost whose split is not known, in USD; part of total_cost'),
  `prompt_tokens` OPTIONS (description = 'Input tokens, as counted by the providers'),
  `completion_tokens` OPTIONS (description = 'Output tokens, as counted by the providers'),
  `total_tokens` OPTIONS (description = 'Input and output tokens')
)
OPTIONS (description = 'Cost per day; one row per day, workflow and trigger (sim-sync view 00000000)')
AS SELECT
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`,
  COUNT(*) AS `runs`,
  COUNT(CASE WHEN `status` = 'failed' THEN 1 END) AS `failed_runs`,
  COALESCE(SUM(`cost_total`), 0) AS `total_cost`,
  COALESCE(SUM(`models_cost`), 0) AS `models_cost`,
  COALESCE(SUM(`tools_cost`), 0) AS `tools_cost`,
  COALESCE(SUM(`other_cost`), 0) AS `other_cost`,
  COALESCE(SUM(`unknown_cost`), 0) AS `unknown_cost`,
  CAST(COALESCE(SUM(`prompt_tokens`), 0) AS INT64) AS `prompt_tokens`,
  CAST(COALESCE(SUM(`completion_tokens`), 0) AS INT64) AS `completion_tokens`,
  CAST(COALESCE(SUM(`total_tokens`), 0) AS INT64) AS `total_tokens`
FROM `analytics`.`sim`.`runs`
GROUP BY
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`;
