// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {curvePoints, logDomain, logTicks, quantileAt, tailPosition} from "../src/scale.ts";

test("every further nine takes the same room on the tail axis", () => {
  assert.equal(tailPosition(0), -0);
  for (const [q, position] of [[0.9, 1], [0.99, 2], [0.999, 3], [0.9999, 4]] as const) {
    assert.ok(Math.abs(tailPosition(q) - position) < 1e-9);
    assert.ok(Math.abs(quantileAt(position) - q) < 1e-12);
  }
});

test("a curve ends where its samples end, and its maximum stands there", () => {
  const points = curvePoints([[0.5, 10], [0.9, 20], [0.999, 30], [1, 40]], 100);

  assert.deepEqual(points.map(({q, ns}) => [q, ns]), [[0.5, 10], [0.9, 20], [1, 40]]);
  assert.equal(points.at(-1)?.position, 2);
});

test("a curve leaves out what a logarithm cannot show", () => {
  assert.deepEqual(curvePoints([[0.5, 0], [0.9, null]], 100), []);
});

test("ticks are as dense as there is room for", () => {
  assert.deepEqual(logTicks(1, 100, 7), [1, 2, 5, 10, 20, 50, 100]);
  assert.deepEqual(logTicks(1, 100, 5), [1, 3, 10, 30, 100]);
  assert.deepEqual(logTicks(1, 100, 3), [1, 10, 100]);
  assert.deepEqual(logTicks(0, 100, 3), []);
});

test("a domain holds every positive value, and exists without any", () => {
  const [low, high] = logDomain([0, 5, 500, Infinity, NaN]);

  assert.ok(low > 0 && low < 5 && high > 500 && high < 1000);
  assert.ok(logDomain([]).every((end) => end > 0));
});
