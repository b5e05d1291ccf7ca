-- What models, tools and the rest cost; one row per day, workflow, trigger and item. The rows add up to what the runs cost
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null where Sim names none
-- workflow_name   Workflow's name today
-- trigger         What started the runs
-- model           Model id; null for what is no model's cost
-- kind            model, tool, other (charged but not itemised) or unknown (split not told)
-- name            Model id, tool name, other or unknown
-- runs            Runs that used it
-- total_cost      Cost in USD
-- input_cost      Cost of input tokens in USD
-- output_cost     Cost of output tokens in USD
-- tool_cost       Cost of tools the model called, in USD; part of total_cost
-- prompt_tokens   Input tokens, as the providers count them
-- completion_tokens  Output tokens, as the providers count them
-- total_tokens    Input and output tokens
SELECT
  r.day,
  r.workspace_id,
  r.workflow_id,
  r.workflow_name,
  r.trigger,
  CASE WHEN i.kind = 'model' THEN i.name END AS model,
  i.kind,
  i.name,
  COUNT(*) AS runs,
  COALESCE(SUM(i.total_cost), 0) AS total_cost,
  COALESCE(SUM(i.input_cost), 0) AS input_cost,
  COALESCE(SUM(i.output_cost), 0) AS output_cost,
  COALESCE(SUM(i.tool_cost), 0) AS tool_cost,
  CAST(COALESCE(SUM(i.prompt_tokens), 0) AS BIGINT) AS prompt_tokens,
  CAST(COALESCE(SUM(i.completion_tokens), 0) AS BIGINT) AS completion_tokens,
  CAST(COALESCE(SUM(i.total_tokens), 0) AS BIGINT) AS total_tokens
FROM sim.cost_items AS i
JOIN sim.runs AS r ON r.id = i.log_id
GROUP BY r.day, r.workspace_id, r.workflow_id, r.workflow_name, r.trigger, i.kind, i.name
