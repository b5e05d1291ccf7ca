-- A run with its names, cost and tokens side by side; one row per run
--
-- id                     Log id
-- workspace_id           Sim workspace
-- workflow_id            Workflow that ran; null where Sim names none
-- workflow_name          Workflow's name today; for one that is gone the last name that was read
-- trigger                What started the run: api, schedule, webhook, chat, manual or another
-- day                    Day the run started, UTC
-- execution_id           Execution id; key of snapshots and webhooks
-- deployment_version_id  Deployment version that ran; null for drafts and older servers
-- status                 running, paused, completed, failed or cancelled, as far as the API has told
-- level                  info or error, as the API says
-- started_at             Start of the run
-- ended_at               End of the run; also set while a run is paused; null while it runs
-- total_duration_ms      Duration in ms
-- cost_total             Cost of the run in USD; null while none is known
-- models_cost            Part of it that models cost, in USD
-- tools_cost             Part of it that standalone tools cost, in USD
-- other_cost             Part of it that Sim charges without itemising it, in USD: its base charge above all
-- unknown_cost           Part of it whose split has not been told, in USD
-- prompt_tokens          Input tokens, as the providers count them
-- completion_tokens      Output tokens, as the providers count them
-- total_tokens           Input and output tokens
-- span_count             Spans of the run's trace in trace_spans
-- finalization_path      How the run ended, where its detail was asked: completed, paused, cancelled, force_failed
-- error                  Error of the run
-- detail_source          list or detail: the richest answer these facts come from; null: only the plain list
WITH items AS (
  SELECT
    log_id,
    SUM(total_cost) FILTER (WHERE kind = 'model') AS models_cost,
    SUM(total_cost) FILTER (WHERE kind = 'tool') AS tools_cost,
    SUM(total_cost) FILTER (WHERE kind = 'other') AS other_cost,
    SUM(total_cost) FILTER (WHERE kind = 'unknown') AS unknown_cost,
    CAST(SUM(prompt_tokens) AS BIGINT) AS prompt_tokens,
    CAST(SUM(completion_tokens) AS BIGINT) AS completion_tokens,
    CAST(SUM(total_tokens) AS BIGINT) AS total_tokens
  FROM sim.cost_items
  GROUP BY log_id
)
SELECT
  l.id,
  l.workspace_id,
  l.workflow_id,
  COALESCE(w.name, l.workflow_name, d.workflow_name) AS workflow_name,
  l.trigger,
  CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) AS day,
  l.execution_id,
  l.deployment_version_id,
  l.status,
  l.level,
  l.started_at,
  l.ended_at,
  l.total_duration_ms,
  l.cost_total,
  i.models_cost,
  i.tools_cost,
  i.other_cost,
  i.unknown_cost,
  COALESCE(d.prompt_tokens, i.prompt_tokens) AS prompt_tokens,
  COALESCE(d.completion_tokens, i.completion_tokens) AS completion_tokens,
  COALESCE(d.total_tokens, i.total_tokens) AS total_tokens,
  d.span_count,
  d.finalization_path,
  d.error,
  d.detail_source
FROM sim.logs AS l
LEFT JOIN sim.workflows AS w ON w.id = l.workflow_id
LEFT JOIN sim.log_details AS d ON d.id = l.id
LEFT JOIN items AS i ON i.log_id = l.id
