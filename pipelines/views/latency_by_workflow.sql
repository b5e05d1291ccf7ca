-- Duration of completed and failed runs; one row per day, workflow and trigger
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null if Sim does not name one
-- workflow_name   Current name of the workflow
-- trigger         What started the runs
-- runs            Number of completed and failed runs whose duration is known
-- p50_ms          Median duration in ms
-- p95_ms          95th percentile of the duration in ms
-- p99_ms          99th percentile of the duration in ms
-- max_ms          Longest duration in ms; for a run that paused for a person, the duration that Sim reports
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
