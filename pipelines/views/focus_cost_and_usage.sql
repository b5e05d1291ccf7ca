-- FOCUS-aligned cost and usage, after FinOps FOCUS 1.2 but not conformant where Sim's API does not tell what FOCUS asks for; one row per cost item of a run
--
-- BilledCost            Cost of the item in USD, as Sim counts it; what a plan includes is not taken off
-- BillingAccountId      Who pays for the run, a user or an organization; the workspace stands in where x_billing_source is none, for FOCUS allows no null
-- BillingAccountName    Null: the API tells no name
-- BillingAccountType    User or Organization, as Sim tells it; Workspace where the workspace stands in
-- BillingCurrency       USD: the API tells all costs in it
-- BillingPeriodEnd      End of the billing period, exclusive
-- BillingPeriodStart    Start of the billing period, inclusive; the calendar month (UTC) in which the run started stands in where Sim tells none, for FOCUS allows no null
-- ChargeCategory        Usage
-- ChargeClass           Null: Sim corrects a run's cost in place
-- ChargeDescription     What was charged, in words
-- ChargeFrequency       Usage-Based
-- ChargePeriodEnd       One hour after ChargePeriodStart, exclusive
-- ChargePeriodStart     Hour (UTC) the run started in, inclusive: FOCUS has charge periods of the dataset's granularity and in whole seconds, and a run that goes on has no end; its own times are in x_started_at and x_ended_at
-- ConsumedQuantity      Input and output tokens of a model; null where Sim tells no quantity, though FOCUS asks for one
-- ConsumedUnit          Tokens; null with ConsumedQuantity
-- ContractedCost        As BilledCost: the API tells no contracted price
-- EffectiveCost         As BilledCost: the API tells nothing prepaid
-- InvoiceIssuerName     Sim
-- ListCost              As BilledCost: the API tells no list price
-- PricingQuantity       As ConsumedQuantity
-- PricingUnit           As ConsumedUnit
-- ProviderName          Sim
-- PublisherName         Sim, which offers the models and tools as part of its own service
-- ResourceId            Workflow that ran; null where Sim names none
-- ResourceName          Workflow's name when the run was last read: FOCUS wants the name of that time, not today's
-- ResourceType          Workflow; null with ResourceId
-- ServiceCategory       AI and Machine Learning
-- ServiceName           Sim
-- ServiceSubcategory    AI Platforms
-- SkuId                 Model id, by which Sim lists its prices; null for what is no model, though FOCUS asks for one
-- SkuMeter              Tokens; null with SkuId
-- SkuPriceId            As SkuId
-- SubAccountId          Sim workspace
-- SubAccountName        Null, though FOCUS asks for a name: the API tells none
-- SubAccountType        Workspace; null with SubAccountId
-- Tags                  JSON text: what started the run, and the deployment version that ran, under keys with the prefix sim:
-- x_workflow_id         As ResourceId
-- x_trigger             What started the run
-- x_execution_id        Execution id; key of snapshots and webhooks
-- x_log_id              Log id of the run; with x_kind and x_name it names a row
-- x_status              running, paused, completed, failed or cancelled, as far as the API has told
-- x_started_at          Start of the run
-- x_ended_at            End of the run; also set while a run is paused; null while it runs
-- x_kind                model, tool, other (charged but not itemised) or unknown (split not told)
-- x_name                Model id, tool name, other or unknown
-- x_model               Model id; null for what is no model's cost
-- x_prompt_tokens       Input tokens, as the provider counts them
-- x_completion_tokens   Output tokens, as the provider counts them
-- x_input_cost          Part of the cost for input tokens, in USD
-- x_output_cost         Part of the cost for output tokens, in USD
-- x_tool_cost           Part of the cost for tools the model called, in USD
-- x_billing_source      Where account and billing period come from: run (its own detail), day (details of the workspace's other runs of that day, where they agree) or none
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
    -- Sim writes 1970 and 9999 where a payer has no period
    SELECT
      *,
      REGEXP_MATCHES(since, '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T') AND REGEXP_MATCHES(until, '^2[0-9]{3}-[0-9]{2}-[0-9]{2}T')
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
    DATE_TRUNC('hour', started_at AT TIME ZONE 'UTC') AS hour,
    DATE_TRUNC('month', started_at AT TIME ZONE 'UTC') AS month,
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
  COALESCE(r.until, (r.month + INTERVAL '1 month') AT TIME ZONE 'UTC') AS "BillingPeriodEnd",
  COALESCE(r.since, r.month AT TIME ZONE 'UTC') AS "BillingPeriodStart",
  'Usage' AS "ChargeCategory",
  CAST(NULL AS VARCHAR) AS "ChargeClass",
  CASE i.kind
    WHEN 'model' THEN 'Model ' || i.name
    WHEN 'tool' THEN 'Tool ' || i.name
    WHEN 'other' THEN 'Charged without an item, the base charge of a run above all'
    ELSE 'Run whose split has not been read yet'
  END AS "ChargeDescription",
  'Usage-Based' AS "ChargeFrequency",
  (r.hour + INTERVAL '1 hour') AT TIME ZONE 'UTC' AS "ChargePeriodEnd",
  r.hour AT TIME ZONE 'UTC' AS "ChargePeriodStart",
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
