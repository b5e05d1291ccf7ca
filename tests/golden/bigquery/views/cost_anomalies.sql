CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_anomalies` (
  `day` OPTIONS (description = 'Day the runs started, UTC'),
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow that ran; null if Sim does not name one'),
  `workflow_name` OPTIONS (description = 'Current name of the workflow'),
  `trigger` OPTIONS (description = 'Trigger of the runs whose cost moved most in the direction of the difference'),
  `cost` OPTIONS (description = 'Cost of the day in USD'),
  `expected_cost` OPTIONS (description = 'Median cost of the comparison days in USD'),
  `difference` OPTIONS (description = 'cost minus expected_cost, in USD'),
  `score` OPTIONS (description = 'How unusual the day is: 3.5 or more is unusually expensive, -3.5 or less is unusually cheap'),
  `runs` OPTIONS (description = 'Number of runs started'),
  `expected_runs` OPTIONS (description = 'Median number of runs on the comparison days'),
  `tokens_per_run` OPTIONS (description = 'Average tokens per run; null without runs'),
  `expected_tokens_per_run` OPTIONS (description = 'Median of tokens_per_run on the comparison days'),
  `driver` OPTIONS (description = 'Main cause of the difference: runs, tokens per run or price (cost per token, or per run if there are no tokens)'),
  `model` OPTIONS (description = 'Model, tool or other cost item whose cost moved most in the direction of the difference'),
  `model_difference` OPTIONS (description = 'How much the cost of that item moved, in USD'),
  `baseline_days` OPTIONS (description = 'Number of comparison days')
)
OPTIONS (description = 'Days on which a workflow cost much more or less than is usual for that weekday; one row per workflow and unusual day. A day is compared with the same weekday of up to 8 previous weeks, and of at least 3. Days without runs count as 0 USD, from the workflow\'s first day on. The score is robust: 0.6745 * (cost - median) / MAD, where MAD is the median absolute deviation. The MAD is replaced by the largest of these if it is smaller: 0.845 times the mean absolute deviation (the same if days vary evenly, more if a few are far off), 10 % of the median, 0.01 USD. Rows have a score of at least 3.5 in either direction, or 7 if there are only 3 days to compare with, because so few say little about how days vary. The last day in the data may be incomplete, so it is listed only if it cost too much (sim-sync view 00000000)')
AS WITH `weeks` AS (
  SELECT
    1 AS `ago`
  UNION ALL
  SELECT
    2
  UNION ALL
  SELECT
    3
  UNION ALL
  SELECT
    4
  UNION ALL
  SELECT
    5
  UNION ALL
  SELECT
    6
  UNION ALL
  SELECT
    7
  UNION ALL
  SELECT
    8
), `by_trigger` AS (
  SELECT
    DENSE_RANK() OVER (ORDER BY `workspace_id` NULLS LAST, `workflow_id` NULLS LAST) AS `workflow`,
    `day`,
    `workspace_id`,
    `workflow_id`,
    `trigger`,
    MAX(`workflow_name`) AS `workflow_name`,
    COUNT(*) AS `runs`,
    COALESCE(SUM(`cost_total`), 0) AS `cost`,
    COALESCE(SUM(`total_tokens`), 0) AS `tokens`
  FROM `analytics`.`sim`.`runs`
  GROUP BY
    `day`,
    `workspace_id`,
    `workflow_id`,
    `trigger`
), `by_day` AS (
  SELECT
    `workflow`,
    `day`,
    CAST(SUM(`runs`) AS FLOAT64) AS `runs`,
    SUM(`cost`) AS `exact_cost`,
    CAST(SUM(`cost`) AS FLOAT64) AS `cost`,
    CAST(SUM(`tokens`) AS FLOAT64) AS `tokens`
  FROM `by_trigger`
  GROUP BY
    `workflow`,
    `day`
), `workflows` AS (
  SELECT
    `workflow`,
    `workspace_id`,
    `workflow_id`,
    MAX(`workflow_name`) AS `workflow_name`,
    MIN(`day`) AS `first_day`,
    MAX(MAX(`day`)) OVER () AS `last_day`
  FROM `by_trigger`
  GROUP BY
    `workflow`,
    `workspace_id`,
    `workflow_id`
), `compared` AS (
  SELECT DISTINCT
    `w`.`workflow`,
    `w`.`first_day`,
    `d`.`day` + CAST(7 * `a`.`ago` AS INT64) AS `day`
  FROM `by_day` AS `d`
  JOIN `workflows` AS `w`
    ON `w`.`workflow` = `d`.`workflow`
  CROSS JOIN (
    SELECT
      0 AS `ago`
    UNION ALL
    SELECT
      `ago`
    FROM `weeks`
  ) AS `a`
  WHERE
    `d`.`day` + CAST(7 * `a`.`ago` AS INT64) BETWEEN `w`.`first_day` + 21 AND `w`.`last_day`
), `earlier` AS (
  SELECT
    `c`.`workflow`,
    `c`.`day`,
    `c`.`day` - CAST(7 * `a`.`ago` AS INT64) AS `compared_with`
  FROM `compared` AS `c`
  CROSS JOIN `weeks` AS `a`
  WHERE
    `c`.`day` - CAST(7 * `a`.`ago` AS INT64) >= `c`.`first_day`
), `baseline` AS (
  SELECT
    `e`.`workflow`,
    `e`.`day`,
    COALESCE(`d`.`cost`, 0) AS `cost`,
    COALESCE(`d`.`runs`, 0) AS `runs`,
    `d`.`tokens` / `d`.`runs` AS `tokens_per_run`,
    `d`.`cost` / `d`.`runs` AS `cost_per_run`,
    `d`.`cost` / NULLIF(`d`.`tokens`, 0) AS `cost_per_token`
  FROM `earlier` AS `e`
  LEFT JOIN `by_day` AS `d`
    ON `d`.`workflow` = `e`.`workflow` AND `d`.`day` = `e`.`compared_with`
), `placed` AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `workflow`, `day` ORDER BY `cost` NULLS LAST) - 1 AS `place_of_cost`,
    ROW_NUMBER() OVER (PARTITION BY `workflow`, `day` ORDER BY `runs` NULLS LAST) - 1 AS `place_of_runs`,
    ROW_NUMBER() OVER (PARTITION BY `workflow`, `day` ORDER BY `tokens_per_run` NULLS LAST) - 1 AS `place_of_tokens`,
    ROW_NUMBER() OVER (PARTITION BY `workflow`, `day` ORDER BY `cost_per_run` NULLS LAST) - 1 AS `place_of_cost_per_run`,
    ROW_NUMBER() OVER (PARTITION BY `workflow`, `day` ORDER BY `cost_per_token` NULLS LAST) - 1 AS `place_of_cost_per_token`,
    CAST(COUNT(*) OVER (PARTITION BY `workflow`, `day`) - 1 AS FLOAT64) / 2 AS `middle`,
    CAST(COUNT(`cost_per_run`) OVER (PARTITION BY `workflow`, `day`) - 1 AS FLOAT64) / 2 AS `middle_with_runs`,
    CAST(COUNT(`cost_per_token`) OVER (PARTITION BY `workflow`, `day`) - 1 AS FLOAT64) / 2 AS `middle_with_tokens`
  FROM `baseline`
), `medians` AS (
  SELECT
    `workflow`,
    `day`,
    COUNT(*) AS `baseline_days`,
    SUM(`cost` * GREATEST(1 - ABS(`place_of_cost` - `middle`), 0)) AS `cost`,
    SUM(`runs` * GREATEST(1 - ABS(`place_of_runs` - `middle`), 0)) AS `runs`,
    SUM(`tokens_per_run` * GREATEST(1 - ABS(`place_of_tokens` - `middle_with_runs`), 0)) AS `tokens_per_run`,
    SUM(
      `cost_per_run` * GREATEST(1 - ABS(`place_of_cost_per_run` - `middle_with_runs`), 0)
    ) AS `cost_per_run`,
    SUM(
      `cost_per_token` * GREATEST(1 - ABS(`place_of_cost_per_token` - `middle_with_tokens`), 0)
    ) AS `cost_per_token`
  FROM `placed`
  GROUP BY
    `workflow`,
    `day`
), `deviations` AS (
  SELECT
    `p`.`workflow`,
    `p`.`day`,
    `p`.`middle`,
    `m`.`cost` AS `expected_cost`,
    ABS(`p`.`cost` - `m`.`cost`) AS `deviation`,
    ROW_NUMBER() OVER (
      PARTITION BY `p`.`workflow`, `p`.`day`
      ORDER BY ABS(`p`.`cost` - `m`.`cost`) NULLS LAST
    ) - 1 AS `place`
  FROM `placed` AS `p`
  JOIN `medians` AS `m`
    ON `m`.`workflow` = `p`.`workflow` AND `m`.`day` = `p`.`day`
), `spreads` AS (
  SELECT
    `workflow`,
    `day`,
    GREATEST(
      SUM(`deviation` * GREATEST(1 - ABS(`place` - `middle`), 0)),
      0.845 * AVG(`deviation`),
      0.1 * MAX(`expected_cost`),
      0.01
    ) AS `spread`
  FROM `deviations`
  GROUP BY
    `workflow`,
    `day`
), `scored` AS (
  SELECT
    `m`.`workflow`,
    `m`.`day`,
    `m`.`baseline_days`,
    COALESCE(`d`.`exact_cost`, 0) AS `exact_cost`,
    COALESCE(`d`.`cost`, 0) AS `cost`,
    `m`.`cost` AS `expected_cost`,
    0.6745 * (
      COALESCE(`d`.`cost`, 0) - `m`.`cost`
    ) / `v`.`spread` AS `score`,
    COALESCE(`d`.`runs`, 0) AS `runs`,
    `m`.`runs` AS `expected_runs`,
    `d`.`tokens` / `d`.`runs` AS `tokens_per_run`,
    `m`.`tokens_per_run` AS `expected_tokens_per_run`,
    `d`.`cost` / `d`.`runs` AS `cost_per_run`,
    `m`.`cost_per_run` AS `expected_cost_per_run`,
    `d`.`cost` / NULLIF(`d`.`tokens`, 0) AS `cost_per_token`,
    `m`.`cost_per_token` AS `expected_cost_per_token`
  FROM `medians` AS `m`
  JOIN `spreads` AS `v`
    ON `v`.`workflow` = `m`.`workflow` AND `v`.`day` = `m`.`day`
  LEFT JOIN `by_day` AS `d`
    ON `d`.`workflow` = `m`.`workflow` AND `d`.`day` = `m`.`day`
), `unusual` AS (
  SELECT
    `s`.*,
    `w`.`workspace_id`,
    `w`.`workflow_id`,
    `w`.`workflow_name`,
    CASE WHEN `s`.`score` > 0 THEN 1 ELSE -1 END AS `direction`
  FROM `scored` AS `s`
  JOIN `workflows` AS `w`
    ON `w`.`workflow` = `s`.`workflow`
  WHERE
    ABS(`s`.`score`) >= CASE WHEN `s`.`baseline_days` > 3 THEN 3.5 ELSE 7 END
    AND (
      `s`.`score` > 0 OR `s`.`day` < `w`.`last_day`
    )
), `looked_at` AS (
  SELECT
    `workflow`,
    `day`,
    `workspace_id`,
    `workflow_id`
  FROM `unusual`
  UNION DISTINCT
  SELECT
    `u`.`workflow`,
    `e`.`compared_with` AS `day`,
    `u`.`workspace_id`,
    `u`.`workflow_id`
  FROM `unusual` AS `u`
  JOIN `earlier` AS `e`
    ON `e`.`workflow` = `u`.`workflow` AND `e`.`day` = `u`.`day`
), `parts` AS (
  SELECT
    `workflow`,
    `day`,
    'trigger' AS `part`,
    COALESCE(`trigger`, '') AS `name`,
    CAST(`cost` AS FLOAT64) AS `cost`
  FROM `by_trigger`
  UNION ALL
  SELECT
    `a`.`workflow`,
    `a`.`day`,
    `i`.`kind` AS `part`,
    `i`.`name`,
    CAST(SUM(`i`.`total_cost`) AS FLOAT64) AS `cost`
  FROM `looked_at` AS `a`
  JOIN `analytics`.`sim`.`logs` AS `l`
    ON CAST(DATETIME(`l`.`started_at`, 'UTC') AS DATE) = `a`.`day`
    AND COALESCE(`l`.`workspace_id`, '') = COALESCE(`a`.`workspace_id`, '')
    AND COALESCE(`l`.`workflow_id`, '') = COALESCE(`a`.`workflow_id`, '')
  JOIN `analytics`.`sim`.`cost_items` AS `i`
    ON `i`.`log_id` = `l`.`id`
  GROUP BY
    `a`.`workflow`,
    `a`.`day`,
    `i`.`kind`,
    `i`.`name`
), `placed_parts` AS (
  SELECT
    `u`.`workflow`,
    `u`.`day`,
    `u`.`direction`,
    `n`.`part`,
    `n`.`name`,
    COALESCE(`p`.`cost`, 0) AS `cost`,
    ROW_NUMBER() OVER (
      PARTITION BY `u`.`workflow`, `u`.`day`, `n`.`part`, `n`.`name`
      ORDER BY COALESCE(`p`.`cost`, 0) NULLS LAST
    ) - 1 AS `place`,
    CAST(COUNT(*) OVER (PARTITION BY `u`.`workflow`, `u`.`day`, `n`.`part`, `n`.`name`) - 1 AS FLOAT64) / 2 AS `middle`
  FROM `unusual` AS `u`
  JOIN (
    SELECT DISTINCT
      `workflow`,
      `part`,
      `name`
    FROM `parts`
  ) AS `n`
    ON `n`.`workflow` = `u`.`workflow`
  JOIN `earlier` AS `e`
    ON `e`.`workflow` = `u`.`workflow` AND `e`.`day` = `u`.`day`
  LEFT JOIN `parts` AS `p`
    ON `p`.`workflow` = `u`.`workflow`
    AND `p`.`day` = `e`.`compared_with`
    AND `p`.`part` = `n`.`part`
    AND `p`.`name` = `n`.`name`
), `expected_parts` AS (
  SELECT
    `workflow`,
    `day`,
    `direction`,
    `part`,
    `name`,
    SUM(`cost` * GREATEST(1 - ABS(`place` - `middle`), 0)) AS `cost`
  FROM `placed_parts`
  GROUP BY
    `workflow`,
    `day`,
    `direction`,
    `part`,
    `name`
), `moved` AS (
  SELECT
    `x`.`workflow`,
    `x`.`day`,
    `x`.`part` = 'trigger' AS `is_trigger`,
    `x`.`name`,
    COALESCE(`p`.`cost`, 0) - `x`.`cost` AS `difference`,
    ROW_NUMBER() OVER (
      PARTITION BY `x`.`workflow`, `x`.`day`, `x`.`part` = 'trigger'
      ORDER BY `x`.`direction` * (
        COALESCE(`p`.`cost`, 0) - `x`.`cost`
      ) DESC, `x`.`part` NULLS LAST, `x`.`name` NULLS LAST
    ) AS `place`
  FROM `expected_parts` AS `x`
  LEFT JOIN `parts` AS `p`
    ON `p`.`workflow` = `x`.`workflow`
    AND `p`.`day` = `x`.`day`
    AND `p`.`part` = `x`.`part`
    AND `p`.`name` = `x`.`name`
), `moves` AS (
  SELECT
    *,
    CASE
      WHEN `runs` > 0 AND `expected_runs` > 0
      THEN `direction` * LN(`runs` / `expected_runs`)
    END AS `by_runs`,
    CASE
      WHEN `tokens_per_run` > 0 AND `expected_tokens_per_run` > 0
      THEN `direction` * LN(`tokens_per_run` / `expected_tokens_per_run`)
    END AS `by_tokens`,
    CASE
      WHEN `cost_per_token` > 0
      AND `expected_cost_per_token` > 0
      AND `expected_tokens_per_run` > 0
      THEN `direction` * LN(`cost_per_token` / `expected_cost_per_token`)
      WHEN `cost_per_run` > 0 AND `expected_cost_per_run` > 0
      THEN `direction` * LN(`cost_per_run` / `expected_cost_per_run`)
    END AS `by_price`
  FROM `unusual`
)
SELECT
  `m`.`day`,
  `m`.`workspace_id`,
  `m`.`workflow_id`,
  `m`.`workflow_name`,
  NULLIF(`t`.`name`, '') AS `trigger`,
  `m`.`exact_cost` AS `cost`,
  ROUND(CAST(`m`.`expected_cost` AS BIGNUMERIC), 12) AS `expected_cost`,
  `m`.`exact_cost` - ROUND(CAST(`m`.`expected_cost` AS BIGNUMERIC), 12) AS `difference`,
  `m`.`score`,
  CAST(`m`.`runs` AS INT64) AS `runs`,
  `m`.`expected_runs`,
  `m`.`tokens_per_run`,
  `m`.`expected_tokens_per_run`,
  CASE
    WHEN `m`.`runs` = 0 OR `m`.`expected_runs` = 0
    THEN 'runs'
    WHEN `m`.`direction` > 0
    AND `m`.`tokens_per_run` > 0
    AND `m`.`expected_tokens_per_run` = 0
    THEN 'tokens per run'
    WHEN `m`.`direction` < 0
    AND `m`.`tokens_per_run` = 0
    AND `m`.`expected_tokens_per_run` > 0
    THEN 'tokens per run'
    WHEN `m`.`by_price` IS NULL
    THEN 'price'
    WHEN `m`.`by_runs` >= `m`.`by_price`
    AND `m`.`by_runs` >= COALESCE(`m`.`by_tokens`, `m`.`by_price`)
    THEN 'runs'
    WHEN `m`.`by_tokens` >= `m`.`by_price`
    THEN 'tokens per run'
    ELSE 'price'
  END AS `driver`,
  `i`.`name` AS `model`,
  ROUND(CAST(`i`.`difference` AS BIGNUMERIC), 12) AS `model_difference`,
  `m`.`baseline_days`
FROM `moves` AS `m`
LEFT JOIN `moved` AS `t`
  ON `t`.`workflow` = `m`.`workflow`
  AND `t`.`day` = `m`.`day`
  AND `t`.`is_trigger`
  AND `t`.`place` = 1
LEFT JOIN `moved` AS `i`
  ON `i`.`workflow` = `m`.`workflow`
  AND `i`.`day` = `m`.`day`
  AND NOT `i`.`is_trigger`
  AND `i`.`place` = 1;
