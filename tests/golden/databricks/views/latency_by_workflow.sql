CREATE OR REPLACE VIEW `analytics`.`sim`.`latency_by_workflow` (
  `day` COMMENT 'Day the runs started, UTC',
  `workspace_id` COMMENT 'Sim workspace',
  `workflow_id` COMMENT 'Workflow that ran; null if Sim does not name one',
  `workflow_name` COMMENT 'Current name of the workflow',
  `trigger` COMMENT 'What started the runs',
  `runs` COMMENT 'Number of completed and failed runs whose duration is known',
  `p50_ms` COMMENT 'Median duration in ms',
  `p95_ms` COMMENT '95th percentile of the duration in ms',
  `p99_ms` COMMENT '99th percentile of the duration in ms',
  `max_ms` COMMENT 'Longest duration in ms; for a run that paused for a person, the duration that Sim reports'
)
COMMENT 'Duration of completed and failed runs; one row per day, workflow and trigger (sim-sync view 00000000)'
AS WITH `placed` AS (
  SELECT
    `day`,
    `workspace_id`,
    `workflow_id`,
    `workflow_name`,
    `trigger`,
    `total_duration_ms`,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY `day`, `workspace_id`, `workflow_id`, `workflow_name`, `trigger`
      ORDER BY `total_duration_ms` NULLS LAST
    ) - 1 AS DOUBLE) AS `place`,
    CAST(COUNT(*) OVER (PARTITION BY `day`, `workspace_id`, `workflow_id`, `workflow_name`, `trigger`) - 1 AS DOUBLE) AS `last_place`
  FROM `analytics`.`sim`.`runs`
  WHERE
    `status` IN ('completed', 'failed') AND NOT `total_duration_ms` IS NULL
)
SELECT
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`,
  COUNT(*) AS `runs`,
  SUM(`total_duration_ms` * GREATEST(1 - ABS(`place` - 0.5 * `last_place`), 0)) AS `p50_ms`,
  SUM(`total_duration_ms` * GREATEST(1 - ABS(`place` - 0.95 * `last_place`), 0)) AS `p95_ms`,
  SUM(`total_duration_ms` * GREATEST(1 - ABS(`place` - 0.99 * `last_place`), 0)) AS `p99_ms`,
  MAX(`total_duration_ms`) AS `max_ms`
FROM `placed`
GROUP BY
  `day`,
  `workspace_id`,
  `workflow_id`,
  `workflow_name`,
  `trigger`;
