-- Spans with the names of OpenTelemetry's GenAI conventions (semantic-conventions-genai 0.1); one row per span.
-- Tokens of an agent include those of its model calls: add up chat or invoke_agent, never both
--
-- trace_id               32 hex digits: the execution id without dashes if it is a UUID, otherwise its MD5
-- span_id                16 hex digits: the start of the MD5 of log_id, a slash and span_index, because Sim's own span ids are unique only within a run
-- parent_span_id         span_id of the parent span; null for a root span
-- name                   Span name as the conventions define it: the operation, then its target; the block's name if the block has no operation
-- kind                   CLIENT for a model call, INTERNAL for all other spans
-- start_time             Start of the span
-- end_time               End of the span
-- status_code            ERROR for a failed span, otherwise UNSET
-- status_message         Error message
-- error.type             Type of error, as reported by Sim; _OTHER if the span failed and Sim reports no type
-- gen_ai.operation.name  invoke_workflow, invoke_agent, chat (a model call; also router and evaluator blocks) or execute_tool; null for other blocks
-- gen_ai.provider.name   Provider of a model call: its well-known name, or else the name Sim uses; gcp.gen_ai for google, because Sim does not distinguish Gemini from Vertex AI there. Null if Sim does not name it: on agents and on older servers
-- gen_ai.request.model   Model id
-- gen_ai.agent.name      Name of the agent block, or of the workflow
-- gen_ai.tool.name       Name of the tool
-- gen_ai.response.finish_reasons  Why the model stopped, as a list with one entry
-- gen_ai.response.time_to_first_chunk  Time to first token in seconds
-- gen_ai.usage.input_tokens  Input tokens including cached ones, as the convention requires. Sim's input count includes cached tokens for some spans but not for others (Anthropic's, and agents on newer servers); if the total shows that they were counted separately, they are added
-- gen_ai.usage.output_tokens  Output tokens, including those spent on reasoning
-- gen_ai.usage.cache_read.input_tokens  Input tokens read from the provider's cache; part of the input tokens
-- gen_ai.usage.cache_write.input_tokens  Input tokens written to the provider's cache; part of the input tokens
-- gen_ai.usage.reasoning.output_tokens  Output tokens spent on reasoning; part of the output tokens
-- day                    Day the run started, UTC
-- workspace_id           Sim workspace
-- workflow_id            Workflow that ran; null if Sim does not name one
-- workflow_name          Current name of the workflow
-- trigger                What started the run
-- log_id                 Log id of the run
-- span_index             Position in the trace; together with log_id the key of trace_spans
-- block_id               Block of the workflow; repeats in loops
-- block_type             Type of the block as Sim names it: workflow, agent, function, api, model, tool and more
-- duration_ms            Duration in ms
-- total_cost             Cost in USD; the cost of a block includes its model segments
WITH runs AS (
  SELECT
    l.id,
    CASE
      WHEN REGEXP_MATCHES(LOWER(l.execution_id), '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$')
      THEN REPLACE(LOWER(l.execution_id), '-', '')
      ELSE MD5(COALESCE(l.execution_id, l.id))
    END AS trace_id,
    CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) AS day,
    l.workspace_id,
    l.workflow_id,
    COALESCE(w.name, l.workflow_name) AS workflow_name,
    l.trigger
  FROM sim.logs AS l
  LEFT JOIN sim.workflows AS w ON w.id = l.workflow_id
),
spans AS (
  SELECT
    s.*,
    CASE
      WHEN s.type = 'workflow' THEN 'invoke_workflow'
      WHEN s.type = 'agent' THEN 'invoke_agent'
      WHEN s.type = 'tool' THEN 'execute_tool'
      WHEN s.type = 'model' OR s.type IN ('router', 'router_v2', 'evaluator') AND s.model IS NOT NULL THEN 'chat'
    END AS operation,
    COALESCE(s.cache_read_tokens, 0) + COALESCE(s.cache_write_tokens, 0) AS cached_tokens
  FROM sim.trace_spans AS s
)
SELECT
  r.trace_id,
  LEFT(MD5(s.log_id || '/' || CAST(s.span_index AS VARCHAR)), 16) AS span_id,
  LEFT(MD5(s.log_id || '/' || CAST(s.parent_index AS VARCHAR)), 16) AS parent_span_id,
  CASE
    WHEN s.type = 'workflow' AND s.depth = 0 THEN 'invoke_workflow' || COALESCE(' ' || r.workflow_name, '')
    WHEN s.operation = 'chat' THEN 'chat' || COALESCE(' ' || s.model, '')
    ELSE COALESCE(s.operation || ' ' || s.name, s.operation, s.name, s.type)
  END AS name,
  CASE WHEN s.operation = 'chat' THEN 'CLIENT' ELSE 'INTERNAL' END AS kind,
  s.started_at AS start_time,
  s.ended_at AS end_time,
  CASE WHEN s.status = 'error' THEN 'ERROR' ELSE 'UNSET' END AS status_code,
  s.error_message AS status_message,
  CASE WHEN s.status = 'error' THEN COALESCE(s.error_type, '_OTHER') END AS "error.type",
  s.operation AS "gen_ai.operation.name",
  CASE s.provider
    WHEN 'azure-openai' THEN 'azure.ai.openai'
    WHEN 'azure_openai' THEN 'azure.ai.openai'
    WHEN 'bedrock' THEN 'aws.bedrock'
    WHEN 'google' THEN 'gcp.gen_ai'
    WHEN 'vertex' THEN 'gcp.vertex_ai'
    WHEN 'mistral' THEN 'mistral_ai'
    WHEN 'kimi' THEN 'moonshot_ai'
    WHEN 'xai' THEN 'x_ai'
    ELSE s.provider
  END AS "gen_ai.provider.name",
  s.model AS "gen_ai.request.model",
  CASE
    WHEN s.type = 'workflow' AND s.depth = 0 THEN r.workflow_name
    WHEN s.type IN ('workflow', 'agent') THEN s.name
  END AS "gen_ai.agent.name",
  CASE WHEN s.type = 'tool' THEN s.name END AS "gen_ai.tool.name",
  CASE WHEN s.finish_reason IS NOT NULL THEN [s.finish_reason] END AS "gen_ai.response.finish_reasons",
  CAST(s.ttft_ms AS DOUBLE) / 1000 AS "gen_ai.response.time_to_first_chunk",
  CASE
    WHEN s.total_tokens = s.prompt_tokens + s.completion_tokens + s.cached_tokens
    THEN s.prompt_tokens + s.cached_tokens
    ELSE s.prompt_tokens
  END AS "gen_ai.usage.input_tokens",
  s.completion_tokens AS "gen_ai.usage.output_tokens",
  s.cache_read_tokens AS "gen_ai.usage.cache_read.input_tokens",
  s.cache_write_tokens AS "gen_ai.usage.cache_write.input_tokens",
  s.reasoning_tokens AS "gen_ai.usage.reasoning.output_tokens",
  r.day,
  r.workspace_id,
  r.workflow_id,
  r.workflow_name,
  r.trigger,
  s.log_id,
  s.span_index,
  s.block_id,
  s.type AS block_type,
  s.duration_ms,
  s.total_cost
FROM spans AS s
JOIN runs AS r ON r.id = s.log_id
