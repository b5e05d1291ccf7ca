CREATE OR REPLACE VIEW `analytics`.`sim___focus_cost_and_usage` AS WITH "told" AS (
  SELECT
    "d"."id",
    "d"."workspace_id",
    nullIf(
      JSONExtractString("d"."execution_data", 'billingAttribution', 'billingEntity', 'id'),
      ''
    ) AS "account",
    nullIf(
      JSONExtractString("d"."execution_data", 'billingAttribution', 'billingEntity', 'type'),
      ''
    ) AS "kind",
    nullIf(
      JSONExtractString("d"."execution_data", 'billingAttribution', 'billingPeriod', 'start'),
      ''
    ) AS "since",
    nullIf(
      JSONExtractString("d"."execution_data", 'billingAttribution', 'billingPeriod', 'end'),
      ''
    ) AS "until"
  FROM "analytics"."sim___log_details" AS "d"
  WHERE
    NOT (
      "d"."execution_data" IS NULL
    )
), "by_run" AS (
  SELECT
    "t"."id",
    "t"."workspace_id",
    CAST("l"."started_at" AS Nullable(DATE)) AS "day",
    "t"."account",
    UPPER(LEFT("t"."kind", 1)) || SUBSTRING("t"."kind", 2) AS "kind",
    CASE
      WHEN "t"."is_period"
      THEN parseDateTime64BestEffortOrNull(CAST("t"."since" AS Nullable(String)), 6, 'UTC')
    END AS "since",
    CASE
      WHEN "t"."is_period"
      THEN parseDateTime64BestEffortOrNull(CAST("t"."until" AS Nullable(String)), 6, 'UTC')
    END AS "until"
  FROM (
    SELECT
      *,
      match("since", '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
      AND match("until", '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
      AND "since" < "until" AS "is_period"
    FROM "told"
    WHERE
      "account" <> '' AND "kind" <> ''
  ) AS "t"
  JOIN "analytics"."sim___logs" AS "l"
    ON "l"."id" = "t"."id"
), "by_day" AS (
  SELECT
    "workspace_id",
    "day",
    MIN("account") AS "account",
    MIN("kind") AS "kind",
    MIN("since") AS "since",
    MIN("until") AS "until"
  FROM "by_run"
  GROUP BY
    "workspace_id",
    "day"
  HAVING
    MIN("account") = MAX("account")
    AND MIN("kind") = MAX("kind")
    AND COALESCE(MIN("since") = MAX("since") AND MIN("until") = MAX("until"), TRUE)
), "sourced" AS (
  SELECT
    "l".*,
    CASE
      WHEN NOT (
        "r"."id" IS NULL
      )
      THEN 'run'
      WHEN NOT (
        "b"."account" IS NULL
      )
      AND COALESCE("l"."started_at" >= "b"."since" AND "l"."started_at" < "b"."until", TRUE)
      THEN 'day'
      ELSE 'none'
    END AS "source",
    "r"."account" AS "run_account",
    "r"."kind" AS "run_kind",
    "r"."since" AS "run_since",
    "r"."until" AS "run_until",
    "b"."account" AS "day_account",
    "b"."kind" AS "day_kind",
    "b"."since" AS "day_since",
    "b"."until" AS "day_until"
  FROM "analytics"."sim___logs" AS "l"
  LEFT JOIN "by_run" AS "r"
    ON "r"."id" = "l"."id"
  LEFT JOIN "by_day" AS "b"
    ON "b"."workspace_id" = "l"."workspace_id"
    AND "b"."day" = CAST("l"."started_at" AS Nullable(DATE))
), "billed" AS (
  SELECT
    *,
    toDateTime64(dateTrunc('HOUR', "started_at"), 6, 'UTC') AS "hour_start",
    toDateTime64((
      dateTrunc('HOUR', "started_at") + INTERVAL '1' HOUR
    ), 6, 'UTC') AS "hour_end",
    toDateTime64(dateTrunc('MONTH', "started_at"), 6, 'UTC') AS "month_start",
    toDateTime64((
      dateTrunc('MONTH', "started_at") + INTERVAL '1' MONTH
    ), 6, 'UTC') AS "month_end",
    CASE "source" WHEN 'run' THEN "run_account" WHEN 'day' THEN "day_account" END AS "account",
    CASE "source" WHEN 'run' THEN "run_kind" WHEN 'day' THEN "day_kind" END AS "account_kind",
    CASE "source" WHEN 'run' THEN "run_since" WHEN 'day' THEN "day_since" END AS "since",
    CASE "source" WHEN 'run' THEN "run_until" WHEN 'day' THEN "day_until" END AS "until"
  FROM "sourced"
)
SELECT
  "i"."total_cost" AS "BilledCost",
  COALESCE("r"."account", "r"."workspace_id") AS "BillingAccountId",
  CAST(NULL AS Nullable(String)) AS "BillingAccountName",
  CASE
    WHEN NOT (
      "r"."account" IS NULL
    )
    THEN "r"."account_kind"
    WHEN NOT (
      "r"."workspace_id" IS NULL
    )
    THEN 'Workspace'
  END AS "BillingAccountType",
  'USD' AS "BillingCurrency",
  COALESCE("r"."until", "r"."month_end") AS "BillingPeriodEnd",
  COALESCE("r"."since", "r"."month_start") AS "BillingPeriodStart",
  'Usage' AS "ChargeCategory",
  CAST(NULL AS Nullable(String)) AS "ChargeClass",
  CASE "i"."kind"
    WHEN 'model'
    THEN 'Model ' || "i"."name"
    WHEN 'tool'
    THEN 'Tool ' || "i"."name"
    WHEN 'other'
    THEN 'Charged without an item, the base charge of a run above all'
    ELSE 'Run whose split has not been read yet'
  END AS "ChargeDescription",
  'Usage-Based' AS "ChargeFrequency",
  "r"."hour_end" AS "ChargePeriodEnd",
  "r"."hour_start" AS "ChargePeriodStart",
  CASE
    WHEN "i"."kind" = 'model'
    THEN CAST(ROUND("i"."total_tokens", 0) AS Nullable(Decimal(38, 0)))
  END AS "ConsumedQuantity",
  CASE
    WHEN "i"."kind" = 'model' AND NOT (
      "i"."total_tokens" IS NULL
    )
    THEN 'Tokens'
  END AS "ConsumedUnit",
  "i"."total_cost" AS "ContractedCost",
  "i"."total_cost" AS "EffectiveCost",
  'Sim' AS "InvoiceIssuerName",
  "i"."total_cost" AS "ListCost",
  CASE
    WHEN "i"."kind" = 'model'
    THEN CAST(ROUND("i"."total_tokens", 0) AS Nullable(Decimal(38, 0)))
  END AS "PricingQuantity",
  CASE
    WHEN "i"."kind" = 'model' AND NOT (
      "i"."total_tokens" IS NULL
    )
    THEN 'Tokens'
  END AS "PricingUnit",
  'Sim' AS "ProviderName",
  'Sim' AS "PublisherName",
  "r"."workflow_id" AS "ResourceId",
  CASE WHEN NOT (
    "r"."workflow_id" IS NULL
  ) THEN "r"."workflow_name" END AS "ResourceName",
  CASE WHEN NOT (
    "r"."workflow_id" IS NULL
  ) THEN 'Workflow' END AS "ResourceType",
  'AI and Machine Learning' AS "ServiceCategory",
  'Sim' AS "ServiceName",
  'AI Platforms' AS "ServiceSubcategory",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "SkuId",
  CASE WHEN "i"."kind" = 'model' THEN 'Tokens' END AS "SkuMeter",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "SkuPriceId",
  "r"."workspace_id" AS "SubAccountId",
  CAST(NULL AS Nullable(String)) AS "SubAccountName",
  CASE WHEN NOT (
    "r"."workspace_id" IS NULL
  ) THEN 'Workspace' END AS "SubAccountType",
  '{"sim:trigger": ' || COALESCE(
    CAST(CASE WHEN NOT (
      "r"."trigger" IS NULL
    ) THEN toJSONString("r"."trigger") END AS Nullable(String)),
    'null'
  ) || COALESCE(
    ', "sim:deployment_version_id": ' || CAST(CASE
      WHEN NOT (
        "r"."deployment_version_id" IS NULL
      )
      THEN toJSONString("r"."deployment_version_id")
    END AS Nullable(String)),
    ''
  ) || '}' AS "Tags",
  "r"."workflow_id" AS "x_workflow_id",
  "r"."trigger" AS "x_trigger",
  "r"."execution_id" AS "x_execution_id",
  "r"."id" AS "x_log_id",
  "r"."status" AS "x_status",
  "r"."started_at" AS "x_started_at",
  "r"."ended_at" AS "x_ended_at",
  "i"."kind" AS "x_kind",
  "i"."name" AS "x_name",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "x_model",
  "i"."prompt_tokens" AS "x_prompt_tokens",
  "i"."completion_tokens" AS "x_completion_tokens",
  "i"."input_cost" AS "x_input_cost",
  "i"."output_cost" AS "x_output_cost",
  "i"."tool_cost" AS "x_tool_cost",
  "r"."source" AS "x_billing_source"
FROM "analytics"."sim___cost_items" AS "i"
JOIN "billed" AS "r"
  ON "r"."id" = "i"."log_id"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Cost and usage in the columns of FinOps FOCUS 1.2, one row per cost item of a run. Aligned with FOCUS but not conformant, because Sim''s API does not return everything that FOCUS requires (sim-sync view 00000000)';
