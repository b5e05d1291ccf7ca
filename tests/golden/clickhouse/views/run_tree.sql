CREATE OR REPLACE VIEW `analytics`.`sim___run_tree` AS WITH RECURSIVE "calls" AS (
  SELECT
    "c"."execution_id",
    "p"."execution_id" AS "parent_execution_id",
    "c"."cost_total",
    ROW_NUMBER() OVER (
      PARTITION BY "c"."execution_id"
      ORDER BY "p"."started_at", "p"."id", "s"."span_index"
    ) AS "place"
  FROM "analytics"."sim___trace_spans" AS "s"
  JOIN "analytics"."sim___logs" AS "p"
    ON "p"."id" = "s"."log_id"
  JOIN "analytics"."sim___logs" AS "c"
    ON "c"."execution_id" = "s"."child_execution_id" AND "c"."id" <> "p"."id"
  WHERE
    NOT (
      "s"."child_execution_id" IS NULL
    )
), "edges" AS (
  SELECT
    "execution_id",
    "parent_execution_id",
    "cost_total"
  FROM "calls"
  WHERE
    "place" = 1
), "above" AS (
  SELECT
    "execution_id",
    "parent_execution_id" AS "ancestor",
    "cost_total",
    1 AS "distance"
  FROM "edges"
  UNION ALL
  SELECT
    "a"."execution_id",
    "e"."parent_execution_id",
    "a"."cost_total",
    "a"."distance" + 1
  FROM "above" AS "a"
  JOIN "edges" AS "e"
    ON "e"."execution_id" = "a"."ancestor"
  WHERE
    "a"."distance" < 50
), "circles" AS (
  SELECT DISTINCT
    "execution_id"
  FROM "above"
  WHERE
    "distance" = 50 OR "ancestor" = "execution_id"
), "tops" AS (
  SELECT
    "execution_id",
    "ancestor",
    "distance",
    ROW_NUMBER() OVER (PARTITION BY "execution_id" ORDER BY "distance" DESC) AS "place"
  FROM "above"
  WHERE
    NOT (
      "execution_id" IN (
        SELECT
          "execution_id"
        FROM "circles"
      )
    )
), "below" AS (
  SELECT
    "ancestor",
    SUM("cost_total") AS "cost",
    SUM(CASE WHEN "distance" = 1 THEN 1 ELSE 0 END) AS "children"
  FROM "above"
  WHERE
    NOT (
      "execution_id" IN (
        SELECT
          "execution_id"
        FROM "circles"
      )
    )
  GROUP BY
    "ancestor"
)
SELECT
  "l"."id" AS "log_id",
  "l"."execution_id",
  "l"."workspace_id",
  "l"."workflow_id",
  "l"."workflow_name",
  CASE WHEN NOT (
    "t"."ancestor" IS NULL
  ) THEN "e"."parent_execution_id" END AS "parent_execution_id",
  COALESCE("t"."ancestor", "l"."execution_id") AS "root_execution_id",
  COALESCE("t"."distance", 0) AS "depth",
  CAST(COALESCE("b"."children", 0) AS Nullable(Int64)) AS "children",
  "l"."cost_total" AS "own_cost",
  CASE
    WHEN "b"."cost" IS NULL
    THEN "l"."cost_total"
    ELSE COALESCE("l"."cost_total", 0) + "b"."cost"
  END AS "tree_cost"
FROM "analytics"."sim___logs" AS "l"
LEFT JOIN "tops" AS "t"
  ON "t"."execution_id" = "l"."execution_id" AND "t"."place" = 1
LEFT JOIN "edges" AS "e"
  ON "e"."execution_id" = "l"."execution_id"
LEFT JOIN "below" AS "b"
  ON "b"."ancestor" = "l"."execution_id"
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
COMMENT 'Runs and the runs of custom blocks below them, one row per run. A custom block runs in the workspace that published it, and its cost is not part of the cost of the run that called it. A run that no trace names as its child is a root (sim-sync view 00000000)';
