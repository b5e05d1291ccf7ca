"use strict";
/* Computes each figure: a table that equals the result of its SQL, and rows for its chart. */

const sum = (column, name) => `CAST(COALESCE(SUM(${column}), 0) AS BIGINT) AS ${name}`;
const dollars = (expression, name) => `COALESCE(${expression}, 0) AS ${name}`;
const ENDED_BADLY = "status IN ('failed', 'cancelled')";

/* The result of a figure. Columns are [name, kind]; amounts are exact BigInts, in pico-dollars. */
function answer(columns, rows, chart, sql, summary, note = "") {
  return { columns, rows, chart, sql, summary, note };
}

/* Sums columns of the cells, grouped by a number that numberOf returns for each cell. */
function addedUp(selection, size, numberOf, counts, amounts, mask = selection.mask) {
  const { cells } = selection.told;
  const found = { seen: new Uint8Array(size) };
  for (const name of counts) found[name] = new Float64Array(size);
  for (const name of amounts) found[name] = new Amounts(size);
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i] || !cells.runs[i]) continue;
    const at = numberOf(i);
    found.seen[at] = 1;
    for (const name of counts) found[name][at] += cells[name][i];
    for (const name of amounts) found[name].add(at, cells, name, i);
  }
  return found;
}

const seen = (found) => [...found.seen.keys()].filter((at) => found.seen[at]);
const inPeriods = (selection, ...columns) =>
  addedUp(selection, selection.starts.length, (cell) => selection.slot(cell), ...columns);

function headline(selection) {
  const counts = ["runs", "completed", "failed", "costed", "split", "prompt", "completion"];
  const periods = [["chosen", selection.mask], ["before", selection.earlier]].map(([name, mask]) => {
    return [name, addedUp(selection, 1, () => 0, counts, ["cost", "wasted"], mask)];
  });
  const rows = periods
    .filter(([, found]) => found.seen[0])
    .map(([name, found]) => [
      name, ...counts.slice(0, 5).map((column) => found[column][0]),
      found.cost.exact(), found.wasted.exact(), found.prompt[0], found.completion[0],
    ]);
  const sql = `SELECT CASE WHEN day >= ${date(selection.from)} THEN 'chosen' ELSE 'before' END AS period,
  COUNT(*) AS runs,
  COUNT(*) FILTER (WHERE status = 'completed') AS completed_runs,
  COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
  COUNT(cost_total) AS runs_with_cost,
  COUNT(*) FILTER (WHERE cost_total IS NOT NULL AND unknown_cost IS NULL) AS runs_with_split,
  ${dollars("SUM(cost_total)", "cost")},
  ${dollars(`SUM(cost_total) FILTER (WHERE ${ENDED_BADLY})`, "wasted_cost")},
  ${sum("prompt_tokens", "prompt_tokens")},
  ${sum("completion_tokens", "completion_tokens")}
FROM ${selection.told.dataset}.runs
WHERE ${where(selection, { from: selection.before })}
GROUP BY 1
ORDER BY 1 DESC`;
  const columns = [
    ["period", "text"], ["runs", "count"], ["completed_runs", "count"], ["failed_runs", "count"],
    ["runs_with_cost", "count"], ["runs_with_split", "count"], ["cost", "usd"], ["wasted_cost", "usd"],
    ["prompt_tokens", "count"], ["completion_tokens", "count"],
  ];
  return { ...answer(columns, rows, {}, sql, ""), chosen: periods[0][1], before: periods[1][1] };
}

function spend(selection) {
  const { told, mask } = selection;
  const { groups, group_of: groupOf, parts } = told;
  const width = groups.length + 1; // the last is the total
  const found = new Amounts(selection.starts.length * width);
  const used = new Uint8Array(selection.starts.length);
  for (let i = 0; i < parts.cell.length; i++) {
    if (!mask[parts.cell[i]]) continue;
    const slot = selection.slot(parts.cell[i]);
    used[slot] = 1;
    found.add(slot * width + groupOf[parts.item[i]], parts, "cost", i);
    found.add(slot * width + groups.length, parts, "cost", i);
  }
  const slots = [...used.keys()].filter((slot) => used[slot]);
  const rows = slots.map((slot) => [
    selection.starts[slot], ...[...groups, "total"].map((_, at) => found.exact(slot * width + at)),
  ]);
  const bars = slots.flatMap((slot) => stacked(selection.period(slot), groups, (at) => found.number(slot * width + at)));
  const columns = [[selection.grain, "day"], ...[...groups, "total"].map((name) => [name, "usd"])];
  const most = highest(slots, (slot) => found.number(slot * width + groups.length));
  const total = rows.reduce((all, row) => all + row.at(-1), 0n);
  const summary = slots.length
    ? `${usd(Number(total) / 1e12)} in total; the highest: ${usd(most.value)}${most.value ? ` on ${selection.period(most.at).period}` : ""}.`
    : "";
  return answer(columns, rows, { rows: bars }, spendSql(selection), summary);
}

function stacked(at, names, amountOf) {
  let from = 0;
  return names.flatMap((item, group) => {
    const amount = amountOf(group);
    if (!amount) return [];
    from += amount;
    return [{ ...at, item, from: from - amount, upto: from, spend: usd(amount) }];
  });
}

function highest(slots, amountOf) {
  return slots.reduce((most, at) => (amountOf(at) > most.value ? { at, value: amountOf(at) } : most), { at: 0, value: 0 });
}

function spendSql(selection) {
  const { groups, group_of: groupOf, items } = selection.told;
  const own = items.filter(([kind, name], at) => kind === "model" && name === groups[groupOf[at]]).map(([, name]) => name);
  const columns = groups.map((group, at) => {
    const [kind, name] = items[groupOf.indexOf(at)];
    let of = `kind = ${literal(kind)}`;
    if (kind === "model" && name === group) of += ` AND name = ${literal(name)}`;
    else if (kind === "model" && own.length) of += ` AND name NOT IN (${own.map(literal).join(", ")})`;
    return dollars(`SUM(total_cost) FILTER (WHERE ${of})`, quoted(group));
  });
  return byPeriod(selection, [...columns, dollars("SUM(total_cost)", "total")], "cost_by_model");
}

function workflowsFigure(selection) {
  const options = selection.filters.options.workflow;
  const { workflow } = selection.told.cells;
  const found = addedUp(selection, options.length, (cell) => workflow[cell],
    ["runs", "completed", "failed", "prompt", "completion"], ["cost"]);
  const order = seen(found).sort((a, b) => found.cost.number(b) - found.cost.number(a) || a - b);
  const rows = order.map((at) => [
    options[at].id, options[at].rest ? options[at].label : options[at].name,
    found.runs[at], found.failed[at], found.failed[at] / found.runs[at], found.cost.exact(at),
    found.completed[at] ? found.cost.number(at) / found.completed[at] : null, found.prompt[at], found.completion[at],
  ]);
  const columns = [
    ["workflow_id", "id"], ["workflow_name", "text"], ["runs", "count"], ["failed_runs", "count"],
    ["failed_share", "share"], ["cost", "usd"], ["usd_per_completed_run", "ratio"],
    ["prompt_tokens", "count"], ["completion_tokens", "count"],
  ];
  const own = "CASE WHEN workflow_id IS NULL THEN workflow_name END";
  const sql = `SELECT workflow_id, MAX(workflow_name) AS workflow_name,
  COUNT(*) AS runs,
  COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs,
  CAST(COUNT(*) FILTER (WHERE status = 'failed') AS DOUBLE PRECISION) / COUNT(*) AS failed_share,
  ${dollars("SUM(cost_total)", "cost")},
  CAST(SUM(cost_total) AS DOUBLE PRECISION)
    / NULLIF(COUNT(*) FILTER (WHERE status = 'completed'), 0) AS usd_per_completed_run,
  ${sum("prompt_tokens", "prompt_tokens")},
  ${sum("completion_tokens", "completion_tokens")}
FROM ${selection.told.dataset}.runs
WHERE ${where(selection)}
GROUP BY workspace_id, workflow_id, ${own}
ORDER BY cost DESC`;
  const rest = order.filter((at) => options[at].rest);
  const note = rest.length ? "The smallest workflows are shown as one, “other workflows”. The SQL lists each of them." : "";
  const bars = ranked(order, (at) => options[at].label, (at) => found.cost.number(at));
  return answer(columns, rows, { rows: bars.rows }, sql, bars.summary("workflow"), note);
}

/* The 15 largest as bars, and a summary of the others. */
function ranked(order, labelOf, amountOf) {
  const total = order.reduce((all, at) => all + amountOf(at), 0);
  const rows = order.slice(0, 15).map((at) => {
    const [name, cost] = [labelOf(at), amountOf(at)];
    return { name, label: name, cost, spend: usd(cost), share: percent(cost / total) };
  });
  const others = order.slice(15);
  const rest = usd(others.reduce((all, at) => all + amountOf(at), 0));
  const more = others.length ? ` The table lists ${count.format(others.length)} more, ${rest} in total.` : "";
  const summary = (what) =>
    rows.length && total
      ? `${plural(order.length, what)}; ${rows[0].name} costs the most, ${rows[0].spend} (${rows[0].share}).${more}`
      : "";
  return { rows, summary };
}

function models(selection) {
  const { told, mask } = selection;
  const { items, parts } = told;
  const cost = new Amounts(items.length);
  const [prompt, completion, used] = [0, 1, 2].map(() => new Float64Array(items.length));
  for (let i = 0; i < parts.cell.length; i++) {
    if (!mask[parts.cell[i]]) continue;
    const at = parts.item[i];
    used[at] = 1;
    cost.add(at, parts, "cost", i);
    prompt[at] += parts.prompt[i];
    completion[at] += parts.completion[i];
  }
  const order = [...used.keys()].filter((at) => used[at]).sort((a, b) => cost.number(b) - cost.number(a) || a - b);
  const rows = order.map((at) => [
    items[at][0], items[at][1], cost.exact(at), prompt[at], completion[at],
    prompt[at] + completion[at] ? (cost.number(at) * 1e6) / (prompt[at] + completion[at]) : null,
  ]);
  const columns = [
    ["kind", "text"], ["name", "text"], ["cost", "usd"], ["prompt_tokens", "count"], ["completion_tokens", "count"],
    ["usd_per_million_tokens", "ratio"],
  ];
  const sql = `SELECT kind, name,
  ${dollars("SUM(total_cost)", "cost")},
  ${sum("prompt_tokens", "prompt_tokens")},
  ${sum("completion_tokens", "completion_tokens")},
  CAST(SUM(total_cost) AS DOUBLE PRECISION) * 1000000
    / NULLIF(SUM(prompt_tokens) + SUM(completion_tokens), 0) AS usd_per_million_tokens
FROM ${told.dataset}.cost_by_model
WHERE ${where(selection)}
GROUP BY kind, name
ORDER BY cost DESC`;
  const label = ([kind, name]) =>
    ({ other: "base charge and other", unknown: "split not known" })[kind] ??
    `${name ?? `other ${kind}s`}${kind === "tool" ? " (tool)" : ""}`;
  const bars = ranked(order, (at) => label(items[at]), (at) => cost.number(at));
  const note = order.some((at) => items[at][1] === null) ? "The smallest items are shown as one. The SQL lists each of them." : "";
  return answer(columns, rows, { rows: bars.rows }, sql, bars.summary("item"), note);
}
