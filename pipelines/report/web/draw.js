"use strict";
/* Draws figures: charts with Vega, tables and SQL. */

/* A colour of the style sheet. Charts therefore follow light mode, dark mode and print. */
const style = (name) => `var(--${name})`;

function look() {
  const [ink, soft, line] = ["ink", "soft", "line"].map(style);
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: "transparent",
    font,
    view: { stroke: null },
    mark: { color: style("c1") },
    range: { category: ["c1", "c2", "c3"].map(style) },
    axis: {
      labelColor: soft, titleColor: soft, tickColor: line, domainColor: line, gridColor: line, labelFontSize: 12,
      domain: false, ticks: false, labelPadding: 6, gridOpacity: 0.7,
    },
    legend: { labelColor: ink, labelFontSize: 12, symbolType: "square", symbolSize: 110, columnPadding: 16, offset: 12 },
    text: { color: soft, fontSize: 12 },
  };
}

class Chart {
  constructor(spec, place) {
    this.spec = spec;
    this.place = place; // Vega sets its own role and label on the element it draws into
    this.inner = place.appendChild(element("div"));
    this.view = null;
  }

  /* Draws the chart the first time; later only replaces its rows. */
  async show(rows) {
    const empty = !rows.rows.length;
    this.place.hidden = empty;
    if (empty) return;
    const { heightOfRow } = this.spec.usermeta ?? {};
    const height = heightOfRow ? heightOfRow * rows.rows.length : this.spec.height;
    if (this.view) {
      for (const [name, values] of Object.entries(rows)) this.view.data(name, values);
      await this.view.height(height).resize().runAsync();
      return;
    }
    const colours = JSON.stringify(this.spec).replace(/"\$(\w+)"/g, (_, name) => JSON.stringify(style(name)));
    const spec = { ...JSON.parse(colours), height, datasets: rows };
    const options = {
      mode: "vega-lite", renderer: "svg", actions: false, ast: true, logLevel: 1, defaultStyle: false, config: look(), tooltip: hint,
    };
    this.view = (await vegaEmbed(this.inner, spec, options)).view;
  }
}

/* Shows the tooltip of the mark under the pointer. */
function hint(_, event, __, value) {
  const box = document.getElementById("hint");
  box.hidden = !value;
  if (!value) return;
  box.replaceChildren(
    ...Object.entries(value).map(([name, text]) => element("p", {}, element("span", {}, name), element("b", {}, String(text)))),
  );
  const { clientX: x, clientY: y } = event;
  const { offsetWidth: width, offsetHeight: height } = box;
  box.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  box.style.top = `${y + 18 + height > innerHeight ? y - height - 10 : y + 18}px`;
}

const NUMERIC = new Set(["count", "usd", "share", "ratio", "ms"]);
const MOST_ROWS = 1000;

/* Creates the table of a figure. Each cell has its exact value as data-value. */
function table(answer, caption) {
  const head = answer.columns.map(([name, kind]) =>
    element("th", { scope: "col", class: NUMERIC.has(kind) ? "number" : null }, name.replaceAll("_", " ")),
  );
  const body = answer.rows.slice(0, MOST_ROWS).map((row) =>
    element("tr", {}, ...row.map((value, at) => cell(value, answer.columns[at][1], at === 0))),
  );
  const more = answer.rows.length > MOST_ROWS ? ` (the first ${count.format(MOST_ROWS)} of ${count.format(answer.rows.length)})` : "";
  return element(
    "table", {},
    element("caption", { class: "unseen" }, caption + more),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
}

function cell(value, kind, isHead) {
  const attributes = { "data-value": exactly(value, kind), class: NUMERIC.has(kind) ? "number" : kind === "id" ? "id" : null };
  return isHead ? element("th", { ...attributes, scope: "row" }, shown(value, kind)) : element("td", attributes, shown(value, kind));
}

function exactly(value, kind) {
  if (value === null) return null;
  if (kind === "usd") return decimal(value);
  return kind === "day" ? dayText(value) : String(value);
}

function shown(value, kind) {
  if (value === null) return "–";
  const as = { day: dayText, count: count.format, share: percent, ratio: usd, ms: count.format, usd: (exact) => money(exact) };
  return as[kind] ? as[kind](value) : String(value);
}

/* Formats an exact amount with at least two decimals. */
function money(exact) {
  const [whole, fraction = ""] = decimal(exact).split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${fraction.padEnd(2, "0")}`;
}

/* A figure: heading, chart, table and SQL. */
class Figure {
  constructor({ id, title, make, wide, open }, spec) {
    this.make = make;
    this.title = title;
    this.summary = element("p", { class: "summary" });
    this.place = element("div", { class: "chart", role: "img" });
    this.none = element("p", { class: "none", hidden: true }, "No runs in this selection.");
    this.note = element("p", { class: "note" });
    this.rows = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}: table` });
    this.sql = element("code");
    this.details = element("details", { class: "rows", open }, element("summary", {}, "Table"), this.rows);
    this.details.addEventListener("toggle", () => this.fillTable());
    const heading = element("h2", { id: `${id}-title` }, title);
    this.node = element(
      "figure", { id, class: wide ? "wide" : null, "aria-labelledby": `${id}-title` },
      element("figcaption", {}, heading, this.summary), this.place, this.none, this.note,
      element("div", { class: "more" }, copyButton(title, this.sql), this.details, sqlBox(title, this.sql)),
    );
    this.chart = spec && new Chart(spec, this.place);
  }

  async show(selection) {
    const found = this.make(selection);
    this.answer = found;
    this.filled = false;
    this.summary.textContent = found.summary;
    this.note.textContent = found.note;
    this.details.hidden = !found.rows.length;
    this.note.hidden = !found.note || !found.rows.length;
    this.sql.textContent = found.sql;
    this.none.hidden = found.rows.length > 0 || found.summary !== "";
    this.place.setAttribute("aria-label", `${this.title}. ${found.summary} The table has the numbers.`);
    this.fillTable();
    await this.chart?.show(found.chart);
  }

  /* Creates the table only when it is opened. */
  fillTable() {
    if (!this.answer || this.filled || !this.details.open) return;
    this.filled = true;
    this.rows.replaceChildren(table(this.answer, this.title));
  }
}

function sqlBox(title, code) {
  const text = element("pre", { tabindex: "0", role: "region", "aria-label": `${title}: SQL` }, code);
  return element("details", { class: "sql" }, element("summary", {}, "SQL"), text);
}

function copyButton(title, code) {
  const made = element("button", { type: "button", class: "copy", "aria-label": `Copy SQL of ${title}` }, "Copy SQL");
  made.addEventListener("click", async () => say((await copied(code)) ? `SQL of ${title} copied.` : "Press Ctrl+C to copy the SQL."));
  return made;
}

async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    code.closest("details").open = true;
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

/* Shows a message for a moment; screen readers announce it. */
function say(text) {
  const box = document.getElementById("said");
  box.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (box.textContent = ""), 4000);
}
