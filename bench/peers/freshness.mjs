// The table of bench/peers/freshness.sh from the files of one run, and whether its limits hold.
//   node freshness.mjs FOLDER
// Quantiles are those of the rows of all blocks of a platform together, rates those of all its passes. Exit code: 0 every limit holds,
// 1 one does not.
// SPDX-License-Identifier: Apache-2.0
import fs from "node:fs";
import path from "node:path";

const folder = process.argv[2];
const platforms = ["kafka", "pulsar"];
const files = fs.readdirSync(folder);
const read = (name) => fs.readFileSync(path.join(folder, name), "utf8");
const json = (name) => JSON.parse(read(name));
const blocksOf = (platform) =>
  files.filter((name) => name.endsWith(`-${platform}-rows.csv`)).map((name) => name.slice(0, -"-rows.csv".length));

// Of rank ceil(q * count).
function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(Math.ceil(q * sorted.length), 1) - 1];
}
const sum = (values) => values.reduce((a, b) => a + b, 0);

// request, intended, seen, ingested; the last three in Unix ns. Differences are exact as BigInt.
function rowsOf(block) {
  return read(`${block}-rows.csv`).trim().split("\n").map((line) => {
    const [, intended, seen, ingested] = line.split(",").map(BigInt);
    const ms = (span) => Number(span) / 1e6;
    return { fresh: ms(ingested - intended), seen: ms(seen - intended), share: ms(ingested - seen) };
  });
}

function passesOf(platform) {
  return files.filter((name) => name.startsWith("pass-") && name.endsWith(`-${platform}-fill.json`))
    .map((name) => ({ ...json(name), ...json(name.replace("-fill.json", "-cpu.json")) }));
}
const rateOf = (passes) => sum(passes.map((pass) => pass.rows)) / (sum(passes.map((pass) => pass.span_ms)) / 1000);

function freshnessOf(blocks) {
  const rows = blocks.flatMap(rowsOf);
  const of = (key, q) => quantile(rows.map((row) => row[key]), q);
  return {
    rows: rows.length,
    fresh50: of("fresh", 0.5), fresh99: of("fresh", 0.99), freshMax: of("fresh", 1),
    seen50: of("seen", 0.5), seen99: of("seen", 0.99),
    share50: of("share", 0.5), share99: of("share", 0.99),
    late: Math.max(...blocks.map((block) => json(`${block}-load.json`).start_error_p99_ms)),
  };
}

function ingestionOf(platform) {
  const passes = passesOf(platform);
  return {
    rate: rateOf(passes),
    complete: sum(passes.map((pass) => pass.complete_seconds)) / passes.length,
    cpu: (sum(passes.map((pass) => pass.cpu_seconds)) / sum(passes.map((pass) => pass.rows))) * 1e6,
  };
}

// The probe's share of Pinot's CPU time, from trial.json; undefined where no trial was run.
function probeShares() {
  const shares = {};
  const run = path.join(folder, "run");
  if (!fs.existsSync(run)) return shares;
  for (const name of fs.readdirSync(run, { recursive: true })) {
    if (path.basename(name) !== "trial.json") continue;
    const trial = JSON.parse(fs.readFileSync(path.join(run, name), "utf8"));
    shares[trial.platform] = trial.analytics?.probe?.cpu_share;
  }
  return shares;
}

const of = Object.fromEntries(platforms.map((platform) => [platform, { ...freshnessOf(blocksOf(platform)), ...ingestionOf(platform) }]));
const { kafka, pulsar } = of;
const probe = probeShares();
const lines = [];
let isGood = true;
const text = (value, digits = 2) => (value === undefined || value === null ? "-" : value.toFixed(digits));

function line(what, unit, a, b, digits = 2) {
  lines.push([`${what}, ${unit}`, text(a, digits), text(b, digits), "", "", ""]);
}
function limited(what, unit, a, b, digits, compared, limit, holds) {
  isGood &&= holds;
  lines.push([`${what}, ${unit}`, text(a, digits), text(b, digits), compared, limit, holds ? "holds" : "DOES NOT HOLD"]);
}

line("rows measured", "count", kafka.rows, pulsar.rows, 0);
limited("freshness p50", "ms", kafka.fresh50, pulsar.fresh50, 2,
  `${text(pulsar.fresh50 - kafka.fresh50)} ms more`, "6 ms more", pulsar.fresh50 - kafka.fresh50 <= 6);
limited("freshness p99", "ms", kafka.fresh99, pulsar.fresh99, 2,
  `${text(pulsar.fresh99 / kafka.fresh99)} x`, "1.2 x", pulsar.fresh99 <= 1.2 * kafka.fresh99);
line("freshness max", "ms", kafka.freshMax, pulsar.freshMax);
line("seen by the auditor p50", "ms", kafka.seen50, pulsar.seen50);
line("seen by the auditor p99", "ms", kafka.seen99, pulsar.seen99);
limited("plugin's own share p50", "ms", kafka.share50, pulsar.share50, 2, "", "2 ms", pulsar.share50 <= 2);
line("plugin's own share p99", "ms", kafka.share99, pulsar.share99);
limited("full topic", "rows/s", kafka.rate, pulsar.rate, 0,
  `${text(pulsar.rate / kafka.rate)} x`, "0.8 x", pulsar.rate >= 0.8 * kafka.rate);
line("until COUNT(*) is complete", "s", kafka.complete, pulsar.complete);
line("CPU of Pinot's server", "s per million rows", kafka.cpu, pulsar.cpu);
line("published late p99, worst block", "ms", kafka.late, pulsar.late);
if (Object.keys(probe).length > 0) {
  const percent = platforms.map((platform) => (probe[platform] ?? NaN) * 100);
  limited("probe's share of Pinot's CPU", "%", ...percent, 1, "", "5 %", percent.every((share) => share <= 5));
}

const head = ["", "Kafka", "Pulsar", "Pulsar against Kafka", "limit", ""];
const widths = head.map((_, column) => Math.max(...[head, ...lines].map((row) => row[column].length)));
for (const row of [head, ...lines]) {
  const cells = row.map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
  console.log(cells.join("  ").trimEnd());
}
console.log("\nblock        freshness p50  p99 ms   share p50 ms");
for (const block of platforms.flatMap(blocksOf).sort()) {
  const figures = freshnessOf([block]);
  console.log(`${block.padEnd(12)} ${text(figures.fresh50).padStart(13)} ${text(figures.fresh99).padStart(7)}` +
    ` ${text(figures.share50).padStart(14)}`);
}
for (const platform of platforms) {
  console.log(`${platform}, rows/s of each pass: ${passesOf(platform).map((pass) => text(rateOf([pass]), 0)).join(" ")}`);
}
console.log(`\nFiles: ${folder}`);
process.exit(isGood ? 0 : 1);
