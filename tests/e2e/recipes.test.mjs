// What docs/guides/ci tells people to copy: it is checked without its CI systems. And the quick mode that
// it stands on: a time budget becomes a plan or a refusal before anything starts.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

import { FLOW, ROOT, flow } from "./support.mjs";

const check = path.join(ROOT, "experiments/check.yaml");

test("the CI recipes are valid and call what there is", () => {
  const done = spawnSync("python3", [path.join(ROOT, "tests/check_recipes.py"), FLOW], { encoding: "utf8", timeout: 60_000 });
  assert.equal(done.status, 0, done.stdout + done.stderr);
});

test("the budget of the recipes is enough for a verdict, and the plan fits into it", () => {
  const planned = flow(["run", check, "--budget", "20m", "--dry-run"]);
  assert.equal(planned.code, 0, planned.err);
  const [, blocks, minutes] = planned.err.match(/Budget 20:00: (\d+) blocks with an A\/A trial each, about (\d+):\d\d/);
  assert.ok(Number(blocks) >= 7 && Number(minutes) < 18, planned.err);
  assert.match(planned.err, /call a cell worse, four times in five, when it is higher by \d+ % where two equal trials differ by 3 %/);
  assert.equal(planned.out.match(/^ {2}\d{3}-kafka/gm).length, 2 * Number(blocks));
});

test("a budget in which nothing can be decided is refused with what would be enough", () => {
  const refused = flow(["run", check, "--budget", "5m", "--dry-run"]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /--budget 5:00: 7 blocks, the fewest that can decide.*expected \d+:\d\d or more/);
  const [, minutes, seconds] = refused.err.match(/expected (\d+):(\d\d) or more/);
  const enough = `${Number(minutes) * 60 + Number(seconds)}s`;
  assert.equal(flow(["run", check, "--budget", enough, "--dry-run"]).code, 0, enough);
});

test("a budget without a unit, and noise from nowhere, are mistakes", () => {
  for (const args of [["--budget", "20"], ["--budget", "20x"], ["--budget", "-5m"], ["--noise-from", "/nowhere"],
    ["--budget", "20m", "--noise-from", "/nowhere"]]) {
    const refused = flow(["run", check, "--dry-run", ...args]);
    assert.equal(refused.code, 2, `${args}: ${refused.out}${refused.err}`);
    assert.notEqual(refused.err.trim(), "");
  }
});
