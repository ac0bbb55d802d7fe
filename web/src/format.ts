// Numbers as text. One rule for all latencies: milliseconds with 3 significant digits, so that
// numbers in a column compare at a glance; prose and axes pick the unit that fits.
// SPDX-License-Identifier: Apache-2.0

export const missing = "–";

/** Making a formatter costs a hundred times as much as using one. */
const formatters = Array.from({length: 13}, (_, decimals) => new Intl.NumberFormat("en-US",
  {minimumFractionDigits: decimals, maximumFractionDigits: decimals}));

/** `value` with `decimals` digits after the point, from 0 to 12, and commas between thousands. */
function fixed(value: number, decimals: number): string {
  return formatters[decimals]?.format(value) ?? missing;
}

/** `value` with `digits` significant digits, never in scientific notation: 1234.5 → "1,230". */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return missing;
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  const decimals = Math.min(Math.max(digits - 1 - magnitude, 0), 12);
  return fixed(rounded, decimals);
}

/** Nanoseconds as milliseconds without a unit, for columns headed "ms". */
export function milliseconds(ns: number): string {
  return significant(ns / 1e6);
}

const timeUnits: readonly (readonly [number, string])[] = [
  [60e9, "min"],
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

/** Nanoseconds with the unit that fits: "1.23 ms", "870 µs", "12.0 s". */
export function duration(ns: number): string {
  if (!Number.isFinite(ns)) return missing;
  const rounded = Number(ns.toPrecision(3));
  const [size, unit] = timeUnits.find(([least]) => Math.abs(rounded) >= least) ?? [1, "ns"];
  // Whole nanoseconds have no decimals to show.
  return `${size === 1 ? String(Math.round(rounded)) : significant(rounded / size)} ${unit}`;
}

export function count(value: number): string {
  return fixed(Math.round(value), 0);
}

/** Every digit, for numbers that must be equal: 1234.25 → "1,234.25". */
export function exact(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", {maximumFractionDigits: 12}) : missing;
}

/** A share of 1 as percent: 0.174 → "17.4 %". */
export function percent(share: number): string {
  return `${significant(share * 100)} %`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return missing;
  let unit = 0;
  let rest = value;
  while (Math.abs(rest) >= 1024 && unit < byteUnits.length - 1) {
    rest /= 1024;
    ++unit;
  }
  return unit === 0 ? `${count(rest)} B` : `${significant(rest)} ${byteUnits[unit] ?? ""}`;
}

/** How many times larger `other` is than `base`: "×1.12"; a dash where that says nothing. */
export function ratio(base: number, other: number): string {
  if (!(base > 0) || !Number.isFinite(other)) return missing;
  return `×${significant(other / base)}`;
}

/** "2026-11-23 10:15 UTC". */
export function moment(unixNs: number): string {
  if (!(unixNs > 0)) return missing;
  return `${new Date(unixNs / 1e6).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** "p99.9" of 0.999: as many digits as tell the tail beyond q to two. */
export function quantileName(q: number): string {
  const tail = (1 - q) * 100;
  const decimals = tail > 0 ? Math.max(0, 1 - Math.floor(Math.log10(tail) + 1e-9)) : 0;
  return `p${Number((q * 100).toFixed(Math.min(decimals, 12)))}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** "1 of 10 gates does not hold". */
export function notHolding(broken: number, all: number, one: string): string {
  return `${broken} of ${plural(all, one)} ${broken === 1 ? "does" : "do"} not hold`;
}

/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1] ?? ""}`;
}
