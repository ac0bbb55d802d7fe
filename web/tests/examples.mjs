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
  const result = makeResult({platforms: ["kafka"], analytics: true});
  const words = "</script><img src=x onerror=alert(1)><!--<script> & \"quotes\" '$& ${x}";
  result.experiment.question = words;
  result.experiment.command = ["flow", "run", words];
  result.trials[0].state_words = words;
  result.trials[0].gates[0].words = words;
  result.trials[0].settings.producer[words] = words;
  const {analytics} = result.trials[0];
  analytics.words = words;
  analytics.pinot.stream = words;
  analytics.tables[0].table = words;
  result.trials[0].faults[0].words = words;
  for (const list of ["checks", "classes", "queries"]) analytics[list][0].name = words;
  return result;
}

// As little as a trial with analytics can hold: nothing, words only, and lists that are there and empty.
function bareAnalytics() {
  const result = makeResult({blocks: 2});
  const [first, second, third] = result.trials;
  first.analytics = {};
  second.analytics = {complete: false, words: "pinot-server was not ready within 180 s"};
  third.analytics = {complete: true, tables: [], checks: [], classes: [], queries: [], commits: [{}],
                     probe: {}, broker_share: {}, pinot_metric: {}, pinot: {}};
  third.faults = [{}];
  third.hops.queryable = {count: 0, overflow: 0, censored: 0, p50_ns: null, p90_ns: null, p99_ns: null, p99_9_ns: null,
                          max_ns: null, curve: []};
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
  "ten-blocks": makeResult({blocks: 10}),
  "analytics": makeResult({analytics: true}),
  "analytics-partial": makeResult({blocks: 3, level: "default", partial: true, analytics: true}),
  "analytics-bare": bareAnalytics(),
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

// Some numbers of one trial after the page was made.
const tampered = {
  "hops.end_to_end.p99_ns": (trial) => { trial.hops.end_to_end.p99_ns += 1; },
  "analytics.checks.1.pinot": ({analytics}) => { analytics.checks[1].pinot += 1; },
  "analytics.queries.0.staleness_max_ns": ({analytics}) => { analytics.queries[0].staleness_max_ns += 1; },
};

function tamper(at) {
  const file = join(at, "trials", "001-kafka-fsync-1", "trial.json");
  const trial = JSON.parse(readFileSync(file, "utf8"));
  for (const change of Object.values(tampered)) change(trial);
  writeFileSync(file, JSON.stringify(trial));
}

let failures = 0;
try {
  for (const [name, result] of Object.entries(kinds)) failures += open(name, result).status === 0 ? 0 : 1;
  const {status, stderr} = open("tampered", makeResult({analytics: true}), tamper);
  for (const path of Object.keys(tampered)) {
    if (status === 1 && stderr.includes(path)) continue;
    console.error(`FAILED the changed ${path} was not found`);
    ++failures;
  }
} finally {
  rmSync(folder, {recursive: true, force: true});
}
console.log(failures === 0 ? "every example held" : `${failures} examples failed`);
process.exitCode = failures === 0 ? 0 : 1;
