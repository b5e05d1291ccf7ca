CREATE OR REPLACE VIEW "SIM"."OTEL_SPANS" (
  "TRACE_ID" COMMENT '32 hex digits: the execution id without dashes if it is a UUID, otherwise its MD5',
  "SPAN_ID" COMMENT '16 hex digits: the start of the MD5 of log_id, a slash and span_index, because Sim\'s own span ids are unique only within a run',
  "PARENT_SPAN_ID" COMMENT 'span_id of the parent span; null for a root span',
  "NAME" COMMENT 'Span name as the conventions define it: the operation, then its target; the block\'s name if the block has no operation',
  "KIND" COMMENT 'CLIENT for a model call, INTERNAL for all other spans',
  "START_TIME" COMMENT 'Start of the span',
  "END_TIME" COMMENT 'End of the span',
  "STATUS_CODE" COMMENT 'ERROR for a failed span, otherwise UNSET',
  "STATUS_MESSAGE" COMMENT 'Error message',
  "error.type" COMMENT 'Type of error, as reported by Sim; _OTHER if the span failed and Sim reports no type',
  "gen_ai.operation.name" COMMENT 'invoke_workflow, invoke_agent, chat (a model call; also router and evaluator blocks) or execute_tool; null for other blocks',
  "gen_ai.provider.name" COMMENT 'Provider of a model call: its well-known name, or else the name Sim uses; gcp.gen_ai for google, because Sim does not distinguish Gemini from Vertex AI there. Null if Sim does not name it: on agents and on older servers',
  "gen_ai.request.model" COMMENT 'Model id',
  "gen_ai.agent.name" COMMENT 'Name of the agent block, or of the workflow',
  "gen_ai.tool.name" COMMENT 'Name of the tool',
  "gen_ai.response.finish_reasons" COMMENT 'Why the model stopped, as a list with one entry',
  "gen_ai.response.time_to_first_chunk" COMMENT 'Time to first token in seconds',
  "gen_ai.usage.input_tokens" COMMENT 'Input tokens including cached ones, as the convention requires. Sim\'s input count includes cached tokens for some spans but not for others (Anthropic\'s, and agents on newer servers); if the total shows that they were counted separately, they are added',
  "gen_ai.usage.output_tokens" COMMENT 'Output tokens, including those spent on reasoning',
  "gen_ai.usage.cache_read.input_tokens" COMMENT 'Input tokens read from the provider\'s cache; part of the input tokens',
  "gen_ai.usage.cache_write.input_tokens" COMMENT 'Input tokens written to the provider\'s cache; part of the input tokens',
  "gen_ai.usage.reasoning.output_tokens" COMMENT 'Output tokens spent on reasoning; part of the output tokens',
  "DAY" COMMENT 'Day the run started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'What started the run',
  "LOG_ID" COMMENT 'Log id of the run',
  "SPAN_INDEX" COMMENT 'Position in the trace; together with log_id the key of trace_spans',
  "BLOCK_ID" COMMENT 'Block of the workflow; repeats in loops',
  "BLOCK_TYPE" COMMENT 'Type of the block as Sim names it: workflow, agent, function, api, model, tool and more',
  "DURATION_MS" COMMENT 'Duration in ms',
  "TOTAL_COST" COMMENT 'Cost in USD; the cost of a block includes its model segments'
)
COMMENT = 'Spans with the names of OpenTelemetry\'s GenAI conventions (semantic-conventions-genai 0.1); one row per span. Tokens of an agent include those of its model calls: add up chat or invoke_agent, never both (sim-sync view 00000000)'
AS WITH "RUNS" AS (
  SELECT
    "L"."ID",
    CASE
      WHEN REGEXP_LIKE(
        LOWER("L"."EXECUTION_ID"),
        '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      )
      THEN REPLACE(LOWER("L"."EXECUTION_ID"), '-', '')
      ELSE MD5(COALESCE("L"."EXECUTION_ID", "L"."ID"))
    END AS "TRACE_ID",
    CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) AS "DAY",
    "L"."WORKSPACE_ID",
    "L"."WORKFLOW_ID",
    COALESCE("W"."NAME", "L"."WORKFLOW_NAME") AS "WORKFLOW_NAME",
    "L"."TRIGGER"
  FROM "SIM"."LOGS" AS "L"
  LEFT JOIN "SIM"."WORKFLOWS" AS "W"
    ON "W"."ID" = "L"."WORKFLOW_ID"
), "SPANS" AS (
  SELECT
    "S".*,
    CASE
      WHEN "S"."TYPE" = 'workflow'
      THEN 'invoke_workflow'
      WHEN "S"."TYPE" = 'agent'
      THEN 'invoke_agent'
      WHEN "S"."TYPE" = 'tool'
      THEN 'execute_tool'
      WHEN "S"."TYPE" = 'model'
      OR "S"."TYPE" IN ('router', 'router_v2', 'evaluator')
      AND NOT "S"."MODEL" IS NULL
      THEN 'chat'
    END AS "OPERATION",
    COALESCE("S"."CACHE_READ_TOKENS", 0) + COALESCE("S"."CACHE_WRITE_TOKENS", 0) AS "CACHED_TOKENS"
  FROM "SIM"."TRACE_SPANS" AS "S"
)
SELECT
  "R"."TRACE_ID",
  LEFT(MD5("S"."LOG_ID" || '/' || CAST("S"."SPAN_INDEX" AS VARCHAR)), 16) AS "SPAN_ID",
  LEFT(MD5("S"."LOG_ID" || '/' || CAST("S"."PARENT_INDEX" AS VARCHAR)), 16) AS "PARENT_SPAN_ID",
  CASE
    WHEN "S"."TYPE" = 'workflow' AND "S"."DEPTH" = 0
    THEN 'invoke_workflow' || COALESCE(' ' || "R"."WORKFLOW_NAME", '')
    WHEN "S"."OPERATION" = 'chat'
    THEN 'chat' || COALESCE(' ' || "S"."MODEL", '')
    ELSE COALESCE("S"."OPERATION" || ' ' || "S"."NAME", "S"."OPERATION", "S"."NAME", "S"."TYPE")
  END AS "NAME",
  CASE WHEN "S"."OPERATION" = 'chat' THEN 'CLIENT' ELSE 'INTERNAL' END AS "KIND",
  "S"."STARTED_AT" AS "START_TIME",
  "S"."ENDED_AT" AS "END_TIME",
  CASE WHEN "S"."STATUS" = 'error' THEN 'ERROR' ELSE 'UNSET' END AS "STATUS_CODE",
  "S"."ERROR_MESSAGE" AS "STATUS_MESSAGE",
  CASE WHEN "S"."STATUS" = 'error' THEN COALESCE("S"."ERROR_TYPE", '_OTHER') END AS "error.type",
  "S"."OPERATION" AS "gen_ai.operation.name",
  CASE "S"."PROVIDER"
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
    ELSE "S"."PROVIDER"
  END AS "gen_ai.provider.name",
  "S"."MODEL" AS "gen_ai.request.model",
  CASE
    WHEN "S"."TYPE" = 'workflow' AND "S"."DEPTH" = 0
    THEN "R"."WORKFLOW_NAME"
    WHEN "S"."TYPE" IN ('workflow', 'agent')
    THEN "S"."NAME"
  END AS "gen_ai.agent.name",
  CASE WHEN "S"."TYPE" = 'tool' THEN "S"."NAME" END AS "gen_ai.tool.name",
  CASE WHEN NOT "S"."FINISH_REASON" IS NULL THEN ["S"."FINISH_REASON"] END AS "gen_ai.response.finish_reasons",
  CAST("S"."TTFT_MS" AS DOUBLE) / 1000 AS "gen_ai.response.time_to_first_chunk",
  CASE
    WHEN "S"."TOTAL_TOKENS" = "S"."PROMPT_TOKENS" + "S"."COMPLETION_TOKENS" + "S"."CACHED_TOKENS"
    THEN "S"."PROMPT_TOKENS" + "S"."CACHED_TOKENS"
    ELSE "S"."PROMPT_TOKENS"
  END AS "gen_ai.usage.input_tokens",
  "S"."COMPLETION_TOKENS" AS "gen_ai.usage.output_tokens",
  "S"."CACHE_READ_TOKENS" AS "gen_ai.usage.cache_read.input_tokens",
  "S"."CACHE_WRITE_TOKENS" AS "gen_ai.usage.cache_write.input_tokens",
  "S"."REASONING_TOKENS" AS "gen_ai.usage.reasoning.output_tokens",
  "R"."DAY",
  "R"."WORKSPACE_ID",
  "R"."WORKFLOW_ID",
  "R"."WORKFLOW_NAME",
  "R"."TRIGGER",
  "S"."LOG_ID",
  "S"."SPAN_INDEX",
  "S"."BLOCK_ID",
  "S"."TYPE" AS "BLOCK_TYPE",
  "S"."DURATION_MS",
  "S"."TOTAL_COST"
FROM "SPANS" AS "S"
JOIN "RUNS" AS "R"
  ON "R"."ID" = "S"."LOG_ID";
