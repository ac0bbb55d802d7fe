// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import * as format from "../src/format.ts";

test("significant keeps three digits and never turns scientific", () => {
  const cases: [number, string][] = [
    [0, "0"], [1, "1.00"], [1.2345, "1.23"], [12.345, "12.3"], [123.45, "123"],
    [1234.5, "1,230"], [0.0123456, "0.0123"], [9.996, "10.0"], [999.6, "1,000"],
    [0.000000123, "0.000000123"], [-1.5, "-1.50"], [NaN, "–"], [Infinity, "–"],
  ];
  for (const [value, text] of cases) assert.equal(format.significant(value), text);
});

test("duration picks the unit after rounding, so that 1000 µs is never printed", () => {
  const cases: [number, string][] = [
    [0, "0 ns"], [7, "7 ns"], [870_123, "870 µs"], [999_600, "1.00 ms"], [1_234_567, "1.23 ms"],
    [999_999_999, "1.00 s"], [12_000_000_000, "12.0 s"], [90e9, "1.50 min"], [NaN, "–"],
  ];
  for (const [ns, text] of cases) assert.equal(format.duration(ns), text);
});

test("milliseconds of a column carry no unit", () => {
  assert.equal(format.milliseconds(1_045_123_456), "1,050");
  assert.equal(format.milliseconds(87_654), "0.0877");
});

test("ratio says how many times, and nothing where there is nothing to compare", () => {
  assert.equal(format.ratio(2, 3), "×1.50");
  assert.equal(format.ratio(0, 3), "–");
  assert.equal(format.ratio(2, NaN), "–");
});

test("numbers that must be equal keep every digit", () => {
  assert.equal(format.exact(3_827_039), "3,827,039");
  assert.equal(format.exact(1234.25), "1,234.25");
  assert.equal(format.exact(9_007_199_254_740_991), "9,007,199,254,740,991");
  assert.equal(format.exact(NaN), "–");
});

test("bytes, percent, counts, moments and lists read like prose", () => {
  assert.equal(format.bytes(999), "999 B");
  assert.equal(format.bytes(400 * 1024 * 1024), "400 MiB");
  assert.equal(format.percent(0.17417), "17.4 %");
  assert.equal(format.count(9600.4), "9,600");
  assert.equal(format.moment(1_795_000_000_000_000_000), "2026-11-18 11:06 UTC");
  for (const [q, name] of [[0, "p0"], [0.5, "p50"], [0.88743, "p89"], [0.99, "p99"], [0.999, "p99.9"],
                           [0.99984, "p99.984"], [1, "p100"]] as const) {
    assert.equal(format.quantileName(q), name);
  }
  assert.equal(format.plural(1, "block"), "1 block");
  assert.equal(format.plural(7, "block"), "7 blocks");
  assert.equal(format.listed(["a", "b", "c"]), "a, b and c");
});
