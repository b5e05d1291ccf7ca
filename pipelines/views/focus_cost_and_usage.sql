-- Cost and usage in the columns of FinOps FOCUS 1.2; one row per cost item of a run. Aligned with FOCUS
-- but not conformant, because Sim's API does not return everything that FOCUS requires
--
-- BilledCost            Cost of the item in USD, as counted by Sim; usage included in a plan is not subtracted
-- BillingAccountId      User or organization that pays for the run; the workspace if x_billing_source is none, because FOCUS does not allow null
-- BillingAccountName    Null: the API returns no name
-- BillingAccountType    User or Organization, as returned by Sim; Workspace if BillingAccountId is the workspace
-- BillingCurrency       USD: the API returns all costs in USD
-- BillingPeriodEnd      End of the billing period, exclusive; the end of the calendar month (UTC) if Sim reports no period
-- BillingPeriodStart    Start of the billing period, inclusive; the start of the calendar month (UTC) of the run if Sim reports no period, because FOCUS does not allow null
-- ChargeCategory        Usage
-- ChargeClass           Null: Sim corrects the cost of a run in place
-- ChargeDescription     Description of the charge
-- ChargeFrequency       Usage-Based
-- ChargePeriodEnd       One hour after ChargePeriodStart, exclusive
-- ChargePeriodStart     Hour (UTC) in which the run started, inclusive. FOCUS requires charge periods of the dataset's granularity in whole seconds, and a run that has not ended has no end; the exact times are in x_started_at and x_ended_at
-- ConsumedQuantity      Input and output tokens of a model; null if Sim reports no quantity, although FOCUS requires one
-- ConsumedUnit          Tokens; null if ConsumedQuantity is null
-- ContractedCost        Same as BilledCost: the API returns no contracted price
-- EffectiveCost         Same as BilledCost: the API returns nothing about prepayments
-- InvoiceIssuerName     Sim
-- ListCost              Same as BilledCost: the API returns no list price
-- PricingQuantity       Same as ConsumedQuantity
-- PricingUnit           Same as ConsumedUnit
-- ProviderName          Sim
-- PublisherName         Sim, which offers the models and tools as part of its own service
-- ResourceId            Workflow that ran; null if Sim does not name one
-- ResourceName          Name of the workflow when the run was last read: FOCUS requires the name at that time, not the current one
-- ResourceType          Workflow; null if ResourceId is null
-- ServiceCategory       AI and Machine Learning
-- ServiceName           Sim
-- ServiceSubcategory    AI Platforms
-- SkuId                 Model id, which Sim uses in its price list; null if the item is not a model, although FOCUS requires one
-- SkuMeter              Tokens; null if SkuId is null
-- SkuPriceId            Same as SkuId
-- SubAccountId          Sim workspace
-- SubAccountName        Null, although FOCUS requires a name: the API returns none
-- SubAccountType        Workspace; null if SubAccountId is null
-- Tags                  JSON text with the trigger and the deployment version of the run, under keys prefixed with sim:
-- x_workflow_id         Same as ResourceId
-- x_trigger             What started the run
-- x_execution_id        Execution id; used by snapshots and webhooks
-- x_log_id              Log id of the run; together with x_kind and x_name it identifies a row
-- x_status              running, paused, completed, failed or cancelled, as far as the API reveals it
-- x_started_at          Start of the run
-- x_ended_at            End of the run; also set while the run is paused; null while it is running
-- x_kind                model, tool, other (charged but not itemised) or unknown (cost split not known)
-- x_name                Model id, tool name, other or unknown
-- x_model               Model id; null if the item is not a model
-- x_prompt_tokens       Input tokens, as counted by the provider
-- x_completion_tokens   Output tokens, as counted by the provider
-- x_input_cost          Cost of input tokens in USD; part of BilledCost
-- x_output_cost         Cost of output tokens in USD; part of BilledCost
-- x_tool_cost           Cost of tools the model called, in USD; part of BilledCost
-- x_billing_source      Where account and billing period come from: run (the run's own detail), day (details of other runs of the workspace on the same day, if they agree) or none
WITH told AS (
  SELECT
    d.id,
    d.workspace_id,
    CAST(d.execution_data AS JSON) ->> '$.billingAttribution.billingEntity.id' AS account,
    CAST(d.execution_data AS JSON) ->> '$.billingAttribution.billingEntity.type' AS kind,
    CAST(d.execution_data AS JSON) ->> '$.billingAttribution.billingPeriod.start' AS since,
    CAST(d.execution_data AS JSON) ->> '$.billingAttribution.billingPeriod.end' AS until
  FROM sim.log_details AS d
  WHERE d.execution_data IS NOT NULL
),
by_run AS (
  SELECT
    t.id,
    t.workspace_id,
    CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) AS day,
    t.account,
    UPPER(LEFT(t.kind, 1)) || SUBSTRING(t.kind, 2) AS kind,
    CASE WHEN t.is_period THEN CAST(t.since AS TIMESTAMPTZ) END AS since,
    CASE WHEN t.is_period THEN CAST(t.until AS TIMESTAMPTZ) END AS until
  FROM (
    -- Sim writes 1970 and 9999 if a payer has no period
    SELECT
      *,
      REGEXP_MATCHES(since, '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
        AND REGEXP_MATCHES(until, '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T.*$')
        AND since < until AS is_period
    FROM told
    WHERE account <> '' AND kind <> ''
  ) AS t
  JOIN sim.logs AS l ON l.id = t.id
),
by_day AS (
  SELECT
    workspace_id,
    day,
    MIN(account) AS account,
    MIN(kind) AS kind,
    MIN(since) AS since,
    MIN(until) AS until
  FROM by_run
  GROUP BY workspace_id, day
  HAVING MIN(account) = MAX(account)
    AND MIN(kind) = MAX(kind)
    AND COALESCE(MIN(since) = MAX(since) AND MIN(until) = MAX(until), TRUE)
),
sourced AS (
  SELECT
    l.*,
    CASE
      WHEN r.id IS NOT NULL THEN 'run'
      WHEN b.account IS NOT NULL AND COALESCE(l.started_at >= b.since AND l.started_at < b.until, TRUE) THEN 'day'
      ELSE 'none'
    END AS source,
    r.account AS run_account,
    r.kind AS run_kind,
    r.since AS run_since,
    r.until AS run_until,
    b.account AS day_account,
    b.kind AS day_kind,
    b.since AS day_since,
    b.until AS day_until
  FROM sim.logs AS l
  LEFT JOIN by_run AS r ON r.id = l.id
  LEFT JOIN by_day AS b
    ON b.workspace_id = l.workspace_id AND b.day = CAST(l.started_at AT TIME ZONE 'UTC' AS DATE)
),
billed AS (
  SELECT
    *,
    DATE_TRUNC('hour', started_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS hour_start,
    (DATE_TRUNC('hour', started_at AT TIME ZONE 'UTC') + INTERVAL 1 HOUR) AT TIME ZONE 'UTC' AS hour_end,
    DATE_TRUNC('month', started_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month_start,
    (DATE_TRUNC('month', started_at AT TIME ZONE 'UTC') + INTERVAL 1 MONTH) AT TIME ZONE 'UTC' AS month_end,
    CASE source WHEN 'run' THEN run_account WHEN 'day' THEN day_account END AS account,
    CASE source WHEN 'run' THEN run_kind WHEN 'day' THEN day_kind END AS account_kind,
    CASE source WHEN 'run' THEN run_since WHEN 'day' THEN day_since END AS since,
    CASE source WHEN 'run' THEN run_until WHEN 'day' THEN day_until END AS until
  FROM sourced
)
SELECT
  i.total_cost AS "BilledCost",
  COALESCE(r.account, r.workspace_id) AS "BillingAccountId",
  CAST(NULL AS VARCHAR) AS "BillingAccountName",
  CASE WHEN r.account IS NOT NULL THEN r.account_kind WHEN r.workspace_id IS NOT NULL THEN 'Workspace' END
    AS "BillingAccountType",
  'USD' AS "BillingCurrency",
  COALESCE(r.until, r.month_end) AS "BillingPeriodEnd",
  COALESCE(r.since, r.month_start) AS "BillingPeriodStart",
  'Usage' AS "ChargeCategory",
  CAST(NULL AS VARCHAR) AS "ChargeClass",
  CASE i.kind
    WHEN 'model' THEN 'Model ' || i.name
    WHEN 'tool' THEN 'Tool ' || i.name
    WHEN 'other' THEN 'Charged without an item, the base charge of a run above all'
    ELSE 'Run whose split has not been read yet'
  END AS "ChargeDescription",
  'Usage-Based' AS "ChargeFrequency",
  r.hour_end AS "ChargePeriodEnd",
  r.hour_start AS "ChargePeriodStart",
  CASE WHEN i.kind = 'model' THEN CAST(i.total_tokens AS DECIMAL(38, 0)) END AS "ConsumedQuantity",
  CASE WHEN i.kind = 'model' AND i.total_tokens IS NOT NULL THEN 'Tokens' END AS "ConsumedUnit",
  i.total_cost AS "ContractedCost",
  i.total_cost AS "EffectiveCost",
  'Sim' AS "InvoiceIssuerName",
  i.total_cost AS "ListCost",
  CASE WHEN i.kind = 'model' THEN CAST(i.total_tokens AS DECIMAL(38, 0)) END AS "PricingQuantity",
  CASE WHEN i.kind = 'model' AND i.total_tokens IS NOT NULL THEN 'Tokens' END AS "PricingUnit",
  'Sim' AS "ProviderName",
  'Sim' AS "PublisherName",
  r.workflow_id AS "ResourceId",
  CASE WHEN r.workflow_id IS NOT NULL THEN r.workflow_name END AS "ResourceName",
  CASE WHEN r.workflow_id IS NOT NULL THEN 'Workflow' END AS "ResourceType",
  'AI and Machine Learning' AS "ServiceCategory",
  'Sim' AS "ServiceName",
  'AI Platforms' AS "ServiceSubcategory",
  CASE WHEN i.kind = 'model' THEN i.name END AS "SkuId",
  CASE WHEN i.kind = 'model' THEN 'Tokens' END AS "SkuMeter",
  CASE WHEN i.kind = 'model' THEN i.name END AS "SkuPriceId",
  r.workspace_id AS "SubAccountId",
  CAST(NULL AS VARCHAR) AS "SubAccountName",
  CASE WHEN r.workspace_id IS NOT NULL THEN 'Workspace' END AS "SubAccountType",
  '{"sim:trigger": ' || COALESCE(CAST(TO_JSON(r.trigger) AS VARCHAR), 'null')
    || COALESCE(', "sim:deployment_version_id": ' || CAST(TO_JSON(r.deployment_version_id) AS VARCHAR), '')
    || '}' AS "Tags",
  r.workflow_id AS x_workflow_id,
  r.trigger AS x_trigger,
  r.execution_id AS x_execution_id,
  r.id AS x_log_id,
  r.status AS x_status,
  r.started_at AS x_started_at,
  r.ended_at AS x_ended_at,
  i.kind AS x_kind,
  i.name AS x_name,
  CASE WHEN i.kind = 'model' THEN i.name END AS x_model,
  i.prompt_tokens AS x_prompt_tokens,
  i.completion_tokens AS x_completion_tokens,
  i.input_cost AS x_input_cost,
  i.output_cost AS x_output_cost,
  i.tool_cost AS x_tool_cost,
  r.source AS x_billing_source
FROM sim.cost_items AS i
JOIN billed AS r ON r.id = i.log_id
