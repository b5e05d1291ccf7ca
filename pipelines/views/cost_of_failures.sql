-- What runs cost that failed or were cancelled; one row per day, workflow and trigger that had some
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null where Sim names none
-- workflow_name   Workflow's name today
-- trigger         What started the runs
-- runs            Runs that started
-- failed_runs     Those of them that failed
-- cancelled_runs  Those of them that were cancelled
-- failed_cost     Cost of the failed runs in USD
-- cancelled_cost  Cost of the cancelled runs in USD
-- wasted_cost     Both together, in USD
-- total_cost      Cost of all runs in USD
-- wasted_share    wasted_cost of total_cost, from 0 to 1; null where nothing was spent
SELECT
  day,
  workspace_id,
  workflow_id,
  workflow_name,
  trigger,
  COUNT(*) AS runs,
  COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
  COUNT(*) FILTER (WHERE status = 'cancelled') AS cancelled_runs,
  COALESCE(SUM(cost_total) FILTER (WHERE status = 'failed'), 0) AS failed_cost,
  COALESCE(SUM(cost_total) FILTER (WHERE status = 'cancelled'), 0) AS cancelled_cost,
  COALESCE(SUM(cost_total) FILTER (WHERE status IN ('failed', 'cancelled')), 0) AS wasted_cost,
  COALESCE(SUM(cost_total), 0) AS total_cost,
  CAST(COALESCE(SUM(cost_total) FILTER (WHERE status IN ('failed', 'cancelled')), 0) AS DOUBLE)
    / NULLIF(CAST(SUM(cost_total) AS DOUBLE), 0) AS wasted_share
FROM sim.runs
GROUP BY day, workspace_id, workflow_id, workflow_name, trigger
HAVING COUNT(*) FILTER (WHERE status IN ('failed', 'cancelled')) > 0
