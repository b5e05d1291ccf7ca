CREATE OR REPLACE VIEW `analytics`.`sim`.`cost_by_source` (
  `day` OPTIONS (description = 'Day of the events, UTC'),
  `workspace_id` OPTIONS (description = 'Sim workspace; null if the event does not name one'),
  `source` OPTIONS (description = 'What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more'),
  `events` OPTIONS (description = 'Number of events'),
  `credits` OPTIONS (description = 'Credits charged'),
  `cost_usd` OPTIONS (description = 'The same in USD'),
  `credits_uncertainty` OPTIONS (description = 'By how many credits the sum may be off at most: Sim rounds credits together, 100 events at a time, so that an event alone may be off by one')
)
OPTIONS (description = 'What Sim charged, by day and source; one row per day, workspace and source. Empty on servers without the v2 API (sim-sync view 00000000)')
AS WITH `days` AS (
  SELECT
    CAST(DATETIME(`created_at`, 'UTC') AS DATE) AS `day`,
    `workspace_id`,
    `source`,
    COUNT(*) AS `events`,
    CAST(SUM(`credits`) AS INT64) AS `credits`,
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
  CAST(LEAST(`events`, CEIL(`of_day` / 100.0) * 0.5 + 100 + `of_day` - `events`) AS FLOAT64) AS `credits_uncertainty`
FROM `whole`;
