"use strict";
/* Figures by day, week or month: tokens, durations, failures and cost reconciliation. */

function tokens(selection) {
  const found = inPeriods(selection, ["prompt", "completion"], []);
  const slots = seen(found);
  const rows = slots.map((at) => [selection.starts[at], found.prompt[at], found.completion[at]]);
  const bars = slots.flatMap((at) => {
    const [input, output] = [found.prompt[at], found.completion[at]];
    const base = selection.period(at);
    return [
      { ...base, kind: "input", from: 0, upto: input, shown: count.format(input) },
      { ...base, kind: "output", from: input, upto: input + output, shown: count.format(output) },
    ];
  });
  const sql = byPeriod(
    selection,
    [sum("prompt_tokens", "prompt_tokens"), sum("completion_tokens", "completion_tokens")],
    "cost_by_day",
  );
  const total = (at) => rows.reduce((all, row) => all + row[at], 0);
  const summary = rows.length ? `${compact.format(total(1))} input and ${compact.format(total(2))} output tokens.` : "";
  const columns = [[selection.grain, "day"], ["prompt_tokens", "count"], ["completion_tokens", "count"]];
  return answer(columns, rows, { rows: bars }, sql, summary);
}

const PERCENTILES = [50, 95, 99];

function latency(selection) {
  const { told, mask } = selection;
  const { cell, runs } = told.durations;
  const { edges, edgeOf } = durationEdges(told);
  const slots = selection.starts.length;
  const counted = new Float64Array((slots + 1) * edges.length); // the last slot is the total
  for (let i = 0; i < cell.length; i++) {
    if (!mask[cell[i]]) continue;
    counted[selection.slot(cell[i]) * edges.length + edgeOf[i]] += runs[i];
    counted[slots * edges.length + edgeOf[i]] += runs[i];
  }
  const answerOf = (slot) => percentiles(counted.subarray(slot * edges.length, (slot + 1) * edges.length), edges);
  const rows = selection.starts.map((start, slot) => [start, ...answerOf(slot)]).filter((row) => row[1]);
  const points = rows.flatMap(([start, , ...values]) =>
    PERCENTILES.map((percentile, at) => ({
      day: start * DAY_MS,
      period: spanText(start, endOf(start, selection.grain) - 1),
      percentile: `p${percentile}`,
      seconds: values[at] / 1000,
      took: took(values[at]),
    })),
  );
  const [all, ...overall] = answerOf(slots);
  const summary = all
    ? `Of ${plural(all, "finished run")}, half took up to ${took(overall[0])}, 95 % up to ${took(overall[1])}, ` +
      `99 % up to ${took(overall[2])}.`
    : "";
  const wide = Math.round((told.step - 1) * 100);
  const note = `Durations are rounded up in steps of ${wide} %, so a percentile is at most ${wide} % too high.`;
  const columns = [[selection.grain, "day"], ["runs", "count"], ...PERCENTILES.map((each) => [`p${each}_ms`, "ms"])];
  return answer(columns, rows, { rows: points }, latencySql(selection), summary, note);
}

/* The distinct durations, sorted, and the index of each row's duration; computed once. */
function durationEdges(told) {
  if (!told.edges) {
    const { ms } = told.durations;
    const edges = [...new Set(ms)].sort((a, b) => a - b);
    const place = new Map(edges.map((edge, at) => [edge, at]));
    told.edges = { edges, edgeOf: Uint16Array.from(ms, (each) => place.get(each)) };
  }
  return told.edges;
}

/* The number of runs, then for each percentile the smallest duration that this share of the runs did not exceed. */
function percentiles(counted, edges) {
  const all = counted.reduce((total, runs) => total + runs, 0);
  const found = PERCENTILES.map(() => null);
  let upTo = 0;
  for (let at = 0; at < edges.length && found.includes(null); at++) {
    upTo += counted[at];
    PERCENTILES.forEach((percentile, each) => {
      if (counted[at] && found[each] === null && upTo * 100 >= percentile * all) found[each] = edges[at];
    });
  }
  return [all, ...found];
}

function latencySql(selection) {
  const by = period(selection);
  const { dataset, bucket } = selection.told;
  const ended = ["status IN ('completed', 'failed')", "total_duration_ms IS NOT NULL"];
  const columns = PERCENTILES.map((each) => `MIN(ms) FILTER (WHERE up_to * 100 >= ${each} * runs) AS p${each}_ms`);
  return `WITH durations AS (
  SELECT ${by} AS ${selection.grain},
    ${bucket} AS ms,
    COUNT(*) AS runs
  FROM ${dataset}.runs
  WHERE ${where(selection, { more: ended })}
  GROUP BY 1, 2
),
counted AS (
  SELECT ${selection.grain}, ms,
    SUM(runs) OVER (PARTITION BY ${selection.grain} ORDER BY ms) AS up_to,
    SUM(runs) OVER (PARTITION BY ${selection.grain}) AS runs
  FROM durations
)
SELECT ${selection.grain}, CAST(MAX(runs) AS BIGINT) AS runs,
  ${columns.join(",\n  ")}
FROM counted
GROUP BY ${selection.grain}
ORDER BY ${selection.grain}`;
}

function failures(selection) {
  const found = inPeriods(selection, ["runs", "failed"], ["wasted"]);
  const slots = seen(found);
  const rows = slots.map((at) => [
    selection.starts[at], found.runs[at], found.failed[at], found.failed[at] / found.runs[at], found.wasted.exact(at),
  ]);
  const bars = slots.map((at) => ({
    ...selection.period(at),
    share: found.failed[at] / found.runs[at],
    failed: `${count.format(found.failed[at])} of ${plural(found.runs[at], "run")}`,
    share_failed: percent(found.failed[at] / found.runs[at]),
  }));
  const sql = byPeriod(
    selection,
    [
      "COUNT(*) AS runs",
      "COUNT(*) FILTER (WHERE status = 'failed') AS failed_runs",
      "CAST(COUNT(*) FILTER (WHERE status = 'failed') AS DOUBLE PRECISION) / COUNT(*) AS failed_share",
      dollars(`SUM(cost_total) FILTER (WHERE ${ENDED_BADLY})`, "wasted_cost"),
    ],
    "runs",
  );
  const [runs, failed] = [1, 2].map((at) => rows.reduce((all, row) => all + row[at], 0));
  const wasted = rows.reduce((all, row) => all + row[4], 0n);
  const summary = runs
    ? `${count.format(failed)} of ${plural(runs, "run")} failed (${percent(failed / runs)}); ` +
      `failed and cancelled runs cost ${usd(Number(wasted) / 1e12)}.`
    : "";
  const columns = [
    [selection.grain, "day"], ["runs", "count"], ["failed_runs", "count"], ["failed_share", "share"], ["wasted_cost", "usd"],
  ];
  return answer(columns, rows, { rows: bars }, sql, summary);
}

function reconciliation(selection) {
  const found = inPeriods(selection, ["checked", "unreconciled"], ["said", "itemised"]);
  const slots = seen(found);
  const rows = slots.map((at) => [
    selection.starts[at], found.checked[at], found.unreconciled[at],
    found.said.exact(at), found.itemised.exact(at), found.said.exact(at) - found.itemised.exact(at),
  ]);
  const bars = slots.map((at) => ({
    ...selection.period(at),
    said: found.said.number(at),
    itemised: found.itemised.number(at),
    runs: usd(found.said.number(at)),
    items: usd(found.itemised.number(at)),
    difference: decimal(found.said.exact(at) - found.itemised.exact(at)),
  }));
  const sql = byPeriod(
    selection,
    [
      "COUNT(*) AS runs",
      "COUNT(*) FILTER (WHERE NOT reconciled) AS runs_off",
      dollars("SUM(cost_total)", "said_cost"),
      dollars("SUM(itemised_cost)", "itemised_cost"),
      dollars("SUM(difference)", "difference"),
    ],
    "cost_reconciliation",
  );
  const [runs, off] = [1, 2].map((at) => rows.reduce((all, row) => all + row[at], 0));
  const difference = rows.reduce((all, row) => all + row[5], 0n);
  const summary = !runs
    ? ""
    : off
    ? `The cost items of ${count.format(off)} of ${plural(runs, "run")} do not add up; the difference is ${decimal(difference)} USD in total.`
    : `The cost items of all ${plural(runs, "run")} add up exactly to the cost reported by Sim.`;
  const columns = [
    [selection.grain, "day"], ["runs", "count"], ["runs_off", "count"],
    ["said_cost", "usd"], ["itemised_cost", "usd"], ["difference", "usd"],
  ];
  const note = "Bars show the sum of the cost items, lines the cost reported by Sim.";
  return answer(columns, rows, { rows: bars }, sql, summary, note);
}
