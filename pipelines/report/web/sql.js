"use strict";
/* The SQL shown with each figure: the query on the destination that returns the same table for the same filters. */

const literal = (text) => `'${text.replaceAll("'", "''")}'`;
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
const date = (day) => `DATE '${dayText(day)}'`;

/* The conditions for a selection. `from` replaces its first day. */
function where(selection, { from = selection.from, more = [] } = {}) {
  const { told, filters } = selection;
  const { workspace, workflow, trigger } = filters.chosen;
  const looked = (kind, chosen) => filters.options[kind].filter((option) => chosen.has(option.key));
  return [
    `day BETWEEN ${date(from)} AND ${date(selection.to)}`,
    ...told.condition,
    ...(workspace.size ? [isIn("workspace_id", looked("workspace", workspace).map((option) => option.value))] : []),
    ...(workflow.size ? [isWorkflow(looked("workflow", workflow), filters.options.workflow)] : []),
    ...(trigger.size ? [isIn("trigger", looked("trigger", trigger).map((option) => option.value))] : []),
    ...more,
  ].join("\n  AND ");
}

function isIn(column, values) {
  const named = values.filter((value) => value !== null);
  const parts = [];
  if (named.length === 1) parts.push(`${column} = ${literal(named[0])}`);
  if (named.length > 1) parts.push(`${column} IN (${named.map(literal).join(", ")})`);
  if (named.length < values.length) parts.push(`${column} IS NULL`);
  return any(parts);
}

function any(parts) {
  return parts.length === 1 ? parts[0] : `(${parts.join(" OR ")})`;
}

function isWorkflow(options, all) {
  const ids = options.filter((option) => option.id !== null).map((option) => option.id);
  const parts = ids.length ? [isIn("workflow_id", ids)] : [];
  for (const option of options.filter((each) => each.id === null)) {
    const within = isIn("workspace_id", [option.workspace]);
    if (!option.rest) {
      parts.push(`(${within} AND workflow_id IS NULL AND workflow_name = ${literal(option.name)})`);
      continue;
    }
    const others = all.filter((each) => each.workspace === option.workspace && !each.rest);
    parts.push(`(${within}${others.length ? ` AND NOT COALESCE(${isWorkflow(others, all)}, FALSE)` : ""})`);
  }
  return any(parts);
}

/* The expression for the period of a row. */
function period(selection) {
  return selection.grain === "day" ? "day" : `CAST(DATE_TRUNC('${selection.grain}', day) AS DATE)`;
}

function byPeriod(selection, columns, from) {
  const by = period(selection);
  return `SELECT ${by === "day" ? by : `${by} AS ${selection.grain}`},\n  ${columns.join(",\n  ")}
FROM ${selection.told.dataset}.${from}
WHERE ${where(selection)}
GROUP BY ${by}
ORDER BY ${by}`;
}
