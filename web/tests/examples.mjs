// The page with results of many kinds, each opened by tests/e2e/report_page.mjs: whole, partial and
// failed trials, one platform, no trial at all, hostile names. A result that differs from its page in
// one number must be found.
//   node examples.mjs TEMPLATE REPORT_PAGE.mjs NODE_MODULES
// SPDX-License-Identifier: Apache-2.0
import {spawnSync} from "node:child_process";
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {makeResult, writeResult} from "./example.mjs";
import {embed, loadResult} from "./render.mjs";

const [templateFile, driver, modules] = process.argv.slice(2);
if (!modules) {
  console.error("usage: node examples.mjs TEMPLATE REPORT_PAGE.mjs NODE_MODULES");
  process.exit(2);
}
const template = readFileSync(templateFile, "utf8");
const folder = mkdtempSync(join(tmpdir(), "flow-report-"));

function hostile() {
  const result = makeResult({platforms: ["kafka"]});
  const words = "</script><img src=x onerror=alert(1)><!--<script> & \"quotes\" '$& ${x}";
  result.experiment.question = words;
  result.experiment.command = ["flow", "run", words];
  result.trials[0].state_words = words;
  result.trials[0].gates[0].words = words;
  result.trials[0].settings.producer[words] = words;
  return result;
}

function notStarted() {
  const result = makeResult();
  const bare = ({format, trial, id, cell, platform, level, workload, block, seed}) =>
    ({format, trial, id, cell, platform, level, workload, block, seed, state: "failed", valid: false,
      state_words: "no server started"});
  result.trials = result.trials.map(bare);
  return result;
}

const kinds = {
  "one-block": makeResult(),
  "three-blocks-unfair-partial": makeResult({blocks: 3, level: "default", partial: true}),
  "hostile-one-platform": hostile(),
  "nothing-started": notStarted(),
};

function open(name, result, change = () => {}) {
  const at = join(folder, name);
  mkdirSync(join(at, "trials"), {recursive: true});
  writeResult(at, result);
  writeFileSync(`${at}.html`, embed(template, loadResult(at)));
  change(at);
  const run = spawnSync(process.execPath, [driver, `${at}.html`, at, "--modules", modules],
                        {encoding: "utf8", timeout: 150_000});
  console.log(`== ${name}: exit ${run.status}\n${run.stdout}${run.stderr}`);
  return run;
}

// One number of one trial after the page was made.
function tamper(at) {
  const file = join(at, "trials", "001-kafka-fsync-1", "trial.json");
  const trial = JSON.parse(readFileSync(file, "utf8"));
  trial.hops.end_to_end.p99_ns += 1;
  writeFileSync(file, JSON.stringify(trial));
}

let failures = 0;
try {
  for (const [name, result] of Object.entries(kinds)) failures += open(name, result).status === 0 ? 0 : 1;
  const tampered = open("tampered", makeResult(), tamper);
  if (tampered.status !== 1 || !tampered.stderr.includes("hops.end_to_end.p99_ns")) {
    console.error("FAILED the changed number was not found");
    ++failures;
  }
} finally {
  rmSync(folder, {recursive: true, force: true});
}
console.log(failures === 0 ? "every example held" : `${failures} examples failed`);
process.exitCode = failures === 0 ? 0 : 1;
