"use strict";
/* Figures that are not computed on the page: the account's budget, and unusual days. */

function budget(selection, found) {
  const { told } = selection;
  const { from, to, days, more, known } = found.burn;
  let spent = 0n;
  const rows = days.map(([day, cost]) => [dayNumber(day), (spent += exactOf(cost))]);
  const sql = `-- limit and forecast: SELECT * FROM ${told.dataset}.budget WHERE account = ${literal(found.account)}
SELECT day, SUM(SUM(total_cost)) OVER (ORDER BY day) AS spend
FROM ${told.dataset}.cost_by_day
WHERE day BETWEEN ${date(dayNumber(from))} AND ${date(dayNumber(to))}${more}
GROUP BY day
ORDER BY day`;
  const chart = { rows: burnt(found, rows), forecast: ahead(found), limit: limit(found) };
  const summary = known ? budgetWords(found) : `${budgetWords(found)} The runs of this account are not known; the chart shows the forecast only.`;
  const note =
    `Covers the whole account; filters do not apply. The line is the cost of the loaded runs, ${usd(Number(spent) / 1e12)}; ` +
    `the forecast starts from the spend reported by Sim, ${usd(Number(found.spend))} on ${momentText(found.observed_at)}.`;
  return answer([["day", "day"], ["spend", "usd"]], rows, chart, sql, summary, note);
}

/* Spend up to the end of each day; on the last day, up to the time when Sim reported the spend. */
function burnt(found, rows) {
  const now = Date.parse(found.observed_at);
  const points = rows.map(([day, exact]) => {
    const spend = Number(exact) / 1e12;
    const end = (day + 1) * DAY_MS;
    return { day: end - DAY_MS < now ? Math.min(end, now) : end, period: dated(day, longDay), spend, spent: usd(spend) };
  });
  const start = { day: Date.parse(found.period_start), period: dated(dayNumber(found.period_start), longDay), spend: 0, spent: usd(0) };
  return [start, ...points];
}

/* The forecast, from the spend reported by Sim to the end of the period. */
function ahead(found) {
  if (found.forecast === null) return [];
  const point = (moment, spend, low, high) => ({
    day: Date.parse(moment), period: dated(lastDay(moment), longDay), spend: Number(spend), low: Number(low), high: Number(high),
    forecast: `${usd(Number(spend))} (${usd(Number(low))} – ${usd(Number(high))})`,
  });
  const { observed_at: now, period_end: end, spend, forecast, forecast_low: low, forecast_high: high } = found;
  return [point(now, spend, spend, spend), point(end, forecast, low ?? forecast, high ?? forecast)];
}

/* The last day of a period that ends at a moment. */
const lastDay = (moment) => Math.floor((Date.parse(moment) - 1) / DAY_MS);

/* The limit line. A limit far above the spend is left out, since it would flatten the chart; the summary names it. */
function limit(found) {
  const amount = Number(found.usage_limit);
  const most = Math.max(...[found.spend, found.forecast, found.forecast_high].map(Number));
  return found.usage_limit === null || amount > 3 * most ? [] : [{ limit: amount, label: `limit ${usd(amount)}` }];
}

function budgetWords(found) {
  const spend = Number(found.spend);
  const parts = [`${usd(spend)} spent in this period`];
  if (found.usage_limit !== null) parts.push(`${percent(Number(found.spend_share), 0)} of the limit of ${usd(Number(found.usage_limit))}`);
  if (found.burn_per_day !== null) parts.push(`${usd(Number(found.burn_per_day))} a day`);
  if (found.forecast !== null) parts.push(`${forecastWords(found)} by ${dated(lastDay(found.period_end), longDay)}`);
  if (found.usage_limit !== null && spend > Number(found.usage_limit)) parts.push("the limit is exceeded");
  else if (found.limit_at !== null) parts.push(`the limit is reached on ${dated(dayNumber(found.limit_at), longDay)}`);
  else if (found.over_limit) parts.push("the forecast exceeds the limit");
  return `${parts.join("; ")}.`;
}

function forecastWords(found) {
  const range = found.forecast_low === null ? "" : ` (${usd(Number(found.forecast_low))} – ${usd(Number(found.forecast_high))})`;
  return `forecast ${usd(Number(found.forecast))}${range}`;
}

/* The bill of the latest period, by source. */
function bill(selection) {
  const found = selection.told.bill;
  const rows = found.rows.map((row) => [
    row.source, Number(row.events), Number(row.credits), exactOf(row.cost), exactOf(row.explained), exactOf(row.unexplained),
  ]);
  const total = rows.reduce((all, row) => all + row[3], 0n);
  const explained = rows.reduce((all, row) => all + row[4], 0n);
  const columns = [
    ["source", "text"], ["events", "count"], ["credits", "count"], ["cost", "usd"], ["explained", "usd"], ["unexplained", "usd"],
  ];
  const bars = ranked([...rows.keys()], (at) => rows[at][0] ?? "(no source)", (at) => Number(rows[at][3]) / 1e12);
  const period = `${dated(dayNumber(found.period_start), longDay)} to ${dated(lastDay(found.period_end), longDay)}`;
  const summary =
    `${usd(Number(total) / 1e12)} from ${period}, of which runs explain ${usd(Number(explained) / 1e12)}; ` +
    (found.adds_up ? "the bill adds up to the ledger." : "the bill does not add up to the ledger.");
  const twice = Number(found.twice)
    ? ` ${usd(Number(found.twice))} of Sim-agent blocks is also part of the cost of their runs.`
    : "";
  const note =
    "Covers everything that Sim charged; filters do not apply. Sim rounds credits over 100 events, so the total may be off by " +
    `${usd(Number(found.uncertainty))}.${twice}`;
  return answer(columns, rows, { rows: bars.rows }, found.sql, summary, note);
}

function anomalies(selection) {
  const { told, filters } = selection;
  const { workflow, trigger } = filters.options;
  const workflows = filters.workflowsLookedAt;
  const triggers = filters.triggersLookedAt;
  const found = told.anomalies
    .map((row) => ({ ...row, at: dayNumber(row.day), number: workflowOf(row, workflow) }))
    .filter((row) => row.at >= selection.from && row.at <= selection.to && workflows[row.number])
    .filter((row) => triggers[trigger.findIndex((option) => option.value === row.trigger)])
    .sort((a, b) => b.at - a.at || Number(b.difference) - Number(a.difference));
  const rows = found.map((row) => [
    row.at, row.workflow_name, row.trigger, exactOf(row.cost), exactOf(row.expected_cost), exactOf(row.difference),
    row.driver, row.model,
  ]);
  const points = found.map((row) => ({
    day: row.at * DAY_MS,
    period: dated(row.at, longDay),
    name: workflow[row.number].label,
    cost: Number(row.cost),
    expected: Number(row.expected_cost),
    spend: usd(Number(row.cost)),
    expectation: usd(Number(row.expected_cost)),
    driver: row.driver,
  }));
  const sql = `SELECT day, workflow_name, trigger, cost, expected_cost, difference, driver, model
FROM ${told.dataset}.cost_anomalies
WHERE ${where(selection)}
ORDER BY day DESC, difference DESC`;
  const largest = found.reduce((most, row) => (!most || Math.abs(row.difference) > Math.abs(most.difference) ? row : most), null);
  const summary = largest
    ? `${plural(found.length, "unusual day of a workflow", "unusual days of workflows")}; the largest: ` +
      `${workflow[largest.number].label} on ${dated(largest.at, longDay)}, ${usd(Number(largest.cost))} instead of ` +
      `${usd(Number(largest.expected_cost))}; driver: ${[largest.driver, largest.model].filter(Boolean).join(", ")}.`
    : "No unusual days in this selection.";
  const cut = told.anomalies.length < told.max_anomalies ? "" : ` The page has the ${told.max_anomalies} largest; the SQL lists all.`;
  const note = `Dots show the actual cost, ticks the expected cost.${cut}`;
  const columns = [
    ["day", "day"], ["workflow_name", "text"], ["trigger", "text"], ["cost", "usd"], ["expected_cost", "usd"],
    ["difference", "usd"], ["driver", "text"], ["model", "text"],
  ];
  const span = [{ day: selection.from * DAY_MS }, { day: (selection.to + 1) * DAY_MS }];
  return answer(columns, rows, { rows: points, span }, sql, summary, note);
}

function workflowOf(row, options) {
  const own = options.findIndex(
    (option) =>
      !option.rest && option.workspace === row.workspace_id && option.id === row.workflow_id &&
      (option.id !== null || option.name === row.workflow_name),
  );
  return own >= 0 ? own : options.findIndex((option) => option.rest && option.workspace === row.workspace_id);
}
