-- How long runs took that came to an end; one row per day, workflow and trigger
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null where Sim names none
-- workflow_name   Workflow's name today
-- trigger         What started the runs
-- runs            Runs that completed or failed, and whose duration is known
-- p50_ms          Half of them took less, in ms
-- p95_ms          95 % of them took less, in ms
-- p99_ms          99 % of them took less, in ms
-- max_ms          Longest of them, in ms; a run that was paused for a person counts as long as Sim says
SELECT
  day,
  workspace_id,
  workflow_id,
  workflow_name,
  trigger,
  COUNT(*) AS runs,
  QUANTILE_CONT(total_duration_ms, 0.5) AS p50_ms,
  QUANTILE_CONT(total_duration_ms, 0.95) AS p95_ms,
  QUANTILE_CONT(total_duration_ms, 0.99) AS p99_ms,
  MAX(total_duration_ms) AS max_ms
FROM sim.runs
WHERE status IN ('completed', 'failed') AND total_duration_ms IS NOT NULL
GROUP BY day, workspace_id, workflow_id, workflow_name, trigger
