-- Which blocks fail; one row per day, workflow, trigger, block and type of error
--
-- day             Day the runs started, UTC
-- workspace_id    Sim workspace
-- workflow_id     Workflow that ran; null where Sim names none
-- workflow_name   Workflow's name today
-- trigger         What started the runs
-- block_id        Block of the workflow
-- block_name      Its name
-- block_type      agent, function, api and more
-- error_type      Type of error, where Sim tells it
-- errors          Spans of the block that ended in an error; in a loop one run may have several
-- runs            Runs with such an error
-- failed_runs     Those of them that failed; in the others the workflow went on
-- last_error_at   Latest of the errors
-- error_message   One of their messages
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
  COUNT(DISTINCT r.id) FILTER (WHERE r.status = 'failed') AS failed_runs,
  MAX(s.started_at) AS last_error_at,
  MIN(s.error_message) AS error_message
FROM sim.trace_spans AS s
JOIN sim.runs AS r ON r.id = s.log_id
WHERE s.status = 'error' AND s.block_id IS NOT NULL
GROUP BY r.day, r.workspace_id, r.workflow_id, r.workflow_name, r.trigger, s.block_id, s.name, s.type, s.error_type
