// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {busiestSecond} from "../src/figures/seconds.ts";
import {comparisonsOf, isUnresolved, median, requestsServed, separateRepeats, valuesOf} from "../src/model.ts";
import {statusesOf} from "../src/sections/audit.ts";
import {ratioOf} from "../src/sections/hops.ts";
import {defaultRows, factText, isOneSided, settingRows} from "../src/sections/disclosure.ts";
import type {Cell, Result} from "../src/types.ts";
import {makeResult} from "./example.mjs";

function cell(platform: string, level: string): Cell {
  return {id: `${platform}-${level}`, platform, level, workload: "bursts"};
}

function planned(cells: Cell[], levels = {}): Result {
  return {experiment: {plan: {cells}, levels}, trials: []};
}

test("cells of one level and workload are compared with each other", () => {
  const comparisons = comparisonsOf(planned(
    [cell("kafka", "a"), cell("pulsar", "a"), cell("kafka", "b"), cell("pulsar", "b")]));

  assert.deepEqual(comparisons.map(({levels, series}) => [levels, series.map((one) => one.label)]),
                   [[["a"], ["Kafka", "Pulsar"]], [["b"], ["Kafka", "Pulsar"]]]);
  assert.ok(comparisons.every((one) => one.isLikeForLike));
});

test("a level that is not like for like is said to be so, with its reason", () => {
  const levels = {a: {like_for_like: false, like_for_like_reason: "one syncs"}};
  const [both] = comparisonsOf(planned([cell("kafka", "a"), cell("pulsar", "a")], levels));
  const [alone] = comparisonsOf(planned([cell("kafka", "a")], levels));

  assert.equal(both?.isLikeForLike, false);
  assert.match(both?.reasons.join() ?? "", /one syncs/);
  assert.equal(alone?.isLikeForLike, true, "one platform alone is compared with nothing");
});

test("platforms at different levels are one comparison, and not like for like", () => {
  const comparisons = comparisonsOf(planned([cell("kafka", "weak"), cell("pulsar", "strong")]));

  assert.equal(comparisons.length, 1);
  assert.equal(comparisons[0]?.isLikeForLike, false);
  assert.match(comparisons[0]?.reasons.join() ?? "", /promise different things/);
  assert.deepEqual(comparisons[0]?.series.map(({label}) => label), ["Kafka, weak", "Pulsar, strong"]);
});

function variant(platform: string, settings: Record<string, string>): Cell {
  const id = [platform, ...Object.values(settings)].join("-");
  return {...cell(platform, "a"), id, settings};
}

test("platforms are compared at equal values of what is varied", () => {
  const comparisons = comparisonsOf(planned(["kafka", "pulsar"].flatMap((platform) =>
    ["0", "5"].map((value) => variant(platform, {"producer.linger_ms": value})))));

  assert.deepEqual(comparisons.map(({title, series}) => [title, series.map(({label}) => label)]), [
    ["level a, workload bursts, producer.linger_ms 0", ["Kafka", "Pulsar"]],
    ["level a, workload bursts, producer.linger_ms 5", ["Kafka", "Pulsar"]],
  ]);
});

test("the values of one platform are compared with each other", () => {
  const comparisons = comparisonsOf(planned(["0", "0.5"].map((value) => variant("kafka", {broker_cpus: value}))));

  assert.deepEqual(comparisons.map(({series}) => series.map(({label}) => label)),
                   [["Kafka, broker_cpus all", "Kafka, broker_cpus 0.5"]]);
});

test("a platform without a setting stands beside all values of the other one", () => {
  const [both, ...more] = comparisonsOf(planned([
    variant("kafka", {"kafka.producer.in_flight_max": "1"}), variant("kafka", {"kafka.producer.in_flight_max": "5"}),
    cell("pulsar", "a")]));

  assert.equal(more.length, 0);
  assert.equal(both?.series.length, 3);
});

test("the null broker is compared with nothing", () => {
  const [only] = comparisonsOf(planned([cell("kafka", "a"), cell("pulsar", "a"), cell("null", "a")]));

  assert.deepEqual(only?.series.map(({label}) => label), ["Kafka", "Pulsar"]);
});

test("blocks hold their trials by cell; trials without a plan make their own cells", () => {
  const result = makeResult({blocks: 2}) as Result;
  const [withPlan] = comparisonsOf(result);
  const [without] = comparisonsOf({experiment: {}, trials: result.trials});

  for (const comparison of [withPlan, without]) {
    assert.deepEqual(comparison?.blocks.map(({block, trials}) => [block, trials.size]), [[1, 2], [2, 2]]);
  }
});

test("a median over blocks counts null as beyond all, and leaves out what never ran", () => {
  const result = makeResult({blocks: 3, partial: true}) as Result;
  const [comparison] = comparisonsOf(result);
  assert.ok(comparison);
  const values = valuesOf(comparison, "pulsar-fsync-1", "hops.response_time.p99_ns");

  assert.equal(values.length, 2);
  assert.ok(values.includes(Infinity));
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([1, 2, 3, Infinity]), 2.5);
  assert.equal(median([1, Infinity]), Infinity);
  assert.ok(Number.isNaN(median([])));
});

test("ratios exist between positive numbers only", () => {
  assert.equal(ratioOf(2, 3), 1.5);
  for (const [base, other] of [[0, 3], [null, 3], [2, null], [2, undefined]] as const) {
    assert.ok(Number.isNaN(ratioOf(base, other)));
  }
});

test("a quantile needs a sample beyond it, and a maximum none", () => {
  assert.equal(isUnresolved("p99_ns", 99), true);
  assert.equal(isUnresolved("p99_ns", 100), false);
  assert.equal(isUnresolved("p99_9_ns", 999), true);
  assert.equal(isUnresolved("p99_9_ns", 1000), false);
  assert.equal(isUnresolved("p50_ns", 2), false);
  for (const [field, samples] of [["max_ns", 1], ["p99_ns", 0], ["p99_ns", undefined]] as const) {
    assert.equal(isUnresolved(field, samples), false);
  }
});

test("settings are laid side by side, differences and one-sided ones told apart", () => {
  const rows = settingRows([{producer: {acks: "all", linger: 1}, nodes: 1},
                            {producer: {linger: 2, batch: {bytes: 16}}, nodes: 1}, undefined]);

  assert.deepEqual(rows.map(({group, name, values}) => [group, name, ...values]), [
    ["producer", "acks", "all", null, null], ["producer", "linger", "1", "2", null],
    ["producer", "batch.bytes", null, "16", null], ["general", "nodes", "1", "1", null],
  ]);
  assert.equal(settingRows([{a: {x: 1}}, {a: {x: 1}}])[0]?.isDifferent, false);
});

test("a setting is one-sided when a side does not know it; a side alone knows all of its own", () => {
  const both = settingRows([{a: {x: 1, y: 2}}, {a: {y: 3, z: 4}}]);

  assert.deepEqual(both.filter(isOneSided).map(({name}) => name), ["x", "z"]);
  assert.equal(settingRows([{a: {x: 1}}]).some(isOneSided), false);
});

test("an integer that the browser had to round says so", () => {
  const [large, small] = settingRows([{a: {anchor: 1795549164814817800, size: 9007199254740991}}]);

  assert.deepEqual(large?.values, ["≈ 1795549164814817800"]);
  assert.deepEqual(small?.values, ["9007199254740991"]);
});

test("settings that differ from the vendor's default keep their role, addresses last", () => {
  const rows = defaultRows({
    "kafka-1": [
      {key: "log.dirs", default: null, value: "/x/kafka-1"},
      {key: "auto.create.topics.enable", default: "true", value: "false"},
    ],
    "pulsar-zookeeper": [{key: "initLimit", default: "10", value: null}],
  });

  assert.deepEqual(rows.map(({role, key, standard, value}) => [role, key, standard, value]), [
    ["kafka-1", "auto.create.topics.enable", "true", "false"],
    ["kafka-1", "log.dirs", null, "/x/kafka-1"],
    ["pulsar-zookeeper", "initLimit", "10", null],
  ]);
  assert.deepEqual(defaultRows(undefined), []);
});

test("facts are shown as their names say", () => {
  assert.equal(factText("device_write_bytes", null), "unknown");
  assert.equal(factText("cpu_share", 0.01972070568783752), "1.97 %");
  assert.equal(factText("steal_share_max", 0), "0 %");
  assert.equal(factText("in_flight_mean", 0.12289396188918682), "0.123");
  assert.equal(factText("connections_opened", 1_234), "1234");
  assert.equal(factText("fsync_latency_p99_ns", 277_000), "277 µs");
});

test("requests served are those of warm-up and schedule; the busiest second is the first of its kind", () => {
  const [trial] = (makeResult() as Result).trials;
  assert.ok(trial);

  assert.equal(requestsServed(trial), 3000 + 9600);
  assert.equal(busiestSecond(trial.per_second ?? []), 10);
  assert.equal(busiestSecond([]), undefined);
});

test("statuses of all phases and trials are one sorted list", () => {
  const {trials} = makeResult({partial: true, blocks: 2}) as Result;

  assert.deepEqual(statusesOf([...trials, undefined]), ["200", "201"]);
});

test("the example keeps the published facts of its traffic", () => {
  const {experiment} = makeResult() as Result;
  const facts = experiment.workloads?.["bursts"]?.facts;

  assert.equal(facts?.busiest_tick_requests, 1672);
  assert.equal(facts?.volumes?.reduce((a, b) => a + b), 9600);
});

test("an A/A trial is a cell of its own, beside the trial that it repeats", () => {
  const cell = {id: "kafka-x", platform: "kafka", level: "x", workload: "w"};
  const trial = {trial: 1, id: "001", cell: "kafka-x", platform: "kafka", level: "x", workload: "w", block: 1};
  const order = [{trial: 1, block: 1, cell: "kafka-x", seed: 1}, {trial: 2, block: 1, cell: "kafka-x", seed: 1, is_repeat: true}];
  const result = separateRepeats({
    experiment: {plan: {cells: [cell], order}}, trials: [trial, {...trial, trial: 2, id: "002-aa", is_repeat: true}],
  });

  const [comparison] = comparisonsOf(result);

  assert.deepEqual(comparison?.series.map(({label}) => label), ["Kafka", "Kafka again (A/A)"]);
  assert.deepEqual([...comparison?.blocks[0]?.trials.values() ?? []].map(({id}) => id), ["001", "002-aa"]);
});
