CREATE OR REPLACE VIEW `analytics`.`sim___otel_spans` AS WITH "runs" AS (
  SELECT
    "l"."id",
    CASE
      WHEN match(
        LOWER("l"."execution_id"),
        '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      )
      THEN REPLACE(LOWER("l"."execution_id"), '-', '')
      ELSE LOWER(HEX(MD5(COALESCE("l"."execution_id", "l"."id"))))
    END AS "trace_id",
    CAST("l"."started_at" AS Nullable(DATE)) AS "day",
    "l"."workspace_id",
    "l"."workflow_id",
    COALESCE("w"."name", "l"."workflow_name") AS "workflow_name",
    "l"."trigger"
  FROM "analytics"."sim___logs" AS "l"
  LEFT JOIN "analytics"."sim___workflows" AS "w"
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
      AND NOT (
        "s"."model" IS NULL
      )
      THEN 'chat'
    END AS "operation",
    COALESCE("s"."cache_read_tokens", 0) + COALESCE("s"."cache_write_tokens", 0) AS "cached_tokens"
  FROM "analytics"."sim___trace_spans" AS "s"
)
SELECT
  "r"."trace_id",
  LEFT(
    LOWER(HEX(MD5("s"."log_id" || '/' || CAST("s"."span_index" AS Nullable(String))))),
    16
  ) AS "span_id",
  LEFT(
    LOWER(HEX(MD5("s"."log_id" || '/' || CAST("s"."parent_index" AS Nullable(String))))),
    16
  ) AS "parent_span_id",
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
  CASE
    WHEN NOT (
      "s"."finish_reason" IS NULL
    )
    THEN ["s"."finish_reason"]
    ELSE []
  END AS "gen_ai.response.finish_reasons",
  CAST("s"."ttft_ms" AS Nullable(Float64)) / 1000 AS "gen_ai.response.time_to_first_chunk",
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
  ON "r"."id" = "s"."log_id"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Spans with the names of OpenTelemetry''s GenAI conventions (semantic-conventions-genai 0.1), one row per span. Tokens of an agent include those of its model calls: add up chat or invoke_agent, never both (sim-sync view 00000000)';
