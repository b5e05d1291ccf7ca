-- Cost per day; one row per day, workflow and trigger
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null if Sim does not name one
-- workflow_name   Current name of the workflow
-- trigger         What started the runs
-- runs            Number of runs started
-- failed_runs     Number of runs that failed
-- total_cost      Cost of the runs in USD
-- models_cost     Cost of models in USD; part of total_cost
-- tools_cost      Cost of standalone tools in USD; part of total_cost
-- other_cost      Cost that Sim does not itemise, in USD, mainly the base charge per run; part of total_cost
-- unknown_cost    Cost whose split is not known, in USD; part of total_cost
-- prompt_tokens   Input tokens, as counted by the providers
-- completion_tokens  Output tokens, as counted by the providers
-- total_tokens    Input and output tokens
SELECT
  day,
  workspace_id,
  workflow_id,
  workflow_name,
  trigger,
  COUNT(*) AS runs,
  COUNT(CASE WHEN status = 'failed' THEN 1 END) AS failed_runs,
  COALESCE(SUM(cost_total), 0) AS total_cost,
  COALESCE(SUM(models_cost), 0) AS models_cost,
  COALESCE(SUM(tools_cost), 0) AS tools_cost,
  COALESCE(SUM(other_cost), 0) AS other_cost,
  COALESCE(SUM(unknown_cost), 0) AS unknown_cost,
  CAST(COALESCE(SUM(prompt_tokens), 0) AS BIGINT) AS prompt_tokens,
  CAST(COALESCE(SUM(completion_tokens), 0) AS BIGINT) AS completion_tokens,
  CAST(COALESCE(SUM(total_tokens), 0) AS BIGINT) AS total_tokens
FROM sim.runs
GROUP BY day, workspace_id, workflow_id, workflow_name, trigger
