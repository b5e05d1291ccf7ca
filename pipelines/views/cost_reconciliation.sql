-- Whether the cost items of a run add up to its cost; one row per run
--
-- id              Log id
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran
-- workflow_name   Name of the workflow when the run was last read
-- trigger         What started the run
-- day             Day the run started, UTC
-- cost_total      Cost of the run in USD, as returned by the API; null until it is known
-- itemised_cost   Sum of the run's cost_items in USD
-- difference      cost_total minus itemised_cost, in USD; 0 if the items add up
-- items           Number of the run's cost_items
-- reconciled      Whether the difference is exactly 0
WITH items AS (
  SELECT log_id, SUM(total_cost) AS itemised_cost, COUNT(*) AS items
  FROM sim.cost_items
  GROUP BY log_id
)
SELECT
  l.id,
  l.workspace_id,
  l.workflow_id,
  l.workflow_name,
  l.trigger,
  CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) AS day,
  l.cost_total,
  i.itemised_cost,
  COALESCE(l.cost_total, 0) - COALESCE(i.itemised_cost, 0) AS difference,
  COALESCE(i.items, 0) AS items,
  COALESCE(l.cost_total, 0) = COALESCE(i.itemised_cost, 0) AS reconciled
FROM sim.logs AS l
LEFT JOIN items AS i ON i.log_id = l.id
