// Latency per hop: every platform under the other, with how many times they differ.
// SPDX-License-Identifier: Apache-2.0
import {derived, h, paragraph, section, table, td, tdNumber, th, thNumber, thRow, tr, value}
  from "../dom.ts";
import type {Child} from "../dom.ts";
import {hasAnalytics, hopsOf} from "../analytics.ts";
import {joinPath, valueAt} from "../path.ts";
import {median, valuesOf} from "../model.ts";
import type {Block, Comparison, HopName, Series} from "../model.ts";
import type {Trial} from "../types.ts";
import {byBlock, comparisonTitle, flaw, key, quantileCells} from "./parts.ts";

const quantiles: readonly (readonly [string, string])[] = [
  ["p50_ns", "p50"], ["p90_ns", "p90"], ["p99_ns", "p99"], ["p99_9_ns", "p99.9"], ["max_ns", "max"],
];

export function ratioOf(base: unknown, other: unknown): number {
  if (typeof base !== "number" || typeof other !== "number" || !(base > 0)) return NaN;
  return other / base;
}

function hopRow(hop: string, series: Series, trial: Trial | undefined): HTMLElement {
  const at = (field: string): string => joinPath("hops", hop, field);
  return tr(
    h("th", {scope: "row", class: "sub"}, key(series), series.label, flaw(trial)),
    tdNumber(value(trial, at("count"), "count")),
    quantileCells(trial, joinPath("hops", hop), quantiles.map(([field]) => field), at("count")),
    tdNumber(value(trial, at("overflow"), "count")),
    tdNumber(value(trial, at("censored"), "count")));
}

function ratioRow(hop: string, comparison: Comparison, block: Block): Child {
  const [base, other] = comparison.series;
  if (comparison.series.length !== 2 || !base || !other) return null;
  const first = block.trials.get(base.cell.id);
  const second = block.trials.get(other.cell.id);
  if (!first?.hops || !second?.hops) return null;
  return tr(
    h("th", {scope: "row", class: "sub ratio"}, `${other.label} ÷ ${base.label}`),
    td(),
    quantiles.map(([field]) => {
      const path = joinPath("hops", hop, field);
      const ratio = ratioOf(valueAt(first, path), valueAt(second, path));
      return h("td", {class: "n ratio"}, derived(ratio, "number", "ratio",
        {"data-base": first.id, "data-other": second.id, "data-path": path}));
    }),
    td(), td());
}

function hopTable(comparison: Comparison, block: Block, caption: Child): HTMLElement {
  const body = hopsOf(comparison).map(([hop, name, definition]) => [
    h("tr", {class: "group"}, h("th", {scope: "rowgroup", colspan: 9},
      h("span", {class: "hop"}, name, h("small", {}, ` ${definition}`)))),
    comparison.series.map((series) => hopRow(hop, series, block.trials.get(series.cell.id))),
    ratioRow(hop, comparison, block),
  ]);
  const head = tr(th("ms"), thNumber("count"), quantiles.map(([, name]) => thNumber(name)),
                  thNumber("over\u00adflow"), thNumber("cen\u00adsored"));
  return table(caption, head, body, {class: "grouped hops"});
}

export function hopSection(comparisons: readonly Comparison[],
                           captionOf: (comparison: Comparison, words: string) => Child): HTMLElement {
  return section("hops", "Latency by hop",
    paragraph(
      "A hop is the time between two moments, named beside it. Of a request: intended (by the schedule), sent, answered; of its ",
      "event: published by the shop, acked by the platform, seen by the auditor",
      comparisons.some(hasAnalytics) ? ", queryable in Pinot" : "", "."),
    paragraph(
      "Each hop has its own histogram; quantiles of hops cannot be added. “> measured” means that more ",
      "than the rest of the requests failed, were never answered or took longer than the histogram's ",
      "bound: the true value lies above everything measured. Overflow and censored say how many. ",
      "Grey: too few samples to tell the quantile from the maximum."),
    comparisons.map((comparison) => [
      comparisonTitle(comparison, comparisons),
      comparison.blocks.length > 1 ? trialTable(comparison, captionOf) : null,
      byBlock(comparison, (block) => hopTable(comparison, block, captionOf(comparison,
        "Quantiles by hop and platform in milliseconds, measured phase only."))),
    ]));
}

const trialHops = new Set(["response_time", "publish_response", "end_to_end", "queryable"]);

/** The hops that every trial is listed with: key and name. */
function listedHops(comparison: Comparison): HopName[] {
  return hopsOf(comparison).filter(([hop]) => trialHops.has(hop));
}

function trialPaths(comparison: Comparison): string[] {
  return listedHops(comparison).flatMap(([hop]) => [joinPath("hops", hop, "p50_ns"), joinPath("hops", hop, "p99_ns")]);
}

function trialRow(comparison: Comparison, block: Block, series: Series): HTMLElement {
  const trial = block.trials.get(series.cell.id);
  const isGood = trial?.valid === true && trial.state === "complete";
  return tr(
    thRow(`${block.block}`),
    td(key(series), series.label),
    td(trial ? [trial.state ?? "–", trial.valid ? "" : ", ", isGood || trial.valid
      ? null : h("span", {class: "no"}, "✗ not valid")] : "not run"),
    trialPaths(comparison).map((path) => tdNumber(value(trial, path, "ms"))));
}

function medianRow(comparison: Comparison, series: Series): HTMLElement {
  const paths = trialPaths(comparison);
  return h("tr", {class: "total"},
    thRow("median"), td(key(series), series.label),
    td(`of ${valuesOf(comparison, series.cell.id, paths[0] ?? "").length} blocks`),
    paths.map((path) => tdNumber(derived(
      median(valuesOf(comparison, series.cell.id, path)), "ms", "median-of-blocks",
      {"data-cell": series.cell.id, "data-path": path}))));
}

function trialTable(comparison: Comparison,
                    captionOf: (comparison: Comparison, words: string) => Child): HTMLElement {
  const names = listedHops(comparison);
  const rows = comparison.blocks.flatMap((block) =>
    comparison.series.map((series) => trialRow(comparison, block, series)));
  return table(
    captionOf(comparison, "Every trial, in milliseconds. A block is one seed; compare within a block."),
    [tr(th(), th(), th(), names.map(([, name]) =>
       h("th", {scope: "colgroup", colspan: 2, class: "n phase"}, name))),
     tr(th("Block"), th("Platform"), th("State"), names.map(() => [thNumber("p50"), thNumber("p99")]))],
    [rows, comparison.series.map((series) => medianRow(comparison, series))]);
}
