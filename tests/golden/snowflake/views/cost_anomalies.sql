CREATE OR REPLACE VIEW "SIM"."COST_ANOMALIES" (
  "DAY" COMMENT 'Day the runs started, UTC',
  "WORKSPACE_ID" COMMENT 'Sim workspace',
  "WORKFLOW_ID" COMMENT 'Workflow that ran; null if Sim does not name one',
  "WORKFLOW_NAME" COMMENT 'Current name of the workflow',
  "TRIGGER" COMMENT 'Trigger of the runs whose cost moved most in the direction of the difference',
  "COST" COMMENT 'Cost of the day in USD',
  "EXPECTED_COST" COMMENT 'Median cost of the comparison days in USD',
  "DIFFERENCE" COMMENT 'cost minus expected_cost, in USD',
  "SCORE" COMMENT 'How unusual the day is: 3.5 or more is unusually expensive, -3.5 or less is unusually cheap',
  "RUNS" COMMENT 'Number of runs started',
  "EXPECTED_RUNS" COMMENT 'Median number of runs on the comparison days',
  "TOKENS_PER_RUN" COMMENT 'Average tokens per run; null without runs',
  "EXPECTED_TOKENS_PER_RUN" COMMENT 'Median of tokens_per_run on the comparison days',
  "DRIVER" COMMENT 'Main cause of the difference: runs, tokens per run or price (cost per token, or per run if there are no tokens)',
  "MODEL" COMMENT 'Model, tool or other cost item whose cost moved most in the direction of the difference',
  "MODEL_DIFFERENCE" COMMENT 'How much the cost of that item moved, in USD',
  "BASELINE_DAYS" COMMENT 'Number of comparison days'
)
COMMENT = 'Days on which a workflow cost much more or less than is usual for that weekday; one row per workflow and unusual day. A day is compared with the same weekday of up to 8 previous weeks, and of at least 3. Days without runs count as 0 USD, from the workflow\'s first day on. The score is robust: 0.6745 * (cost - median) / MAD, where MAD is the median absolute deviation. The MAD is replaced by the largest of these if it is smaller: 0.845 times the mean absolute deviation (the same if days vary evenly, more if a few are far off), 10 % of the median, 0.01 USD. Rows have a score of at least 3.5 in either direction, or 7 if there are only 3 days to compare with, because so few say little about how days vary. The last day in the data may be incomplete, so it is listed only if it cost too much (sim-sync view 00000000)'
AS WITH "WEEKS" AS (
  SELECT
    1 AS "AGO"
  UNION ALL
  SELECT
    2
  UNION ALL
  SELECT
    3
  UNION ALL
  SELECT
    4
  UNION ALL
  SELECT
    5
  UNION ALL
  SELECT
    6
  UNION ALL
  SELECT
    7
  UNION ALL
  SELECT
    8
), "BY_TRIGGER" AS (
  SELECT
    DENSE_RANK() OVER (ORDER BY "WORKSPACE_ID", "WORKFLOW_ID") AS "WORKFLOW",
    "DAY",
    "WORKSPACE_ID",
    "WORKFLOW_ID",
    "TRIGGER",
    MAX("WORKFLOW_NAME") AS "WORKFLOW_NAME",
    COUNT(*) AS "RUNS",
    COALESCE(SUM("COST_TOTAL"), 0) AS "COST",
    COALESCE(SUM("TOTAL_TOKENS"), 0) AS "TOKENS"
  FROM "SIM"."RUNS"
  GROUP BY
    "DAY",
    "WORKSPACE_ID",
    "WORKFLOW_ID",
    "TRIGGER"
), "BY_DAY" AS (
  SELECT
    "WORKFLOW",
    "DAY",
    CAST(SUM("RUNS") AS DOUBLE) AS "RUNS",
    SUM("COST") AS "EXACT_COST",
    CAST(SUM("COST") AS DOUBLE) AS "COST",
    CAST(SUM("TOKENS") AS DOUBLE) AS "TOKENS"
  FROM "BY_TRIGGER"
  GROUP BY
    "WORKFLOW",
    "DAY"
), "WORKFLOWS" AS (
  SELECT
    "WORKFLOW",
    "WORKSPACE_ID",
    "WORKFLOW_ID",
    MAX("WORKFLOW_NAME") AS "WORKFLOW_NAME",
    MIN("DAY") AS "FIRST_DAY",
    MAX(MAX("DAY")) OVER () AS "LAST_DAY"
  FROM "BY_TRIGGER"
  GROUP BY
    "WORKFLOW",
    "WORKSPACE_ID",
    "WORKFLOW_ID"
), "COMPARED" AS (
  SELECT DISTINCT
    "W"."WORKFLOW",
    "W"."FIRST_DAY",
    "D"."DAY" + CAST(7 * "A"."AGO" AS INT) AS "DAY"
  FROM "BY_DAY" AS "D"
  JOIN "WORKFLOWS" AS "W"
    ON "W"."WORKFLOW" = "D"."WORKFLOW"
  CROSS JOIN (
    SELECT
      0 AS "AGO"
    UNION ALL
    SELECT
      "AGO"
    FROM "WEEKS"
  ) AS "A"
  WHERE
    "D"."DAY" + CAST(7 * "A"."AGO" AS INT) BETWEEN "W"."FIRST_DAY" + 21 AND "W"."LAST_DAY"
), "EARLIER" AS (
  SELECT
    "C"."WORKFLOW",
    "C"."DAY",
    "C"."DAY" - CAST(7 * "A"."AGO" AS INT) AS "COMPARED_WITH"
  FROM "COMPARED" AS "C"
  CROSS JOIN "WEEKS" AS "A"
  WHERE
    "C"."DAY" - CAST(7 * "A"."AGO" AS INT) >= "C"."FIRST_DAY"
), "BASELINE" AS (
  SELECT
    "E"."WORKFLOW",
    "E"."DAY",
    COALESCE("D"."COST", 0) AS "COST",
    COALESCE("D"."RUNS", 0) AS "RUNS",
    "D"."TOKENS" / "D"."RUNS" AS "TOKENS_PER_RUN",
    "D"."COST" / "D"."RUNS" AS "COST_PER_RUN",
    "D"."COST" / NULLIF("D"."TOKENS", 0) AS "COST_PER_TOKEN"
  FROM "EARLIER" AS "E"
  LEFT JOIN "BY_DAY" AS "D"
    ON "D"."WORKFLOW" = "E"."WORKFLOW" AND "D"."DAY" = "E"."COMPARED_WITH"
), "PLACED" AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY "WORKFLOW", "DAY" ORDER BY "COST") - 1 AS "PLACE_OF_COST",
    ROW_NUMBER() OVER (PARTITION BY "WORKFLOW", "DAY" ORDER BY "RUNS") - 1 AS "PLACE_OF_RUNS",
    ROW_NUMBER() OVER (PARTITION BY "WORKFLOW", "DAY" ORDER BY "TOKENS_PER_RUN") - 1 AS "PLACE_OF_TOKENS",
    ROW_NUMBER() OVER (PARTITION BY "WORKFLOW", "DAY" ORDER BY "COST_PER_RUN") - 1 AS "PLACE_OF_COST_PER_RUN",
    ROW_NUMBER() OVER (PARTITION BY "WORKFLOW", "DAY" ORDER BY "COST_PER_TOKEN") - 1 AS "PLACE_OF_COST_PER_TOKEN",
    CAST(COUNT(*) OVER (PARTITION BY "WORKFLOW", "DAY") - 1 AS DOUBLE) / 2 AS "MIDDLE",
    CAST(COUNT("COST_PER_RUN") OVER (PARTITION BY "WORKFLOW", "DAY") - 1 AS DOUBLE) / 2 AS "MIDDLE_WITH_RUNS",
    CAST(COUNT("COST_PER_TOKEN") OVER (PARTITION BY "WORKFLOW", "DAY") - 1 AS DOUBLE) / 2 AS "MIDDLE_WITH_TOKENS"
  FROM "BASELINE"
), "MEDIANS" AS (
  SELECT
    "WORKFLOW",
    "DAY",
    COUNT(*) AS "BASELINE_DAYS",
    SUM("COST" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE_OF_COST" - "MIDDLE"), 0)) AS "COST",
    SUM("RUNS" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE_OF_RUNS" - "MIDDLE"), 0)) AS "RUNS",
    SUM(
      "TOKENS_PER_RUN" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE_OF_TOKENS" - "MIDDLE_WITH_RUNS"), 0)
    ) AS "TOKENS_PER_RUN",
    SUM(
      "COST_PER_RUN" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE_OF_COST_PER_RUN" - "MIDDLE_WITH_RUNS"), 0)
    ) AS "COST_PER_RUN",
    SUM(
      "COST_PER_TOKEN" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE_OF_COST_PER_TOKEN" - "MIDDLE_WITH_TOKENS"), 0)
    ) AS "COST_PER_TOKEN"
  FROM "PLACED"
  GROUP BY
    "WORKFLOW",
    "DAY"
), "DEVIATIONS" AS (
  SELECT
    "P"."WORKFLOW",
    "P"."DAY",
    "P"."MIDDLE",
    "M"."COST" AS "EXPECTED_COST",
    ABS("P"."COST" - "M"."COST") AS "DEVIATION",
    ROW_NUMBER() OVER (PARTITION BY "P"."WORKFLOW", "P"."DAY" ORDER BY ABS("P"."COST" - "M"."COST")) - 1 AS "PLACE"
  FROM "PLACED" AS "P"
  JOIN "MEDIANS" AS "M"
    ON "M"."WORKFLOW" = "P"."WORKFLOW" AND "M"."DAY" = "P"."DAY"
), "SPREADS" AS (
  SELECT
    "WORKFLOW",
    "DAY",
    GREATEST_IGNORE_NULLS(
      SUM("DEVIATION" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE" - "MIDDLE"), 0)),
      0.845 * AVG("DEVIATION"),
      0.1 * MAX("EXPECTED_COST"),
      0.01
    ) AS "SPREAD"
  FROM "DEVIATIONS"
  GROUP BY
    "WORKFLOW",
    "DAY"
), "SCORED" AS (
  SELECT
    "M"."WORKFLOW",
    "M"."DAY",
    "M"."BASELINE_DAYS",
    COALESCE("D"."EXACT_COST", 0) AS "EXACT_COST",
    COALESCE("D"."COST", 0) AS "COST",
    "M"."COST" AS "EXPECTED_COST",
    0.6745 * (
      COALESCE("D"."COST", 0) - "M"."COST"
    ) / "V"."SPREAD" AS "SCORE",
    COALESCE("D"."RUNS", 0) AS "RUNS",
    "M"."RUNS" AS "EXPECTED_RUNS",
    "D"."TOKENS" / "D"."RUNS" AS "TOKENS_PER_RUN",
    "M"."TOKENS_PER_RUN" AS "EXPECTED_TOKENS_PER_RUN",
    "D"."COST" / "D"."RUNS" AS "COST_PER_RUN",
    "M"."COST_PER_RUN" AS "EXPECTED_COST_PER_RUN",
    "D"."COST" / NULLIF("D"."TOKENS", 0) AS "COST_PER_TOKEN",
    "M"."COST_PER_TOKEN" AS "EXPECTED_COST_PER_TOKEN"
  FROM "MEDIANS" AS "M"
  JOIN "SPREADS" AS "V"
    ON "V"."WORKFLOW" = "M"."WORKFLOW" AND "V"."DAY" = "M"."DAY"
  LEFT JOIN "BY_DAY" AS "D"
    ON "D"."WORKFLOW" = "M"."WORKFLOW" AND "D"."DAY" = "M"."DAY"
), "UNUSUAL" AS (
  SELECT
    "S".*,
    "W"."WORKSPACE_ID",
    "W"."WORKFLOW_ID",
    "W"."WORKFLOW_NAME",
    CASE WHEN "S"."SCORE" > 0 THEN 1 ELSE -1 END AS "DIRECTION"
  FROM "SCORED" AS "S"
  JOIN "WORKFLOWS" AS "W"
    ON "W"."WORKFLOW" = "S"."WORKFLOW"
  WHERE
    ABS("S"."SCORE") >= CASE WHEN "S"."BASELINE_DAYS" > 3 THEN 3.5 ELSE 7 END
    AND (
      "S"."SCORE" > 0 OR "S"."DAY" < "W"."LAST_DAY"
    )
), "LOOKED_AT" AS (
  SELECT
    "WORKFLOW",
    "DAY",
    "WORKSPACE_ID",
    "WORKFLOW_ID"
  FROM "UNUSUAL"
  UNION
  SELECT
    "U"."WORKFLOW",
    "E"."COMPARED_WITH" AS "DAY",
    "U"."WORKSPACE_ID",
    "U"."WORKFLOW_ID"
  FROM "UNUSUAL" AS "U"
  JOIN "EARLIER" AS "E"
    ON "E"."WORKFLOW" = "U"."WORKFLOW" AND "E"."DAY" = "U"."DAY"
), "PARTS" AS (
  SELECT
    "WORKFLOW",
    "DAY",
    'trigger' AS "PART",
    COALESCE("TRIGGER", '') AS "NAME",
    CAST("COST" AS DOUBLE) AS "COST"
  FROM "BY_TRIGGER"
  UNION ALL
  SELECT
    "A"."WORKFLOW",
    "A"."DAY",
    "I"."KIND" AS "PART",
    "I"."NAME",
    CAST(SUM("I"."TOTAL_COST") AS DOUBLE) AS "COST"
  FROM "LOOKED_AT" AS "A"
  JOIN "SIM"."LOGS" AS "L"
    ON CAST(CONVERT_TIMEZONE('UTC', "L"."STARTED_AT") AS DATE) = "A"."DAY"
    AND COALESCE("L"."WORKSPACE_ID", '') = COALESCE("A"."WORKSPACE_ID", '')
    AND COALESCE("L"."WORKFLOW_ID", '') = COALESCE("A"."WORKFLOW_ID", '')
  JOIN "SIM"."COST_ITEMS" AS "I"
    ON "I"."LOG_ID" = "L"."ID"
  GROUP BY
    "A"."WORKFLOW",
    "A"."DAY",
    "I"."KIND",
    "I"."NAME"
), "PLACED_PARTS" AS (
  SELECT
    "U"."WORKFLOW",
    "U"."DAY",
    "U"."DIRECTION",
    "N"."PART",
    "N"."NAME",
    COALESCE("P"."COST", 0) AS "COST",
    ROW_NUMBER() OVER (
      PARTITION BY "U"."WORKFLOW", "U"."DAY", "N"."PART", "N"."NAME"
      ORDER BY COALESCE("P"."COST", 0)
    ) - 1 AS "PLACE",
    CAST(COUNT(*) OVER (PARTITION BY "U"."WORKFLOW", "U"."DAY", "N"."PART", "N"."NAME") - 1 AS DOUBLE) / 2 AS "MIDDLE"
  FROM "UNUSUAL" AS "U"
  JOIN (
    SELECT DISTINCT
      "WORKFLOW",
      "PART",
      "NAME"
    FROM "PARTS"
  ) AS "N"
    ON "N"."WORKFLOW" = "U"."WORKFLOW"
  JOIN "EARLIER" AS "E"
    ON "E"."WORKFLOW" = "U"."WORKFLOW" AND "E"."DAY" = "U"."DAY"
  LEFT JOIN "PARTS" AS "P"
    ON "P"."WORKFLOW" = "U"."WORKFLOW"
    AND "P"."DAY" = "E"."COMPARED_WITH"
    AND "P"."PART" = "N"."PART"
    AND "P"."NAME" = "N"."NAME"
), "EXPECTED_PARTS" AS (
  SELECT
    "WORKFLOW",
    "DAY",
    "DIRECTION",
    "PART",
    "NAME",
    SUM("COST" * GREATEST_IGNORE_NULLS(1 - ABS("PLACE" - "MIDDLE"), 0)) AS "COST"
  FROM "PLACED_PARTS"
  GROUP BY
    "WORKFLOW",
    "DAY",
    "DIRECTION",
    "PART",
    "NAME"
), "MOVED" AS (
  SELECT
    "X"."WORKFLOW",
    "X"."DAY",
    "X"."PART" = 'trigger' AS "IS_TRIGGER",
    "X"."NAME",
    COALESCE("P"."COST", 0) - "X"."COST" AS "DIFFERENCE",
    ROW_NUMBER() OVER (
      PARTITION BY "X"."WORKFLOW", "X"."DAY", "X"."PART" = 'trigger'
      ORDER BY "X"."DIRECTION" * (
        COALESCE("P"."COST", 0) - "X"."COST"
      ) DESC NULLS LAST, "X"."PART", "X"."NAME"
    ) AS "PLACE"
  FROM "EXPECTED_PARTS" AS "X"
  LEFT JOIN "PARTS" AS "P"
    ON "P"."WORKFLOW" = "X"."WORKFLOW"
    AND "P"."DAY" = "X"."DAY"
    AND "P"."PART" = "X"."PART"
    AND "P"."NAME" = "X"."NAME"
), "MOVES" AS (
  SELECT
    *,
    CASE
      WHEN "RUNS" > 0 AND "EXPECTED_RUNS" > 0
      THEN "DIRECTION" * LN("RUNS" / "EXPECTED_RUNS")
    END AS "BY_RUNS",
    CASE
      WHEN "TOKENS_PER_RUN" > 0 AND "EXPECTED_TOKENS_PER_RUN" > 0
      THEN "DIRECTION" * LN("TOKENS_PER_RUN" / "EXPECTED_TOKENS_PER_RUN")
    END AS "BY_TOKENS",
    CASE
      WHEN "COST_PER_TOKEN" > 0
      AND "EXPECTED_COST_PER_TOKEN" > 0
      AND "EXPECTED_TOKENS_PER_RUN" > 0
      THEN "DIRECTION" * LN("COST_PER_TOKEN" / "EXPECTED_COST_PER_TOKEN")
      WHEN "COST_PER_RUN" > 0 AND "EXPECTED_COST_PER_RUN" > 0
      THEN "DIRECTION" * LN("COST_PER_RUN" / "EXPECTED_COST_PER_RUN")
    END AS "BY_PRICE"
  FROM "UNUSUAL"
)
SELECT
  "M"."DAY",
  "M"."WORKSPACE_ID",
  "M"."WORKFLOW_ID",
  "M"."WORKFLOW_NAME",
  NULLIF("T"."NAME", '') AS "TRIGGER",
  "M"."EXACT_COST" AS "COST",
  CAST("M"."EXPECTED_COST" AS DECIMAL(38, 12)) AS "EXPECTED_COST",
  "M"."EXACT_COST" - CAST("M"."EXPECTED_COST" AS DECIMAL(38, 12)) AS "DIFFERENCE",
  "M"."SCORE",
  CAST("M"."RUNS" AS BIGINT) AS "RUNS",
  "M"."EXPECTED_RUNS",
  "M"."TOKENS_PER_RUN",
  "M"."EXPECTED_TOKENS_PER_RUN",
  CASE
    WHEN "M"."RUNS" = 0 OR "M"."EXPECTED_RUNS" = 0
    THEN 'runs'
    WHEN "M"."DIRECTION" > 0
    AND "M"."TOKENS_PER_RUN" > 0
    AND "M"."EXPECTED_TOKENS_PER_RUN" = 0
    THEN 'tokens per run'
    WHEN "M"."DIRECTION" < 0
    AND "M"."TOKENS_PER_RUN" = 0
    AND "M"."EXPECTED_TOKENS_PER_RUN" > 0
    THEN 'tokens per run'
    WHEN "M"."BY_PRICE" IS NULL
    THEN 'price'
    WHEN "M"."BY_RUNS" >= "M"."BY_PRICE"
    AND "M"."BY_RUNS" >= COALESCE("M"."BY_TOKENS", "M"."BY_PRICE")
    THEN 'runs'
    WHEN "M"."BY_TOKENS" >= "M"."BY_PRICE"
    THEN 'tokens per run'
    ELSE 'price'
  END AS "DRIVER",
  "I"."NAME" AS "MODEL",
  CAST("I"."DIFFERENCE" AS DECIMAL(38, 12)) AS "MODEL_DIFFERENCE",
  "M"."BASELINE_DAYS"
FROM "MOVES" AS "M"
LEFT JOIN "MOVED" AS "T"
  ON "T"."WORKFLOW" = "M"."WORKFLOW"
  AND "T"."DAY" = "M"."DAY"
  AND "T"."IS_TRIGGER"
  AND "T"."PLACE" = 1
LEFT JOIN "MOVED" AS "I"
  ON "I"."WORKFLOW" = "M"."WORKFLOW"
  AND "I"."DAY" = "M"."DAY"
  AND NOT "I"."IS_TRIGGER"
  AND "I"."PLACE" = 1;
