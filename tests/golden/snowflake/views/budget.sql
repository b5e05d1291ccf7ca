CREATE OR REPLACE VIEW "SIM"."BUDGET" (
  "ACCOUNT" COMMENT 'Configured account, or default',
  "OBSERVED_AT" COMMENT 'When usage was last read; all other columns refer to this time',
  "PLAN" COMMENT 'Plan of the account',
  "PERIOD_SOURCE" COMMENT 'billing (reported by Sim), calendar month (assumed) or none (Sim reports that the account has no period)',
  "PERIOD_START" COMMENT 'Start of the period; null if there is none: spend then covers all time',
  "PERIOD_END" COMMENT 'End of the period; null if there is none',
  "SPEND_SOURCE" COMMENT 'billing_status (whole credits) or usage',
  "SPEND" COMMENT 'Spend of the period so far in USD, as counted by Sim for all workspaces of the account',
  "USAGE_LIMIT" COMMENT 'Spend limit of the period in USD; null if there is none',
  "RUNS_COST" COMMENT 'Cost of the account\'s runs of the period in USD, up to observed_at; null if there is no period, or its runs are not known',
  "SPEND_SHARE" COMMENT 'spend divided by usage_limit; above 1 if the limit is exceeded',
  "REMAINING" COMMENT 'usage_limit minus spend in USD; negative if the limit is exceeded',
  "DAYS_ELAPSED" COMMENT 'Days since the start of the period',
  "DAYS_LEFT" COMMENT 'Days until the end of the period',
  "BURN_PER_DAY" COMMENT 'Spend of the account per day in USD',
  "BURN_LOW" COMMENT 'Lower end of the range of burn_per_day, in USD',
  "BURN_HIGH" COMMENT 'Upper end of the range of burn_per_day, in USD',
  "FORECAST" COMMENT 'Spend of the whole period in USD at the current burn',
  "FORECAST_LOW" COMMENT 'Lower end of the range of forecast, in USD',
  "FORECAST_HIGH" COMMENT 'Upper end of the range of forecast, in USD',
  "DAYS_UNTIL_LIMIT" COMMENT 'Days until the limit is reached at the current burn, ignoring the end of the period; 0 if it is reached already; null without a limit or a burn',
  "LIMIT_AT" COMMENT 'When the limit is reached at the current burn; null if that is not before the period ends',
  "OVER_LIMIT" COMMENT 'Whether the spend or the forecast exceeds the limit'
)
COMMENT = 'Spend of an account, its limit and a forecast; one row per account that is synced. There is no row if usage was never read, or if billing is off (self-hosted: Sim then reports cost 0 and limit 99999, which is not a budget). An account is left out if its usage was last read more than 7 days before that of another account, since it is no longer synced; default also if it was last read before a named account was first read, since it has been given that name. Each account has its own runs. If only one account is synced, these are all runs, except those of workspaces that belong to another named account (workspace_accounts). If several are synced, they are the runs of the workspaces that belong to it; without any (servers without the v2 API), its runs are not known, and burn_per_day comes from its spend alone. Period, limit and spend are those of billing_status (v2) if all workspaces that the last syncs read have the same payer. Otherwise spend and limit come from usage, and the period from the latest run whose detail contains one, or else it is the calendar month (UTC). burn_per_day adds two parts. The first is the average daily cost of the synced runs over the last 14 complete days (UTC), over 7 or fewer if there are not 14; the first day is left out. The second is the spend of the account per day beyond the synced runs, since the start of the period or since usage was first seen in the last 14 days, whichever is earlier. If the account spends less than the runs cost, others pay for some of them, and the first part is reduced in proportion. The spend of the account is used only if it covers at least one day. Without complete days, burn_per_day is the account\'s spend per day. Ranges are 80 % intervals (Student\'s t). They assume that days are independent and vary as the last ones did; null with fewer than two complete days, or if the runs of those days cost nothing (sim-sync view 00000000)'
AS WITH "OBSERVED" AS (
  SELECT
    COALESCE("ACCOUNT", 'default') AS "ACCOUNT",
    MIN("OBSERVED_AT") AS "FIRST_AT",
    MAX("OBSERVED_AT") AS "LAST_AT"
  FROM "SIM"."USAGE"
  GROUP BY
    1
), "NEWEST" AS (
  SELECT
    MIN(CASE WHEN "ACCOUNT" <> 'default' THEN "FIRST_AT" END) AS "NAMED_AT",
    MAX("LAST_AT") AS "LAST_AT"
  FROM "OBSERVED"
), "ACCOUNTS" AS (
  SELECT
    "O"."ACCOUNT"
  FROM "OBSERVED" AS "O"
  CROSS JOIN "NEWEST" AS "N"
  WHERE
    "O"."LAST_AT" >= "N"."LAST_AT" - INTERVAL '7 DAY'
    AND (
      "O"."ACCOUNT" <> 'default'
      OR "N"."NAMED_AT" IS NULL
      OR "O"."LAST_AT" >= "N"."NAMED_AT"
    )
), "SOLE" AS (
  SELECT
    CASE WHEN COUNT(*) = 1 THEN MAX("ACCOUNT") END AS "ACCOUNT"
  FROM "ACCOUNTS"
), "WITH_RUNS" AS (
  SELECT DISTINCT
    "WORKSPACE_ID"
  FROM "SIM"."LOGS"
), "WORKSPACES" AS (
  SELECT
    COALESCE("R"."WORKSPACE_ID", '') AS "WORKSPACE_ID",
    COALESCE(NULLIF("W"."ACCOUNT", 'default'), "O"."ACCOUNT", "W"."ACCOUNT") AS "ACCOUNT"
  FROM "WITH_RUNS" AS "R"
  LEFT JOIN "SIM"."WORKSPACE_ACCOUNTS" AS "W"
    ON "W"."WORKSPACE_ID" = "R"."WORKSPACE_ID"
  CROSS JOIN "SOLE" AS "O"
), "READINGS" AS (
  SELECT
    "A"."ACCOUNT",
    "U"."OBSERVED_AT",
    "U"."PLAN",
    "U"."CURRENT_PERIOD_COST",
    "U"."USAGE_LIMIT",
    ROW_NUMBER() OVER (PARTITION BY "A"."ACCOUNT" ORDER BY "U"."OBSERVED_AT" DESC NULLS LAST) AS "AGE"
  FROM "SIM"."USAGE" AS "U"
  JOIN "ACCOUNTS" AS "A"
    ON "A"."ACCOUNT" = COALESCE("U"."ACCOUNT", 'default')
), "READ_USAGE" AS (
  SELECT
    "ACCOUNT",
    "OBSERVED_AT",
    "PLAN",
    "CURRENT_PERIOD_COST",
    "USAGE_LIMIT"
  FROM "READINGS"
  WHERE
    "AGE" = 1
), "PAYERS" AS (
  SELECT
    "U"."ACCOUNT",
    "S"."PLAN",
    "S"."PERIOD_START",
    "S"."PERIOD_END",
    "S"."CREDITS_USED",
    "S"."CREDITS_LIMIT",
    ROW_NUMBER() OVER (PARTITION BY "S"."WORKSPACE_ID" ORDER BY "S"."OBSERVED_AT" DESC NULLS LAST) AS "AGE"
  FROM "SIM"."BILLING_STATUS" AS "S"
  JOIN "SIM"."WORKSPACE_ACCOUNTS" AS "W"
    ON "W"."WORKSPACE_ID" = "S"."WORKSPACE_ID"
    AND "W"."ACCOUNT" = COALESCE("S"."ACCOUNT", 'default')
  JOIN "READ_USAGE" AS "U"
    ON "U"."ACCOUNT" = "W"."ACCOUNT"
  WHERE
    "S"."OBSERVED_AT" >= "U"."OBSERVED_AT" - INTERVAL '1 DAY'
    AND "S"."OBSERVED_AT" <= "U"."OBSERVED_AT" + INTERVAL '1 DAY'
), "PAYER" AS (
  SELECT
    "ACCOUNT",
    MAX("PLAN") AS "PLAN",
    MAX("PERIOD_START") AS "PERIOD_START",
    MAX("PERIOD_END") AS "PERIOD_END",
    CASE WHEN COUNT("CREDITS_USED") = COUNT(*) THEN MAX("CREDITS_USED") END AS "CREDITS_USED",
    MAX("CREDITS_LIMIT") AS "CREDITS_LIMIT"
  FROM "PAYERS"
  WHERE
    "AGE" = 1
  GROUP BY
    "ACCOUNT"
  HAVING
    COUNT("PERIOD_START") IN (0, COUNT(*))
    AND COALESCE(MIN("PERIOD_START") = MAX("PERIOD_START"), TRUE)
    AND COALESCE(MIN("PERIOD_END") = MAX("PERIOD_END"), TRUE)
    AND COUNT("CREDITS_LIMIT") IN (0, COUNT(*))
    AND COALESCE(MIN("CREDITS_LIMIT") = MAX("CREDITS_LIMIT"), TRUE)
), "LATEST" AS (
  SELECT
    "U"."ACCOUNT",
    "U"."OBSERVED_AT",
    COALESCE("P"."PLAN", "U"."PLAN") AS "PLAN",
    CASE WHEN "P"."CREDITS_USED" IS NULL THEN 'usage' ELSE 'billing_status' END AS "SPEND_SOURCE",
    CASE
      WHEN "P"."CREDITS_USED" IS NULL
      THEN "U"."CURRENT_PERIOD_COST"
      ELSE CAST("P"."CREDITS_USED" * 0.005 AS DECIMAL(38, 12))
    END AS "SPEND",
    CASE
      WHEN NOT "P"."CREDITS_USED" IS NULL
      THEN CAST("P"."CREDITS_LIMIT" * 0.005 AS DECIMAL(38, 12))
      WHEN "U"."USAGE_LIMIT" > 0
      THEN "U"."USAGE_LIMIT"
    END AS "USAGE_LIMIT",
    "P"."PERIOD_START" AS "PAYER_START",
    "P"."PERIOD_END" AS "PAYER_END",
    NOT "P"."CREDITS_USED" IS NULL AND "P"."PERIOD_START" IS NULL AS "PAYER_ENDLESS",
    COALESCE("U"."CURRENT_PERIOD_COST", 0) = 0
    AND COALESCE("U"."USAGE_LIMIT", 0) = 99999 AS "IS_OFF",
    CAST(CONVERT_TIMEZONE('UTC', "U"."OBSERVED_AT") AS DATE) AS "TODAY",
    DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', "U"."OBSERVED_AT")) AS "MONTH_START",
    (
      DATE_TRUNC('MONTH', CONVERT_TIMEZONE('UTC', "U"."OBSERVED_AT")) + INTERVAL '1 MONTH'
    ) AS "MONTH_END"
  FROM "READ_USAGE" AS "U"
  LEFT JOIN "PAYER" AS "P"
    ON "P"."ACCOUNT" = "U"."ACCOUNT"
), "DETAILED" AS (
  SELECT
    "U"."ACCOUNT",
    "L"."STARTED_AT",
    "L"."ID",
    "D"."EXECUTION_DATA",
    ROW_NUMBER() OVER (
      PARTITION BY "U"."ACCOUNT"
      ORDER BY "L"."STARTED_AT" DESC NULLS LAST, "L"."ID" DESC NULLS LAST
    ) AS "AGE"
  FROM "SIM"."LOG_DETAILS" AS "D"
  JOIN "SIM"."LOGS" AS "L"
    ON "L"."ID" = "D"."ID"
  LEFT JOIN "WORKSPACES" AS "W"
    ON "W"."WORKSPACE_ID" = COALESCE("L"."WORKSPACE_ID", '')
  JOIN "LATEST" AS "U"
    ON "U"."ACCOUNT" = "W"."ACCOUNT"
  WHERE
    NOT "D"."EXECUTION_DATA" IS NULL
    AND "L"."STARTED_AT" <= "U"."OBSERVED_AT" + INTERVAL '1 DAY'
    AND NOT COALESCE(
      "U"."PAYER_ENDLESS"
      OR (
        "U"."PAYER_START" <= "U"."OBSERVED_AT" AND "U"."OBSERVED_AT" < "U"."PAYER_END"
      ),
      FALSE
    )
), "TOLD_TEXTS" AS (
  SELECT
    "ACCOUNT",
    "STARTED_AT",
    "ID",
    CAST(GET_PATH(PARSE_JSON(TO_CHAR("EXECUTION_DATA")), 'billingAttribution.billingPeriod.start') AS VARCHAR) AS "PERIOD_START",
    CAST(GET_PATH(PARSE_JSON(TO_CHAR("EXECUTION_DATA")), 'billingAttribution.billingPeriod.end') AS VARCHAR) AS "PERIOD_END"
  FROM "DETAILED"
  WHERE
    "AGE" <= 1000
), "TOLD" AS (
  SELECT
    "ACCOUNT",
    SUBSTRING("PERIOD_START", 1, 4) = '1970'
    OR SUBSTRING("PERIOD_END", 1, 4) = '9999' AS "ENDLESS",
    CASE
      WHEN REGEXP_LIKE("PERIOD_START", '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$')
      THEN CAST("PERIOD_START" AS TIMESTAMPTZ)
    END AS "PERIOD_START",
    CASE
      WHEN REGEXP_LIKE("PERIOD_END", '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$')
      THEN CAST("PERIOD_END" AS TIMESTAMPTZ)
    END AS "PERIOD_END",
    ROW_NUMBER() OVER (
      PARTITION BY "ACCOUNT"
      ORDER BY "STARTED_AT" DESC NULLS LAST, "ID" DESC NULLS LAST
    ) AS "AGE"
  FROM "TOLD_TEXTS"
  WHERE
    NOT "PERIOD_START" IS NULL AND NOT "PERIOD_END" IS NULL
  UNION ALL
  SELECT
    "ACCOUNT",
    "PAYER_ENDLESS",
    "PAYER_START",
    "PAYER_END",
    0
  FROM "LATEST"
  WHERE
    "PAYER_ENDLESS" OR NOT "PAYER_START" IS NULL
), "FITTING" AS (
  SELECT
    "T"."ACCOUNT",
    "T"."ENDLESS",
    "T"."PERIOD_START",
    "T"."PERIOD_END",
    ROW_NUMBER() OVER (PARTITION BY "T"."ACCOUNT" ORDER BY "T"."AGE") AS "PLACE"
  FROM "TOLD" AS "T"
  JOIN "LATEST" AS "U"
    ON "U"."ACCOUNT" = "T"."ACCOUNT"
  WHERE
    CASE
      WHEN "T"."ENDLESS"
      THEN "T"."AGE" <= 1
      ELSE "T"."PERIOD_START" <= "U"."OBSERVED_AT" AND "U"."OBSERVED_AT" < "T"."PERIOD_END"
    END
), "BUDGETS" AS (
  SELECT
    "U".*,
    CASE
      WHEN "C"."ENDLESS" IS NULL
      THEN 'calendar month'
      WHEN "C"."ENDLESS"
      THEN 'none'
      ELSE 'billing'
    END AS "PERIOD_SOURCE",
    CASE
      WHEN "C"."ENDLESS" IS NULL
      THEN "U"."MONTH_START"
      WHEN NOT "C"."ENDLESS"
      THEN "C"."PERIOD_START"
    END AS "PERIOD_START",
    CASE
      WHEN "C"."ENDLESS" IS NULL
      THEN "U"."MONTH_END"
      WHEN NOT "C"."ENDLESS"
      THEN "C"."PERIOD_END"
    END AS "PERIOD_END"
  FROM "LATEST" AS "U"
  LEFT JOIN "FITTING" AS "C"
    ON "C"."ACCOUNT" = "U"."ACCOUNT" AND "C"."PLACE" = 1
  WHERE
    NOT "U"."IS_OFF"
), "STEPS" AS (
  SELECT
    "U"."ACCOUNT",
    "S"."OBSERVED_AT",
    "S"."CURRENT_PERIOD_COST" AS "SPEND",
    LAG("S"."CURRENT_PERIOD_COST") OVER (PARTITION BY "U"."ACCOUNT" ORDER BY "S"."OBSERVED_AT") AS "SPEND_BEFORE",
    LAG("S"."OBSERVED_AT") OVER (PARTITION BY "U"."ACCOUNT" ORDER BY "S"."OBSERVED_AT") AS "SEEN_BEFORE"
  FROM "SIM"."USAGE" AS "S"
  JOIN "LATEST" AS "U"
    ON "U"."ACCOUNT" = COALESCE("S"."ACCOUNT", 'default')
  WHERE
    "S"."OBSERVED_AT" >= "U"."OBSERVED_AT" - INTERVAL '14 DAY'
    AND NOT "S"."CURRENT_PERIOD_COST" IS NULL
), "SEEN" AS (
  SELECT
    "ACCOUNT",
    MIN("OBSERVED_AT") AS "SINCE",
    SUM(
      CASE
        WHEN "SPEND" < "SPEND_BEFORE" / 2
        THEN "SPEND"
        ELSE COALESCE("SPEND" - "SPEND_BEFORE", 0)
      END
    ) AS "SPEND",
    MAX(CASE WHEN "SPEND" < "SPEND_BEFORE" / 2 THEN "SEEN_BEFORE" END) AS "BEGAN_ANEW"
  FROM "STEPS"
  GROUP BY
    "ACCOUNT"
), "SPANS" AS (
  SELECT
    "A".*,
    "S"."SINCE" AS "SEEN_SINCE",
    "S"."SPEND" AS "SEEN_SPEND",
    CASE
      WHEN "A"."PERIOD_SOURCE" = 'calendar month'
      THEN GREATEST_IGNORE_NULLS("A"."PERIOD_START", COALESCE("S"."BEGAN_ANEW", "A"."PERIOD_START"))
      ELSE "A"."PERIOD_START"
    END AS "SPENT_SINCE"
  FROM "BUDGETS" AS "A"
  LEFT JOIN "SEEN" AS "S"
    ON "S"."ACCOUNT" = "A"."ACCOUNT"
), "BASED" AS (
  SELECT
    *,
    CASE WHEN "SPENT_SINCE" <= "SEEN_SINCE" THEN "SPENT_SINCE" ELSE "SEEN_SINCE" END AS "SINCE",
    CASE WHEN "SPENT_SINCE" <= "SEEN_SINCE" THEN "SPEND" ELSE "SEEN_SPEND" END AS "ACCOUNT_SPEND"
  FROM "SPANS"
), "SYNCED" AS (
  SELECT
    "B"."ACCOUNT",
    MIN("L"."STARTED_AT") AS "FIRST_RUN_AT",
    SUM(
      CASE
        WHEN "L"."STARTED_AT" >= "B"."PERIOD_START"
        THEN COALESCE("L"."COST_TOTAL", 0)
        ELSE 0
      END
    ) AS "PERIOD_COST",
    CAST(COALESCE(SUM(CASE WHEN "L"."STARTED_AT" >= "B"."SINCE" THEN "L"."COST_TOTAL" END), 0) AS DOUBLE) AS "COST"
  FROM "SIM"."LOGS" AS "L"
  LEFT JOIN "WORKSPACES" AS "W"
    ON "W"."WORKSPACE_ID" = COALESCE("L"."WORKSPACE_ID", '')
  JOIN "BASED" AS "B"
    ON "B"."ACCOUNT" = "W"."ACCOUNT"
  WHERE
    "L"."STARTED_AT" <= "B"."OBSERVED_AT"
  GROUP BY
    "B"."ACCOUNT"
), "NUMBERED" AS (
  SELECT
    "B".*,
    COALESCE("S"."COST", 0) AS "SYNCED_COST",
    CASE WHEN NOT "B"."PERIOD_START" IS NULL THEN "S"."PERIOD_COST" END AS "RUNS_COST",
    (
      CAST(DATE_PART(EPOCH_MICROSECOND, "B"."OBSERVED_AT") AS DOUBLE) / 1000000 - CAST(DATE_PART(EPOCH_MICROSECOND, "B"."SINCE") AS DOUBLE) / 1000000
    ) / 86400 AS "KNOWN_DAYS",
    (
      CAST(DATE_PART(EPOCH_MICROSECOND, "B"."OBSERVED_AT") AS DOUBLE) / 1000000 - CAST(DATE_PART(EPOCH_MICROSECOND, GREATEST_IGNORE_NULLS("B"."SINCE", "S"."FIRST_RUN_AT")) AS DOUBLE) / 1000000
    ) / 86400 AS "SYNCED_DAYS",
    DATEDIFF(DAY, CAST(CONVERT_TIMEZONE('UTC', "S"."FIRST_RUN_AT") AS DATE), "B"."TODAY") - 1 AS "COMPLETE_DAYS"
  FROM "BASED" AS "B"
  LEFT JOIN "SYNCED" AS "S"
    ON "S"."ACCOUNT" = "B"."ACCOUNT"
), "COUNTED" AS (
  SELECT
    *,
    CASE
      WHEN "COMPLETE_DAYS" >= 14
      THEN 14
      WHEN "COMPLETE_DAYS" >= 7
      THEN 7
      WHEN "COMPLETE_DAYS" > 0
      THEN CAST("COMPLETE_DAYS" AS INT)
    END AS "DAYS"
  FROM "NUMBERED"
), "BY_DAY" AS (
  SELECT
    "C"."ACCOUNT",
    CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) AS "DAY",
    CAST(SUM("L"."COST_TOTAL") AS DOUBLE) AS "COST"
  FROM "SIM"."LOGS" AS "L"
  LEFT JOIN "WORKSPACES" AS "W"
    ON "W"."WORKSPACE_ID" = COALESCE("L"."WORKSPACE_ID", '')
  JOIN "COUNTED" AS "C"
    ON "C"."ACCOUNT" = "W"."ACCOUNT"
  WHERE
    CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) >= "C"."TODAY" - "C"."DAYS"
    AND CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) < "C"."TODAY"
  GROUP BY
    "C"."ACCOUNT",
    CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE)
), "DAILY" AS (
  SELECT
    "ACCOUNT",
    COUNT(*) AS "SPENT_ON",
    SUM("COST") AS "COST",
    VARIANCE_POP("COST") AS "VARIANCE"
  FROM "BY_DAY"
  GROUP BY
    "ACCOUNT"
), "MEANS" AS (
  SELECT
    "C".*,
    COALESCE("D"."COST", 0) / "C"."DAYS" AS "MEAN",
    CASE
      WHEN "C"."DAYS" > 1 AND "D"."COST" > 0
      THEN SQRT(
        (
          "D"."SPENT_ON" * "D"."VARIANCE" + "D"."COST" * "D"."COST" * (
            CAST(1 AS DOUBLE) / "D"."SPENT_ON" - CAST(1 AS DOUBLE) / "C"."DAYS"
          )
        ) / (
          "C"."DAYS" - 1
        )
      ) / (
        "D"."COST" / "C"."DAYS"
      )
    END AS "SPREAD"
  FROM "COUNTED" AS "C"
  LEFT JOIN "DAILY" AS "D"
    ON "D"."ACCOUNT" = "C"."ACCOUNT"
), "BURNS" AS (
  SELECT
    *,
    (
      CAST(DATE_PART(EPOCH_MICROSECOND, "PERIOD_END") AS DOUBLE) / 1000000 - CAST(DATE_PART(EPOCH_MICROSECOND, "OBSERVED_AT") AS DOUBLE) / 1000000
    ) / 86400 AS "DAYS_LEFT",
    CASE
      WHEN "DAYS" IS NULL AND "KNOWN_DAYS" > 0
      THEN CAST("ACCOUNT_SPEND" AS DOUBLE) / GREATEST_IGNORE_NULLS("KNOWN_DAYS", 1)
      WHEN "KNOWN_DAYS" IS NULL OR "KNOWN_DAYS" < 1 OR "ACCOUNT_SPEND" IS NULL
      THEN "MEAN"
      WHEN "ACCOUNT_SPEND" < "SYNCED_COST"
      THEN "MEAN" * CAST("ACCOUNT_SPEND" AS DOUBLE) / "SYNCED_COST"
      ELSE "MEAN" + GREATEST_IGNORE_NULLS(
        CAST("ACCOUNT_SPEND" AS DOUBLE) / "KNOWN_DAYS" - COALESCE("SYNCED_COST" / GREATEST_IGNORE_NULLS("SYNCED_DAYS", 1), 0),
        0
      )
    END AS "BURN",
    CASE "DAYS"
      WHEN 14
      THEN 1.350
      WHEN 7
      THEN 1.440
      WHEN 6
      THEN 1.476
      WHEN 5
      THEN 1.533
      WHEN 4
      THEN 1.638
      WHEN 3
      THEN 1.886
      WHEN 2
      THEN 3.078
    END * "SPREAD" AS "DEVIATIONS"
  FROM "MEANS"
), "FORECASTS" AS (
  SELECT
    *,
    "BURN" * "DEVIATIONS" / SQRT("DAYS") AS "BURN_RANGE",
    "BURN" * "DAYS_LEFT" AS "TO_COME",
    "BURN" * "DEVIATIONS" * SQRT("DAYS_LEFT" + "DAYS_LEFT" * "DAYS_LEFT" / "DAYS") AS "TO_COME_RANGE",
    CASE
      WHEN "SPEND" >= "USAGE_LIMIT"
      THEN 0
      WHEN "BURN" > 0
      THEN CAST("USAGE_LIMIT" - "SPEND" AS DOUBLE) / "BURN"
    END AS "DAYS_UNTIL_LIMIT"
  FROM "BURNS"
)
SELECT
  "ACCOUNT",
  "OBSERVED_AT",
  "PLAN",
  "PERIOD_SOURCE",
  "PERIOD_START",
  "PERIOD_END",
  "SPEND_SOURCE",
  "SPEND",
  "USAGE_LIMIT",
  "RUNS_COST",
  CAST("SPEND" AS DOUBLE) / CAST("USAGE_LIMIT" AS DOUBLE) AS "SPEND_SHARE",
  "USAGE_LIMIT" - "SPEND" AS "REMAINING",
  (
    CAST(DATE_PART(EPOCH_MICROSECOND, "OBSERVED_AT") AS DOUBLE) / 1000000 - CAST(DATE_PART(EPOCH_MICROSECOND, "PERIOD_START") AS DOUBLE) / 1000000
  ) / 86400 AS "DAYS_ELAPSED",
  "DAYS_LEFT",
  CAST("BURN" AS DECIMAL(38, 12)) AS "BURN_PER_DAY",
  CAST(CASE WHEN "BURN_RANGE" > "BURN" THEN 0 ELSE "BURN" - "BURN_RANGE" END AS DECIMAL(38, 12)) AS "BURN_LOW",
  CAST("BURN" + "BURN_RANGE" AS DECIMAL(38, 12)) AS "BURN_HIGH",
  "SPEND" + CAST("TO_COME" AS DECIMAL(38, 12)) AS "FORECAST",
  "SPEND" + CAST(CASE WHEN "TO_COME_RANGE" > "TO_COME" THEN 0 ELSE "TO_COME" - "TO_COME_RANGE" END AS DECIMAL(38, 12)) AS "FORECAST_LOW",
  "SPEND" + CAST("TO_COME" + "TO_COME_RANGE" AS DECIMAL(38, 12)) AS "FORECAST_HIGH",
  "DAYS_UNTIL_LIMIT",
  CASE
    WHEN "DAYS_UNTIL_LIMIT" < COALESCE("DAYS_LEFT", 3650)
    THEN DATEADD(SECOND, CAST(ROUND("DAYS_UNTIL_LIMIT" * 86400) AS BIGINT), "OBSERVED_AT")
  END AS "LIMIT_AT",
  COALESCE(
    "SPEND" > "USAGE_LIMIT"
    OR "SPEND" + CAST("TO_COME" AS DECIMAL(38, 12)) > "USAGE_LIMIT",
    FALSE
  ) AS "OVER_LIMIT"
FROM "FORECASTS";
