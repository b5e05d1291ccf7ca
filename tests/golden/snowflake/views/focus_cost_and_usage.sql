CREATE OR REPLACE VIEW "SIM"."FOCUS_COST_AND_USAGE" (
  "BilledCost" COMMENT 'Cost of the item in USD, as counted by Sim; usage included in a plan is not subtracted',
  "BillingAccountId" COMMENT 'User or organization that pays for the run; the workspace if x_billing_source is none, because FOCUS does not allow null',
  "BillingAccountName" COMMENT 'Null: the API returns no name',
  "BillingAccountType" COMMENT 'User or Organization, as returned by Sim; Workspace if BillingAccountId is the workspace',
  "BillingCurrency" COMMENT 'USD: the API returns all costs in USD',
  "BillingPeriodEnd" COMMENT 'End of the billing period, exclusive; the end of the calendar month (UTC) if Sim reports no period',
  "BillingPeriodStart" COMMENT 'Start of the billing period, inclusive; the start of the calendar month (UTC) of the run if Sim reports no period, because FOCUS does not allow null',
  "ChargeCategory" COMMENT 'Usage',
  "ChargeClass" COMMENT 'Null: Sim corrects the cost of a run in place',
  "ChargeDescription" COMMENT 'Description of the charge',
  "ChargeFrequency" COMMENT 'Usage-Based',
  "ChargePeriodEnd" COMMENT 'One hour after ChargePeriodStart, exclusive',
  "ChargePeriodStart" COMMENT 'Hour (UTC) in which the run started, inclusive. FOCUS requires charge periods of the dataset\'s granularity in whole seconds, and a run that has not ended has no end; the exact times are in x_started_at and x_ended_at',
  "ConsumedQuantity" COMMENT 'Input and output tokens of a model; null if Sim reports no quantity, although FOCUS requires one',
  "ConsumedUnit" COMMENT 'Tokens; null if ConsumedQuantity is null',
  "ContractedCost" COMMENT 'Same as BilledCost: the API returns no contracted price',
  "EffectiveCost" COMMENT 'Same as BilledCost: the API returns nothing about prepayments',
  "InvoiceIssuerName" COMMENT 'Sim',
  "ListCost" COMMENT 'Same as BilledCost: the API returns no list price',
  "PricingQuantity" COMMENT 'Same as ConsumedQuantity',
  "PricingUnit" COMMENT 'Same as ConsumedUnit',
  "ProviderName" COMMENT 'Sim',
  "PublisherName" COMMENT 'Sim, which offers the models and tools as part of its own service',
  "ResourceId" COMMENT 'Workflow that ran; null if Sim does not name one',
  "ResourceName" COMMENT 'Name of the workflow when the run was last read: FOCUS requires the name at that time, not the current one',
  "ResourceType" COMMENT 'Workflow; null if ResourceId is null',
  "ServiceCategory" COMMENT 'AI and Machine Learning',
  "ServiceName" COMMENT 'Sim',
  "ServiceSubcategory" COMMENT 'AI Platforms',
  "SkuId" COMMENT 'Model id, which Sim uses in its price list; null if the item is not a model, although FOCUS requires one',
  "SkuMeter" COMMENT 'Tokens; null if SkuId is null',
  "SkuPriceId" COMMENT 'Same as SkuId',
  "SubAccountId" COMMENT 'Sim workspace',
  "SubAccountName" COMMENT 'Null, although FOCUS requires a name: the API returns none',
  "SubAccountType" COMMENT 'Workspace; null if SubAccountId is null',
  "Tags" COMMENT 'JSON text with the trigger and the deployment version of the run, under keys prefixed with sim:',
  "X_WORKFLOW_ID" COMMENT 'Same as ResourceId',
  "X_TRIGGER" COMMENT 'What started the run',
  "X_EXECUTION_ID" COMMENT 'Execution id; used by snapshots and webhooks',
  "X_LOG_ID" COMMENT 'Log id of the run; together with x_kind and x_name it identifies a row',
  "X_STATUS" COMMENT 'running, paused, completed, failed or cancelled, as far as the API reveals it',
  "X_STARTED_AT" COMMENT 'Start of the run',
  "X_ENDED_AT" COMMENT 'End of the run; also set while the run is paused; null while it is running',
  "X_KIND" COMMENT 'model, tool, other (charged but not itemised) or unknown (cost split not known)',
  "X_NAME" COMMENT 'Model id, tool name, other or unknown',
  "X_MODEL" COMMENT 'Model id; null if the item is not a model',
  "X_PROMPT_TOKENS" COMMENT 'Input tokens, as counted by the provider',
  "X_COMPLETION_TOKENS" COMMENT 'Output tokens, as counted by the provider',
  "X_INPUT_COST" COMMENT 'Cost of input tokens in USD; part of BilledCost',
  "X_OUTPUT_COST" COMMENT 'Cost of output tokens in USD; part of BilledCost',
  "X_TOOL_COST" COMMENT 'Cost of tools the model called, in USD; part of BilledCost',
  "X_BILLING_SOURCE" COMMENT 'Where account and billing period come from: run (the run\'s own detail), day (details of other runs of the workspace on the same day, if they agree) or none'
)
COMMENT = 'Cost and usage in the columns of FinOps FOCUS 1.2; one row per cost item of a run. Aligned with FOCUS but not conformant, because Sim\'s API does not return everything that FOCUS requires (sim-sync view 00000000)'
AS WITH "TOLD" AS (
  SELECT
    "D"."ID",
    "D"."WORKSPACE_ID",
    CAST(GET_PATH(PARSE_JSON(TO_CHAR("D"."EXECUTION_DATA")), 'billingAttribution.billingEntity.id') AS VARCHAR) AS "ACCOUNT",
    CAST(GET_PATH(PARSE_JSON(TO_CHAR("D"."EXECUTION_DATA")), 'billingAttribution.billingEntity.type') AS VARCHAR) AS "KIND",
    CAST(GET_PATH(
      PARSE_JSON(TO_CHAR("D"."EXECUTION_DATA")),
      'billingAttribution.billingPeriod.start'
    ) AS VARCHAR) AS "SINCE",
    CAST(GET_PATH(PARSE_JSON(TO_CHAR("D"."EXECUTION_DATA")), 'billingAttribution.billingPeriod.end') AS VARCHAR) AS "UNTIL"
  FROM "SIM"."LOG_DETAILS" AS "D"
  WHERE
    NOT "D"."EXECUTION_DATA" IS NULL
), "BY_RUN" AS (
  SELECT
    "T"."ID",
    "T"."WORKSPACE_ID",
    CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) AS "DAY",
    "T"."ACCOUNT",
    UPPER(LEFT("T"."KIND", 1)) || SUBSTRING("T"."KIND", 2) AS "KIND",
    CASE WHEN "T"."IS_PERIOD" THEN CAST("T"."SINCE" AS TIMESTAMPTZ) END AS "SINCE",
    CASE WHEN "T"."IS_PERIOD" THEN CAST("T"."UNTIL" AS TIMESTAMPTZ) END AS "UNTIL"
  FROM (
    SELECT
      *,
      REGEXP_LIKE("SINCE", '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
      AND REGEXP_LIKE("UNTIL", '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
      AND "SINCE" < "UNTIL" AS "IS_PERIOD"
    FROM "TOLD"
    WHERE
      "ACCOUNT" <> '' AND "KIND" <> ''
  ) AS "T"
  JOIN "SIM"."LOGS" AS "L"
    ON "L"."ID" = "T"."ID"
), "BY_DAY" AS (
  SELECT
    "WORKSPACE_ID",
    "DAY",
    MIN("ACCOUNT") AS "ACCOUNT",
    MIN("KIND") AS "KIND",
    MIN("SINCE") AS "SINCE",
    MIN("UNTIL") AS "UNTIL"
  FROM "BY_RUN"
  GROUP BY
    "WORKSPACE_ID",
    "DAY"
  HAVING
    MIN("ACCOUNT") = MAX("ACCOUNT")
    AND MIN("KIND") = MAX("KIND")
    AND COALESCE(MIN("SINCE") = MAX("SINCE") AND MIN("UNTIL") = MAX("UNTIL"), TRUE)
), "SOURCED" AS (
  SELECT
    "L".*,
    CASE
      WHEN NOT "R"."ID" IS NULL
      THEN 'run'
      WHEN NOT "B"."ACCOUNT" IS NULL
      AND COALESCE("L"."STARTED_AT" >= "B"."SINCE" AND "L"."STARTED_AT" < "B"."UNTIL", TRUE)
      THEN 'day'
      ELSE 'none'
    END AS "SOURCE",
    "R"."ACCOUNT" AS "RUN_ACCOUNT",
    "R"."KIND" AS "RUN_KIND",
    "R"."SINCE" AS "RUN_SINCE",
    "R"."UNTIL" AS "RUN_UNTIL",
    "B"."ACCOUNT" AS "DAY_ACCOUNT",
    "B"."KIND" AS "DAY_KIND",
    "B"."SINCE" AS "DAY_SINCE",
    "B"."UNTIL" AS "DAY_UNTIL"
  FROM "SIM"."LOGS" AS "L"
  LEFT JOIN "BY_RUN" AS "R"
    ON "R"."ID" = "L"."ID"
  LEFT JOIN "BY_DAY" AS "B"
    ON "B"."WORKSPACE_ID" = "L"."WORKSPACE_ID"
    AND "B"."DAY" = CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE)
), "BILLED" AS (
  SELECT
    *,
    DATE_TRUNC('HOUR', CONVERT_TIMEZONE('UTC', "STARTED_AT")) AS "HOUR_START",
    (
      DATE_TRUNC('HOUR', CONVERT_TIMEZONE('UTC', "STARTED_AT")) + INTERVAL '1 HOUR'
    ) AS "HOUR_END",
    DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', "STARTED_AT")) AS "MONTH_START",
    (
      DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', "STARTED_AT")) + INTERVAL '1 MONTH'
    ) AS "MONTH_END",
    CASE "SOURCE" WHEN 'run' THEN "RUN_ACCOUNT" WHEN 'day' THEN "DAY_ACCOUNT" END AS "ACCOUNT",
    CASE "SOURCE" WHEN 'run' THEN "RUN_KIND" WHEN 'day' THEN "DAY_KIND" END AS "ACCOUNT_KIND",
    CASE "SOURCE" WHEN 'run' THEN "RUN_SINCE" WHEN 'day' THEN "DAY_SINCE" END AS "SINCE",
    CASE "SOURCE" WHEN 'run' THEN "RUN_UNTIL" WHEN 'day' THEN "DAY_UNTIL" END AS "UNTIL"
  FROM "SOURCED"
)
SELECT
  "I"."TOTAL_COST" AS "BilledCost",
  COALESCE("R"."ACCOUNT", "R"."WORKSPACE_ID") AS "BillingAccountId",
  CAST(NULL AS VARCHAR) AS "BillingAccountName",
  CASE
    WHEN NOT "R"."ACCOUNT" IS NULL
    THEN "R"."ACCOUNT_KIND"
    WHEN NOT "R"."WORKSPACE_ID" IS NULL
    THEN 'Workspace'
  END AS "BillingAccountType",
  'USD' AS "BillingCurrency",
  COALESCE("R"."UNTIL", "R"."MONTH_END") AS "BillingPeriodEnd",
  COALESCE("R"."SINCE", "R"."MONTH_START") AS "BillingPeriodStart",
  'Usage' AS "ChargeCategory",
  CAST(NULL AS VARCHAR) AS "ChargeClass",
  CASE "I"."KIND"
    WHEN 'model'
    THEN 'Model ' || "I"."NAME"
    WHEN 'tool'
    THEN 'Tool ' || "I"."NAME"
    WHEN 'other'
    THEN 'Charged without an item, the base charge of a run above all'
    ELSE 'Run whose split has not been read yet'
  END AS "ChargeDescription",
  'Usage-Based' AS "ChargeFrequency",
  "R"."HOUR_END" AS "ChargePeriodEnd",
  "R"."HOUR_START" AS "ChargePeriodStart",
  CASE WHEN "I"."KIND" = 'model' THEN CAST("I"."TOTAL_TOKENS" AS DECIMAL(38, 0)) END AS "ConsumedQuantity",
  CASE WHEN "I"."KIND" = 'model' AND NOT "I"."TOTAL_TOKENS" IS NULL THEN 'Tokens' END AS "ConsumedUnit",
  "I"."TOTAL_COST" AS "ContractedCost",
  "I"."TOTAL_COST" AS "EffectiveCost",
  'Sim' AS "InvoiceIssuerName",
  "I"."TOTAL_COST" AS "ListCost",
  CASE WHEN "I"."KIND" = 'model' THEN CAST("I"."TOTAL_TOKENS" AS DECIMAL(38, 0)) END AS "PricingQuantity",
  CASE WHEN "I"."KIND" = 'model' AND NOT "I"."TOTAL_TOKENS" IS NULL THEN 'Tokens' END AS "PricingUnit",
  'Sim' AS "ProviderName",
  'Sim' AS "PublisherName",
  "R"."WORKFLOW_ID" AS "ResourceId",
  CASE WHEN NOT "R"."WORKFLOW_ID" IS NULL THEN "R"."WORKFLOW_NAME" END AS "ResourceName",
  CASE WHEN NOT "R"."WORKFLOW_ID" IS NULL THEN 'Workflow' END AS "ResourceType",
  'AI and Machine Learning' AS "ServiceCategory",
  'Sim' AS "ServiceName",
  'AI Platforms' AS "ServiceSubcategory",
  CASE WHEN "I"."KIND" = 'model' THEN "I"."NAME" END AS "SkuId",
  CASE WHEN "I"."KIND" = 'model' THEN 'Tokens' END AS "SkuMeter",
  CASE WHEN "I"."KIND" = 'model' THEN "I"."NAME" END AS "SkuPriceId",
  "R"."WORKSPACE_ID" AS "SubAccountId",
  CAST(NULL AS VARCHAR) AS "SubAccountName",
  CASE WHEN NOT "R"."WORKSPACE_ID" IS NULL THEN 'Workspace' END AS "SubAccountType",
  '{"sim:trigger": ' || COALESCE(
    CAST(CASE WHEN NOT "R"."TRIGGER" IS NULL THEN TO_JSON(TO_VARIANT("R"."TRIGGER")) END AS VARCHAR),
    'null'
  ) || COALESCE(
    ', "sim:deployment_version_id": ' || CAST(CASE
      WHEN NOT "R"."DEPLOYMENT_VERSION_ID" IS NULL
      THEN TO_JSON(TO_VARIANT("R"."DEPLOYMENT_VERSION_ID"))
    END AS VARCHAR),
    ''
  ) || '}' AS "Tags",
  "R"."WORKFLOW_ID" AS "X_WORKFLOW_ID",
  "R"."TRIGGER" AS "X_TRIGGER",
  "R"."EXECUTION_ID" AS "X_EXECUTION_ID",
  "R"."ID" AS "X_LOG_ID",
  "R"."STATUS" AS "X_STATUS",
  "R"."STARTED_AT" AS "X_STARTED_AT",
  "R"."ENDED_AT" AS "X_ENDED_AT",
  "I"."KIND" AS "X_KIND",
  "I"."NAME" AS "X_NAME",
  CASE WHEN "I"."KIND" = 'model' THEN "I"."NAME" END AS "X_MODEL",
  "I"."PROMPT_TOKENS" AS "X_PROMPT_TOKENS",
  "I"."COMPLETION_TOKENS" AS "X_COMPLETION_TOKENS",
  "I"."INPUT_COST" AS "X_INPUT_COST",
  "I"."OUTPUT_COST" AS "X_OUTPUT_COST",
  "I"."TOOL_COST" AS "X_TOOL_COST",
  "R"."SOURCE" AS "X_BILLING_SOURCE"
FROM "SIM"."COST_ITEMS" AS "I"
JOIN "BILLED" AS "R"
  ON "R"."ID" = "I"."LOG_ID";
