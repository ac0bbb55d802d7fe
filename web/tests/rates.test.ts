// Which curves the figure of latency against offered rate draws, and what the shift function's points say.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {Amount, Ref} from "../src/figures/figure.ts";
import {rateCurves} from "../src/figures/rates.ts";
import {shiftPoints} from "../src/figures/shift.ts";
import {comparisonsOf, levelOf} from "../src/model.ts";
import {elasticityWords} from "../src/sections/rates.ts";
import type {LevelVerdict, Result} from "../src/types.ts";
import {makeResult} from "./example.mjs";

const verdict: LevelVerdict = {level: "fsync-1", first: "Kafka", second: "Pulsar"};

test("one block is drawn from its trials, each number with its place in the file", () => {
  const [comparison] = comparisonsOf(makeResult() as Result);
  assert.ok(comparison);
  const curves = rateCurves(comparison, undefined, "publish_response");

  assert.deepEqual(curves.map(({name}) => name), ["001-kafka-fsync-1", "002-pulsar-fsync-1"]);
  assert.equal(curves[0]?.points.length, 6);
  const rates = curves[0]?.points.map(({rate}) => rate) ?? [];
  assert.deepEqual(rates, [...rates].sort((a, b) => a - b));
  const [few] = curves[0]?.points ?? [];
  assert.equal(few?.p99_ns, null, "a dozen requests tell no p99");
  assert.equal(few?.data[1], "–");
  const p50 = few?.data[0];
  assert.ok(p50 instanceof Ref && p50.path === "classes.0.publish_response.p50_ns");
});

test("what lies beyond all samples is told from what few samples cannot tell", () => {
  const result = makeResult() as Result;
  const one = result.trials[0]?.classes?.[5];
  assert.ok(one);
  one.publish_response = {count: 900, censored: 100, p50_ns: 5, p99_ns: null};
  const [comparison] = comparisonsOf(result);
  assert.ok(comparison);

  assert.equal(rateCurves(comparison, undefined, "publish_response")[0]?.points[5]?.data[1], "> measured");
});

test("several blocks are drawn as the medians of the analysis", () => {
  const result = makeResult({blocks: 7}) as Result;
  const [comparison] = comparisonsOf(result);
  assert.ok(comparison);
  const level = levelOf(result, comparison);
  const curves = rateCurves(comparison, level, "publish_response");

  assert.deepEqual(curves.map(({series, name}) => [series.label, name]),
                   [["Kafka", "median of the blocks"], ["Pulsar", "median of the blocks"]]);
  assert.equal(curves[1]?.points[3]?.p99_ns, level?.classes?.["publish_response"]?.[3]?.second.p99_ns);
  assert.ok(curves[1]?.points[3]?.data[1] instanceof Amount);
  assert.equal(rateCurves(comparison, undefined, "publish_response").length, 14, "without an analysis every trial");
});

test("a hop that no trial has by rate is not drawn", () => {
  const [comparison] = comparisonsOf(makeResult() as Result);
  assert.ok(comparison);

  assert.deepEqual(rateCurves(comparison, undefined, "queryable"), []);
});

test("the analysis of a comparison is found by level and workload", () => {
  const result = makeResult({blocks: 7}) as Result;
  const [comparison] = comparisonsOf(result);
  assert.ok(comparison);

  assert.equal(levelOf(result, comparison)?.level, "fsync-1");
  assert.equal(levelOf(result, {...comparison, workload: "other"}), undefined);
  assert.equal(levelOf(result, {...comparison, levels: ["a", "b"]}), undefined);
  const named = {...result, analysis: {levels: [{...verdict, level: "fsync-1, bursts", workload: "bursts"}]}};
  assert.equal(levelOf(named, comparison)?.level, "fsync-1, bursts");
});

test("an unbounded end of the band is open, a quantile without a ratio is left out", () => {
  const points = shiftPoints({...verdict, shift: {points: [
    {q: 0.5, ratio: 1.2, lower: 1.1, upper: null, has_band: true},
    {q: 0.9, ratio: 1.2, lower: null, upper: null, has_band: false},
    {q: 0.99, ratio: null, lower: null, upper: null, has_band: true},
  ]}});

  assert.deepEqual(points.map(({q, lower, upper, hasBand}) => [q, lower, upper, hasBand]),
                   [[0.5, 1.1, Infinity, true], [0.9, 0, Infinity, false]]);
});

test("an elasticity is told for the platforms that have one", () => {
  assert.equal(elasticityWords({...verdict, elasticity: {first: 0.424, second: 1.31}}), "+0.42 % on Kafka and +1.3 % on Pulsar");
  assert.equal(elasticityWords({...verdict, elasticity: {first: null, second: -1.31}}), "−1.3 % on Pulsar");
  assert.equal(elasticityWords(verdict), "");
});
