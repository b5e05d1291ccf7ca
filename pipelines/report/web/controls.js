"use strict";
/* Controls for the filters: dates and lists of checkboxes. */

const PRESETS = [["7 d", 7], ["30 d", 30], ["90 d", 90], ["All", Infinity]];

class Controls {
  constructor(filters, changed) {
    this.filters = filters;
    this.changed = changed;
    this.from = this.day("From", (day) => filters.between(day, NaN));
    this.to = this.day("To", (day) => filters.between(NaN, day));
    const presets = PRESETS.map(([label, days]) => this.button(label, () => filters.lastDays(days), days < Infinity ? `Last ${days} days` : "All days"));
    this.choices = KINDS.map((kind) => new Choice(kind, filters, () => this.change()));
    const reset = this.button("Reset", () => filters.reset());
    this.nodes = [
      this.from.parentNode, this.to.parentNode,
      element("div", { class: "presets", role: "group", "aria-label": "Last days" }, ...presets),
      ...this.choices.map((choice) => choice.node), reset,
    ];
    this.follow();
  }

  day(label, take) {
    const input = element("input", { type: "date" });
    input.addEventListener("change", () => {
      if (input.value) take(dayNumber(input.value));
      this.change();
    });
    element("label", { class: "field" }, label, input);
    return input;
  }

  button(label, act, said = null) {
    const made = element("button", { type: "button", "aria-label": said }, label);
    made.addEventListener("click", () => {
      act();
      this.change();
    });
    return made;
  }

  change() {
    this.follow();
    this.changed();
  }

  /* Shows the current filters in the controls. */
  follow() {
    this.from.value = dayText(this.filters.from);
    this.to.value = dayText(this.filters.to);
    this.from.min = this.to.min = dayText(this.filters.told.firstDay);
    for (const choice of this.choices) choice.follow();
  }
}

/* A list of checkboxes. If none is checked, all values are selected. */
class Choice {
  constructor(kind, filters, changed) {
    this.kind = kind;
    this.filters = filters;
    this.state = element("span", { class: "state" });
    const options = filters.options[kind];
    this.boxes = options.map((option) => this.box(option, changed));
    const list = element("fieldset", {}, element("legend", { class: "unseen" }, `${kind}s`), ...this.boxes.map((box) => box.parentNode));
    const name = kind[0].toUpperCase() + kind.slice(1);
    const find = options.length > 10 ? [this.find(name)] : [];
    this.node = element("details", { class: "choice" }, element("summary", {}, `${name}: `, this.state), element("div", { class: "panel" }, ...find, list));
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.node.open = false;
      this.node.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (!this.node.contains(event.target)) this.node.open = false;
    });
    this.node.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.node.contains(event.relatedTarget)) this.node.open = false;
    });
  }

  box(option, changed) {
    const box = element("input", { type: "checkbox", value: option.key });
    box.addEventListener("change", () => {
      this.filters.chosen[this.kind][box.checked ? "add" : "delete"](option.key);
      changed();
    });
    element("label", {}, box, element("span", {}, option.label));
    return box;
  }

  find(name) {
    const input = element("input", { type: "search", placeholder: "Find", "aria-label": `Find a ${name.toLowerCase()}` });
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const box of this.boxes) box.parentNode.hidden = !box.parentNode.textContent.toLowerCase().includes(wanted);
    });
    return input;
  }

  follow() {
    const chosen = this.filters.chosen[this.kind];
    for (const box of this.boxes) box.checked = chosen.has(box.value);
    const one = this.filters.options[this.kind].find((option) => chosen.has(option.key));
    this.state.textContent = chosen.size === 0 ? "all" : chosen.size === 1 ? one.label : `${chosen.size} of ${this.boxes.length}`;
  }
}
