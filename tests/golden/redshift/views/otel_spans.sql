CREATE OR REPLACE VIEW "sim"."otel_spans" AS WITH "runs" AS (
  SELECT
    "l"."id",
    CASE
      WHEN LOWER("l"."execution_id") ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      THEN REPLACE(LOWER("l"."execution_id"), '-', '')
      ELSE MD5(COALESCE("l"."execution_id", "l"."id"))
    END AS "trace_id",
    CAST("l"."started_at" AT TIME ZONE 'UTC' AS DATE) AS "day",
    "l"."workspace_id",
    "l"."workflow_id",
    COALESCE("w"."name", "l"."workflow_name") AS "workflow_name",
    "l"."trigger"
  FROM "sim"."logs" AS "l"
  LEFT JOIN "sim"."workflows" AS "w"
    ON "w"."id" = "l"."workflow_id"
), "spans" AS (
  SELECT
    "s".*,
    CASE
      WHEN "s"."type" = 'workflow'
      THEN 'invoke_workflow'
      WHEN "s"."type" = 'agent'
      THEN 'invoke_agent'
      WHEN "s"."type" = 'tool'
      THEN 'execute_tool'
      WHEN "s"."type" = 'model'
      OR "s"."type" IN ('router', 'router_v2', 'evaluator')
      AND NOT "s"."model" IS NULL
      THEN 'chat'
    END AS "operation",
    COALESCE("s"."cache_read_tokens", 0) + COALESCE("s"."cache_write_tokens", 0) AS "cached_tokens"
  FROM "sim"."trace_spans" AS "s"
)
SELECT
  "r"."trace_id",
  LEFT(MD5("s"."log_id" || '/' || CAST("s"."span_index" AS VARCHAR(MAX))), 16) AS "span_id",
  LEFT(MD5("s"."log_id" || '/' || CAST("s"."parent_index" AS VARCHAR(MAX))), 16) AS "parent_span_id",
  CASE
    WHEN "s"."type" = 'workflow' AND "s"."depth" = 0
    THEN 'invoke_workflow' || COALESCE(' ' || "r"."workflow_name", '')
    WHEN "s"."operation" = 'chat'
    THEN 'chat' || COALESCE(' ' || "s"."model", '')
    ELSE COALESCE("s"."operation" || ' ' || "s"."name", "s"."operation", "s"."name", "s"."type")
  END AS "name",
  CASE WHEN "s"."operation" = 'chat' THEN 'CLIENT' ELSE 'INTERNAL' END AS "kind",
  "s"."started_at" AS "start_time",
  "s"."ended_at" AS "end_time",
  CASE WHEN "s"."status" = 'error' THEN 'ERROR' ELSE 'UNSET' END AS "status_code",
  "s"."error_message" AS "status_message",
  CASE WHEN "s"."status" = 'error' THEN COALESCE("s"."error_type", '_OTHER') END AS "error.type",
  "s"."operation" AS "gen_ai.operation.name",
  CASE "s"."provider"
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
    ELSE "s"."provider"
  END AS "gen_ai.provider.name",
  "s"."model" AS "gen_ai.request.model",
  CASE
    WHEN "s"."type" = 'workflow' AND "s"."depth" = 0
    THEN "r"."workflow_name"
    WHEN "s"."type" IN ('workflow', 'agent')
    THEN "s"."name"
  END AS "gen_ai.agent.name",
  CASE WHEN "s"."type" = 'tool' THEN "s"."name" END AS "gen_ai.tool.name",
  CASE WHEN NOT "s"."finish_reason" IS NULL THEN ARRAY("s"."finish_reason") END AS "gen_ai.response.finish_reasons",
  CAST("s"."ttft_ms" AS DOUBLE PRECISION) / 1000 AS "gen_ai.response.time_to_first_chunk",
  CASE
    WHEN "s"."total_tokens" = "s"."prompt_tokens" + "s"."completion_tokens" + "s"."cached_tokens"
    THEN "s"."prompt_tokens" + "s"."cached_tokens"
    ELSE "s"."prompt_tokens"
  END AS "gen_ai.usage.input_tokens",
  "s"."completion_tokens" AS "gen_ai.usage.output_tokens",
  "s"."cache_read_tokens" AS "gen_ai.usage.cache_read.input_tokens",
  "s"."cache_write_tokens" AS "gen_ai.usage.cache_write.input_tokens",
  "s"."reasoning_tokens" AS "gen_ai.usage.reasoning.output_tokens",
  "r"."day",
  "r"."workspace_id",
  "r"."workflow_id",
  "r"."workflow_name",
  "r"."trigger",
  "s"."log_id",
  "s"."span_index",
  "s"."block_id",
  "s"."type" AS "block_type",
  "s"."duration_ms",
  "s"."total_cost"
FROM "spans" AS "s"
JOIN "runs" AS "r"
  ON "r"."id" = "s"."log_id";

COMMENT ON VIEW "sim"."otel_spans" IS 'Spans with the names of OpenTelemetry\'s GenAI conventions (semantic-conventions-genai 0.1); one row per span. Tokens of an agent include those of its model calls: add up chat or invoke_agent, never both (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."otel_spans"."trace_id" IS '32 hex digits: the execution id without dashes if it is a UUID, otherwise its MD5';

COMMENT ON COLUMN "sim"."otel_spans"."span_id" IS '16 hex digits: the start of the MD5 of log_id, a slash and span_index, because Sim\'s own span ids are unique only within a run';

COMMENT ON COLUMN "sim"."otel_spans"."parent_span_id" IS 'span_id of the parent span; null for a root span';

COMMENT ON COLUMN "sim"."otel_spans"."name" IS 'Span name as the conventions define it: the operation, then its target; the block\'s name if the block has no operation';

COMMENT ON COLUMN "sim"."otel_spans"."kind" IS 'CLIENT for a model call, INTERNAL for all other spans';

COMMENT ON COLUMN "sim"."otel_spans"."start_time" IS 'Start of the span';

COMMENT ON COLUMN "sim"."otel_spans"."end_time" IS 'End of the span';

COMMENT ON COLUMN "sim"."otel_spans"."status_code" IS 'ERROR for a failed span, otherwise UNSET';

COMMENT ON COLUMN "sim"."otel_spans"."status_message" IS 'Error message';

COMMENT ON COLUMN "sim"."otel_spans"."error.type" IS 'Type of error, as reported by Sim; _OTHER if the span failed and Sim reports no type';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.operation.name" IS 'invoke_workflow, invoke_agent, chat (a model call; also router and evaluator blocks) or execute_tool; null for other blocks';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.provider.name" IS 'Provider of a model call: its well-known name, or else the name Sim uses; gcp.gen_ai for google, because Sim does not distinguish Gemini from Vertex AI there. Null if Sim does not name it: on agents and on older servers';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.request.model" IS 'Model id';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.agent.name" IS 'Name of the agent block, or of the workflow';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.tool.name" IS 'Name of the tool';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.response.finish_reasons" IS 'Why the model stopped, as a list with one entry';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.response.time_to_first_chunk" IS 'Time to first token in seconds';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.usage.input_tokens" IS 'Input tokens including cached ones, as the convention requires. Sim\'s input count includes cached tokens for some spans but not for others (Anthropic\'s, and agents on newer servers); if the total shows that they were counted separately, they are added';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.usage.output_tokens" IS 'Output tokens, including those spent on reasoning';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.usage.cache_read.input_tokens" IS 'Input tokens read from the provider\'s cache; part of the input tokens';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.usage.cache_write.input_tokens" IS 'Input tokens written to the provider\'s cache; part of the input tokens';

COMMENT ON COLUMN "sim"."otel_spans"."gen_ai.usage.reasoning.output_tokens" IS 'Output tokens spent on reasoning; part of the output tokens';

COMMENT ON COLUMN "sim"."otel_spans"."day" IS 'Day the run started, UTC';

COMMENT ON COLUMN "sim"."otel_spans"."workspace_id" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."otel_spans"."workflow_id" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."otel_spans"."workflow_name" IS 'Current name of the workflow';

COMMENT ON COLUMN "sim"."otel_spans"."trigger" IS 'What started the run';

COMMENT ON COLUMN "sim"."otel_spans"."log_id" IS 'Log id of the run';

COMMENT ON COLUMN "sim"."otel_spans"."span_index" IS 'Position in the trace; together with log_id the key of trace_spans';

COMMENT ON COLUMN "sim"."otel_spans"."block_id" IS 'Block of the workflow; repeats in loops';

COMMENT ON COLUMN "sim"."otel_spans"."block_type" IS 'Type of the block as Sim names it: workflow, agent, function, api, model, tool and more';

COMMENT ON COLUMN "sim"."otel_spans"."duration_ms" IS 'Duration in ms';

COMMENT ON COLUMN "sim"."otel_spans"."total_cost" IS 'Cost in USD; the cost of a block includes its model segments';
