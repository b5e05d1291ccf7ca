"use strict";
/* The filters: dates, workspaces, workflows and triggers. They are stored in the URL hash, so that links can be shared. */

const KINDS = ["workspace", "workflow", "trigger"];

class Filters {
  constructor(told) {
    this.told = told;
    this.lastDay = told.firstDay + told.cells.day.reduce((most, day) => Math.max(most, day), 0);
    this.options = { workspace: workspaces(told), workflow: workflows(told), trigger: triggers(told) };
    this.read(location.hash);
  }

  reset() {
    this.chosen = { workspace: new Set(), workflow: new Set(), trigger: new Set() };
    this.lastDays(30);
  }

  lastDays(days) {
    this.to = this.lastDay;
    this.from = Math.max(this.told.firstDay, this.to - days + 1);
  }

  read(hash) {
    this.reset();
    const params = new URLSearchParams(hash.slice(1));
    for (const kind of KINDS) {
      const known = new Set(this.options[kind].map((option) => option.key));
      this.chosen[kind] = new Set(params.getAll(kind).filter((key) => known.has(key)));
    }
    const day = (name) => (/^\d{4}-\d{2}-\d{2}$/.test(params.get(name) ?? "") ? dayNumber(params.get(name)) : NaN);
    this.between(day("from"), day("to"));
  }

  /* Sets the days that are given. If the range would be empty, moves the other end as well. */
  between(from, to) {
    if (Number.isFinite(from)) this.from = from;
    if (Number.isFinite(to)) this.to = to;
    if (this.to >= this.from) return;
    if (Number.isFinite(from)) this.to = this.from;
    else this.from = this.to;
  }

  get hash() {
    const params = new URLSearchParams({ from: dayText(this.from), to: dayText(this.to) });
    for (const kind of KINDS) for (const key of this.chosen[kind]) params.append(kind, key);
    return `#${params}`;
  }

  /* Whether each workflow is selected, by number. */
  get workflowsLookedAt() {
    const { workspace, workflow } = this.chosen;
    return this.options.workflow.map(
      (option) =>
        (!workspace.size || workspace.has(option.workspace ?? "")) && (!workflow.size || workflow.has(option.key)),
    );
  }

  get triggersLookedAt() {
    return this.options.trigger.map((option) => !this.chosen.trigger.size || this.chosen.trigger.has(option.key));
  }

  /* The filters as text. */
  get words() {
    const named = KINDS.filter((kind) => this.chosen[kind].size).map((kind) => {
      const labels = this.options[kind].filter((option) => this.chosen[kind].has(option.key));
      return `${kind} ${labels.map((option) => option.label).join(", ")}`;
    });
    return [spanText(this.from, this.to), ...named].join("; ");
  }
}

function workspaces(told) {
  const names = [...new Set(told.workflows.map(([workspace]) => workspace))];
  return names.map((name) => ({ key: name ?? "", label: name ?? "no workspace", value: name }));
}

function triggers(told) {
  return told.triggers.map((name) => ({ key: name ?? "", label: name ?? "no trigger", value: name }));
}

/* A workflow without id is identified by its name. If both are null, it stands for the other workflows of a workspace. */
function workflows(told) {
  const used = new Map();
  for (const [, , name] of told.workflows) used.set(name, (used.get(name) ?? 0) + 1);
  return told.workflows.map(([workspace, id, name]) => {
    const rest = id === null && name === null;
    const key = id ?? `~${workspace ?? ""}~${name ?? ""}`;
    let label = rest ? `other workflows (${count.format(told.folded[workspace ?? ""] ?? 1)})` : (name ?? id);
    if (used.get(name) > 1) label += ` …${(id ?? workspace ?? "").slice(-6)}`;
    return { key, label, workspace, id, name, rest };
  });
}

/* The cells that match the filters, and the periods into which days are grouped. */
class Selection {
  constructor(told, filters) {
    this.told = told;
    this.filters = filters;
    this.from = filters.from;
    this.to = filters.to;
    const days = this.to - this.from + 1;
    this.before = this.from - days;
    this.grain = days <= 120 ? "day" : days <= 1000 ? "week" : "month";
    this.slots(days);
    const { day, workflow, trigger } = told.cells;
    const workflows = Uint8Array.from(filters.workflowsLookedAt);
    const triggers = Uint8Array.from(filters.triggersLookedAt);
    this.mask = new Uint8Array(day.length);
    this.earlier = new Uint8Array(day.length);
    for (let i = 0; i < day.length; i++) {
      if (!workflows[workflow[i]] || !triggers[trigger[i]]) continue;
      const at = day[i] + told.firstDay;
      if (at >= this.from && at <= this.to) this.mask[i] = 1;
      else if (at >= this.before && at < this.from) this.earlier[i] = 1;
    }
  }

  /* The period of each day, and the start and end of each period. */
  slots(days) {
    this.slotOfDay = new Int32Array(days);
    this.starts = [];
    for (let i = 0; i < days; i++) {
      const start = startOf(this.from + i, this.grain);
      if (this.starts.at(-1) !== start) this.starts.push(start);
      this.slotOfDay[i] = this.starts.length - 1;
    }
    this.ends = this.starts.map((start) => endOf(start, this.grain));
  }

  slot(cell) {
    return this.slotOfDay[this.told.cells.day[cell] + this.told.firstDay - this.from];
  }

  /* The fields of a period in a chart's rows. */
  period(slot) {
    const start = this.starts[slot];
    const until = this.ends[slot];
    return {
      day: start * DAY_MS,
      end: start * DAY_MS + (until - start) * DAY_MS * 0.86,
      middle: (start + (until - start) * 0.43) * DAY_MS,
      period: spanText(start, until - 1),
    };
  }
}

/* Weeks start on Monday; day 0 was a Thursday. */
function startOf(day, grain) {
  if (grain === "week") return day - ((((day + 3) % 7) + 7) % 7);
  if (grain === "month") return dayNumber(`${dayText(day).slice(0, 7)}-01`);
  return day;
}

function endOf(start, grain) {
  if (grain === "week") return start + 7;
  return grain === "month" ? startOf(start + 32, "month") : start + 1;
}
