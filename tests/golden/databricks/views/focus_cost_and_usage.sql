CREATE OR REPLACE VIEW `analytics`.`sim`.`focus_cost_and_usage` (
  `BilledCost` COMMENT 'Cost of the item in USD, as counted by Sim; usage included in a plan is not subtracted',
  `BillingAccountId` COMMENT 'User or organization that pays for the run; the workspace if x_billing_source is none, because FOCUS does not allow null',
  `BillingAccountName` COMMENT 'Null: the API returns no name',
  `BillingAccountType` COMMENT 'User or Organization, as returned by Sim; Workspace if BillingAccountId is the workspace',
  `BillingCurrency` COMMENT 'USD: the API returns all costs in USD',
  `BillingPeriodEnd` COMMENT 'End of the billing period, exclusive; the end of the calendar month (UTC) if Sim reports no period',
  `BillingPeriodStart` COMMENT 'Start of the billing period, inclusive; the start of the calendar month (UTC) of the run if Sim reports no period, because FOCUS does not allow null',
  `ChargeCategory` COMMENT 'Usage',
  `ChargeClass` COMMENT 'Null: Sim corrects the cost of a run in place',
  `ChargeDescription` COMMENT 'Description of the charge',
  `ChargeFrequency` COMMENT 'Usage-Based',
  `ChargePeriodEnd` COMMENT 'One hour after ChargePeriodStart, exclusive',
  `ChargePeriodStart` COMMENT 'Hour (UTC) in which the run started, inclusive. FOCUS requires charge periods of the dataset\'s granularity in whole seconds, and a run that has not ended has no end; the exact times are in x_started_at and x_ended_at',
  `ConsumedQuantity` COMMENT 'Input and output tokens of a model; null if Sim reports no quantity, although FOCUS requires one',
  `ConsumedUnit` COMMENT 'Tokens; null if ConsumedQuantity is null',
  `ContractedCost` COMMENT 'Same as BilledCost: the API returns no contracted price',
  `EffectiveCost` COMMENT 'Same as BilledCost: the API returns nothing about prepayments',
  `InvoiceIssuerName` COMMENT 'Sim',
  `ListCost` COMMENT 'Same as BilledCost: the API returns no list price',
  `PricingQuantity` COMMENT 'Same as ConsumedQuantity',
  `PricingUnit` COMMENT 'Same as ConsumedUnit',
  `ProviderName` COMMENT 'Sim',
  `PublisherName` COMMENT 'Sim, which offers the models and tools as part of its own service',
  `ResourceId` COMMENT 'Workflow that ran; null if Sim does not name one',
  `ResourceName` COMMENT 'Name of the workflow when the run was last read: FOCUS requires the name at that time, not the current one',
  `ResourceType` COMMENT 'Workflow; null if ResourceId is null',
  `ServiceCategory` COMMENT 'AI and Machine Learning',
  `ServiceName` COMMENT 'Sim',
  `ServiceSubcategory` COMMENT 'AI Platforms',
  `SkuId` COMMENT 'Model id, which Sim uses in its price list; null if the item is not a model, although FOCUS requires one',
  `SkuMeter` COMMENT 'Tokens; null if SkuId is null',
  `SkuPriceId` COMMENT 'Same as SkuId',
  `SubAccountId` COMMENT 'Sim workspace',
  `SubAccountName` COMMENT 'Null, although FOCUS requires a name: the API returns none',
  `SubAccountType` COMMENT 'Workspace; null if SubAccountId is null',
  `Tags` COMMENT 'JSON text with the trigger and the deployment version of the run, under keys prefixed with sim:',
  `x_workflow_id` COMMENT 'Same as ResourceId',
  `x_trigger` COMMENT 'What started the run',
  `x_execution_id` COMMENT 'Execution id; used by snapshots and webhooks',
  `x_log_id` COMMENT 'Log id of the run; together with x_kind and x_name it identifies a row',
  `x_status` COMMENT 'running, paused, completed, failed or cancelled, as far as the API reveals it',
  `x_started_at` COMMENT 'Start of the run',
  `x_ended_at` COMMENT 'End of the run; also set while the run is paused; null while it is running',
  `x_kind` COMMENT 'model, tool, other (charged but not itemised) or unknown (cost split not known)',
  `x_name` COMMENT 'Model id, tool name, other or unknown',
  `x_model` COMMENT 'Model id; null if the item is not a model',
  `x_prompt_tokens` COMMENT 'Input tokens, as counted by the provider',
  `x_completion_tokens` COMMENT 'Output tokens, as counted by the provider',
  `x_input_cost` COMMENT 'Cost of input tokens in USD; part of BilledCost',
  `x_output_cost` COMMENT 'Cost of output tokens in USD; part of BilledCost',
  `x_tool_cost` COMMENT 'Cost of tools the model called, in USD; part of BilledCost',
  `x_billing_source` COMMENT 'Where account and billing period come from: run (the run\'s own detail), day (details of other runs of the workspace on the same day, if they agree) or none'
)
COMMENT 'Cost and usage in the columns of FinOps FOCUS 1.2; one row per cost item of a run. Aligned with FOCUS but not conformant, because Sim\'s API does not return everything that FOCUS requires (sim-sync view 00000000)'
AS WITH `told` AS (
  SELECT
    `d`.`id`,
    `d`.`workspace_id`,
    GET_JSON_OBJECT(`d`.`execution_data`, '$.billingAttribution.billingEntity.id') AS `account`,
    GET_JSON_OBJECT(`d`.`execution_data`, '$.billingAttribution.billingEntity.type') AS `kind`,
    GET_JSON_OBJECT(`d`.`execution_data`, '$.billingAttribution.billingPeriod.start') AS `since`,
    GET_JSON_OBJECT(`d`.`execution_data`, '$.billingAttribution.billingPeriod.end') AS `until`
  FROM `analytics`.`sim`.`log_details` AS `d`
  WHERE
    NOT `d`.`execution_data` IS NULL
), `by_run` AS (
  SELECT
    `t`.`id`,
    `t`.`workspace_id`,
    CAST(CONVERT_TIMEZONE('UTC', `l`.`started_at`) AS DATE) AS `day`,
    `t`.`account`,
    UPPER(LEFT(`t`.`kind`, 1)) || SUBSTRING(`t`.`kind`, 2) AS `kind`,
    CASE WHEN `t`.`is_period` THEN CAST(`t`.`since` AS TIMESTAMP) END AS `since`,
    CASE WHEN `t`.`is_period` THEN CAST(`t`.`until` AS TIMESTAMP) END AS `until`
  FROM (
    SELECT
      *,
      REGEXP_LIKE(`since`, '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
      AND REGEXP_LIKE(`until`, '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
      AND `since` < `until` AS `is_period`
    FROM `told`
    WHERE
      `account` <> '' AND `kind` <> ''
  ) AS `t`
  JOIN `analytics`.`sim`.`logs` AS `l`
    ON `l`.`id` = `t`.`id`
), `by_day` AS (
  SELECT
    `workspace_id`,
    `day`,
    MIN(`account`) AS `account`,
    MIN(`kind`) AS `kind`,
    MIN(`since`) AS `since`,
    MIN(`until`) AS `until`
  FROM `by_run`
  GROUP BY
    `workspace_id`,
    `day`
  HAVING
    MIN(`account`) = MAX(`account`)
    AND MIN(`kind`) = MAX(`kind`)
    AND COALESCE(MIN(`since`) = MAX(`since`) AND MIN(`until`) = MAX(`until`), TRUE)
), `sourced` AS (
  SELECT
    `l`.*,
    CASE
      WHEN NOT `r`.`id` IS NULL
      THEN 'run'
      WHEN NOT `b`.`account` IS NULL
      AND COALESCE(`l`.`started_at` >= `b`.`since` AND `l`.`started_at` < `b`.`until`, TRUE)
      THEN 'day'
      ELSE 'none'
    END AS `source`,
    `r`.`account` AS `run_account`,
    `r`.`kind` AS `run_kind`,
    `r`.`since` AS `run_since`,
    `r`.`until` AS `run_until`,
    `b`.`account` AS `day_account`,
    `b`.`kind` AS `day_kind`,
    `b`.`since` AS `day_since`,
    `b`.`until` AS `day_until`
  FROM `analytics`.`sim`.`logs` AS `l`
  LEFT JOIN `by_run` AS `r`
    ON `r`.`id` = `l`.`id`
  LEFT JOIN `by_day` AS `b`
    ON `b`.`workspace_id` = `l`.`workspace_id`
    AND `b`.`day` = CAST(CONVERT_TIMEZONE('UTC', `l`.`started_at`) AS DATE)
), `billed` AS (
  SELECT
    *,
    CAST(CONVERT_TIMEZONE('UTC', CURRENT_TIMEZONE(), DATE_TRUNC('HOUR', CONVERT_TIMEZONE('UTC', `started_at`))) AS TIMESTAMP) AS `hour_start`,
    CAST(CONVERT_TIMEZONE(
      'UTC',
      CURRENT_TIMEZONE(),
      (
        DATE_TRUNC('HOUR', CONVERT_TIMEZONE('UTC', `started_at`)) + INTERVAL '1' HOUR
      )
    ) AS TIMESTAMP) AS `hour_end`,
    CAST(CONVERT_TIMEZONE(
      'UTC',
      CURRENT_TIMEZONE(),
      DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', `started_at`))
    ) AS TIMESTAMP) AS `month_start`,
    CAST(CONVERT_TIMEZONE(
      'UTC',
      CURRENT_TIMEZONE(),
      (
        DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', `started_at`)) + INTERVAL '1' MONTH
      )
    ) AS TIMESTAMP) AS `month_end`,
    CASE `source` WHEN 'run' THEN `run_account` WHEN 'day' THEN `day_account` END AS `account`,
    CASE `source` WHEN 'run' THEN `run_kind` WHEN 'day' THEN `day_kind` END AS `account_kind`,
    CASE `source` WHEN 'run' THEN `run_since` WHEN 'day' THEN `day_since` END AS `since`,
    CASE `source` WHEN 'run' THEN `run_until` WHEN 'day' THEN `day_until` END AS `until`
  FROM `sourced`
)
SELECT
  `i`.`total_cost` AS `BilledCost`,
  COALESCE(`r`.`account`, `r`.`workspace_id`) AS `BillingAccountId`,
  CAST(NULL AS STRING) AS `BillingAccountName`,
  CASE
    WHEN NOT `r`.`account` IS NULL
    THEN `r`.`account_kind`
    WHEN NOT `r`.`workspace_id` IS NULL
    THEN 'Workspace'
  END AS `BillingAccountType`,
  'USD' AS `BillingCurrency`,
  COALESCE(`r`.`until`, `r`.`month_end`) AS `BillingPeriodEnd`,
  COALESCE(`r`.`since`, `r`.`month_start`) AS `BillingPeriodStart`,
  'Usage' AS `ChargeCategory`,
  CAST(NULL AS STRING) AS `ChargeClass`,
  CASE `i`.`kind`
    WHEN 'model'
    THEN 'Model ' || `i`.`name`
    WHEN 'tool'
    THEN 'Tool ' || `i`.`name`
    WHEN 'other'
    THEN 'Charged without an item, the base charge of a run above all'
    ELSE 'Run whose split has not been read yet'
  END AS `ChargeDescription`,
  'Usage-Based' AS `ChargeFrequency`,
  `r`.`hour_end` AS `ChargePeriodEnd`,
  `r`.`hour_start` AS `ChargePeriodStart`,
  CASE WHEN `i`.`kind` = 'model' THEN CAST(`i`.`total_tokens` AS DECIMAL(38, 0)) END AS `ConsumedQuantity`,
  CASE WHEN `i`.`kind` = 'model' AND NOT `i`.`total_tokens` IS NULL THEN 'Tokens' END AS `ConsumedUnit`,
  `i`.`total_cost` AS `ContractedCost`,
  `i`.`total_cost` AS `EffectiveCost`,
  'Sim' AS `InvoiceIssuerName`,
  `i`.`total_cost` AS `ListCost`,
  CASE WHEN `i`.`kind` = 'model' THEN CAST(`i`.`total_tokens` AS DECIMAL(38, 0)) END AS `PricingQuantity`,
  CASE WHEN `i`.`kind` = 'model' AND NOT `i`.`total_tokens` IS NULL THEN 'Tokens' END AS `PricingUnit`,
  'Sim' AS `ProviderName`,
  'Sim' AS `PublisherName`,
  `r`.`workflow_id` AS `ResourceId`,
  CASE WHEN NOT `r`.`workflow_id` IS NULL THEN `r`.`workflow_name` END AS `ResourceName`,
  CASE WHEN NOT `r`.`workflow_id` IS NULL THEN 'Workflow' END AS `ResourceType`,
  'AI and Machine Learning' AS `ServiceCategory`,
  'Sim' AS `ServiceName`,
  'AI Platforms' AS `ServiceSubcategory`,
  CASE WHEN `i`.`kind` = 'model' THEN `i`.`name` END AS `SkuId`,
  CASE WHEN `i`.`kind` = 'model' THEN 'Tokens' END AS `SkuMeter`,
  CASE WHEN `i`.`kind` = 'model' THEN `i`.`name` END AS `SkuPriceId`,
  `r`.`workspace_id` AS `SubAccountId`,
  CAST(NULL AS STRING) AS `SubAccountName`,
  CASE WHEN NOT `r`.`workspace_id` IS NULL THEN 'Workspace' END AS `SubAccountType`,
  '{"sim:trigger": ' || COALESCE(
    CAST(CASE
      WHEN NOT `r`.`trigger` IS NULL
      THEN SUBSTRING(TO_JSON(ARRAY(`r`.`trigger`)), 2, LENGTH(TO_JSON(ARRAY(`r`.`trigger`))) - 2)
    END AS STRING),
    'null'
  ) || COALESCE(
    ', "sim:deployment_version_id": ' || CAST(CASE
      WHEN NOT `r`.`deployment_version_id` IS NULL
      THEN SUBSTRING(
        TO_JSON(ARRAY(`r`.`deployment_version_id`)),
        2,
        LENGTH(TO_JSON(ARRAY(`r`.`deployment_version_id`))) - 2
      )
    END AS STRING),
    ''
  ) || '}' AS `Tags`,
  `r`.`workflow_id` AS `x_workflow_id`,
  `r`.`trigger` AS `x_trigger`,
  `r`.`execution_id` AS `x_execution_id`,
  `r`.`id` AS `x_log_id`,
  `r`.`status` AS `x_status`,
  `r`.`started_at` AS `x_started_at`,
  `r`.`ended_at` AS `x_ended_at`,
  `i`.`kind` AS `x_kind`,
  `i`.`name` AS `x_name`,
  CASE WHEN `i`.`kind` = 'model' THEN `i`.`name` END AS `x_model`,
  `i`.`prompt_tokens` AS `x_prompt_tokens`,
  `i`.`completion_tokens` AS `x_completion_tokens`,
  `i`.`input_cost` AS `x_input_cost`,
  `i`.`output_cost` AS `x_output_cost`,
  `i`.`tool_cost` AS `x_tool_cost`,
  `r`.`source` AS `x_billing_source`
FROM `analytics`.`sim`.`cost_items` AS `i`
JOIN `billed` AS `r`
  ON `r`.`id` = `i`.`log_id`;
