// Every hop on both platforms: the result has the shape that the reference promises, the sums hold,
// the page shows the numbers of the files, and a changed byte is found. Never a speed.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import {
  assertBaselineStandsForResult, assertChangeIsFound, assertReadByPython, assertSchemasHold,
} from "./result_files.mjs";
import { ROOT, flow, phases, readJson, resultFolder, scratch, trialsOf } from "./support.mjs";

describe("flow run experiments/smoke.yaml", () => {
  const results = fs.mkdtempSync("/tmp/flow-smoke-");
  let run, folder, trials;

  before(() => {
    run = flow(["run", path.join(ROOT, "experiments/smoke.yaml"), "--results", results]);
    folder = resultFolder(results);
    trials = trialsOf(folder);
  });
  after(() => fs.rmSync(results, { recursive: true, force: true }));

  test("ends with 0, or with 1 when a gate of this machine does not hold", () => {
    assert.ok([0, 1].includes(run.code), `exit code ${run.code}\n${run.err}\n${run.out}`);
    assert.equal(run.code === 0, trials.every((trial) => trial.valid), run.out);
  });

  test("names the result first and the report last, and is never silent for long", () => {
    assert.match(run.err, /Results: .*smoke/);
    assert.match(run.out, /Report: .*report\.html/);
    assert.ok(fs.existsSync(path.join(folder, "report.html")));
  });

  test("runs both platforms to the end with the same schedule", () => {
    assert.deepEqual(trials.map((trial) => trial.platform).sort(), ["kafka", "pulsar"]);
    for (const trial of trials) assert.equal(trial.state, "complete", trial.state_words);
    assert.equal(trials[0].schedule_hash, trials[1].schedule_hash);
  });

  test("reads every acked event exactly once, and every sum holds", () => {
    for (const trial of trials) {
      assert.ok(trial.audit.complete, trial.audit.words);
      for (const sum of trial.sums) assert.ok(sum.holds, `${trial.id}: ${JSON.stringify(sum)}`);
      for (const phase of phases) {
        const { events, audit } = trial.phases[phase];
        assert.ok(events.attempts > 0, `${trial.id} ${phase}: no events`);
        assert.equal(audit.seen_once, events.acked, `${trial.id} ${phase}`);
        assert.equal(audit.missing + audit.duplicated + audit.reordered + audit.unknown_seen, 0);
      }
    }
  });

  test("answers every intended request", () => {
    const experiment = readJson(folder, "experiment.json");
    const planned = experiment.workloads.trickle.facts.requests;
    for (const trial of trials) {
      const { requests } = trial.phases.measured;
      assert.equal(requests.intended, planned);
      assert.equal(requests.answered + requests.failed + requests.unanswered, planned);
      assert.equal(requests.failed + requests.unanswered, 0, JSON.stringify(requests));
    }
  });

  test("has every hop, with ordered quantiles, and the end to end after the publish", () => {
    for (const trial of trials) {
      for (const name of ["response_time", "service_time", "start_error", "publish_latency",
        "publish_response", "end_to_end"]) {
        const hop = trial.hops[name];
        assert.ok(hop.count > 0, `${trial.id} ${name}`);
        assert.ok(hop.p50_ns <= hop.p90_ns && hop.p90_ns <= hop.p99_ns && hop.p99_ns <= hop.max_ns);
        assert.match(hop.hdr_v2, /^HISTFAAA/);
      }
      assert.ok(trial.hops.publish_response.p50_ns >= trial.hops.publish_latency.p50_ns);
    }
  });

  test("measures what each process used", () => {
    for (const trial of trials) {
      const roles = trial.resources.map((row) => row.role);
      for (const role of ["shop", "auditor", "flow", "postgres"]) assert.ok(roles.includes(role), role);
      for (const row of trial.resources) assert.ok(row.rss_bytes_max > 0, JSON.stringify(row));
    }
  });

  test("writes one live line per second and one line per intended second", () => {
    for (const trial of trials) {
      const lines = fs.readFileSync(path.join(folder, "trials", trial.id, "intervals.jsonl"), "utf8")
        .trim().split("\n").map((line) => JSON.parse(line));
      const measured = lines.filter((line) => line.kind === "live" && line.phase === "measured");
      assert.ok(measured.length >= 4, `${measured.length} live lines`);
      assert.equal(lines.filter((line) => line.kind === "by_intended").length, trial.per_second.length);
    }
  });

  test("has no key that its schema does not know, and all that it wants", (context) => {
    assertSchemasHold(folder, scratch(context));
  });

  test("is refused by its schema with one key misspelt, missing, or of another type", (context) => {
    const away = scratch(context);
    const trial = path.join(folder, "trials", trials[0].id, "trial.json");
    const find = (file, change, words) => assertChangeIsFound(file, change, words, away);
    find(trial, (it) => { it.hops.end_to_end.p99ns = 1; }, /hops\/end_to_end: unknown key p99ns.*trial\.schema/);
    find(trial, (it) => { delete it.phases.measured.events.acked; }, /phases\/measured\/events: no key acked/);
    find(trial, (it) => { it.machine.steal_share = "0"; }, /machine\/steal_share: '0' is not of type/);
    find(trial, (it) => { it.per_second[0].intendet = 1; }, /per_second\/0: unknown key intendet/);
    find(trial, (it) => { delete it.hops; }, /the top: no key hops/);
    find(path.join(folder, "experiment.json"), (it) => { it.effective.blocs = 1; }, /effective: unknown key blocs/);
    find(path.join(folder, "analysis.json"), (it) => { delete it.levels[0].verdict; }, /levels\/0: no key verdict/);
    find(path.join(folder, "trials", trials[0].id, "servers.json"), (it) => { it.postgres.versoin = ""; },
      /postgres: unknown key versoin/);
  });

  test("is read by another language through its raw histograms", () => {
    assertReadByPython(folder, trials);
  });

  test("tells what each cell cost", () => {
    const cost = spawnSync("python3", [path.join(ROOT, "docs/reference/cost_of_result.py"), folder], { encoding: "utf8" });
    assert.equal(cost.status, 0, cost.stderr);
    const valid = trials.filter((trial) => trial.valid);
    for (const { cell } of valid) assert.match(cost.stdout, new RegExp(`^${cell}  \\(1 trials\\)  CPU-s/M events \\d+`, "m"));
    const sizes = [...cost.stdout.matchAll(/bytes\/event (\d+)/g)].map(([, size]) => Number(size));
    assert.equal(sizes.length, valid.length);
    for (const size of sizes) assert.ok(size > 20 && size < 2000, cost.stdout);
  });

  test("can be kept as a small baseline", (context) => {
    assertBaselineStandsForResult(folder, scratch(context));
  });

  test("says which server settings are not the vendor's default, and what the device took", () => {
    const expected = { kafka: ["kafka-1", "auto.create.topics.enable", "true", "false"],
      pulsar: ["pulsar-bookie-1", "journalMaxSizeMB", "2048", "512"] };
    for (const { id, platform, machine } of trials) {
      const servers = readJson(folder, "trials", id, "servers.json");
      const [role, key, standard, value] = expected[platform];
      const row = servers[platform].differs_from_default[role].find((one) => one.key === key);
      assert.deepEqual(row, { key, default: standard, value }, servers[platform].defaults_from);
      assert.ok(servers.postgres.differs_from_default.postgres.some((one) => one.key === "max_wal_size"));
      const written = machine.device_write_bytes;
      assert.ok(written === null || (Number.isInteger(written) && written >= 0), `${id}: ${written}`);
    }
    const shown = spawnSync("node", [path.join(ROOT, "tests/e2e/disclosure_page.mjs"),
      path.join(folder, "report.html")], { encoding: "utf8", timeout: 180_000 });
    assert.equal(shown.status, 0, shown.stdout + shown.stderr);
    for (const cell of Object.values(expected)) assert.match(shown.stdout, new RegExp(cell.join("\\n")));
    assert.match(shown.stdout, /device write: [\d.]+ .?i?B|device write: unknown/);
  });

  test("shows the numbers of trial.json on the page, without an error", () => {
    const page = spawnSync("node", [path.join(ROOT, "tests/e2e/report_page.mjs"),
      path.join(folder, "report.html"), folder,
      ...(process.env.FLOW_SCREENSHOTS ? ["--screenshots", process.env.FLOW_SCREENSHOTS] : [])], { encoding: "utf8", timeout: 180_000 });
    assert.equal(page.status, 0, page.stdout + page.stderr);
  });

  test("is sealed: verify holds, and finds one changed byte", () => {
    assert.equal(flow(["verify", folder]).code, 0);
    const file = path.join(folder, "trials", trials[0].id, "trial.json");
    const text = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, text.replace(/"trial": 1/, '"trial": 2'));
    const found = flow(["verify", folder]);
    fs.writeFileSync(file, text);
    assert.equal(found.code, 1);
    assert.match(found.out, /trial\.json: changed/);
  });

  test("is made again from its files by flow report", () => {
    fs.rmSync(path.join(folder, "report.html"));
    const report = flow(["report", folder]);
    assert.equal(report.code, 0, report.err);
    assert.ok(fs.existsSync(path.join(folder, "report.html")));
  });

  test("has nothing left to do when it is resumed", () => {
    const again = flow(["run", path.join(ROOT, "experiments/smoke.yaml"), "--results", results, "--resume"]);
    assert.ok([0, 1].includes(again.code), again.err);
    assert.doesNotMatch(again.err, /starting kafka|starting pulsar/);
  });
});
