CREATE OR REPLACE VIEW `analytics`.`sim`.`deployment_versions` (
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow'),
  `workflow_name` OPTIONS (description = 'Current name of the workflow'),
  `deployment_version_id` OPTIONS (description = 'Deployment version'),
  `first_run_at` OPTIONS (description = 'Start of the first run with this version'),
  `last_run_at` OPTIONS (description = 'Start of the last run with this version'),
  `runs` OPTIONS (description = 'Number of runs with this version'),
  `completed_runs` OPTIONS (description = 'Number of runs that completed'),
  `failed_runs` OPTIONS (description = 'Number of runs that failed'),
  `failed_share` OPTIONS (description = 'failed_runs divided by runs, from 0 to 1'),
  `total_cost` OPTIONS (description = 'Cost of the runs in USD'),
  `cost_per_completed_run` OPTIONS (description = 'Total cost, failures included, divided by the completed runs, in USD; null if none completed'),
  `tokens_per_run` OPTIONS (description = 'Average tokens per run'),
  `p50_ms` OPTIONS (description = 'Median duration of completed and failed runs, in ms'),
  `previous_deployment_version_id` OPTIONS (description = 'Version that ran before this one; null for the first'),
  `previous_failed_share` OPTIONS (description = 'failed_share of the previous version'),
  `previous_cost_per_completed_run` OPTIONS (description = 'cost_per_completed_run of the previous version, in USD'),
  `cost_change` OPTIONS (description = 'Relative change of cost_per_completed_run from the previous version: 0.25 means 25 % more')
)
OPTIONS (description = 'Runs of a workflow before and after each deployment; one row per workflow and version, without drafts (sim-sync view 00000000)')
AS WITH `ended` AS (
  SELECT
    *,
    CASE WHEN `status` IN ('completed', 'failed') THEN `total_duration_ms` END AS `duration_ms`
  FROM `analytics`.`sim`.`runs`
  WHERE
    NOT `deployment_version_id` IS NULL
), `placed` AS (
  SELECT
    *,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY `workspace_id`, `workflow_id`, `workflow_name`, `deployment_version_id`
      ORDER BY `duration_ms` NULLS LAST
    ) - 1 AS FLOAT64) AS `place`,
    CAST(COUNT(`duration_ms`) OVER (
      PARTITION BY `workspace_id`, `workflow_id`, `workflow_name`, `deployment_version_id`
    ) - 1 AS FLOAT64) AS `last_place`
  FROM `ended`
), `versions` AS (
  SELECT
    `workspace_id`,
    `workflow_id`,
    `workflow_name`,
    `deployment_version_id`,
    MIN(`started_at`) AS `first_run_at`,
    MAX(`started_at`) AS `last_run_at`,
    COUNT(*) AS `runs`,
    COUNT(CASE WHEN `status` = 'completed' THEN 1 END) AS `completed_runs`,
    COUNT(CASE WHEN `status` = 'failed' THEN 1 END) AS `failed_runs`,
    COALESCE(SUM(`cost_total`), 0) AS `total_cost`,
    ROUND(
      CAST((
        SUM(`cost_total`) / NULLIF(COUNT(CASE WHEN `status` = 'completed' THEN 1 END), 0)
      ) AS BIGNUMERIC),
      12
    ) AS `cost_per_completed_run`,
    CAST(COALESCE(SUM(`total_tokens`), 0) AS FLOAT64) / COUNT(*) AS `tokens_per_run`,
    SUM(`duration_ms` * GREATEST(1 - ABS(`place` - 0.5 * `last_place`), 0)) AS `p50_ms`
  FROM `placed`
  GROUP BY
    `workspace_id`,
    `workflow_id`,
    `workflow_name`,
    `deployment_version_id`
), `compared` AS (
  SELECT
    *,
    CAST(`failed_runs` AS FLOAT64) / `runs` AS `failed_share`,
    LAG(`deployment_version_id`) OVER (
      PARTITION BY `workspace_id`, `workflow_id`
      ORDER BY `first_run_at` NULLS LAST, `deployment_version_id` NULLS LAST
    ) AS `previous_deployment_version_id`,
    LAG(CAST(`failed_runs` AS FLOAT64) / `runs`) OVER (
      PARTITION BY `workspace_id`, `workflow_id`
      ORDER BY `first_run_at` NULLS LAST, `deployment_version_id` NULLS LAST
    ) AS `previous_failed_share`,
    LAG(`cost_per_completed_run`) OVER (
      PARTITION BY `workspace_id`, `workflow_id`
      ORDER BY `first_run_at` NULLS LAST, `deployment_version_id` NULLS LAST
    ) AS `previous_cost_per_completed_run`
  FROM `versions`
)
SELECT
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `deployment_version_id`,
  `first_run_at`,
  `last_run_at`,
  `runs`,
  `completed_runs`,
  `failed_runs`,
  `failed_share`,
  `total_cost`,
  `cost_per_completed_run`,
  `tokens_per_run`,
  `p50_ms`,
  `previous_deployment_version_id`,
  `previous_failed_share`,
  `previous_cost_per_completed_run`,
  CAST(`cost_per_completed_run` AS FLOAT64) / NULLIF(CAST(`previous_cost_per_completed_run` AS FLOAT64), 0) - 1 AS `cost_change`
FROM `compared`;
