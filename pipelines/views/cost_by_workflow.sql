-- What a workflow's runs cost, each and together; one row per day, workflow and trigger
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null where Sim names none
-- workflow_name   Workflow's name today
-- trigger         What started the runs
-- runs            Runs that started
-- completed_runs  Those of them that completed
-- failed_runs     Those of them that failed
-- total_cost      Cost of the runs in USD
-- cost_per_run    Cost of a run in USD, on average over those whose cost is known
-- cost_per_completed_run  All that was spent, failures included, for each run that completed, in USD
-- total_tokens    Input and output tokens
-- tokens_per_run  Tokens of a run, on average over all
SELECT
  day,
  workspace_id,
  workflow_id,
  workflow_name,
  trigger,
  COUNT(*) AS runs,
  COUNT(*) FILTER (WHERE status = 'completed') AS completed_runs,
  COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
  COALESCE(SUM(cost_total), 0) AS total_cost,
  CAST(SUM(cost_total) / NULLIF(COUNT(cost_total), 0) AS DECIMAL(38, 12)) AS cost_per_run,
  CAST(
    SUM(cost_total) / NULLIF(COUNT(*) FILTER (WHERE status = 'completed'), 0) AS DECIMAL(38, 12)
  ) AS cost_per_completed_run,
  CAST(COALESCE(SUM(total_tokens), 0) AS BIGINT) AS total_tokens,
  CAST(COALESCE(SUM(total_tokens), 0) AS DOUBLE) / COUNT(*) AS tokens_per_run
FROM sim.runs
GROUP BY day, workspace_id, workflow_id, workflow_name, trigger
