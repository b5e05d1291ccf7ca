"use strict";
/* Starts the page, and updates it when a filter or the theme changes. */

const FIGURES = [
  { id: "spend", title: "Spend over time", make: spend, wide: true },
  { id: "budget", title: "Budget", wide: true },
  { id: "bill", title: "Bill", make: bill, wide: true },
  { id: "workflows", title: "Workflows", make: workflowsFigure },
  { id: "models", title: "Models and tools", make: models },
  { id: "anomalies", title: "Unusual days", make: anomalies, wide: true, open: true },
  { id: "tokens", title: "Tokens", make: tokens },
  { id: "latency", title: "Duration of runs", make: latency },
  { id: "failures", title: "Failed runs", make: failures },
  { id: "reconciliation", title: "Cost reconciliation", make: reconciliation },
];

/* All figures; the budget once for each account. */
function allFigures(told) {
  const budgets = told.budgets.map((found, at) => ({
    id: at ? `budget-${at + 1}` : "budget",
    title: told.budgets.length > 1 ? `Budget of ${found.account}` : "Budget",
    make: (selection) => budget(selection, found),
    chart: "budget",
    wide: true,
    found,
  }));
  return FIGURES.flatMap((figure) => (figure.id === "budget" && budgets.length ? budgets : [figure]));
}

/* The reason why a figure is omitted, or an empty string. */
function missing({ id, title, found }, told) {
  if (found) return found.period_start === null ? `${title}: Sim reports no billing period; ${usd(Number(found.spend))} spent so far.` : "";
  if (id === "budget") {
    return told.has.budget
      ? "Budget: the account's usage has not been read yet."
      : "Budget: this database has no view “budget” yet; the next sim-sync run creates it.";
  }
  if (id === "bill" && !told.bill) return "Bill: Sim's ledger was not read; only servers with the v2 API have it.";
  if (id === "anomalies" && !told.has.anomalies) {
    return "Unusual days: this database has no view “cost_anomalies” yet; the next sim-sync run creates it.";
  }
  return "";
}

class Page {
  constructor(told) {
    this.told = told;
    this.filters = new Filters(told);
    this.controls = new Controls(this.filters, () => this.follow());
    document.getElementById("filters").append(...this.controls.nodes);
    this.top = new Figure({ id: "headline", title: "Headline", make: headline });
    document.getElementById("cards").after(this.top.node);
    this.figures = [];
    for (const figure of allFigures(told)) {
      const why = missing(figure, told);
      const made = why ? null : new Figure(figure, told.specs[figure.chart ?? figure.id]);
      if (made) this.figures.push(made);
      document.getElementById("figures").append(made ? made.node : element("p", { class: "left-out", id: figure.id }, why));
    }
    document.getElementById("skip").addEventListener("click", (event) => {
      event.preventDefault(); // the URL hash holds the filters
      document.getElementById("figures").focus();
    });
    addEventListener("hashchange", () => {
      if (location.hash === this.filters.hash) return;
      this.filters.read(location.hash);
      this.controls.follow();
      this.show();
    });
  }

  follow() {
    history.replaceState(null, "", this.filters.hash);
    this.show();
  }

  /* Shows the cards, then one figure after the other. Stops if the filters change meanwhile. */
  async show() {
    const round = (this.round = (this.round ?? 0) + 1);
    document.body.dataset.state = "drawing";
    const selection = new Selection(this.told, this.filters);
    this.top.show(selection);
    cards(this.top.answer, selection);
    for (const figure of this.figures) {
      await figure.show(selection);
      if (!performance.getEntriesByName("interactive").length) performance.mark("interactive");
      await new Promise((resume) => setTimeout(resume));
      if (round !== this.round) return;
    }
    document.body.dataset.state = "drawn";
  }
}

/* The key figures at the top. */
function cards({ chosen, before }, selection) {
  const { told } = selection;
  const days = selection.to - selection.from + 1;
  const covered = selection.before >= told.firstDay;
  const [cost, earlier] = [chosen.cost.number(), before.cost.number()];
  const change = covered && earlier ? (cost - earlier) / earlier : NaN;
  const than = `${plural(days, "day")} before`;
  const versus = Number.isFinite(change)
    ? `${change >= 0 ? "▲" : "▼"} ${percent(Math.abs(change), 0)} compared with ${usd(earlier)} in the ${than}`
    : `nothing to compare with in the ${than}`;
  const made = [card("Spend", usd(cost), versus, "lead")];
  if (told.budgets.length === 1) made.push(budgetCard(told.budgets[0]));
  if (told.budgets.length > 1) made.push(budgetsCard(told.budgets));
  const [runs, completed, failed] = [chosen.runs[0], chosen.completed[0], chosen.failed[0]];
  const each = completed ? `${usd(cost / completed)} per completed run` : "no completed runs";
  made.push(card("Runs", count.format(runs), each));
  made.push(card("Failed", percent(failed / runs), `${usd(chosen.wasted.number())} spent on failed and cancelled runs`));
  document.getElementById("cards").replaceChildren(...made);
  document.getElementById("looked-at").textContent = selection.filters.words;
  document.getElementById("told").textContent = `: ${usd(cost)} for ${plural(runs, "run")}`;
  const split = chosen.costed[0] ? chosen.split[0] / chosen.costed[0] : 1;
  document.getElementById("complete").textContent =
    `Cost by model is known for ${percent(Math.floor(split * 1000) / 1000, split === 1 ? 0 : 1)} of ${plural(chosen.costed[0], "run")} with a cost.`;
}

function budgetCard(found) {
  const spent = Number(found.spend);
  if (found.forecast === null || found.period_end === null) return card("This period", usd(spent), "no forecast yet");
  const until = `by ${dated(lastDay(found.period_end))}; ${usd(spent)} so far`;
  if (found.usage_limit === null) return card("Forecast", usd(Number(found.forecast)), until);
  const limit = Number(found.usage_limit);
  const over = found.over_limit || Number(found.forecast) > limit;
  return card(over ? "Forecast: over the limit" : "Forecast", usd(Number(found.forecast)), `${until}, limit ${usd(limit)}`, over ? "over" : "");
}

/* Several accounts: how many exceed their limit, and which is closest to it. */
function budgetsCard(budgets) {
  const over = budgets.filter((found) => found.over_limit);
  const limited = budgets.filter((found) => found.spend_share !== null);
  const closest = limited.reduce((most, found) => (Number(most.spend_share) >= Number(found.spend_share) ? most : found), limited[0]);
  const text = closest ? `most used: ${closest.account}, ${percent(Number(closest.spend_share), 0)} of its limit` : "no account has a limit";
  return card("Budgets over the limit", `${over.length} of ${budgets.length}`, text, over.length ? "over" : "");
}

function card(title, value, text, kind = "") {
  return element("div", { class: `card ${kind}` }, element("h2", {}, title), element("p", { class: "value" }, value), element("p", {}, text));
}

/* Follows the system's light or dark mode until the user chooses one. */
function themed() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const follow = () => (button.textContent = isDark() ? "Light" : "Dark");
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    follow();
  });
  system.addEventListener("change", follow);
  follow();
}

async function start() {
  themed();
  const told = await unpacked("data");
  document.getElementById("as-of").textContent =
    `Data up to ${told.newest ? momentText(told.newest) : "–"}, page written ${momentText(told.written)}.`;
  await new Page(told).show();
}

start().catch((fault) => {
  document.getElementById("as-of").textContent = `This page could not be shown: ${fault.message}. A newer browser may help.`;
  throw fault;
});
