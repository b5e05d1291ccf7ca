CREATE OR REPLACE VIEW `analytics`.`sim`.`errors_by_block` (
  `day` COMMENT 'Day the runs started, UTC',
  `workspace_id` COMMENT 'Sim workspace',
  `workflow_id` COMMENT 'Workflow that ran; null if Sim does not name one',
  `workflow_name` COMMENT 'Current name of the workflow',
  `trigger` COMMENT 'What started the runs',
  `block_id` COMMENT 'Block of the workflow that failed',
  `block_name` COMMENT 'Name of the block',
  `block_type` COMMENT 'Type of the block: agent, function, api and more',
  `error_type` COMMENT 'Type of error; null if Sim does not report one',
  `errors` COMMENT 'Number of the block\'s spans that ended in an error; a run can have several in a loop',
  `runs` COMMENT 'Number of runs with such an error',
  `failed_runs` COMMENT 'Number of those runs that failed; in the others the workflow continued',
  `last_error_at` COMMENT 'Start of the latest span with the error',
  `error_message` COMMENT 'One of the error messages'
)
COMMENT 'Errors by block; one row per day, workflow, trigger, block and type of error (sim-sync view 00000000)'
AS SELECT
  `r`.`day`,
  `r`.`workspace_id`,
  `r`.`workflow_id`,
  `r`.`workflow_name`,
  `r`.`trigger`,
  `s`.`block_id`,
  `s`.`name` AS `block_name`,
  `s`.`type` AS `block_type`,
  `s`.`error_type`,
  COUNT(*) AS `errors`,
  COUNT(DISTINCT `r`.`id`) AS `runs`,
  COUNT(DISTINCT CASE WHEN `r`.`status` = 'failed' THEN `r`.`id` END) AS `failed_runs`,
  MAX(`s`.`started_at`) AS `last_error_at`,
  MIN(`s`.`error_message`) AS `error_message`
FROM `analytics`.`sim`.`trace_spans` AS `s`
JOIN `analytics`.`sim`.`runs` AS `r`
  ON `r`.`id` = `s`.`log_id`
WHERE
  `s`.`status` = 'error' AND NOT `s`.`block_id` IS NULL
GROUP BY
  `r`.`day`,
  `r`.`workspace_id`,
  `r`.`workflow_id`,
  `r`.`workflow_name`,
  `r`.`trigger`,
  `s`.`block_id`,
  `s`.`name`,
  `s`.`type`,
  `s`.`error_type`;
