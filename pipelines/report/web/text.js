"use strict";
/* Formats days, amounts and numbers. A day is a number of days since 1970-01-01, UTC. */

const DAY_MS = 86400000;

const dayNumber = (text) => Math.floor(Date.parse(`${text.slice(0, 10)}T00:00Z`) / DAY_MS);
const dayText = (number) => new Date(number * DAY_MS).toISOString().slice(0, 10);

const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const count = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const cents = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

const dated = (number, format = shortDay) => format.format(new Date(number * DAY_MS));
const plural = (number, one, many = `${one}s`) => `${count.format(number)} ${number === 1 ? one : many}`;

/* Formats USD with cents, or with three significant digits below one dollar. */
function usd(amount) {
  if (amount === 0 || Math.abs(amount) >= 1) return cents.format(amount);
  const digits = Math.min(12, 2 - Math.floor(Math.log10(Math.abs(amount))));
  return `${amount < 0 ? "-" : ""}$${Math.abs(amount).toFixed(digits).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

function percent(share, digits = 1) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–";
}

function took(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${ms} ms`;
  if (ms < 120000) return `${(ms / 1000).toPrecision(ms < 10000 ? 2 : 3)} s`;
  return `${(ms / 60000).toFixed(1)} min`;
}

/* Formats a single day, or the first and last day of a period. */
function spanText(from, to) {
  return from === to ? dated(from, longDay) : `${dated(from)} – ${dated(to, longDay)}`;
}

function momentText(text) {
  return `${longDay.format(new Date(text))}, ${text.slice(11, 16)} UTC`;
}

/* Creates a DOM element. Strings become text nodes, never HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}
