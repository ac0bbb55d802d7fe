// Customers who wait for answers, on both platforms with real servers: everybody does what the plan
// says, in its order, each request after the answer before it and its pause; the counts add up.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { assertSchemasHold } from "./result_files.mjs";
import { experimentFile, flow, readJson, resultFolder, trialsOf } from "./support.mjs";

// By the number in a record: traffic::ActionKind.
const actions = ["list_products", "view_product", "place_order", "register_user", "sign_in"];

// Of the measured phase, by customer, as they came due. Layout: streaming/audit/records.hpp.
function requestsByUser(folder, trial) {
  const bytes = fs.readFileSync(path.join(folder, "trials", trial.id, "requests.records"));
  const { from_request: from, until_request: until } = trial.phases.measured;
  const users = new Map();
  for (let at = 16; at + 48 <= bytes.length; at += 48) {
    const number = Number(bytes.readBigUInt64LE(at));
    if (number < from || number >= until) continue;
    const user = bytes.readUInt32LE(at + 44);
    if (!users.has(user)) users.set(user, []);
    users.get(user).push({
      intended: bytes.readBigInt64LE(at + 8), answered: bytes.readBigInt64LE(at + 24),
      action: actions[bytes.readUInt8(at + 43)],
    });
  }
  for (const requests of users.values()) requests.sort((a, b) => Number(a.intended - b.intended));
  return users;
}

// Whether `part` is `whole` with some left out.
function isPartOf(part, whole) {
  let at = 0;
  for (const one of whole) if (at < part.length && part[at] === one) ++at;
  return at === part.length;
}

describe("an experiment with a population that waits for answers", () => {
  const scratch = fs.mkdtempSync("/tmp/flow-modes-");
  const results = path.join(scratch, "results");
  const csv = path.join(scratch, "plan.csv");
  let run, folder, trials, plan;

  before(() => {
    const file = experimentFile(scratch, {
      requests_per_second: "_", users: "40\n    mode: population\n    new_share: 0.2\n    think_xm_seconds: 0.2",
    });
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/^.*requests_per_second.*\n/m, ""));
    run = flow(["run", file, "--results", results]);
    folder = resultFolder(results);
    trials = trialsOf(folder);
    const shown = flow(["traffic", "--mode", "population", "--bias", "0.6", "--ticks", "8", "--users", "40", "--seed", "7",
      "--new-share", "0.2", "--think-xm", "0.2", "--json", "--csv", csv]);
    plan = JSON.parse(shown.out);
  });
  after(() => fs.rmSync(scratch, { recursive: true, force: true }));

  test("runs on both platforms to the end, by the plan that flow traffic shows", () => {
    assert.ok([0, 1].includes(run.code), run.err);
    assert.deepEqual(trials.map((trial) => trial.platform).sort(), ["kafka", "pulsar"]);
    for (const trial of trials) {
      assert.equal(trial.state, "complete", trial.state_words);
      assert.equal(trial.schedule_hash, plan.plan_hash);
      assert.equal(trial.customers.requests_planned, plan.requests_expected);
    }
  });

  test("counts every customer and request once", () => {
    for (const { id, customers, phases, sums, audit } of trials) {
      const { arrived, completed, cut, turned_away: turnedAway } = customers;
      assert.equal(arrived, completed + cut + turnedAway, id);
      assert.equal(arrived, plan.visits, id);
      assert.equal(turnedAway, 0, id);
      const { intended } = phases.measured.requests;
      assert.ok(Math.abs(customers.omitted_share - (1 - intended / plan.requests_expected)) < 1e-9, id);
      assert.ok(audit.complete, audit.words);
      for (const sum of sums) assert.ok(sum.holds, `${id}: ${JSON.stringify(sum)}`);
      assert.equal(phases.measured.audit.missing + phases.measured.audit.duplicated, 0, id);
    }
  });

  test("lets every customer do what the plan says, each time after the answer before", () => {
    const planned = new Map();
    for (const line of fs.readFileSync(csv, "utf8").trim().split("\n").slice(1)) {
      const [, user, action] = line.split(",");
      planned.set(Number(user), [...(planned.get(Number(user)) ?? []), action]);
    }
    for (const trial of trials) {
      const users = requestsByUser(folder, trial);
      const made = [...users.values()].reduce((sum, requests) => sum + requests.length, 0);
      assert.equal(made, trial.phases.measured.requests.intended);
      for (const [user, requests] of users) {
        const words = requests.map(({ action }) => action);
        assert.ok(isPartOf(words, planned.get(user)), `${trial.id}, user ${user}: ${words}`);
        for (let i = 1; i < requests.length; ++i) {
          assert.ok(requests[i].intended >= requests[i - 1].answered, `${trial.id}, user ${user}`);
        }
      }
    }
  });

  test("has no key that its schema does not know", () => {
    assertSchemasHold(folder, scratch);
  });

  test("says what the mode means for comparing", () => {
    const { warnings, workloads } = readJson(folder, "experiment.json");
    assert.ok(warnings.some((words) => /mode population/.test(words)));
    assert.equal(workloads.trickle.mode, "population");
    assert.equal(workloads.trickle.facts.customers.present_max, 40);
  });
});
