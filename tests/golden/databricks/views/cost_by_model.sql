CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_by_model` (
  `day` COMMENT 'Day the runs started, UTC',
  `workspace_id` COMMENT 'Sim workspace',
  `workflow_id` COMMENT 'Workflow that ran; null if Sim does not name one',
  `workflow_name` COMMENT 'Current name of the workflow',
  `trigger` COMMENT 'What started the runs',
  `model` COMMENT 'Model id; null if the item is not a model',
  `kind` COMMENT 'model, tool, other (charged but not itemised) or unknown (cost split not known)',
  `name` COMMENT 'Model id, tool name, other or unknown',
  `runs` COMMENT 'Number of runs that used the item',
  `total_cost` COMMENT 'Cost in USD',
  `input_cost` COMMENT 'Cost of input tokens in USD',
  `output_cost` COMMENT 'Cost of output tokens in USD',
  `tool_cost` COMMENT 'Cost of tools the model called, in USD; part of total_cost',
  `prompt_tokens` COMMENT 'Input tokens, as counted by the providers',
  `completion_tokens` COMMENT 'Output tokens, as counted by the providers',
  `total_tokens` COMMENT 'Input and output tokens'
)
COMMENT 'Cost by model, tool and other item; one row per day, workflow, trigger and item. The rows add up to the cost of the runs (sim-sync view 00000000)'
AS SELECT
  `r`.`day`,
  `r`.`workspace_id`,
  `r`.`workflow_id`,
  `r`.`workflow_name`,
  `r`.`trigger`,
  CASE WHEN `i`.`kind` = 'model' THEN `i`.`name` END AS `model`,
  `i`.`kind`,
  `i`.`name`,
  COUNT(*) AS `runs`,
  COALESCE(SUM(`i`.`total_cost`), 0) AS `total_cost`,
  COALESCE(SUM(`i`.`input_cost`), 0) AS `input_cost`,
  COALESCE(SUM(`i`.`output_cost`), 0) AS `output_cost`,
  COALESCE(SUM(`i`.`tool_cost`), 0) AS `tool_cost`,
  CAST(COALESCE(SUM(`i`.`prompt_tokens`), 0) AS BIGINT) AS `prompt_tokens`,
  CAST(COALESCE(SUM(`i`.`completion_tokens`), 0) AS BIGINT) AS `completion_tokens`,
  CAST(COALESCE(SUM(`i`.`total_tokens`), 0) AS BIGINT) AS `total_tokens`
FROM `analytics`.`sim`.`cost_items` AS `i`
JOIN `analytics`.`sim`.`runs` AS `r`
  ON `r`.`id` = `i`.`log_id`
GROUP BY
  `r`.`day`,
  `r`.`workspace_id`,
  `r`.`workflow_id`,
  `r`.`workflow_name`,
  `r`.`trigger`,
  `i`.`kind`,
  `i`.`name`;
