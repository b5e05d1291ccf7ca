-- A workflow before and after each deployment; one row per workflow and version, drafts apart
--
-- workspace_id    Sim workspace
-- workflow_id     Workflow
-- workflow_name   Workflow's name today
-- deployment_version_id  Deployment version
-- first_run_at    First run with it
-- last_run_at     Last run with it
-- runs            Runs with it
-- completed_runs  Those of them that completed
-- failed_runs     Those of them that failed
-- failed_share    failed_runs of runs, from 0 to 1
-- total_cost      Cost of the runs in USD
-- cost_per_completed_run  All that was spent, failures included, for each run that completed, in USD
-- tokens_per_run  Tokens of a run, on average
-- p50_ms          Median duration of runs that ended, in ms
-- previous_deployment_version_id  Version that ran before it; null for the first
-- previous_failed_share           That version's failed_share
-- previous_cost_per_completed_run That version's cost_per_completed_run, in USD
-- cost_change     cost_per_completed_run by that of the version before, less 1: 0.25 is a quarter more
WITH versions AS (
  SELECT
    workspace_id,
    workflow_id,
    workflow_name,
    deployment_version_id,
    MIN(started_at) AS first_run_at,
    MAX(started_at) AS last_run_at,
    COUNT(*) AS runs,
    COUNT(*) FILTER (WHERE status = 'completed') AS completed_runs,
    COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
    COALESCE(SUM(cost_total), 0) AS total_cost,
    CAST(
      SUM(cost_total) / NULLIF(COUNT(*) FILTER (WHERE status = 'completed'), 0) AS DECIMAL(38, 12)
    ) AS cost_per_completed_run,
    CAST(COALESCE(SUM(total_tokens), 0) AS DOUBLE) / COUNT(*) AS tokens_per_run,
    QUANTILE_CONT(CASE WHEN status IN ('completed', 'failed') THEN total_duration_ms END, 0.5) AS p50_ms
  FROM sim.runs
  WHERE deployment_version_id IS NOT NULL
  GROUP BY workspace_id, workflow_id, workflow_name, deployment_version_id
),
compared AS (
  SELECT
    *,
    CAST(failed_runs AS DOUBLE) / runs AS failed_share,
    LAG(deployment_version_id) OVER earlier AS previous_deployment_version_id,
    LAG(CAST(failed_runs AS DOUBLE) / runs) OVER earlier AS previous_failed_share,
    LAG(cost_per_completed_run) OVER earlier AS previous_cost_per_completed_run
  FROM versions
  WINDOW earlier AS (PARTITION BY workspace_id, workflow_id ORDER BY first_run_at, deployment_version_id)
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
