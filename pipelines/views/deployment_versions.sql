-- Runs of a workflow before and after each deployment; one row per workflow and version, without drafts
--
-- workspace_id    Sim workspace
-- workflow_id     Workflow
-- workflow_name   Current name of the workflow
-- deployment_version_id  Deployment version
-- first_run_at    Start of the first run with this version
-- last_run_at     Start of the last run with this version
-- runs            Number of runs with this version
-- completed_runs  Number of runs that completed
-- failed_runs     Number of runs that failed
-- failed_share    failed_runs divided by runs, from 0 to 1
-- total_cost      Cost of the runs in USD
-- cost_per_completed_run  Total cost, failures included, divided by the completed runs, in USD; null if none completed
-- tokens_per_run  Average tokens per run
-- p50_ms          Median duration of completed and failed runs, in ms
-- previous_deployment_version_id  Version that ran before this one; null for the first
-- previous_failed_share           failed_share of the previous version
-- previous_cost_per_completed_run cost_per_completed_run of the previous version, in USD
-- cost_change     Relative change of cost_per_completed_run from the previous version: 0.25 means 25 % more
WITH ended AS (
  SELECT *, CASE WHEN status IN ('completed', 'failed') THEN total_duration_ms END AS duration_ms
  FROM sim.runs
  WHERE deployment_version_id IS NOT NULL
),
-- the median lies between the two durations next to its place; the weights of all other durations are 0
placed AS (
  SELECT
    *,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY workspace_id, workflow_id, workflow_name, deployment_version_id ORDER BY duration_ms NULLS LAST
    ) - 1 AS DOUBLE) AS place,
    CAST(COUNT(duration_ms) OVER (
      PARTITION BY workspace_id, workflow_id, workflow_name, deployment_version_id
    ) - 1 AS DOUBLE) AS last_place
  FROM ended
),
versions AS (
  SELECT
    workspace_id,
    workflow_id,
    workflow_name,
    deployment_version_id,
    MIN(started_at) AS first_run_at,
    MAX(started_at) AS last_run_at,
    COUNT(*) AS runs,
    COUNT(CASE WHEN status = 'completed' THEN 1 END) AS completed_runs,
    COUNT(CASE WHEN status = 'failed' THEN 1 END) AS failed_runs,
    COALESCE(SUM(cost_total), 0) AS total_cost,
    CAST(
      SUM(cost_total) / NULLIF(COUNT(CASE WHEN status = 'completed' THEN 1 END), 0) AS DECIMAL(38, 12)
    ) AS cost_per_completed_run,
    CAST(COALESCE(SUM(total_tokens), 0) AS DOUBLE) / COUNT(*) AS tokens_per_run,
    SUM(duration_ms * GREATEST(1 - ABS(place - 0.5 * last_place), 0)) AS p50_ms
  FROM placed
  GROUP BY workspace_id, workflow_id, workflow_name, deployment_version_id
),
compared AS (
  SELECT
    *,
    CAST(failed_runs AS DOUBLE) / runs AS failed_share,
    LAG(deployment_version_id) OVER (
      PARTITION BY workspace_id, workflow_id ORDER BY first_run_at, deployment_version_id
    ) AS previous_deployment_version_id,
    LAG(CAST(failed_runs AS DOUBLE) / runs) OVER (
      PARTITION BY workspace_id, workflow_id ORDER BY first_run_at, deployment_version_id
    ) AS previous_failed_share,
    LAG(cost_per_completed_run) OVER (
      PARTITION BY workspace_id, workflow_id ORDER BY first_run_at, deployment_version_id
    ) AS previous_cost_per_completed_run
  FROM versions
)
SELECT
  workspace_id,
  workflow_id,
  workflow_name,
  deployment_version_id,
  first_run_at,
  last_run_at,
  runs,
  completed_runs,
  failed_runs,
  failed_share,
  total_cost,
  cost_per_completed_run,
  tokens_per_run,
  p50_ms,
  previous_deployment_version_id,
  previous_failed_share,
  previous_cost_per_completed_run,
  CAST(cost_per_completed_run AS DOUBLE) / NULLIF(CAST(previous_cost_per_completed_run AS DOUBLE), 0) - 1 AS cost_change
FROM compared
