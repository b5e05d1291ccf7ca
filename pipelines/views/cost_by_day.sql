-- What a day cost; one row per day, workflow and trigger
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null where Sim names none
-- workflow_name   Workflow's name today
-- trigger         What started the runs
-- runs            Runs that started
-- failed_runs     Those of them that failed
-- total_cost      Cost of the runs in USD
-- models_cost     Part of it that models cost, in USD
-- tools_cost      Part of it that standalone tools cost, in USD
-- other_cost      Part of it that Sim charges without itemising it, in USD: its base charge above all
-- unknown_cost    Part of it whose split has not been told, in USD
-- prompt_tokens   Input tokens, as the providers count them
-- completion_tokens  Output tokens, as the providers count them
-- total_tokens    Input and output tokens
SELECT
  day,
  workspace_id,
  workflow_id,
  workflow_name,
  trigger,
  COUNT(*) AS runs,
  COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
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
