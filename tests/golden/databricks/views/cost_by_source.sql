CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_by_source` (
  `day` COMMENT 'Day of the events, UTC',
  `workspace_id` COMMENT 'Sim workspace; null if the event does not name one',
  `source` COMMENT 'What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more',
  `events` COMMENT 'Number of events',
  `credits` COMMENT 'Credits charged',
  `cost_usd` COMMENT 'The same in USD',
  `credits_uncertainty` COMMENT 'By how many credits the sum may be off at most: Sim rounds credits together, 100 events at a time, so that an event alone may be off by one'
)
COMMENT 'What Sim charged, by day and source; one row per day, workspace and source. Empty on servers without the v2 API (sim-sync view 00000000)'
AS WITH `days` AS (
  SELECT
    CAST(CONVERT_TIMEZONE('UTC', `created_at`) AS DATE) AS `day`,
    `workspace_id`,
    `source`,
    COUNT(*) AS `events`,
    CAST(SUM(`credits`) AS BIGINT) AS `credits`,
    SUM(`cost_usd`) AS `cost_usd`
  FROM `analytics`.`sim`.`billing_logs`
  GROUP BY
    1,
    2,
    3
), `whole` AS (
  SELECT
    *,
    SUM(`events`) OVER (PARTITION BY `day`) AS `of_day`
  FROM `days`
)
SELECT
  `day`,
  `workspace_id`,
  `source`,
  `events`,
  `credits`,
  `cost_usd`,
  CAST(LEAST(`events`, CEIL(`of_day` / 100.0) * 0.5 + 100 + `of_day` - `events`) AS DOUBLE) AS `credits_uncertainty`
FROM `whole`;
