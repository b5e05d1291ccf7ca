-- What Sim charged, by day and source; one row per day, workspace and source. Empty on servers without the v2 API
--
-- day             Day of the events, UTC
-- workspace_id    Sim workspace; null if the event does not name one
-- source          What was charged: workflow, wand, sim-chat, mcp_copilot, mothership_block and more
-- events          Number of events
-- credits         Credits charged
-- cost_usd        The same in USD
-- credits_uncertainty  By how many credits the sum may be off at most: Sim rounds credits together, 100 events at a time, so that an event alone may be off by one
WITH days AS (
  SELECT
    CAST(created_at AT TIME ZONE 'UTC' AS DATE) AS day,
    workspace_id,
    source,
    COUNT(*) AS events,
    CAST(SUM(credits) AS BIGINT) AS credits,
    SUM(cost_usd) AS cost_usd
  FROM sim.billing_logs
  GROUP BY 1, 2, 3
),
whole AS (
  SELECT *, SUM(events) OVER (PARTITION BY day) AS of_day FROM days
)
-- pages of 100 events are right to half a credit; the two that a day cuts, and other sources on them, to one per event
SELECT
  day,
  workspace_id,
  source,
  events,
  credits,
  cost_usd,
  CAST(LEAST(events, CEIL(of_day / 100.0) * 0.5 + 100 + of_day - events) AS DOUBLE) AS credits_uncertainty
FROM whole
