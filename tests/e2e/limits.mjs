// How large results may get: makes a result of many trials out of the trials of a real one, each with numbers of its
// own, and holds the report and the analysis to their limits. By hand, on a machine that is otherwise idle:
//   node tests/e2e/limits.mjs FLOW RESULT_DIR [--modules NODE_MODULES] [--keep DIR]
//   100 trials: the report is at most 4 MB and is drawn in Chromium within 2 s;
//   1,000 trials: `flow report` (reads, judges, writes) takes at most 10 s and 500 MiB.
// Exit code 0: the limits hold, 1: one does not, 2: wrong call.
// SPDX-License-Identifier: Apache-2.0
import {spawnSync} from "node:child_process";
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {pathToFileURL} from "node:url";
import {parseArgs} from "node:util";
import {launchBrowser} from "./browser.mjs";

const {values: options, positionals: [flow, source]} = parseArgs({allowPositionals: true, options: {
  modules: {type: "string"}, keep: {type: "string"}}});
if (!flow || !source || !existsSync(join(source, "experiment.json"))) {
  console.error("usage: node limits.mjs FLOW RESULT_DIR [--modules NODE_MODULES] [--keep DIR]");
  process.exit(2);
}
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const originals = readdirSync(join(source, "trials")).sort().map((id) => join(source, "trials", id, "trial.json"))
    .filter(existsSync).map(read);

// Every time in ns changes by the same factor, so that quantiles stay in order; histograms stay as they are.
function scaled(value, factor) {
  if (Array.isArray(value)) return value.map((one) => scaled(one, factor));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => {
    if (key === "curve") return [key, one.map(([q, ns]) => [q, ns === null ? null : Math.round(ns * factor)])];
    const isTime = key.endsWith("_ns") && !key.endsWith("unix_ns") && typeof one === "number";
    return [key, isTime ? Math.round(one * factor) : scaled(one, factor)];
  }));
}

/** The result, `count` trials long, every third an A/A trial of the first platform. */
function multiply(folder, count) {
  const experiment = read(join(source, "experiment.json"));
  const order = [];
  for (let number = 1; number <= count; ++number) {
    const block = Math.ceil(number / 3);
    const from = originals[(number - 1) % 3 % originals.length];
    const isRepeat = number % 3 === 0;
    const factor = Math.exp(0.2 * Math.sin(number * 12.9898) + 0.3 * Math.sin(block * 78.233));
    const trial = {...scaled(from, factor), trial: number, block, seed: block, is_repeat: isRepeat, valid: true, state: "complete",
                   platform_fell_over: false, id: `${String(number).padStart(4, "0")}-${from.cell}${isRepeat ? "-again" : ""}`};
    order.push({trial: number, block, cell: from.cell, seed: block, is_repeat: isRepeat});
    mkdirSync(join(folder, "trials", trial.id), {recursive: true});
    writeFileSync(join(folder, "trials", trial.id, "trial.json"), JSON.stringify(trial, null, 2));
  }
  const blocks = Math.ceil(count / 3);
  experiment.plan = {...experiment.plan, blocks, seeds: Array.from({length: blocks}, (_, i) => i + 1), order};
  experiment.estimate = {is_estimate: false, words: ""};
  writeFileSync(join(folder, "experiment.json"), JSON.stringify(experiment, null, 2));
}

/** Seconds and MiB of `flow report`. */
function report(folder) {
  const started = performance.now();
  const run = spawnSync("/usr/bin/python3", ["-c",
    "import resource,subprocess,sys; code=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL); " +
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)", flow, "report", folder], {encoding: "utf8"});
  if (run.status !== 0) throw new Error(`flow report ${folder}: exit ${run.status}\n${run.stderr}`);
  return {seconds: (performance.now() - started) / 1000, mebibytes: Number(run.stdout) / 1024};
}

/** Seconds from the start of the navigation until the page is laid out; the fastest of three. */
async function drawn(file) {
  const browser = await launchBrowser(options.modules);
  try {
    const all = [];
    for (let i = 0; i < 3; ++i) {
      const page = await browser.newPage({viewport: {width: 1280, height: 900}});
      await page.goto(pathToFileURL(file).href);
      await page.waitForSelector("footer", {timeout: 60_000});
      all.push(await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
        void document.body.offsetHeight;
        done(performance.now() / 1000);
      })))));
      await page.close();
    }
    return Math.min(...all);
  } finally {
    await browser.close();
  }
}

let broken = 0;
function hold(words, value, limit, unit) {
  broken += value <= limit ? 0 : 1;
  console.log(`${value <= limit ? "holds" : "BROKEN"}: ${words}: ${value.toFixed(2)} ${unit} (limit ${limit})`);
}

const folder = options.keep ?? mkdtempSync(join(tmpdir(), "flow-limits-"));
try {
  const [small, large] = [join(folder, "100"), join(folder, "1000")];
  multiply(small, 100);
  report(small);
  hold("report of 100 trials", statSync(join(small, "report.html")).size / 1e6, 4, "MB");
  hold("100 trials drawn", await drawn(join(small, "report.html")), 2, "s");
  multiply(large, 1000);
  const {seconds, mebibytes} = report(large);
  hold("1,000 trials read, judged and reported", seconds, 10, "s");
  hold("memory for that", mebibytes, 500, "MiB");
} finally {
  if (!options.keep) rmSync(folder, {recursive: true, force: true});
}
process.exitCode = broken === 0 ? 0 : 1;
