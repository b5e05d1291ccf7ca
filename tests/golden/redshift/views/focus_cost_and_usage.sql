CREATE OR REPLACE VIEW "sim"."focus_cost_and_usage" AS WITH "told" AS (
  SELECT
    "d"."id",
    "d"."workspace_id",
    NULLIF(
      JSON_EXTRACT_PATH_TEXT(
        CASE
          WHEN JSON_TYPEOF("d"."execution_data") = 'string'
          THEN CAST("d"."execution_data" AS VARCHAR(MAX))
          ELSE JSON_SERIALIZE("d"."execution_data")
        END,
        'billingAttribution',
        'billingEntity',
        'id',
        TRUE
      ),
      ''
    ) AS "account",
    NULLIF(
      JSON_EXTRACT_PATH_TEXT(
        CASE
          WHEN JSON_TYPEOF("d"."execution_data") = 'string'
          THEN CAST("d"."execution_data" AS VARCHAR(MAX))
          ELSE JSON_SERIALIZE("d"."execution_data")
        END,
        'billingAttribution',
        'billingEntity',
        'type',
        TRUE
      ),
      ''
    ) AS "kind",
    NULLIF(
      JSON_EXTRACT_PATH_TEXT(
        CASE
          WHEN JSON_TYPEOF("d"."execution_data") = 'string'
          THEN CAST("d"."execution_data" AS VARCHAR(MAX))
          ELSE JSON_SERIALIZE("d"."execution_data")
        END,
        'billingAttribution',
        'billingPeriod',
        'start',
        TRUE
      ),
      ''
    ) AS "since",
    NULLIF(
      JSON_EXTRACT_PATH_TEXT(
        CASE
          WHEN JSON_TYPEOF("d"."execution_data") = 'string'
          THEN CAST("d"."execution_data" AS VARCHAR(MAX))
          ELSE JSON_SERIALIZE("d"."execution_data")
        END,
        'billingAttribution',
        'billingPeriod',
        'end',
        TRUE
      ),
      ''
    ) AS "until"
  FROM "sim"."log_details" AS "d"
  WHERE
    NOT "d"."execution_data" IS NULL
), "by_run" AS (
  SELECT
    "t"."id",
    "t"."workspace_id",
    CAST("l"."started_at" AT TIME ZONE 'UTC' AS DATE) AS "day",
    "t"."account",
    UPPER(LEFT("t"."kind", 1)) || SUBSTRING("t"."kind" FROM 2) AS "kind",
    CASE WHEN "t"."is_period" THEN CAST("t"."since" AS TIMESTAMP WITH TIME ZONE) END AS "since",
    CASE WHEN "t"."is_period" THEN CAST("t"."until" AS TIMESTAMP WITH TIME ZONE) END AS "until"
  FROM (
    SELECT
      *,
      "since" ~ '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$'
      AND "until" ~ '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$'
      AND "since" < "until" AS "is_period"
    FROM "told"
    WHERE
      "account" <> '' AND "kind" <> ''
  ) AS "t"
  JOIN "sim"."logs" AS "l"
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
      WHEN NOT "r"."id" IS NULL
      THEN 'run'
      WHEN NOT "b"."account" IS NULL
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
  FROM "sim"."logs" AS "l"
  LEFT JOIN "by_run" AS "r"
    ON "r"."id" = "l"."id"
  LEFT JOIN "by_day" AS "b"
    ON "b"."workspace_id" = "l"."workspace_id"
    AND "b"."day" = CAST("l"."started_at" AT TIME ZONE 'UTC' AS DATE)
), "billed" AS (
  SELECT
    *,
    DATE_TRUNC('HOUR', "started_at" AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS "hour_start",
    (
      DATE_TRUNC('HOUR', "started_at" AT TIME ZONE 'UTC') + INTERVAL '1 HOUR'
    ) AT TIME ZONE 'UTC' AS "hour_end",
    DATE_TRUNC('MONTH', "started_at" AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS "month_start",
    (
      DATE_TRUNC('MONTH', "started_at" AT TIME ZONE 'UTC') + INTERVAL '1 MONTH'
    ) AT TIME ZONE 'UTC' AS "month_end",
    CASE "source" WHEN 'run' THEN "run_account" WHEN 'day' THEN "day_account" END AS "account",
    CASE "source" WHEN 'run' THEN "run_kind" WHEN 'day' THEN "day_kind" END AS "account_kind",
    CASE "source" WHEN 'run' THEN "run_since" WHEN 'day' THEN "day_since" END AS "since",
    CASE "source" WHEN 'run' THEN "run_until" WHEN 'day' THEN "day_until" END AS "until"
  FROM "sourced"
)
SELECT
  "i"."total_cost" AS "BilledCost",
  COALESCE("r"."account", "r"."workspace_id") AS "BillingAccountId",
  CAST(NULL AS VARCHAR(MAX)) AS "BillingAccountName",
  CASE
    WHEN NOT "r"."account" IS NULL
    THEN "r"."account_kind"
    WHEN NOT "r"."workspace_id" IS NULL
    THEN 'Workspace'
  END AS "BillingAccountType",
  'USD' AS "BillingCurrency",
  COALESCE("r"."until", "r"."month_end") AS "BillingPeriodEnd",
  COALESCE("r"."since", "r"."month_start") AS "BillingPeriodStart",
  'Usage' AS "ChargeCategory",
  CAST(NULL AS VARCHAR(MAX)) AS "ChargeClass",
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
  CASE WHEN "i"."kind" = 'model' THEN CAST("i"."total_tokens" AS DECIMAL(38, 0)) END AS "ConsumedQuantity",
  CASE WHEN "i"."kind" = 'model' AND NOT "i"."total_tokens" IS NULL THEN 'Tokens' END AS "ConsumedUnit",
  "i"."total_cost" AS "ContractedCost",
  "i"."total_cost" AS "EffectiveCost",
  'Sim' AS "InvoiceIssuerName",
  "i"."total_cost" AS "ListCost",
  CASE WHEN "i"."kind" = 'model' THEN CAST("i"."total_tokens" AS DECIMAL(38, 0)) END AS "PricingQuantity",
  CASE WHEN "i"."kind" = 'model' AND NOT "i"."total_tokens" IS NULL THEN 'Tokens' END AS "PricingUnit",
  'Sim' AS "ProviderName",
  'Sim' AS "PublisherName",
  "r"."workflow_id" AS "ResourceId",
  CASE WHEN NOT "r"."workflow_id" IS NULL THEN "r"."workflow_name" END AS "ResourceName",
  CASE WHEN NOT "r"."workflow_id" IS NULL THEN 'Workflow' END AS "ResourceType",
  'AI and Machine Learning' AS "ServiceCategory",
  'Sim' AS "ServiceName",
  'AI Platforms' AS "ServiceSubcategory",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "SkuId",
  CASE WHEN "i"."kind" = 'model' THEN 'Tokens' END AS "SkuMeter",
  CASE WHEN "i"."kind" = 'model' THEN "i"."name" END AS "SkuPriceId",
  "r"."workspace_id" AS "SubAccountId",
  CAST(NULL AS VARCHAR(MAX)) AS "SubAccountName",
  CASE WHEN NOT "r"."workspace_id" IS NULL THEN 'Workspace' END AS "SubAccountType",
  '{"sim:trigger": ' || COALESCE(
    CAST(CASE
      WHEN NOT "r"."trigger" IS NULL
      THEN JSON_SERIALIZE(CAST("r"."trigger" AS SUPER))
    END AS VARCHAR(MAX)),
    'null'
  ) || COALESCE(
    ', "sim:deployment_version_id": ' || CAST(CASE
      WHEN NOT "r"."deployment_version_id" IS NULL
      THEN JSON_SERIALIZE(CAST("r"."deployment_version_id" AS SUPER))
    END AS VARCHAR(MAX)),
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
FROM "sim"."cost_items" AS "i"
JOIN "billed" AS "r"
  ON "r"."id" = "i"."log_id";

COMMENT ON VIEW "sim"."focus_cost_and_usage" IS 'Cost and usage in the columns of FinOps FOCUS 1.2; one row per cost item of a run. Aligned with FOCUS but not conformant, because Sim\'s API does not return everything that FOCUS requires (sim-sync view 00000000)';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BilledCost" IS 'Cost of the item in USD, as counted by Sim; usage included in a plan is not subtracted';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BillingAccountId" IS 'User or organization that pays for the run; the workspace if x_billing_source is none, because FOCUS does not allow null';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BillingAccountName" IS 'Null: the API returns no name';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BillingAccountType" IS 'User or Organization, as returned by Sim; Workspace if BillingAccountId is the workspace';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BillingCurrency" IS 'USD: the API returns all costs in USD';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BillingPeriodEnd" IS 'End of the billing period, exclusive; the end of the calendar month (UTC) if Sim reports no period';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."BillingPeriodStart" IS 'Start of the billing period, inclusive; the start of the calendar month (UTC) of the run if Sim reports no period, because FOCUS does not allow null';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ChargeCategory" IS 'Usage';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ChargeClass" IS 'Null: Sim corrects the cost of a run in place';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ChargeDescription" IS 'Description of the charge';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ChargeFrequency" IS 'Usage-Based';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ChargePeriodEnd" IS 'One hour after ChargePeriodStart, exclusive';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ChargePeriodStart" IS 'Hour (UTC) in which the run started, inclusive. FOCUS requires charge periods of the dataset\'s granularity in whole seconds, and a run that has not ended has no end; the exact times are in x_started_at and x_ended_at';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ConsumedQuantity" IS 'Input and output tokens of a model; null if Sim reports no quantity, although FOCUS requires one';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ConsumedUnit" IS 'Tokens; null if ConsumedQuantity is null';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ContractedCost" IS 'Same as BilledCost: the API returns no contracted price';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."EffectiveCost" IS 'Same as BilledCost: the API returns nothing about prepayments';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."InvoiceIssuerName" IS 'Sim';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ListCost" IS 'Same as BilledCost: the API returns no list price';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."PricingQuantity" IS 'Same as ConsumedQuantity';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."PricingUnit" IS 'Same as ConsumedUnit';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ProviderName" IS 'Sim';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."PublisherName" IS 'Sim, which offers the models and tools as part of its own service';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ResourceId" IS 'Workflow that ran; null if Sim does not name one';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ResourceName" IS 'Name of the workflow when the run was last read: FOCUS requires the name at that time, not the current one';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ResourceType" IS 'Workflow; null if ResourceId is null';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ServiceCategory" IS 'AI and Machine Learning';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ServiceName" IS 'Sim';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."ServiceSubcategory" IS 'AI Platforms';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."SkuId" IS 'Model id, which Sim uses in its price list; null if the item is not a model, although FOCUS requires one';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."SkuMeter" IS 'Tokens; null if SkuId is null';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."SkuPriceId" IS 'Same as SkuId';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."SubAccountId" IS 'Sim workspace';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."SubAccountName" IS 'Null, although FOCUS requires a name: the API returns none';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."SubAccountType" IS 'Workspace; null if SubAccountId is null';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."Tags" IS 'JSON text with the trigger and the deployment version of the run, under keys prefixed with sim:';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_workflow_id" IS 'Same as ResourceId';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_trigger" IS 'What started the run';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_execution_id" IS 'Execution id; used by snapshots and webhooks';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_log_id" IS 'Log id of the run; together with x_kind and x_name it identifies a row';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_status" IS 'running, paused, completed, failed or cancelled, as far as the API reveals it';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_started_at" IS 'Start of the run';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_ended_at" IS 'End of the run; also set while the run is paused; null while it is running';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_kind" IS 'model, tool, other (charged but not itemised) or unknown (cost split not known)';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_name" IS 'Model id, tool name, other or unknown';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_model" IS 'Model id; null if the item is not a model';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_prompt_tokens" IS 'Input tokens, as counted by the provider';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_completion_tokens" IS 'Output tokens, as counted by the provider';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_input_cost" IS 'Cost of input tokens in USD; part of BilledCost';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_output_cost" IS 'Cost of output tokens in USD; part of BilledCost';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_tool_cost" IS 'Cost of tools the model called, in USD; part of BilledCost';

COMMENT ON COLUMN "sim"."focus_cost_and_usage"."x_billing_source" IS 'Where account and billing period come from: run (the run\'s own detail), day (details of other runs of the workspace on the same day, if they agree) or none';
