// What the work cost: CPU, memory and writes per process and platform, and how the keys spread.
// SPDX-License-Identifier: Apache-2.0
import {derived, h, paragraph, section, table, td, tdNumber, th, thNumber, thRow, tr, value}
  from "../dom.ts";
import type {Child} from "../dom.ts";
import {joinPath} from "../path.ts";
import {median, requestsServed} from "../model.ts";
import type {Block, Comparison, Series} from "../model.ts";
import type {Trial} from "../types.ts";
import {byBlock, comparisonTitle, flaw, key} from "./parts.ts";

/** Processes that are the same on every platform. */
const commonRoles = new Set(["postgres", "shop", "auditor", "flow"]);

/** Pinot's processes read from the platform and are no part of it. */
const isPinot = (use: Use): boolean => use.role.startsWith("pinot");

type Use = NonNullable<Trial["resources"]>[number];

const isOfPlatform = (use: Use): boolean => !commonRoles.has(use.role) && !isPinot(use);

function perThousand(trial: Trial, seconds: number): number {
  const requests = requestsServed(trial);
  return requests > 0 ? (seconds / requests) * 1000 : NaN;
}

/** The program behind a role, where the role does not say it. */
function processWords({role, process}: Use): Child {
  const words = role === "flow" ? "coordinator and load generator" : process === role ? "" : process;
  return words ? h("small", {}, ` ${words}`) : null;
}

function useRow(trial: Trial, use: Use, index: number): HTMLElement {
  const at = (field: string): string => joinPath("resources", index, field);
  return tr(
    h("th", {scope: "row", class: "sub"}, use.role, processWords(use)),
    tdNumber(value(trial, at("cpu_seconds"), "number")),
    tdNumber(derived(perThousand(trial, use.cpu_seconds ?? NaN), "number", "cpu-per-1000",
                     {"data-trial-id": trial.id, "data-roles": use.role})),
    tdNumber(value(trial, at("rss_bytes_max"), "bytes")),
    tdNumber(value(trial, at("write_bytes"), "bytes")));
}

function totalRow(trial: Trial, words: string, uses: readonly Use[]): HTMLElement {
  const total = (field: "cpu_seconds" | "rss_bytes_max" | "write_bytes"): number =>
    uses.reduce((sum, use) => sum + (use[field] ?? 0), 0);
  const marks = {"data-trial-id": trial.id, "data-roles": uses.map((use) => use.role).join(" ")};
  return h("tr", {class: "total"},
    thRow(words),
    tdNumber(derived(total("cpu_seconds"), "number", "sum:cpu_seconds", marks)),
    tdNumber(derived(perThousand(trial, total("cpu_seconds")), "number", "cpu-per-1000", marks)),
    tdNumber(derived(total("rss_bytes_max"), "bytes", "sum:rss_bytes_max", marks)),
    tdNumber(derived(total("write_bytes"), "bytes", "sum:write_bytes", marks)));
}

function usesOf(series: Series, trial: Trial): Child[] {
  const uses = trial.resources ?? [];
  const platform = uses.filter(isOfPlatform);
  const pinot = uses.filter(isPinot);
  return [
    h("tr", {class: "group"}, h("th", {scope: "rowgroup", colspan: 5},
      h("span", {class: "hop"}, key(series), series.label, flaw(trial)))),
    uses.map((use, index) => useRow(trial, use, index)),
    platform.length > 0 ? totalRow(trial, `${series.label} alone`, platform) : null,
    pinot.length > 0 ? totalRow(trial, "Pinot alone", pinot) : null,
    totalRow(trial, "Whole pipeline", uses),
  ];
}

/** What a trial's platform used, against what was published in that time. */
const costs = {
  "cost-cpu": ({cpu}: Used, {events}: Published) => (cpu / events) * 1e6,
  "cost-bytes": ({written}: Used, {bytes}: Published) => written / bytes,
  "cost-memory": ({memory}: Used) => memory,
} as const;

interface Used {
  cpu: number;
  written: number;
  memory: number;
}

interface Published {
  events: number;
  bytes: number;
}

function costOf(trial: Trial, rule: keyof typeof costs): number[] {
  const uses = (trial.resources ?? []).filter((use) => isOfPlatform(use));
  const {events = 0, bytes = 0} = trial.published ?? {};
  if (uses.length === 0 || !(events > 0) || !(bytes > 0)) return [];
  const sum = (field: "cpu_seconds" | "rss_bytes_max" | "write_bytes"): number =>
    uses.reduce((total, use) => total + (use[field] ?? NaN), 0);
  const cost = costs[rule]({cpu: sum("cpu_seconds"), written: sum("write_bytes"), memory: sum("rss_bytes_max")},
                           {events, bytes});
  return Number.isFinite(cost) ? [cost] : [];
}

function costRow(comparison: Comparison, series: Series): Child {
  const trials = comparison.blocks.flatMap(({trials: of}) => of.get(series.cell.id) ?? []);
  if (trials.every((trial) => costOf(trial, "cost-cpu").length === 0)) return null;
  const cell = (rule: keyof typeof costs, unit: "number" | "bytes"): HTMLElement =>
    tdNumber(derived(median(trials.flatMap((trial) => costOf(trial, rule))), unit, rule, {"data-cell": series.cell.id}));
  return tr(h("th", {scope: "row"}, key(series), series.label), cell("cost-cpu", "number"), cell("cost-bytes", "number"),
            cell("cost-memory", "bytes"));
}

/** The platforms in the three currencies in which a machine is paid for. */
function costTable(comparison: Comparison, captionOf: (comparison: Comparison, words: string) => Child): Child {
  const rows = comparison.series.map((series) => costRow(comparison, series)).filter((row) => row !== null);
  if (rows.length === 0) return null;
  const words = comparison.blocks.length > 1 ? ", median of the blocks" : "";
  return table(captionOf(comparison, `What the platform's own processes used for what was published${words}: lower is cheaper. ` +
                         "CPU seconds per million events; bytes written to disk per byte of event (keys, headers and framing " +
                         "not counted as published); sum of the processes' largest RSS."),
               tr(th("Platform"), thNumber("CPU s per", h("br"), "million events"),
                  thNumber("bytes written per", h("br"), "byte published"), thNumber("peak memory")), rows, {class: "narrow"});
}

function useTable(comparison: Comparison, block: Block, caption: Child): HTMLElement {
  const body = comparison.series.map((series) => {
    const trial = block.trials.get(series.cell.id);
    return trial?.resources?.length ? usesOf(series, trial) : null;
  });
  return table(caption, tr(th("Process"), thNumber("CPU s"), thNumber("CPU s per", h("br"), "1,000 requests"),
                           thNumber("RSS max"), thNumber("written")), body, {class: "grouped"});
}

export function resourceSection(comparisons: readonly Comparison[],
                                captionOf: (comparison: Comparison, words: string) => Child): HTMLElement {
  return section("resources", "What it cost",
    paragraph(
      "From the warm-up to the end of the drain; CPU seconds are set against the requests answered in that ",
      "time, warm-up included. The sum of the largest RSS counts pages that processes share more than once."),
    comparisons.map((comparison) => [
      comparisonTitle(comparison, comparisons),
      costTable(comparison, captionOf),
      byBlock(comparison, (block) => useTable(comparison, block,
        captionOf(comparison, "CPU, memory and bytes written by process."))),
    ]));
}

function shares(trial: Trial, topic: string): Child[] {
  const partitions = (trial.partitions ?? [])
      .map((partition, index) => ({...partition, index})).filter((one) => one.topic === topic)
      .sort((a, b) => a.partition - b.partition);
  const total = partitions.reduce((sum, one) => sum + one.events, 0);
  const most = Math.max(...partitions.map((one) => one.events));
  return [
    partitions.map((one) => tdNumber(value(trial, joinPath("partitions", one.index, "events"), "count"))),
    tdNumber(derived(total > 0 ? most / total : NaN, "percent", "largest-partition",
                     {"data-trial-id": trial.id, "data-topic": topic}), h("small", {}, " %")),
  ];
}

function partitionTable(comparison: Comparison, block: Block, caption: Child): Child {
  const trials = comparison.series.flatMap((series) => {
    const trial = block.trials.get(series.cell.id);
    return trial?.partitions?.length ? [{series, trial}] : [];
  });
  const topics = [...new Set(trials.flatMap(({trial}) =>
    (trial.partitions ?? []).map((partition) => partition.topic)))];
  const width = Math.max(0, ...trials.flatMap(({trial}) =>
    (trial.partitions ?? []).map((partition) => partition.partition + 1)));
  if (width === 0) return null;
  const numbers = Array.from({length: width}, (_, index) => thNumber(String(index)));
  const rows = topics.flatMap((topic) => trials.flatMap(({series, trial}) => {
    const cells = shares(trial, topic);
    const given = (trial.partitions ?? []).filter((one) => one.topic === topic).length;
    if (given === 0) return [];
    const filler = Array.from({length: width - given}, () => td());
    return [tr(thRow(topic), td(key(series), series.label), cells[0], filler, cells[1])];
  }));
  return table(caption, tr(th("Topic"), th("Platform"), numbers, thNumber("largest share")), rows);
}

export function partitionSection(comparisons: readonly Comparison[],
                                 captionOf: (comparison: Comparison, words: string) => Child): HTMLElement {
  return section("partitions", "How the keys spread",
    paragraph(
      "Both platforms place an event by the murmur2 hash of its key. Few keys load partitions unequally: the ",
      "largest share says how much of a topic one partition, and so one leader, had to carry."),
    comparisons.map((comparison) => [
      comparisonTitle(comparison, comparisons),
      byBlock(comparison, (block) => partitionTable(comparison, block,
        captionOf(comparison, "Events by topic and partition."))),
    ]));
}
