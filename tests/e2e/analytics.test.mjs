// Pinot over both platforms: every event is a row once, sums agree with the database, freshness is
// there in three ways; also when Pinot's server dies, its controller is away and the broker stands
// still for two seconds. Never a speed.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { assertSchemasHold } from "./result_files.mjs";
import { ROOT, flow, resultFolder, trialsOf } from "./support.mjs";

const experiment = `
name: analytics
question: Is every event a row, once?
platforms: [kafka, pulsar]
levels: [fsync-1]
seeds: [7]
bcrypt_cost: 4
analytics: true
segment_rows: 600
drain_seconds: 120
faults:
  - {what: pause, role: broker, at_seconds: 2, for_seconds: 2}
  - {what: kill, role: pinot-server, at_seconds: 6, for_seconds: 0}
  - {what: kill, role: pinot-controller, at_seconds: 22, for_seconds: 1}
workloads:
  - name: trickle
    bias: 0.55
    ticks: 48
    requests_per_second: 80
    users: 10
    warm_up_seconds: 3
`;

describe("flow run with analytics and faults", () => {
  const results = fs.mkdtempSync("/tmp/flow-analytics-");
  let run, folder, trials;

  before(() => {
    const file = path.join(results, "analytics.yaml");
    fs.writeFileSync(file, experiment);
    run = flow(["run", file, "--results", path.join(results, "r")], { timeout: 600_000 });
    folder = resultFolder(path.join(results, "r"));
    trials = trialsOf(folder);
  });
  after(() => fs.rmSync(results, { recursive: true, force: true }));

  test("runs both platforms to the end", () => {
    assert.ok([0, 1].includes(run.code), `exit code ${run.code}\n${run.err}\n${run.out}`);
    assert.deepEqual(trials.map((trial) => trial.platform).sort(), ["kafka", "pulsar"]);
    for (const trial of trials) assert.equal(trial.state, "complete", trial.state_words);
  });

  test("has no key that its schema does not know, and all that it wants", () => {
    assertSchemasHold(folder, results);
  });

  test("does each fault at its time and says how it went", () => {
    for (const trial of trials) {
      const words = trial.faults.map((fault) => fault.words).join("; ");
      const [, frozenFor] = /^frozen for (\d+\.\d+) s; .*ready again .*ready again/.exec(words) ?? [];
      assert.ok(frozenFor >= 2, `${trial.id}: ${words}`);
      for (const fault of trial.faults) assert.ok(fault.began_seconds >= fault.at_seconds);
    }
  });

  test("has every event as a row exactly once", () => {
    for (const { id, analytics } of trials) {
      assert.ok(analytics.complete, `${id}: ${analytics.words}`);
      assert.deepEqual(analytics.tables.map((table) => table.topic), ["users", "products", "orders"]);
      for (const table of analytics.tables) {
        assert.ok(table.rows > 0, `${id} ${table.table}`);
        assert.equal(table.rows, table.events_seen, `${id} ${JSON.stringify(table)}`);
        assert.equal(table.missing + table.doubled + table.unknown, 0, `${id} ${JSON.stringify(table)}`);
      }
    }
  });

  test("agrees with the database to the cent", () => {
    for (const { id, analytics } of trials) {
      assert.ok(analytics.checks.length >= 4, id);
      for (const check of analytics.checks) assert.ok(check.holds, `${id}: ${JSON.stringify(check)}`);
      assert.ok(analytics.checks.some((check) => check.unit === "cents" && check.pinot > 0), id);
    }
  });

  test("sealed segments on the way", () => {
    for (const { id, analytics } of trials) assert.ok(analytics.commits.length > 0, id);
  });

  test("shows the broker's two seconds and the server's absence in the freshness", () => {
    for (const trial of trials) {
      const { queryable } = trial.hops;
      assert.equal(queryable.count + queryable.censored, trial.phases.measured.events.acked);
      assert.ok(queryable.max_ns > 1.5e9, `${trial.id}: ${queryable.max_ns}`);
      assert.ok(trial.per_second.some((second) => second.queryable_max_ns > 1.5e9));
    }
  });

  test("asks the probe's and the dashboard's questions and counts all of them", () => {
    for (const { id, analytics, hops } of trials) {
      const { probe } = analytics;
      assert.ok(probe.events > 0 && probe.queries >= probe.found, id);
      assert.equal(probe.found + probe.not_found, probe.events);
      assert.equal(hops.probe.count + hops.probe.censored, probe.events);
      const asked = analytics.queries.reduce((sum, query) => sum + query.answered + query.failed, 0);
      assert.equal(asked, hops.query.count + hops.query.censored);
      assert.ok(analytics.queries.every((query) => query.sent > 0), id);
    }
  });

  test("shows the numbers on the page, without an error", () => {
    const page = spawnSync("node", [path.join(ROOT, "tests/e2e/report_page.mjs"),
      path.join(folder, "report.html"), folder], { encoding: "utf8", timeout: 180_000 });
    assert.equal(page.status, 0, page.stdout + page.stderr);
  });
});
