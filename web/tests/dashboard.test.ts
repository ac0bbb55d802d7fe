// The pure parts of the live dashboard: events from bytes, state from events, what is calculated.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {clock, latencyAt, ratesOf, secondsLeft, shadeOf, windowOf} from "../src/dashboard/derive.ts";
import {EventParser} from "../src/dashboard/events.ts";
import {differences, unfairLevels} from "../src/dashboard/fairness.ts";
import {planLines} from "../src/dashboard/plan.ts";
import {applied, emptyState, linesMax} from "../src/dashboard/state.ts";
import type {State} from "../src/dashboard/state.ts";
import type {Current, Headlines, LiveSecond, LiveTrial, TrialRow} from "../src/dashboard/types.ts";

const second = (unix_s: number, keys: Partial<LiveSecond> = {}): LiveSecond => ({kind: "live", phase: "measured", ...keys, unix_s});

function trialOf(id: string, startedS: number): LiveTrial {
  return {id, seconds: [], resources: [], gates: null, lines_left_out: 0,
          steps: [{kind: "step", step: "starting", unix_ns: startedS * 1e9}]};
}

function currentOf(trials: TrialRow[], trial: LiveTrial | null = null): Current {
  const order = [1, 2, 3, 4].map((number) => ({trial: number, block: Math.ceil(number / 2), cell: number % 2 ? "kafka" : "pulsar", seed: 1}));
  return {name: "r", state: "running", since_unix_ns: 0, estimated_seconds: 400, trials, trial, experiment: {plan: {order}}};
}

const done = (trial: number, cell: string, seconds: number): TrialRow =>
  ({id: `00${trial}-${cell}`, trial, cell, state: "complete", valid: true, started_unix_ns: 1e9, finished_unix_ns: (1 + seconds) * 1e9});

describe("events", () => {
  const stream = ": hello\n\nid: e-1\nevent: lines\ndata: {\"a\":1}\n\nid: e-2\r\nevent: trial\r\ndata: one\r\ndata: two\r\n\r\n:\n\n";

  test("are found wherever the bytes were cut", () => {
    for (let cut = 0; cut <= stream.length; ++cut) {
      // A cut between CR and LF would need a look ahead; the server sends LF alone.
      if (stream[cut - 1] === "\r") continue;
      const parser = new EventParser();
      const events = [...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))];
      assert.deepEqual(events, [{id: "e-1", type: "lines", data: "{\"a\":1}"}, {id: "e-2", type: "trial", data: "one\ntwo"}], `cut at ${cut}`);
    }
  });

  test("keep the last id, and are not made of comments", () => {
    const parser = new EventParser();
    assert.deepEqual(parser.push("id: 7\ndata: a\n\n:\n\ndata: b\n\n").map(({id}) => id), ["7", "7"]);
    assert.deepEqual(parser.push("event: x\n\n"), []);
  });
});

describe("state", () => {
  const lines = (state: State, ...added: unknown[]): State => applied(state, "lines", {lines: added}, 0);
  const started: State = applied(emptyState, "snapshot", {
    unix_ns: 5e9, flow: {version: "1"}, folder: "f", is_folder_there: true, results: [], results_left_out: 0,
    current: currentOf([], trialOf("001-kafka", 0)),
  }, 2000);

  test("begins with a snapshot, whose clock is the server's", () => {
    assert.equal(started.skewMs, 3000);
    assert.equal(started.results.folder, "f");
    assert.equal(started.current?.trial?.id, "001-kafka");
  });

  test("gains lines by kind and ignores those of a later version", () => {
    const after = lines(started, second(1), {kind: "resources"}, {kind: "gates", gates: []}, {kind: "step", step: "two"}, {kind: "new"});
    const {trial} = after.current ?? {};
    assert.deepEqual([trial?.seconds.length, trial?.resources.length, trial?.steps.length, trial?.gates?.kind], [1, 1, 2, "gates"]);
    assert.equal(started.current?.trial?.seconds.length, 0, "a state that was drawn does not change");
  });

  test("keeps a bounded number of lines", () => {
    const after = lines(started, ...Array.from({length: linesMax + 10}, (_, index) => second(index)));
    assert.equal(after.current?.trial?.seconds.length, linesMax);
    assert.equal(after.current?.trial?.seconds.at(-1)?.unix_s, linesMax + 9);
  });

  test("keeps plan and trial when only the progress is told", () => {
    const {experiment: _, trial: __, ...progress} = currentOf([done(1, "kafka", 10)]);
    const after = applied(started, "progress", {...progress, state: "sealed"}, 0);
    assert.equal(after.current?.state, "sealed");
    assert.equal(after.current?.trials.length, 1);
    assert.equal(after.current?.trial?.id, "001-kafka");
    assert.equal(after.current?.experiment.plan?.order?.length, 4);
  });

  test("survives events about what it does not know", () => {
    assert.deepEqual(applied(emptyState, "progress", {}, 0), emptyState);
    assert.deepEqual(applied(emptyState, "trial", trialOf("1", 0), 0), emptyState);
    assert.deepEqual(applied(emptyState, "something", null, 0), emptyState);
    assert.equal(applied(started, "current", null, 0).current, null);
  });
});

describe("rates", () => {
  test("are the steps of counters that begin again with each phase", () => {
    const rates = ratesOf([
      second(1, {phase: "warm_up", intended: 10, answered: 9, acked: 4}),
      second(2, {phase: "warm_up", intended: 30, answered: 29}),
      second(3, {intended: 5, answered: 5}),
      second(4, {intended: 12, answered: 11}),
    ]);
    assert.deepEqual(rates.map(({intended}) => intended), [10, 20, 5, 7]);
    assert.deepEqual(rates.map(({answered}) => answered), [9, 20, 5, 6]);
    assert.deepEqual(rates.map(({acked}) => acked), [4, null, null, null]);
  });

  test("spread what a second without a report left to the next one", () => {
    const rates = ratesOf([second(1, {intended: 10, answered: 10}), second(2), second(3, {intended: 30, answered: 20})]);
    assert.deepEqual(rates.map(({intended}) => intended), [10, null, 10]);
  });

  test("are never below zero", () => {
    const rates = ratesOf([second(1, {intended: 10, answered: 10}), second(2, {intended: 4, answered: 3})]);
    assert.equal(rates[1]?.intended, 0);
  });
});

describe("time left", () => {
  test("goes by the estimate until a trial has ended, then by how long trials took", () => {
    assert.equal(secondsLeft(currentOf([]), 0), 400);
    assert.equal(secondsLeft(currentOf([done(1, "kafka", 60)]), 0), 180);
    assert.equal(secondsLeft(currentOf([done(1, "kafka", 60), done(2, "pulsar", 90)]), 0), 150);
  });

  test("shrinks while a trial runs, and not below nothing", () => {
    const before = [done(1, "kafka", 60), done(2, "pulsar", 90), done(3, "kafka", 60)];
    const current = currentOf(before, trialOf("004-pulsar", 1000));
    assert.equal(secondsLeft(current, 1030e9), 60);
    assert.equal(secondsLeft(current, 1500e9), 0);
  });

  test("is not known without an estimate, and not asked when nothing runs", () => {
    assert.equal(secondsLeft({...currentOf([]), estimated_seconds: null}, 0), null);
    assert.equal(secondsLeft({...currentOf([]), state: "sealed"}, 0), null);
  });

  test("is shown in minutes, beyond an hour in hours", () => {
    assert.deepEqual([0, 42, 725, 3723, -3].map(clock), ["0:00", "0:42", "12:05", "1:02:03", "0:00"]);
  });
});

describe("plan", () => {
  test("shows each trial with what became of it", () => {
    const partial: TrialRow = {id: "002-pulsar", trial: 2, state: "partial", valid: false};
    const lines = planLines(currentOf([done(1, "kafka", 60), partial], trialOf("003-kafka", 0)));
    assert.deepEqual(lines.map(({trial, look}) => `${trial} ${look}`), ["1 valid", "2 partial", "3 running", "4 waiting"]);
  });

  test("runs nothing when its coordinator is gone", () => {
    const lines = planLines({...currentOf([], trialOf("001-kafka", 0)), state: "interrupted"});
    assert.deepEqual(lines.map(({look}) => look), ["waiting", "waiting", "waiting", "waiting"]);
  });
});

describe("results side by side", () => {
  const headlines = (changes: Partial<Headlines["experiment"]> = {}): Headlines => ({name: "r", cells: [], experiment: {
    host: {host_name: "a"}, flow: {commit: "1"}, levels: {l: {promises: "p", like_for_like: true}}, workloads: {w: {users: 1}}, ...changes}});

  test("say what differs besides the numbers", () => {
    assert.deepEqual(differences([headlines(), headlines()]), []);
    assert.deepEqual(differences([headlines(), headlines({host: {host_name: "b"}})]), ["they ran on different machines"]);
    assert.deepEqual(differences([headlines(), headlines({flow: {commit: "2"}})]), ["they were made by different versions of Flow"]);
    assert.deepEqual(differences([headlines(), headlines({levels: {l: {promises: "q"}}})]), ["level “l” promises different things"]);
    assert.deepEqual(differences([headlines(), headlines({workloads: {w: {users: 2}}})]), ["workload “w” is another one"]);
    assert.deepEqual(differences([headlines(), headlines({workloads: {other: {users: 2}}})]), [], "nothing to compare");
  });

  test("name levels at which the platforms promise different things", () => {
    const unfair = headlines({levels: {l: {like_for_like: false, like_for_like_reason: "one syncs"}}});
    assert.deepEqual(unfairLevels([headlines(), unfair, unfair]), ["level “l”: one syncs"]);
  });
});

test("a latency of 0 or null says that nothing was measured", () => {
  assert.deepEqual([0, null, undefined, "x", 5].map((value) => latencyAt(second(1, {key: value}), "key")), [null, null, null, null, 5]);
});

test("shades grow by steps of about three", () => {
  assert.deepEqual([1, 1e6 - 1, 1e6, 5e6, 20e6, 2e9, 60e9].map(shadeOf), [0, 0, 1, 2, 3, 7, 8]);
});

test("a strip shows a trial from its beginning while it fits, then its newest seconds", () => {
  const seconds = (count: number): LiveSecond[] => Array.from({length: count}, (_, index) => second(100 + index));
  assert.deepEqual(windowOf(seconds(5), 200), {from: 100, until: 160});
  assert.deepEqual(windowOf(seconds(150), 200), {from: 100, until: 250});
  assert.deepEqual(windowOf(seconds(500), 200), {from: 400, until: 600});
  assert.deepEqual(windowOf(seconds(5), 40), {from: 100, until: 140});
});
