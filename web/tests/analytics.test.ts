// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {analyticsFlaw, analyticsTroubles, burstSeconds, commitMarks, faultMarks, hopsOf, hasAnalytics, streamWords,
        tableTotal} from "../src/analytics.ts";
import {rangesOf} from "../src/figures/panels.ts";
import {comparisonsOf} from "../src/model.ts";
import type {Comparison} from "../src/model.ts";
import type {Analytics, Result, Trial} from "../src/types.ts";
import {makeResult} from "./example.mjs";

const whole = makeResult({analytics: true}) as Result;
const spoilt = makeResult({analytics: true, partial: true}) as Result;

function only(result: Result): Comparison {
  const [comparison] = comparisonsOf(result);
  assert.ok(comparison);
  return comparison;
}

function trialWith(analytics?: Analytics): Trial {
  const [trial] = whole.trials;
  assert.ok(trial);
  const {analytics: _, ...rest} = trial;
  return analytics === undefined ? rest : {...rest, analytics};
}

const hopKeys = (result: Result): string[] => hopsOf(only(result)).map(([hop]) => hop);

test("hops of analytics are listed where a trial has them, and nowhere else", () => {
  const common = hopKeys(makeResult() as Result);

  assert.equal(common.length, 7);
  assert.deepEqual(hopKeys(whole), [...common, "queryable", "probe", "query"]);
  assert.equal(hasAnalytics(only(makeResult() as Result)), false);
  assert.equal(hasAnalytics(only(spoilt)), true);
});

test("freshness carries its resolution, and the warning only where two platforms are compared", () => {
  const definition = (result: Result): string => hopsOf(only(result)).find(([hop]) => hop === "queryable")?.[2] ?? "";

  assert.match(definition(whole), /^queryable − intended.*, ±1 ms; the ingestion code differs by platform$/);
  assert.match(definition(makeResult({platforms: ["pulsar"], analytics: true}) as Result), /±1 ms$/);
});

test("a trial whose events all became rows has no troubles", () => {
  for (const trial of whole.trials) {
    assert.deepEqual(analyticsTroubles(trial), []);
    assert.equal(analyticsFlaw(trial), "");
  }
  assert.deepEqual(analyticsTroubles(trialWith()), []);
});

test("incomplete analytics, checks that differ, and rows lost or doubled are troubles, in words", () => {
  const [, pulsar] = spoilt.trials;
  assert.ok(pulsar);

  assert.deepEqual(analyticsTroubles(pulsar), [
    "analytics not complete: 2 of 3 tables were read to their end",
    "Pinot and the database differ in sum of order amounts",
    "81 rows missing from Pinot", "1 row doubled in Pinot",
  ]);
  assert.equal(analyticsFlaw(pulsar), "analytics not complete");
});

test("answers that nobody compared with the database are not taken for good", () => {
  assert.deepEqual(analyticsTroubles(trialWith({complete: true})), ["Pinot was not compared with the database"]);
  assert.equal(analyticsFlaw(trialWith({complete: true})), "not checked");
  assert.equal(analyticsFlaw(trialWith()), "no analytics");
});

test("one check that differs is enough for a flaw", () => {
  const check = {name: "orders", database: 3, pinot: 2, holds: false};

  assert.equal(analyticsFlaw(trialWith({complete: true, checks: [{...check, holds: true}, check]})), "counts differ");
});

test("totals over tables leave out what no table counts", () => {
  const tables = [{table: "a", missing: 2}, {table: "b", missing: 3}, {table: "c"}];

  assert.equal(tableTotal({tables}, "missing"), 5);
  assert.ok(Number.isNaN(tableTotal({tables}, "dropped")));
  assert.ok(Number.isNaN(tableTotal(undefined, "missing")));
});

test("bursts are the seconds above twice the mean, neighbours drawn as one", () => {
  const seconds = [1, 1, 9, 9, 1, 1, 9, 1].map((intended, second) => ({second, intended}));

  assert.deepEqual(burstSeconds(seconds), [2, 3, 6]);
  assert.deepEqual(rangesOf(burstSeconds(seconds)), [[2, 4], [6, 7]]);
  assert.deepEqual(burstSeconds([]), []);
  assert.deepEqual(burstSeconds([{second: 0, intended: 2}, {second: 1, intended: 2}]), []);
});

test("commits and faults stand on the axis of the measured phase", () => {
  const [series] = only(whole).series;
  const [trial] = whole.trials;
  assert.ok(series && trial);
  const commits = commitMarks(series, trial);

  assert.deepEqual(commits.map(({from}) => Math.round(from * 1000)), [4300, 28_400]);
  assert.equal(commits[0]?.words, "commit of 1,201 rows, kafka_products partition 1");
  assert.deepEqual(faultMarks(series, trial).map(({from, until, words}) => [from, until, words]),
                   [[19.001, 20.501, "kill pinot-server"]]);
});

test("what has no moment is not drawn", () => {
  const [series] = only(whole).series;
  assert.ok(series);
  const {measured_from_unix_ns: _, ...unplaced} = {...trialWith({commits: [{unix_ms: 5}]}), faults: [{what: "kill"}]};

  assert.deepEqual(commitMarks(series, unplaced), []);
  assert.deepEqual(commitMarks(series, {...unplaced, measured_from_unix_ns: 0}), []);
  assert.deepEqual(commitMarks(series, trialWith({commits: [{}]})), []);
  assert.deepEqual(faultMarks(series, unplaced), []);
  assert.deepEqual(faultMarks(series, {...unplaced, faults: [{at_seconds: 3, began_seconds: null}]}), [], "not reached");
  assert.equal(faultMarks(series, {...unplaced, faults: [{at_seconds: 3}]})[0]?.from, 3);
});

test("the code through which Pinot reads is named by platform", () => {
  assert.deepEqual(streamWords(only(whole)), [
    "Kafka through Pinot's own Kafka plugin (pinot-kafka-2.0)", "Pulsar through Flow's Pulsar plugin (flow-pinot-pulsar 0.1.0)",
  ]);
});
