CREATE OR REPLACE VIEW `analytics`.`sim`.`run_tree` (
  `log_id` OPTIONS (description = 'Log id of the run'),
  `execution_id` OPTIONS (description = 'Execution id of the run'),
  `workspace_id` OPTIONS (description = 'Sim workspace in which it ran'),
  `workflow_id` OPTIONS (description = 'Workflow that ran'),
  `workflow_name` OPTIONS (description = 'Name of the workflow when the run was last read'),
  `parent_execution_id` OPTIONS (description = 'Execution id of the run whose block started this one; null for a root'),
  `root_execution_id` OPTIONS (description = 'Execution id of the first run of the tree'),
  `depth` OPTIONS (description = 'Number of runs above this one; 0 for a root'),
  `children` OPTIONS (description = 'Number of runs that it started itself'),
  `own_cost` OPTIONS (description = 'Cost of the run alone, in USD'),
  `tree_cost` OPTIONS (description = 'Cost of the run and all runs below it, in USD')
)
OPTIONS (description = 'Runs and the runs of custom blocks below them; one row per run. A custom block runs in the workspace that published it, and its cost is not part of the cost of the run that called it. A run that no trace names as its child is a root (sim-sync view 00000000)')
AS WITH RECURSIVE `calls` AS (
  SELECT
    `c`.`execution_id`,
    `p`.`execution_id` AS `parent_execution_id`,
    `c`.`cost_total`,
    ROW_NUMBER() OVER (
      PARTITION BY `c`.`execution_id`
      ORDER BY `p`.`started_at` NULLS LAST, `p`.`id` NULLS LAST, `s`.`span_index` NULLS LAST
    ) AS `place`
  FROM `analytics`.`sim`.`trace_spans` AS `s`
  JOIN `analytics`.`sim`.`logs` AS `p`
    ON `p`.`id` = `s`.`log_id`
  JOIN `analytics`.`sim`.`logs` AS `c`
    ON `c`.`execution_id` = `s`.`child_execution_id` AND `c`.`id` <> `p`.`id`
  WHERE
    NOT `s`.`child_execution_id` IS NULL
), `edges` AS (
  SELECT
    `execution_id`,
    `parent_execution_id`,
    `cost_total`
  FROM `calls`
  WHERE
    `place` = 1
), `above` AS (
  SELECT
    `execution_id` AS `execution_id`,
    `parent_execution_id` AS `ancestor`,
    `cost_total` AS `cost_total`,
    1 AS `distance`
  FROM `edges`
  UNION ALL
  SELECT
    `a`.`execution_id`,
    `e`.`parent_execution_id`,
    `a`.`cost_total`,
    `a`.`distance` + 1
  FROM `above` AS `a`
  JOIN `edges` AS `e`
    ON `e`.`execution_id` = `a`.`ancestor`
  WHERE
    `a`.`distance` < 50
), `circles` AS (
  SELECT DISTINCT
    `execution_id`
  FROM `above`
  WHERE
    `distance` = 50 OR `ancestor` = `execution_id`
), `tops` AS (
  SELECT
    `execution_id`,
    `ancestor`,
    `distance`,
    ROW_NUMBER() OVER (PARTITION BY `execution_id` ORDER BY `distance` DESC) AS `place`
  FROM `above`
  WHERE
    NOT `execution_id` IN (
      SELECT
        `execution_id`
      FROM `circles`
    )
), `below` AS (
  SELECT
    `ancestor`,
    SUM(`cost_total`) AS `cost`,
    SUM(CASE WHEN `distance` = 1 THEN 1 ELSE 0 END) AS `children`
  FROM `above`
  WHERE
    NOT `execution_id` IN (
      SELECT
        `execution_id`
      FROM `circles`
    )
  GROUP BY
    `ancestor`
)
SELECT
  `l`.`id` AS `log_id`,
  `l`.`execution_id`,
  `l`.`workspace_id`,
  `l`.`workflow_id`,
  `l`.`workflow_name`,
  CASE WHEN NOT `t`.`ancestor` IS NULL THEN `e`.`parent_execution_id` END AS `parent_execution_id`,
  COALESCE(`t`.`ancestor`, `l`.`execution_id`) AS `root_execution_id`,
  COALESCE(`t`.`distance`, 0) AS `depth`,
  CAST(COALESCE(`b`.`children`, 0) AS INT64) AS `children`,
  `l`.`cost_total` AS `own_cost`,
  CASE
    WHEN `b`.`cost` IS NULL
    THEN `l`.`cost_total`
    ELSE COALESCE(`l`.`cost_total`, 0) + `b`.`cost`
  END AS `tree_cost`
FROM `analytics`.`sim`.`logs` AS `l`
LEFT JOIN `tops` AS `t`
  ON `t`.`execution_id` = `l`.`execution_id` AND `t`.`place` = 1
LEFT JOIN `edges` AS `e`
  ON `e`.`execution_id` = `l`.`execution_id`
LEFT JOIN `below` AS `b`
  ON `b`.`ancestor` = `l`.`execution_id`;
