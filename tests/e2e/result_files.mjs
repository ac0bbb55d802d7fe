// A real result as a stranger takes it: every file against its schema, the raw histograms through
// another library, the baseline in place of the result.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { ROOT, flow, readJson } from "./support.mjs";

const reference = path.join(ROOT, "docs/reference");
let interpreter;

function python(...args) {
  if (!interpreter) {
    const made = spawnSync(path.join(ROOT, "tools/install-python"), { encoding: "utf8", timeout: 300_000 });
    assert.equal(made.status, 0, made.stderr);
    interpreter = made.stdout.trim();
  }
  const done = spawnSync(interpreter, args, { encoding: "utf8", timeout: 120_000 });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

export const checkSchemas = (...files) => python(path.join(reference, "schema/check_result.py"), ...files);

// Every file of the result, and what is made from it.
export function assertSchemasHold(folder, scratch) {
  const exported = path.join(scratch, "export"), baseline = path.join(scratch, "baseline.json");
  const difference = path.join(scratch, "diff.json");
  assert.equal(flow(["export", folder, "--format", "jsonl", "--out", exported]).code, 0);
  assert.equal(flow(["export", folder, "--baseline", baseline]).code, 0);
  fs.writeFileSync(difference, flow(["diff", folder, folder, "--json"]).out);
  const made = fs.readdirSync(exported).map((name) => path.join(exported, name));
  const checked = checkSchemas(folder, baseline, difference, ...made);
  assert.equal(checked.code, 0, `keys are described in docs/reference/schema/:\n${checked.out}${checked.err}`);
  assert.match(checked.out, /^\d+ files, 0 problems$/m);
}

// One change to a good file must be found, and said so that a reader knows which key.
export function assertChangeIsFound(file, change, words, scratch) {
  const document = readJson(file);
  change(document);
  const changed = path.join(scratch, path.basename(file));
  fs.writeFileSync(changed, JSON.stringify(document));
  const checked = checkSchemas(changed);
  assert.equal(checked.code, 1, `${file}: nothing found\n${checked.out}${checked.err}`);
  assert.match(checked.out, words);
}

// The reader of docs/reference gets from the raw histogram what trial.json states.
export function assertReadByPython(folder, trials) {
  const read = python(path.join(reference, "read_result.py"), folder);
  assert.equal(read.code, 0, read.err);
  const lines = read.out.trim().split("\n").map((line) => line.split(" "));
  assert.deepEqual(lines.map(([id]) => id), trials.map(({ id }) => id));
  for (const [index, [id, raw]] of lines.entries()) {
    const stated = trials[index].hops.publish_response.p99_ns;
    const isSame = stated === null ? raw === "None" : Math.abs(Number(raw) / stated - 1) <= 0.001;
    assert.ok(isSame, `${id}: ${raw} and ${stated}`);
  }
}

// A baseline says what its result says.
export function assertBaselineStandsForResult(folder, scratch) {
  const baseline = path.join(scratch, "baseline.json");
  assert.equal(flow(["export", folder, "--baseline", baseline]).code, 0);
  const byFile = flow(["diff", baseline, folder, "--json"]);
  const byResult = flow(["diff", folder, folder, "--json"]);
  assert.equal(byFile.code, byResult.code, byFile.err);
  assert.deepEqual(JSON.parse(byFile.out), JSON.parse(byResult.out));
  assert.ok(fs.statSync(baseline).size < 20_000, `${fs.statSync(baseline).size} bytes`);
}
