-- Spend of an account, its limit and a forecast; one row per account that is synced. There is no row if usage was never
-- read, or if billing is off (self-hosted: Sim then reports cost 0 and limit 99999, which is not a budget).
-- An account is left out if its usage was last read more than 7 days before that of another account, since it is no longer
-- synced; default also if it was last read before a named account was first read, since it has been given that name.
-- Each account has its own runs. If only one account is synced, these are all runs, except those of workspaces that belong
-- to another named account (workspace_accounts). If several are synced, they are the runs of the workspaces that belong to
-- it; without any (servers without the v2 API), its runs are not known, and burn_per_day comes from its spend alone.
-- Period, limit and spend are those of billing_status (v2) if all workspaces that the last syncs read have the same payer.
-- Otherwise spend and limit come from usage, and the period from the latest run whose detail contains one, or else it is the
-- calendar month (UTC).
-- burn_per_day adds two parts. The first is the average daily cost of the synced runs over the last 14 complete days (UTC),
-- over 7 or fewer if there are not 14; the first day is left out. The second is the spend of the account per day beyond
-- the synced runs, since the start of the period or since usage was first seen in the last 14 days, whichever is earlier.
-- If the account spends less than the runs cost, others pay for some of them, and the first part is reduced in proportion.
-- The spend of the account is used only if it covers at least one day. Without complete days, burn_per_day is the
-- account's spend per day.
-- Ranges are 80 % intervals (Student's t). They assume that days are independent and vary as the last ones did; null with
-- fewer than two complete days, or if the runs of those days cost nothing
--
-- account         Configured account, or default
-- observed_at     When usage was last read; all other columns refer to this time
-- plan            Plan of the account
-- period_source   billing (reported by Sim), calendar month (assumed) or none (Sim reports that the account has no period)
-- period_start    Start of the period; null if there is none: spend then covers all time
-- period_end      End of the period; null if there is none
-- spend_source    billing_status (whole credits) or usage
-- spend           Spend of the period so far in USD, as counted by Sim for all workspaces of the account
-- usage_limit     Spend limit of the period in USD; null if there is none
-- runs_cost       Cost of the account's runs of the period in USD, up to observed_at; null if there is no period, or its runs are not known
-- spend_share     spend divided by usage_limit; above 1 if the limit is exceeded
-- remaining       usage_limit minus spend in USD; negative if the limit is exceeded
-- days_elapsed    Days since the start of the period
-- days_left       Days until the end of the period
-- burn_per_day    Spend of the account per day in USD
-- burn_low        Lower end of the range of burn_per_day, in USD
-- burn_high       Upper end of the range of burn_per_day, in USD
-- forecast        Spend of the whole period in USD at the current burn
-- forecast_low    Lower end of the range of forecast, in USD
-- forecast_high   Upper end of the range of forecast, in USD
-- days_until_limit  Days until the limit is reached at the current burn, ignoring the end of the period; 0 if it is reached already; null without a limit or a burn
-- limit_at        When the limit is reached at the current burn; null if that is not before the period ends
-- over_limit      Whether the spend or the forecast exceeds the limit
WITH observed AS (
  SELECT COALESCE(account, 'default') AS account, MIN(observed_at) AS first_at, MAX(observed_at) AS last_at
  FROM sim.usage
  GROUP BY 1
),
newest AS (
  SELECT MIN(CASE WHEN account <> 'default' THEN first_at END) AS named_at, MAX(last_at) AS last_at
  FROM observed
),
accounts AS (
  SELECT o.account
  FROM observed AS o
  CROSS JOIN newest AS n
  WHERE o.last_at >= n.last_at - INTERVAL 7 DAY
    AND (o.account <> 'default' OR n.named_at IS NULL OR o.last_at >= n.named_at)
),
-- without a known account, a workspace belongs to the only account that is synced; to none if there are several
sole AS (
  SELECT CASE WHEN COUNT(*) = 1 THEN MAX(account) END AS account
  FROM accounts
),
-- runs are joined to it by LEFT JOIN, although every workspace is there: DuckDB then does not pair all runs with all accounts
with_runs AS (
  SELECT DISTINCT workspace_id FROM sim.logs
),
workspaces AS (
  SELECT
    COALESCE(r.workspace_id, '') AS workspace_id,
    COALESCE(NULLIF(w.account, 'default'), o.account, w.account) AS account
  FROM with_runs AS r
  LEFT JOIN sim.workspace_accounts AS w ON w.workspace_id = r.workspace_id
  CROSS JOIN sole AS o
),
readings AS (
  SELECT
    a.account,
    u.observed_at,
    u.plan,
    u.current_period_cost,
    u.usage_limit,
    ROW_NUMBER() OVER (PARTITION BY a.account ORDER BY u.observed_at DESC) AS age
  FROM sim.usage AS u
  JOIN accounts AS a ON a.account = COALESCE(u.account, 'default')
),
read_usage AS (
  SELECT account, observed_at, plan, current_period_cost, usage_limit
  FROM readings
  WHERE age = 1
),
-- what Sim last said of the payer of each workspace; workspaces that are not synced any more are left out
payers AS (
  SELECT
    u.account,
    s.plan,
    s.period_start,
    s.period_end,
    s.credits_used,
    s.credits_limit,
    ROW_NUMBER() OVER (PARTITION BY s.workspace_id ORDER BY s.observed_at DESC) AS age
  FROM sim.billing_status AS s
  JOIN sim.workspace_accounts AS w ON w.workspace_id = s.workspace_id AND w.account = COALESCE(s.account, 'default')
  JOIN read_usage AS u ON u.account = w.account
  WHERE s.observed_at >= u.observed_at - INTERVAL 1 DAY AND s.observed_at <= u.observed_at + INTERVAL 1 DAY
),
payer AS (
  SELECT
    account,
    MAX(plan) AS plan,
    MAX(period_start) AS period_start,
    MAX(period_end) AS period_end,
    CASE WHEN COUNT(credits_used) = COUNT(*) THEN MAX(credits_used) END AS credits_used,
    MAX(credits_limit) AS credits_limit
  FROM payers
  WHERE age = 1
  GROUP BY account
  HAVING COUNT(period_start) IN (0, COUNT(*)) AND COALESCE(MIN(period_start) = MAX(period_start), TRUE)
    AND COALESCE(MIN(period_end) = MAX(period_end), TRUE)
    AND COUNT(credits_limit) IN (0, COUNT(*)) AND COALESCE(MIN(credits_limit) = MAX(credits_limit), TRUE)
),
latest AS (
  SELECT
    u.account,
    u.observed_at,
    COALESCE(p.plan, u.plan) AS plan,
    CASE WHEN p.credits_used IS NULL THEN 'usage' ELSE 'billing_status' END AS spend_source,
    CASE
      WHEN p.credits_used IS NULL THEN u.current_period_cost
      ELSE CAST(p.credits_used * 0.005 AS DECIMAL(38, 12))
    END AS spend,
    CASE
      WHEN p.credits_used IS NOT NULL THEN CAST(p.credits_limit * 0.005 AS DECIMAL(38, 12))
      WHEN u.usage_limit > 0 THEN u.usage_limit
    END AS usage_limit,
    p.period_start AS payer_start,
    p.period_end AS payer_end,
    p.credits_used IS NOT NULL AND p.period_start IS NULL AS payer_endless,
    COALESCE(u.current_period_cost, 0) = 0 AND COALESCE(u.usage_limit, 0) = 99999 AS is_off,
    CAST(u.observed_at AT TIME ZONE 'UTC' AS DATE) AS today,
    DATE_TRUNC('month', u.observed_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month_start,
    (DATE_TRUNC('month', u.observed_at AT TIME ZONE 'UTC') + INTERVAL 1 MONTH) AT TIME ZONE 'UTC' AS month_end
  FROM read_usage AS u
  LEFT JOIN payer AS p ON p.account = u.account
),
-- parsing JSON is slow, so only the latest runs with execution data are read, and none if the payer's period is known
detailed AS (
  SELECT
    u.account,
    l.started_at,
    l.id,
    d.execution_data,
    ROW_NUMBER() OVER (PARTITION BY u.account ORDER BY l.started_at DESC, l.id DESC) AS age
  FROM sim.log_details AS d
  JOIN sim.logs AS l ON l.id = d.id
  LEFT JOIN workspaces AS w ON w.workspace_id = COALESCE(l.workspace_id, '')
  JOIN latest AS u ON u.account = w.account
  WHERE d.execution_data IS NOT NULL AND l.started_at <= u.observed_at + INTERVAL 1 DAY
    AND NOT COALESCE(u.payer_endless OR (u.payer_start <= u.observed_at AND u.observed_at < u.payer_end), FALSE)
),
told_texts AS (
  SELECT
    account,
    started_at,
    id,
    CAST(execution_data AS JSON) ->> '$.billingAttribution.billingPeriod.start' AS period_start,
    CAST(execution_data AS JSON) ->> '$.billingAttribution.billingPeriod.end' AS period_end
  FROM detailed
  WHERE age <= 1000
),
told AS (
  SELECT
    account,
    SUBSTR(period_start, 1, 4) = '1970' OR SUBSTR(period_end, 1, 4) = '9999' AS endless,
    CASE WHEN REGEXP_MATCHES(period_start, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$') THEN
      CAST(period_start AS TIMESTAMPTZ)
    END AS period_start,
    CASE WHEN REGEXP_MATCHES(period_end, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$') THEN
      CAST(period_end AS TIMESTAMPTZ)
    END AS period_end,
    ROW_NUMBER() OVER (PARTITION BY account ORDER BY started_at DESC, id DESC) AS age
  FROM told_texts
  WHERE period_start IS NOT NULL AND period_end IS NOT NULL
  UNION ALL
  SELECT account, payer_endless, payer_start, payer_end, 0
  FROM latest
  WHERE payer_endless OR payer_start IS NOT NULL
),
-- an endless period contains every point in time, so it counts only if the latest run reports it
fitting AS (
  SELECT
    t.account,
    t.endless,
    t.period_start,
    t.period_end,
    ROW_NUMBER() OVER (PARTITION BY t.account ORDER BY t.age) AS place
  FROM told AS t
  JOIN latest AS u ON u.account = t.account
  WHERE CASE WHEN t.endless THEN t.age <= 1 ELSE t.period_start <= u.observed_at AND u.observed_at < t.period_end END
),
budgets AS (
  SELECT
    u.*,
    CASE WHEN c.endless IS NULL THEN 'calendar month' WHEN c.endless THEN 'none' ELSE 'billing' END AS period_source,
    CASE WHEN c.endless IS NULL THEN u.month_start WHEN NOT c.endless THEN c.period_start END AS period_start,
    CASE WHEN c.endless IS NULL THEN u.month_end WHEN NOT c.endless THEN c.period_end END AS period_end
  FROM latest AS u
  LEFT JOIN fitting AS c ON c.account = u.account AND c.place = 1
  WHERE NOT u.is_off
),
-- usage of the last 14 days; if spend falls to less than half, a new period has begun; a smaller fall is a correction
steps AS (
  SELECT
    u.account,
    s.observed_at,
    s.current_period_cost AS spend,
    LAG(s.current_period_cost) OVER (PARTITION BY u.account ORDER BY s.observed_at) AS spend_before,
    LAG(s.observed_at) OVER (PARTITION BY u.account ORDER BY s.observed_at) AS seen_before
  FROM sim.usage AS s
  JOIN latest AS u ON u.account = COALESCE(s.account, 'default')
  WHERE s.observed_at >= u.observed_at - INTERVAL 14 DAY AND s.current_period_cost IS NOT NULL
),
seen AS (
  SELECT
    account,
    MIN(observed_at) AS since,
    SUM(CASE WHEN spend < spend_before / 2 THEN spend ELSE COALESCE(spend - spend_before, 0) END) AS spend,
    MAX(CASE WHEN spend < spend_before / 2 THEN seen_before END) AS began_anew
  FROM steps
  GROUP BY account
),
-- since when the account's own spend is known: the start of the period, or when usage was first seen
spans AS (
  SELECT
    a.*,
    s.since AS seen_since,
    s.spend AS seen_spend,
    CASE
      WHEN a.period_source = 'calendar month' THEN GREATEST(a.period_start, COALESCE(s.began_anew, a.period_start))
      ELSE a.period_start
    END AS spent_since
  FROM budgets AS a
  LEFT JOIN seen AS s ON s.account = a.account
),
based AS (
  SELECT
    *,
    CASE WHEN spent_since <= seen_since THEN spent_since ELSE seen_since END AS since,
    CASE WHEN spent_since <= seen_since THEN spend ELSE seen_spend END AS account_spend
  FROM spans
),
synced AS (
  SELECT
    b.account,
    MIN(l.started_at) AS first_run_at,
    SUM(CASE WHEN l.started_at >= b.period_start THEN COALESCE(l.cost_total, 0) ELSE 0 END) AS period_cost,
    CAST(COALESCE(SUM(CASE WHEN l.started_at >= b.since THEN l.cost_total END), 0) AS DOUBLE) AS cost
  FROM sim.logs AS l
  LEFT JOIN workspaces AS w ON w.workspace_id = COALESCE(l.workspace_id, '')
  JOIN based AS b ON b.account = w.account
  WHERE l.started_at <= b.observed_at
  GROUP BY b.account
),
numbered AS (
  SELECT
    b.*,
    COALESCE(s.cost, 0) AS synced_cost,
    CASE WHEN b.period_start IS NOT NULL THEN s.period_cost END AS runs_cost,
    (EXTRACT(EPOCH FROM b.observed_at) - EXTRACT(EPOCH FROM b.since)) / 86400 AS known_days,
    (EXTRACT(EPOCH FROM b.observed_at) - EXTRACT(EPOCH FROM GREATEST(b.since, s.first_run_at))) / 86400 AS synced_days,
    DATE_DIFF('day', CAST(s.first_run_at AT TIME ZONE 'UTC' AS DATE), b.today) - 1 AS complete_days
  FROM based AS b
  LEFT JOIN synced AS s ON s.account = b.account
),
-- whole weeks if possible, because weekends differ from other days
counted AS (
  SELECT
    *,
    CASE
      WHEN complete_days >= 14 THEN 14
      WHEN complete_days >= 7 THEN 7
      WHEN complete_days > 0 THEN CAST(complete_days AS INTEGER)
    END AS days
  FROM numbered
),
by_day AS (
  SELECT
    c.account,
    CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) AS day,
    CAST(SUM(l.cost_total) AS DOUBLE) AS cost
  FROM sim.logs AS l
  LEFT JOIN workspaces AS w ON w.workspace_id = COALESCE(l.workspace_id, '')
  JOIN counted AS c ON c.account = w.account
  WHERE CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) >= c.today - c.days
    AND CAST(l.started_at AT TIME ZONE 'UTC' AS DATE) < c.today
  GROUP BY c.account, CAST(l.started_at AT TIME ZONE 'UTC' AS DATE)
),
daily AS (
  SELECT account, COUNT(*) AS spent_on, SUM(cost) AS cost, VAR_POP(cost) AS variance
  FROM by_day
  GROUP BY account
),
-- days without runs have no row; they count as 0 in the mean and in the spread
means AS (
  SELECT
    c.*,
    COALESCE(d.cost, 0) / c.days AS mean,
    CASE WHEN c.days > 1 AND d.cost > 0 THEN
      SQRT(
        (d.spent_on * d.variance + d.cost * d.cost * (CAST(1 AS DOUBLE) / d.spent_on - CAST(1 AS DOUBLE) / c.days)) / (c.days - 1)
      ) / (d.cost / c.days)
    END AS spread
  FROM counted AS c
  LEFT JOIN daily AS d ON d.account = c.account
),
burns AS (
  SELECT
    *,
    (EXTRACT(EPOCH FROM period_end) - EXTRACT(EPOCH FROM observed_at)) / 86400 AS days_left,
    CASE
      WHEN days IS NULL AND known_days > 0 THEN CAST(account_spend AS DOUBLE) / GREATEST(known_days, 1)
      WHEN known_days IS NULL OR known_days < 1 OR account_spend IS NULL THEN mean
      WHEN account_spend < synced_cost THEN mean * CAST(account_spend AS DOUBLE) / synced_cost
      ELSE mean + GREATEST(
        CAST(account_spend AS DOUBLE) / known_days - COALESCE(synced_cost / GREATEST(synced_days, 1), 0), 0
      )
    END AS burn,
    CASE days
      WHEN 14 THEN 1.350
      WHEN 7 THEN 1.440
      WHEN 6 THEN 1.476
      WHEN 5 THEN 1.533
      WHEN 4 THEN 1.638
      WHEN 3 THEN 1.886
      WHEN 2 THEN 3.078
    END * spread AS deviations
  FROM means
),
forecasts AS (
  SELECT
    *,
    burn * deviations / SQRT(days) AS burn_range,
    burn * days_left AS to_come,
    burn * deviations * SQRT(days_left + days_left * days_left / days) AS to_come_range,
    CASE
      WHEN spend >= usage_limit THEN 0
      WHEN burn > 0 THEN CAST(usage_limit - spend AS DOUBLE) / burn
    END AS days_until_limit
  FROM burns
)
SELECT
  account,
  observed_at,
  plan,
  period_source,
  period_start,
  period_end,
  spend_source,
  spend,
  usage_limit,
  runs_cost,
  CAST(spend AS DOUBLE) / CAST(usage_limit AS DOUBLE) AS spend_share,
  usage_limit - spend AS remaining,
  (EXTRACT(EPOCH FROM observed_at) - EXTRACT(EPOCH FROM period_start)) / 86400 AS days_elapsed,
  days_left,
  CAST(burn AS DECIMAL(38, 12)) AS burn_per_day,
  CAST(CASE WHEN burn_range > burn THEN 0 ELSE burn - burn_range END AS DECIMAL(38, 12)) AS burn_low,
  CAST(burn + burn_range AS DECIMAL(38, 12)) AS burn_high,
  spend + CAST(to_come AS DECIMAL(38, 12)) AS forecast,
  spend + CAST(CASE WHEN to_come_range > to_come THEN 0 ELSE to_come - to_come_range END AS DECIMAL(38, 12)) AS forecast_low,
  spend + CAST(to_come + to_come_range AS DECIMAL(38, 12)) AS forecast_high,
  days_until_limit,
  CASE
    WHEN days_until_limit < COALESCE(days_left, 3650)
    THEN observed_at + CAST(ROUND(days_until_limit * 86400) AS BIGINT) * INTERVAL 1 SECOND
  END AS limit_at,
  COALESCE(spend > usage_limit OR spend + CAST(to_come AS DECIMAL(38, 12)) > usage_limit, FALSE) AS over_limit
FROM forecasts
