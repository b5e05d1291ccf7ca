-- Errors by block; one row per day, workflow, trigger, block and type of error
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null if Sim does not name one
-- workflow_name   Current name of the workflow
-- trigger         What started the runs
-- block_id        Block of the workflow that failed
-- block_name      Name of the block
-- block_type      Type of the block: agent, function, api and more
-- error_type      Type of error; null if Sim does not report one
-- errors          Number of the block's spans that ended in an error; a run can have several in a loop
-- runs            Number of runs with such an error
-- failed_runs     Number of those runs that failed; in the others the workflow continued
-- last_error_at   Start of the latest span with the error
-- error_message   One of the error messages
SELECT
  r.day,
  r.workspace_id,
  r.workflow_id,
  r.workflow_name,
  r.trigger,
  s.block_id,
  s.name AS block_name,
  s.type AS block_type,
  s.error_type,
  COUNT(*) AS errors,
  COUNT(DISTINCT r.id) AS runs,
  COUNT(DISTINCT CASE WHEN r.status = 'failed' THEN r.id END) AS failed_runs,
  MAX(s.started_at) AS last_error_at,
  MIN(s.error_message) AS error_message
FROM sim.trace_spans AS s
JOIN sim.runs AS r ON r.id = s.log_id
WHERE s.status = 'error' AND s.block_id IS NOT NULL
GROUP BY r.day, r.workspace_id, r.workflow_id, r.workflow_name, r.trigger, s.block_id, s.name, s.type, s.error_type
