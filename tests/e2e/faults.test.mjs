// What goes wrong while a trial runs: it ends with a clear word, what was measured is kept, and
// nothing is left running or lying about.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import {
  descendants, experimentFile, flow, isAlive, leftovers, livePhase, ownCache, resultFolder, scratch, sleep,
  start, trialsOf, until,
} from "./support.mjs";

// A run on Kafka alone that is in its measured phase.
async function measuring(context, changes = {}) {
  const folder = scratch(context);
  const results = path.join(folder, "results");
  const cache = ownCache(folder);
  const file = experimentFile(folder, { platforms: "[kafka]", ticks: 16, ...changes });
  const run = start(["run", file, "--results", results], { env: { ...process.env, FLOW_CACHE: cache } });
  context.after(() => run.child.kill("SIGKILL"));
  await until(() => livePhase(results) === "measured" || run.child.exitCode !== null,
    "the measured phase", 240_000);
  assert.equal(run.child.exitCode, null, run.err);
  return { run, results, cache, pid: run.child.pid };
}

function assertNothingLeft(cache) {
  assert.deepEqual(leftovers(cache), { folders: [], processes: [] });
}

test("a broker that stops for one second is seen in its seconds, and no request is missing", async (context) => {
  const { run, results, pid } = await measuring(context);
  const [broker] = descendants(pid, /kafka\.Kafka/);
  await sleep(1000);
  const stoppedAt = Date.now();
  process.kill(broker, "SIGSTOP");
  await sleep(1000);
  process.kill(broker, "SIGCONT");
  const wentOnAt = Date.now();
  const end = await run.ended;

  assert.ok([0, 1].includes(end.code), end.err);
  const [trial] = trialsOf(resultFolder(results));
  assert.equal(trial.state, "complete", trial.state_words);
  const { requests, audit } = trial.phases.measured;
  assert.equal(requests.answered, requests.intended);
  assert.equal(audit.missing + audit.duplicated, 0);
  const secondOf = (unixMs) => Math.floor((unixMs * 1e6 - trial.measured_from_unix_ns) / 1e9);
  const near = trial.per_second.slice(Math.max(0, secondOf(stoppedAt)), secondOf(wentOnAt) + 1);
  assert.ok(near.some((row) => row.end_to_end_max_ns > 0.6e9), JSON.stringify(near));
});

test("a shop that is killed ends the trial as partial, with the reason", async (context) => {
  const { run, results, cache, pid } = await measuring(context);
  const [shop] = descendants(pid, /flow shop/);
  process.kill(shop, "SIGKILL");
  const end = await run.ended;

  assert.equal(end.code, 3, end.err);
  const [trial] = trialsOf(resultFolder(results));
  assert.equal(trial.state, "partial");
  assert.match(trial.state_words, /shop: ended by SIGKILL/);
  assert.equal(trial.valid, false);
  assert.ok(trial.hops.response_time.count > 0);
  assertNothingLeft(cache);
});

test("a broker that is killed ends the trial as partial, with the reason", async (context) => {
  const { run, results, cache, pid } = await measuring(context, { blocks: "1\ndrain_seconds: 3" });
  const [broker] = descendants(pid, /kafka\.Kafka/);
  process.kill(broker, "SIGKILL");
  const end = await run.ended;

  assert.equal(end.code, 3, end.err);
  const [trial] = trialsOf(resultFolder(results));
  assert.equal(trial.state, "partial");
  assert.match(trial.state_words, /kafka-1/);
  assert.equal(trial.audit.complete, false);
  assertNothingLeft(cache);
});

test("flow killed with -9 takes its servers with it; the next call removes the rest, and resumes", async (context) => {
  const { run, results, cache, pid } = await measuring(context);
  const children = descendants(pid);
  assert.ok(children.length >= 4, `${children.length} children`);
  process.kill(pid, "SIGKILL");
  await run.ended;
  await until(() => children.every((child) => !isAlive(child)), "the children to die", 30_000);

  const folder = resultFolder(results);
  const [id] = fs.readdirSync(path.join(folder, "trials"));
  assert.ok(fs.statSync(path.join(folder, "trials", id, "requests.records")).size > 1000);
  const env = { ...process.env, FLOW_CACHE: cache };
  flow(["verify", folder], { env });
  assertNothingLeft(cache);
  const file = path.join(path.dirname(results), "experiment.yaml");
  const resumed = flow(["run", file, "--results", results, "--resume"], { env });
  assert.ok([0, 1].includes(resumed.code), resumed.err);
  assert.equal(trialsOf(folder)[0].state, "complete");
});

test("Ctrl-C once drains and writes what was measured", async (context) => {
  const { run, results, cache, pid } = await measuring(context);
  await sleep(1500);
  process.kill(pid, "SIGINT");
  const end = await run.ended;

  assert.equal(end.code, 3, end.err);
  const [trial] = trialsOf(resultFolder(results));
  assert.equal(trial.state, "partial");
  assert.match(trial.state_words, /stopped by the operator in the measured phase/);
  assert.ok(trial.hops.end_to_end.count > 0);
  assert.equal(trial.phases.measured.audit.missing, 0);
  assertNothingLeft(cache);
});

test("Ctrl-C twice stops now, and nothing is left after the next call", async (context) => {
  const { run, cache, pid } = await measuring(context);
  const children = descendants(pid);
  process.kill(pid, "SIGINT");
  await sleep(100);
  process.kill(pid, "SIGINT");
  const end = await run.ended;

  assert.equal(end.code, 3);
  await until(() => children.every((child) => !isAlive(child)), "the children to die", 30_000);
  flow(["status"], { env: { ...process.env, FLOW_CACHE: cache } });
  assertNothingLeft(cache);
});
