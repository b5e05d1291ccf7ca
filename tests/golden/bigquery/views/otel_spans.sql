CREATE OR REPLACE VIEW `analytics`.`sim`.`otel_spans` (
  `trace_id` OPTIONS (description = '32 hex digits: the execution id without dashes if it is a UUID, otherwise its MD5'),
  `span_id` OPTIONS (description = '16 hex digits: the start of the MD5 of log_id, a slash and span_index, because Sim\'s own span ids are unique only within a run'),
  `parent_span_id` OPTIONS (description = 'span_id of the parent span; null for a root span'),
  `name` OPTIONS (description = 'Span name as the conventions define it: the operation, then its target; the block\'s name if the block has no operation'),
  `kind` OPTIONS (description = 'CLIENT for a model call, INTERNAL for all other spans'),
  `start_time` OPTIONS (description = 'Start of the span'),
  `end_time` OPTIONS (description = 'End of the span'),
  `status_code` OPTIONS (description = 'ERROR for a failed span, otherwise UNSET'),
  `status_message` OPTIONS (description = 'Error message'),
  `error_type` OPTIONS (description = 'Type of error, as reported by Sim; _OTHER if the span failed and Sim reports no type'),
  `gen_ai_operation_name` OPTIONS (description = 'invoke_workflow, invoke_agent, chat (a model call; also router and evaluator blocks) or execute_tool; null for other blocks'),
  `gen_ai_provider_name` OPTIONS (description = 'Provider of a model call: its well-known name, or else the name Sim uses; gcp.gen_ai for google, because Sim does not distinguish Gemini from Vertex AI there. Null if Sim does not name it: on agents and on older servers'),
  `gen_ai_request_model` OPTIONS (description = 'Model id'),
  `gen_ai_agent_name` OPTIONS (description = 'Name of the agent block, or of the workflow'),
  `gen_ai_tool_name` OPTIONS (description = 'Name of the tool'),
  `gen_ai_response_finish_reasons` OPTIONS (description = 'Why the model stopped, as a list with one entry'),
  `gen_ai_response_time_to_first_chunk` OPTIONS (description = 'Time to first token in seconds'),
  `gen_ai_usage_input_tokens` OPTIONS (description = 'Input tokens including cached ones, as the convention requires. Sim\'s input count includes cached tokens for some spans but not for others (Anthropic\'s, and agents on newer servers); if the total shows that they were counted separately, they are added'),
  `gen_ai_usage_output_tokens` OPTIONS (description = 'Output tokens, including those spent on reasoning'),
  `gen_ai_usage_cache_read_input_tokens` OPTIONS (description = 'Input tokens read from the provider\'s cache; part of the input tokens'),
  `gen_ai_usage_cache_write_input_tokens` OPTIONS (description = 'Input tokens written to the provider\'s cache; part of the input tokens'),
  `gen_ai_usage_reasoning_output_tokens` OPTIONS (description = 'Output tokens spent on reasoning; part of the output tokens'),
  `day` OPTIONS (description = 'Day the run started, UTC'),
  `workspace_id` OPTIONS (description = 'Sim workspace'),
  `workflow_id` OPTIONS (description = 'Workflow that ran; null if Sim does not name one'),
  `workflow_name` OPTIONS (description = 'Current name of the workflow'),
  `trigger` OPTIONS (description = 'What started the run'),
  `log_id` OPTIONS (description = 'Log id of the run'),
  `span_index` OPTIONS (description = 'Position in the trace; together with log_id the key of trace_spans'),
  `block_id` OPTIONS (description = 'Block of the workflow; repeats in loops'),
  `block_type` OPTIONS (description = 'Type of the block as Sim names it: workflow, agent, function, api, model, tool and more'),
  `duration_ms` OPTIONS (description = 'Duration in ms'),
  `total_cost` OPTIONS (description = 'Cost in USD; the cost of a block includes its model segments')
)
OPTIONS (description = 'Spans with the names of OpenTelemetry\'s GenAI conventions (semantic-conventions-genai 0.1); one row per span. Tokens of an agent include those of its model calls: add up chat or invoke_agent, never both (sim-sync view 00000000)')
AS WITH `runs` AS (
  SELECT
    `l`.`id`,
    CASE
      WHEN REGEXP_CONTAINS(
        LOWER(`l`.`execution_id`),
        '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      )
      THEN REPLACE(LOWER(`l`.`execution_id`), '-', '')
      ELSE TO_HEX(MD5(COALESCE(`l`.`execution_id`, `l`.`id`)))
    END AS `trace_id`,
    CAST(DATETIME(`l`.`started_at`, 'UTC') AS DATE) AS `day`,
    `l`.`workspace_id`,
    `l`.`workflow_id`,
    COALESCE(`w`.`name`, `l`.`workflow_name`) AS `workflow_name`,
    `l`.`trigger`
  FROM `analytics`.`sim`.`logs` AS `l`
  LEFT JOIN `analytics`.`sim`.`workflows` AS `w`
    ON `w`.`id` = `l`.`workflow_id`
), `spans` AS (
  SELECT
    `s`.*,
    CASE
      WHEN `s`.`type` = 'workflow'
      THEN 'invoke_workflow'
      WHEN `s`.`type` = 'agent'
      THEN 'invoke_agent'
      WHEN `s`.`type` = 'tool'
      THEN 'execute_tool'
      WHEN `s`.`type` = 'model'
      OR `s`.`type` IN ('router', 'router_v2', 'evaluator')
      AND NOT `s`.`model` IS NULL
      THEN 'chat'
    END AS `operation`,
    COALESCE(`s`.`cache_read_tokens`, 0) + COALESCE(`s`.`cache_write_tokens`, 0) AS `cached_tokens`
  FROM `analytics`.`sim`.`trace_spans` AS `s`
)
SELECT
  `r`.`trace_id`,
  LEFT(TO_HEX(MD5(`s`.`log_id` || '/' || CAST(`s`.`span_index` AS STRING))), 16) AS `span_id`,
  LEFT(TO_HEX(MD5(`s`.`log_id` || '/' || CAST(`s`.`parent_index` AS STRING))), 16) AS `parent_span_id`,
  CASE
    WHEN `s`.`type` = 'workflow' AND `s`.`depth` = 0
    THEN 'invoke_workflow' || COALESCE(' ' || `r`.`workflow_name`, '')
    WHEN `s`.`operation` = 'chat'
    THEN 'chat' || COALESCE(' ' || `s`.`model`, '')
    ELSE COALESCE(`s`.`operation` || ' ' || `s`.`name`, `s`.`operation`, `s`.`name`, `s`.`type`)
  END AS `name`,
  CASE WHEN `s`.`operation` = 'chat' THEN 'CLIENT' ELSE 'INTERNAL' END AS `kind`,
  `s`.`started_at` AS `start_time`,
  `s`.`ended_at` AS `end_time`,
  CASE WHEN `s`.`status` = 'error' THEN 'ERROR' ELSE 'UNSET' END AS `status_code`,
  `s`.`error_message` AS `status_message`,
  CASE WHEN `s`.`status` = 'error' THEN COALESCE(`s`.`error_type`, '_OTHER') END AS `error_type`,
  `s`.`operation` AS `gen_ai_operation_name`,
  CASE `s`.`provider`
    WHEN 'azure-openai'
    THEN 'azure.ai.openai'
    WHEN 'azure_openai'
    THEN 'azure.ai.openai'
    WHEN 'bedrock'
    THEN 'aws.bedrock'
    WHEN 'google'
    THEN 'gcp.gen_ai'
    WHEN 'vertex'
    THEN 'gcp.vertex_ai'
    WHEN 'mistral'
    THEN 'mistral_ai'
    WHEN 'kimi'
    THEN 'moonshot_ai'
    WHEN 'xai'
    THEN 'x_ai'
    ELSE `s`.`provider`
  END AS `gen_ai_provider_name`,
  `s`.`model` AS `gen_ai_request_model`,
  CASE
    WHEN `s`.`type` = 'workflow' AND `s`.`depth` = 0
    THEN `r`.`workflow_name`
    WHEN `s`.`type` IN ('workflow', 'agent')
    THEN `s`.`name`
  END AS `gen_ai_agent_name`,
  CASE WHEN `s`.`type` = 'tool' THEN `s`.`name` END AS `gen_ai_tool_name`,
  CASE WHEN NOT `s`.`finish_reason` IS NULL THEN [`s`.`finish_reason`] END AS `gen_ai_response_finish_reasons`,
  CAST(`s`.`ttft_ms` AS FLOAT64) / 1000 AS `gen_ai_response_time_to_first_chunk`,
  CASE
    WHEN `s`.`total_tokens` = `s`.`prompt_tokens` + `s`.`completion_tokens` + `s`.`cached_tokens`
    THEN `s`.`prompt_tokens` + `s`.`cached_tokens`
    ELSE `s`.`prompt_tokens`
  END AS `gen_ai_usage_input_tokens`,
  `s`.`completion_tokens` AS `gen_ai_usage_output_tokens`,
  `s`.`cache_read_tokens` AS `gen_ai_usage_cache_read_input_tokens`,
  `s`.`cache_write_tokens` AS `gen_ai_usage_cache_write_input_tokens`,
  `s`.`reasoning_tokens` AS `gen_ai_usage_reasoning_output_tokens`,
  `r`.`day`,
  `r`.`workspace_id`,
  `r`.`workflow_id`,
  `r`.`workflow_name`,
  `r`.`trigger`,
  `s`.`log_id`,
  `s`.`span_index`,
  `s`.`block_id`,
  `s`.`type` AS `block_type`,
  `s`.`duration_ms`,
  `s`.`total_cost`
FROM `spans` AS `s`
JOIN `runs` AS `r`
  ON `r`.`id` = `s`.`log_id`;
