// Opens a report in headless Chromium and holds it against the files it was made from: no error, no
// network, no page wider than the window (light and dark, desktop and phone, everything unfolded),
// every number equal to trial.json and every hop, gate and sum of every trial present, figures usable by
// keyboard, downloads readable, printing works.
//   node report_page.mjs REPORT.html RESULT_DIR [--screenshots DIR] [--modules NODE_MODULES]
// Exit code 0: all held; 1: a check failed, each with a sentence; 2: wrong call.
// SPDX-License-Identifier: Apache-2.0
import {existsSync, mkdirSync, readdirSync, readFileSync} from "node:fs";
import {join, resolve} from "node:path";
import {pathToFileURL} from "node:url";
import {parseArgs} from "node:util";
import {launchBrowser} from "./browser.mjs";

const problems = [];
const expect = (holds, words) => { if (!holds) problems.push(words); };

function usage(words) {
  console.error(`report_page.mjs: ${words}\n` +
                "usage: node report_page.mjs REPORT.html RESULT_DIR [--screenshots DIR] [--modules NODE_MODULES]");
  process.exit(2);
}

function readTrials(folder) {
  const trials = new Map();
  for (const id of readdirSync(join(folder, "trials")).sort()) {
    const file = join(folder, "trials", id, "trial.json");
    if (!existsSync(file)) continue;
    const trial = JSON.parse(readFileSync(file, "utf8"));
    if (trial.is_repeat) trial.cell += " again";  // A cell of its own on the page.
    trials.set(id, trial);
  }
  return trials;
}

function valueAt(root, path) {
  return path.split(/(?<!\\)\./).reduce((value, key) => value?.[key.replaceAll("\\.", ".")], root);
}

const sizes = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9};
const byteSizes = {"B": 1, "KiB": 2 ** 10, "MiB": 2 ** 20, "GiB": 2 ** 30, "TiB": 2 ** 40};

// The number that a reader takes from the text, in the unit of the raw value.
function readText(text, unit) {
  const [digits, suffix = ""] = text.replaceAll(",", "").trim().split(/\s+/);
  const number = Number(digits);
  switch (unit) {
    case "ms": return number * 1e6;
    case "percent": return number / 100;
    case "bytes": return number * byteSizes[suffix];
    case "seconds": return number * sizes[suffix] / 1e9;
    case "duration": return number * sizes[suffix];
    default: return number;
  }
}

// Null means beyond what was measured, but where nothing was measured at all.
function isWithoutSamples(path, trial) {
  const [part, hop] = path.split(".");
  if (part !== "analytics") return part === "per_second" || trial?.[part]?.[hop]?.count === 0;
  const {rows, answered, answers} = valueAt(trial, path.slice(0, path.lastIndexOf("."))) ?? {};
  return !((rows ?? answered ?? answers) > 0);
}

function checkNull({text, path, derived}, trial, where) {
  const isEmpty = !derived && isWithoutSamples(path, trial);
  expect(text === (isEmpty ? "–" : "> measured"), `${where}: shows “${text}” for a null`);
}

function checkText({text, unit, value}, where) {
  const raw = Number(value);
  if (Number.isNaN(raw)) return expect(text === value, `${where}: shows “${text}”, the file says “${value}”`);
  const shown = readText(text, unit);
  // Three significant digits: off by half a unit of the third at most.
  const slack = unit === "count" ? 0.5 : Math.abs(raw) * 0.0051;
  expect(Math.abs(shown - raw) <= slack, `${where}: shows “${text}” (${unit}), the file says ${raw}`);
}

function checkNumber(cell, trials) {
  const where = `${cell.trial} ${cell.path}`;
  const trial = trials.get(cell.trial);
  if (!trial) return expect(false, `${where}: there is no such trial`);
  const raw = valueAt(trial, cell.path);
  expect(raw !== undefined && String(raw) === cell.value, `${where}: page holds ${cell.value}, trial.json ${raw}`);
  if (cell.value === "null") checkNull(cell, trial, where);
  else checkText(cell, where);
}

function median(values) {
  const sorted = values.toSorted ? values.toSorted((a, b) => a - b) : [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Does again, from the files, what the page says it did.
function derive(cell, trials) {
  const ofCell = [...trials.values()].filter((trial) => trial.cell === cell.cell);
  const trial = trials.get(cell.trialId);
  const roles = cell.roles?.split(" ") ?? [];
  const uses = (trial?.resources ?? []).filter((use) => roles.includes(use.role));
  const sum = (field) => uses.reduce((total, use) => total + use[field], 0);
  const [rule, field] = cell.derived.split(":");
  switch (rule) {
    case "median-of-blocks":
      return median(ofCell.map((one) => valueAt(one, cell.path)).filter((value) => value !== undefined)
          .map((value) => value ?? Infinity));
    case "sum-of-trials":
      return ofCell.reduce((total, one) => total + (valueAt(one, cell.path) ?? 0), 0);
    case "sum-of-tables":
      return ofCell.flatMap((one) => one.analytics?.tables ?? []).reduce((total, table) => total + (table[cell.path] ?? 0), 0);
    case "ratio":
      return valueAt(trials.get(cell.other), cell.path) / valueAt(trials.get(cell.base), cell.path);
    case "sum": return sum(field);
    case "cpu-per-1000": {
      const {warm_up: warmUp, measured} = trial.phases;
      return 1000 * sum("cpu_seconds") / ((warmUp?.requests?.answered ?? 0) + (measured?.requests?.answered ?? 0));
    }
    case "largest-partition": {
      const events = trial.partitions.filter(({topic}) => topic === cell.topic).map((one) => one.events);
      return Math.max(...events) / events.reduce((a, b) => a + b, 0);
    }
    case "cost-cpu": case "cost-bytes": case "cost-memory":
      return median(ofCell.flatMap((one) => costOf(one, cell.derived)));
    default: return NaN;
  }
}

const commonRoles = ["postgres", "shop", "auditor", "flow"];

// Of the platform's own processes, against what was published.
function costOf({resources = [], published}, rule) {
  const own = resources.filter(({role}) => !commonRoles.includes(role) && !role.startsWith("pinot"));
  if (own.length === 0 || !published?.events || !published.bytes) return [];
  const sum = (field) => own.reduce((total, use) => total + use[field], 0);
  if (rule === "cost-cpu") return [1e6 * sum("cpu_seconds") / published.events];
  return [rule === "cost-bytes" ? sum("write_bytes") / published.bytes : sum("rss_bytes_max")];
}

function checkDerived(cell, trials) {
  const where = `${cell.derived} ${cell.trialId ?? cell.cell ?? cell.other} ${cell.path ?? cell.roles ?? cell.topic}`;
  const again = derive(cell, trials);
  const held = cell.value === "null" ? again === Infinity
                                     : Math.abs(again - Number(cell.value)) <= 1e-9 * Math.max(1, Math.abs(again));
  expect(held, `${where}: page holds ${cell.value}, the files give ${again}`);
  if (cell.value === "null") checkNull(cell, undefined, where);
  else checkText(cell, where);
}

const quantiles = ["p50_ns", "p99_ns", "max_ns"];
const analyticsFields = {
  tables: ["rows", "events_seen", "missing", "doubled", "unknown", "late", "without_stamp", "commits"],
  checks: ["database", "pinot"],
  classes: ["seconds", "rows", ...quantiles],
  queries: ["sent", "answered", "failed", ...quantiles, ...quantiles.map((name) => `staleness_${name}`)],
  faults: ["at_seconds"],
  commits: ["rows"],
};

function* requiredOfAnalytics(analytics) {
  for (const [list, fields] of Object.entries(analyticsFields)) {
    for (const [index, one] of (analytics[list] ?? []).entries()) {
      for (const field of fields) if (one[field] !== undefined) yield `analytics.${list}.${index}.${field}`;
    }
  }
  for (const part of ["probe", "pinot_metric", "broker_share"]) {
    for (const [name, value] of Object.entries(analytics[part] ?? {})) {
      if (typeof value === "number") yield `analytics.${part}.${name}`;
      else for (const inner of Object.keys(typeof value === "object" ? value ?? {} : {})) yield `analytics.${part}.${name}.${inner}`;
    }
  }
}

// Every number that must be found on the page, whatever else is there.
function* required(trial) {
  for (const [hop, values] of Object.entries(trial.hops ?? {})) {
    for (const field of ["count", "p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns", "censored"]) {
      if (values[field] !== undefined) yield `hops.${hop}.${field}`;
    }
  }
  for (const index of (trial.gates ?? []).keys()) yield* [`gates.${index}.value`, `gates.${index}.limit`];
  for (const index of (trial.sums ?? []).keys()) yield* [`sums.${index}.left`, `sums.${index}.right`];
  for (const index of (trial.resources ?? []).keys()) yield `resources.${index}.cpu_seconds`;
  for (const index of (trial.partitions ?? []).keys()) yield `partitions.${index}.events`;
  yield* requiredOfAnalytics(trial.analytics ?? {});
  for (const [phase, {requests = {}, events = {}, audit = {}}] of Object.entries(trial.phases ?? {})) {
    for (const status of Object.keys(requests.answered_by_status ?? {})) {
      yield `phases.${phase}.requests.answered_by_status.${status}`;
    }
    for (const name of Object.keys(events)) yield `phases.${phase}.events.${name}`;
    for (const name of Object.keys(audit)) yield `phases.${phase}.audit.${name}`;
  }
}

const readNumbers = (page) => page.evaluate(() =>
  [...document.querySelectorAll("[data-path]:not([data-derived])")].map((at) => ({
    trial: at.dataset.trial, path: at.dataset.path, unit: at.dataset.unit, value: at.dataset.value,
    text: at.textContent,
  })));

const readDerived = (page) => page.evaluate(() =>
  [...document.querySelectorAll("[data-derived]")].map((at) => ({...at.dataset, text: at.textContent})));

async function checkNumbers(page, trials) {
  const numbers = await readNumbers(page);
  for (const cell of numbers) checkNumber(cell, trials);
  const derived = await readDerived(page);
  for (const cell of derived) checkDerived(cell, trials);
  const found = new Set(numbers.map(({trial, path}) => `${trial} ${path}`));
  for (const [id, trial] of trials) {
    for (const path of required(trial)) expect(found.has(`${id} ${path}`), `${id} ${path}: not on the page`);
  }
  return numbers.length + derived.length;
}

async function checkWidth(page, words) {
  const [content, room] = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(content <= room, `${words}: the page is ${content} px wide in a window of ${room} px`);
}

// Folds may have folds inside that are made when they are opened.
async function unfold(page) {
  const open = () => page.evaluate(() => {
    const closed = [...document.querySelectorAll("details:not([open])")];
    for (const fold of closed) fold.open = true;
    return closed.length;
  });
  while (await open() > 0) await page.waitForTimeout(50);
}

// Each figure redraws for each choice made with the arrow keys.
async function checkKeyboard(page) {
  const groups = await page.evaluate(() =>
    [...document.querySelectorAll("figure fieldset")].map((set) => set.closest("figure").id));
  for (const id of groups) {
    const drawing = page.locator(`#${id} .drawing`);
    const before = await drawing.innerHTML();
    if (await page.locator(`#${id} fieldset input`).count() < 2) continue;
    await page.locator(`#${id} fieldset input:checked`).first().focus();
    await page.keyboard.press("ArrowRight");
    expect(await drawing.innerHTML() !== before, `${id}: an arrow key on its choice changes nothing`);
    await page.keyboard.press("ArrowLeft");
  }
}

async function checkStructure(page) {
  const found = await page.evaluate(() => ({
    unnamedDrawings: [...document.querySelectorAll(".drawing svg")].filter((svg) => !svg.getAttribute("aria-label")).length,
    drawings: document.querySelectorAll(".drawing svg").length,
    tables: document.querySelectorAll("table").length,
    uncaptioned: [...document.querySelectorAll("table")].filter((table) => !table.caption?.textContent).length,
    deadLinks: [...document.querySelectorAll("a[href^='#']")].filter((link) => !document.querySelector(link.hash)).length,
    ids: [...document.querySelectorAll("[id]")].map(({id}) => id),
    downloads: [...document.querySelectorAll("a[download]")].map((link) => [link.download, link.getAttribute("href")]),
  }));
  expect(found.tables >= 5, `only ${found.tables} tables on the page`);
  expect(found.unnamedDrawings === 0, `${found.unnamedDrawings} drawings have no name for a screen reader`);
  expect(found.uncaptioned === 0, `${found.uncaptioned} tables have no caption`);
  expect(found.deadLinks === 0, `${found.deadLinks} links inside the page lead nowhere`);
  expect(new Set(found.ids).size === found.ids.length, "an id stands twice on the page");
  for (const [name, href] of found.downloads) checkDownload(name, href);
  return found.drawings;
}

function checkDownload(name, href) {
  const text = decodeURIComponent(href.slice(href.indexOf(",") + 1));
  if (name.endsWith(".json")) expect(JSON.parse(text).length > 0, `${name}: no record in it`);
  else expect(text.split("\r\n").length > 2, `${name}: no line in it`);
}

function checkWords(text, experiment, analysis) {
  const blocks = experiment.plan?.blocks ?? 0;
  const sentences = (analysis?.levels ?? []).some(({verdict}) => verdict && verdict !== "estimate") ? analysis.sentences : [];
  if (sentences.length === 0) expect(text.includes("No verdict"), "the page does not say that it gives no verdict");
  for (const sentence of sentences) expect(text.includes(sentence), `the verdict “${sentence}” is not on the page`);
  for (const level of (analysis?.levels ?? []).filter(({blocks}) => blocks > 1)) {
    for (const words of [level.shift?.sentence, level.components?.sentence]) {
      expect(!words || text.includes(words), `level ${level.level}: “${words}” is not on the page`);
    }
  }
  if (blocks < 7 && experiment.estimate?.words) {
    expect(text.includes(experiment.estimate.words), `the words “${experiment.estimate.words}” are missing`);
  }
  const platforms = new Set((experiment.plan?.cells ?? []).map((cell) => cell.platform));
  for (const [name, level] of Object.entries(experiment.levels ?? {})) {
    if (level.like_for_like !== false || platforms.size < 2) continue;
    expect(text.includes("NOT LIKE FOR LIKE"), `level ${name} is not like for like and the page does not say so`);
    expect(text.includes(level.like_for_like_reason), `level ${name}: the reason is not on the page`);
  }
}

async function openPage(browser, report, look) {
  const context = await browser.newContext({viewport: {width: look.width, height: look.height},
                                            colorScheme: look.scheme, deviceScaleFactor: look.scale});
  const page = await context.newPage();
  const say = (words) => expect(false, `${look.name}: ${words}`);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") say(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => say(`script error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== report && !request.url().startsWith("data:")) say(`asks for ${request.url()}`);
  });
  await page.goto(report, {waitUntil: "load", timeout: 30_000});
  await page.waitForSelector("footer", {timeout: 60_000});
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return {context, page};
}

const looks = [
  {name: "desktop-light", width: 1280, height: 900, scheme: "light", scale: 1},
  {name: "desktop-dark", width: 1280, height: 900, scheme: "dark", scale: 1},
  {name: "phone-light", width: 390, height: 844, scheme: "light", scale: 2},
  {name: "phone-dark", width: 360, height: 740, scheme: "dark", scale: 2},
];

async function checkPrint(page, screenshots) {
  const pdf = await page.pdf({format: "A4", printBackground: true, preferCSSPageSize: true,
                              ...(screenshots ? {path: join(screenshots, "print.pdf")} : {})});
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
  expect(pdf.subarray(0, 5).toString() === "%PDF-" && pages >= 1, `printing gave ${pdf.length} bytes, ${pages} pages`);
  return pages;
}

async function checkLook(browser, report, look, {trials, experiment, analysis, screenshots}) {
  const {context, page} = await openPage(browser, report, look);
  await checkWidth(page, look.name);
  if (screenshots) {
    await page.screenshot({path: join(screenshots, `${look.name}.png`), fullPage: true});
    // The README's picture: what is seen first.
    if (look.name === "desktop-light") await page.screenshot({path: join(screenshots, "report.png")});
  }
  let words = "";
  if (look.name === "desktop-light") {
    checkWords(await page.evaluate(() => document.body.textContent), experiment, analysis);
    const pages = await checkPrint(page, screenshots);
    await checkKeyboard(page);
    const drawings = await checkStructure(page);
    words = `${drawings} drawings, ${pages} pages printed`;
  }
  await unfold(page);
  await page.waitForTimeout(100);
  await checkWidth(page, `${look.name}, unfolded`);
  const numbers = await checkNumbers(page, trials);
  const isEmpty = [...trials.values()].every((trial) => required(trial).next().done);
  expect(isEmpty || numbers > 0, `${look.name}: no number on the page`);
  console.log(`${look.name}: ${numbers} numbers compared${words ? `, ${words}` : ""}`);
  await context.close();
}

const {values: options, positionals} = parseArgs({allowPositionals: true, options: {
  screenshots: {type: "string"}, modules: {type: "string"}}});
const [report, folder] = positionals;
if (!report || !folder || positionals.length > 2) usage("expected a report and its result folder");
if (!existsSync(report)) usage(`${report}: no such file`);
if (!existsSync(join(folder, "experiment.json"))) usage(`${folder}: no experiment.json in it`);
if (options.screenshots) mkdirSync(options.screenshots, {recursive: true});
const browser = await launchBrowser(options.modules).catch((error) => usage(error.message));
try {
  const given = {
    trials: readTrials(folder), screenshots: options.screenshots,
    experiment: JSON.parse(readFileSync(join(folder, "experiment.json"), "utf8")),
    analysis: existsSync(join(folder, "analysis.json")) ? JSON.parse(readFileSync(join(folder, "analysis.json"), "utf8")) : undefined,
  };
  for (const look of looks) await checkLook(browser, pathToFileURL(resolve(report)).href, look, given);
} finally {
  await browser.close();
}
for (const problem of new Set(problems)) console.error(`FAILED ${problem}`);
console.log(problems.length === 0 ? "report page: every check held" : `report page: ${new Set(problems).size} checks failed`);
process.exitCode = problems.length === 0 ? 0 : 1;
