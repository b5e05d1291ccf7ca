"use strict";
/* The embedded data, unpacked once into typed arrays. */

const MICRO = 1000000n;

async function unpacked(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const told = JSON.parse(await new Response(stream).text());
  for (const name of ["cells", "parts", "durations"]) {
    for (const [column, values] of Object.entries(told[name])) {
      told[name][column] = /_(micro|pico)$|prompt|completion/.test(column)
        ? Float64Array.from(values)
        : Int32Array.from(values);
    }
  }
  for (const name of ["parts", "durations"]) summedUp(told[name].cell);
  told.firstDay = dayNumber(told.first_day);
  return told;
}

/* Turns differences into numbers (cumulative sum), in place. */
function summedUp(numbers) {
  for (let i = 1; i < numbers.length; i++) numbers[i] += numbers[i - 1];
}

/* Sums of amounts, in micro-dollars and the remaining pico-dollars. Both stay far below 2^53, so sums are exact. */
class Amounts {
  constructor(size) {
    this.micro = new Float64Array(size);
    this.pico = new Float64Array(size);
  }

  add(at, columns, name, row) {
    this.micro[at] += columns[`${name}_micro`][row];
    this.pico[at] += columns[`${name}_pico`][row];
  }

  /* In pico-dollars. */
  exact(at = 0) {
    return BigInt(this.micro[at]) * MICRO + BigInt(this.pico[at]);
  }

  text(at = 0) {
    return decimal(this.exact(at));
  }

  number(at = 0) {
    return this.micro[at] / 1e6 + this.pico[at] / 1e12;
  }
}

/* Formats pico-dollars as a decimal number of dollars, without trailing zeros. */
function decimal(exact) {
  const sign = exact < 0n ? "-" : "";
  const digits = (exact < 0n ? -exact : exact).toString().padStart(13, "0");
  const fraction = digits.slice(-12).replace(/0+$/, "");
  return sign + digits.slice(0, -12) + (fraction && `.${fraction}`);
}

/* Parses a decimal number of dollars into pico-dollars. */
function exactOf(text) {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const value = BigInt(whole + fraction.padEnd(12, "0").slice(0, 12));
  return sign ? -value : value;
}
