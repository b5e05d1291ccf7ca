CREATE OR REPLACE VIEW `analytics`.`sim`.`runs` (
  `id` COMMENT 'Log id',
  `workspace_id` COMMENT 'Sim workspace',
  `workflow_id` COMMENT 'Workflow that ran; null if Sim does not name one',
  `workflow_name` COMMENT 'Current name of the workflow; the last known name if it was deleted',
  `trigger` COMMENT 'What started the run: api, schedule, webhook, chat, manual or another trigger',
  `day` COMMENT 'Day the run started, UTC',
  `execution_id` COMMENT 'Execution id; used by snapshots and webhooks',
  `deployment_version_id` COMMENT 'Deployment version that ran; null for drafts and on older servers',
  `status` COMMENT 'running, paused, completed, failed or cancelled, as far as the API reveals it',
  `level` COMMENT 'info or error, as returned by the API',
  `started_at` COMMENT 'Start of the run',
  `ended_at` COMMENT 'End of the run; also set while the run is paused; null while it is running',
  `total_duration_ms` COMMENT 'Duration in ms',
  `cost_total` COMMENT 'Cost of the run in USD; null until it is known',
  `models_cost` COMMENT 'Cost of models in USD; part of cost_total',
  `tools_cost` COMMENT 'Cost of standalone tools in USD; part of cost_total',
  `other_cost` COMMENT 'Cost that Sim does not itemise, in USD, mainly the base charge per run; part of cost_total',
  `unknown_cost` COMMENT 'Cost whose split is not known, in USD; part of cost_total',
  `prompt_tokens` COMMENT 'Input tokens, as counted by the providers',
  `completion_tokens` COMMENT 'Output tokens, as counted by the providers',
  `total_tokens` COMMENT 'Input and output tokens',
  `span_count` COMMENT 'Number of the run\'s spans in trace_spans',
  `finalization_path` COMMENT 'How the run ended (completed, paused, cancelled, force_failed); null if its detail was not read',
  `error` COMMENT 'Error message of the run',
  `detail_source` COMMENT 'list or detail: the most complete API response these columns come from; null if only the plain list was read'
)
COMMENT 'Runs with their names, cost and tokens side by side; one row per run (sim-sync view 00000000)'
AS WITH `items` AS (
  SELECT
    `log_id`,
    SUM(CASE WHEN `kind` = 'model' THEN `total_cost` END) AS `models_cost`,
    SUM(CASE WHEN `kind` = 'tool' THEN `total_cost` END) AS `tools_cost`,
    SUM(CASE WHEN `kind` = 'other' THEN `total_cost` END) AS `other_cost`,
    SUM(CASE WHEN `kind` = 'unknown' THEN `total_cost` END) AS `unknown_cost`,
    CAST(SUM(`prompt_tokens`) AS BIGINT) AS `prompt_tokens`,
    CAST(SUM(`completion_tokens`) AS BIGINT) AS `completion_tokens`,
    CAST(SUM(`total_tokens`) AS BIGINT) AS `total_tokens`
  FROM `analytics`.`sim`.`cost_items`
  GROUP BY
    `log_id`
)
SELECT
  `l`.`id`,
  `l`.`workspace_id`,
  `l`.`workflow_id`,
  COALESCE(`w`.`name`, `l`.`workflow_name`, `d`.`workflow_name`) AS `workflow_name`,
  `l`.`trigger`,
  CAST(CONVERT_TIMEZONE('UTC', `l`.`started_at`) AS DATE) AS `day`,
  `l`.`execution_id`,
  `l`.`deployment_version_id`,
  `l`.`status`,
  `l`.`level`,
  `l`.`started_at`,
  `l`.`ended_at`,
  `l`.`total_duration_ms`,
  `l`.`cost_total`,
  `i`.`models_cost`,
  `i`.`tools_cost`,
  `i`.`other_cost`,
  `i`.`unknown_cost`,
  COALESCE(`d`.`prompt_tokens`, `i`.`prompt_tokens`) AS `prompt_tokens`,
  COALESCE(`d`.`completion_tokens`, `i`.`completion_tokens`) AS `completion_tokens`,
  COALESCE(`d`.`total_tokens`, `i`.`total_tokens`) AS `total_tokens`,
  `d`.`span_count`,
  `d`.`finalization_path`,
  `d`.`error`,
  `d`.`detail_source`
FROM `analytics`.`sim`.`logs` AS `l`
LEFT JOIN `analytics`.`sim`.`workflows` AS `w`
  ON `w`.`id` = `l`.`workflow_id`
LEFT JOIN `analytics`.`sim`.`log_details` AS `d`
  ON `d`.`id` = `l`.`id`
LEFT JOIN `items` AS `i`
  ON `i`.`log_id` = `l`.`id`;
