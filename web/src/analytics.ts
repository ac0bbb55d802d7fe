// What a trial with analytics says beside its hops: which of its words are bad news, where the bursts,
// segment commits and faults lie on the axis of intended seconds. Pure.
// SPDX-License-Identifier: Apache-2.0
import {count, plural, significant} from "./format.ts";
import {commonHops} from "./model.ts";
import type {Comparison, HopName, Series} from "./model.ts";
import type {Analytics, Fault, Second, Trial} from "./types.ts";

/** Every trial of a comparison. */
function trialsOf({blocks}: Comparison): Trial[] {
  return blocks.flatMap(({trials}) => [...trials.values()]);
}

export function hasAnalytics(comparison: Comparison): boolean {
  return trialsOf(comparison).some((trial) => trial.analytics !== undefined);
}

/** "±1 ms": to how much the wall clock of Pinot tells two moments apart; empty when not recorded. */
export function resolutionWords(comparison: Comparison): string {
  const [ns] = trialsOf(comparison).flatMap(({analytics}) => analytics?.resolution_ns ?? []);
  return ns === undefined ? "" : `±${significant(ns / 1e6, 1)} ms`;
}

/** True when freshness is compared although Pinot reads through different code. */
export function hasTwoIngestions({series}: Comparison): boolean {
  return new Set(series.map(({cell}) => cell.platform)).size > 1;
}

function analyticsHops(comparison: Comparison): HopName[] {
  const resolution = resolutionWords(comparison);
  const precision = resolution === "" ? "" : `, ${resolution}`;
  const warning = hasTwoIngestions(comparison) ? "; the ingestion code differs by platform" : "";
  return [
    ["queryable", "Freshness", `queryable − intended, per row in Pinot${precision}${warning}`],
    ["probe", "Freshness by probe", "found by a query − intended, per sampled event"],
    ["query", "Dashboard query", "answered − intended, per SQL query"],
  ];
}

/** The hops of a comparison: one of analytics only where a trial has it. */
export function hopsOf(comparison: Comparison): HopName[] {
  const trials = trialsOf(comparison);
  const has = (hop: string): boolean => trials.some((trial) => trial.hops?.[hop] !== undefined);
  return [...commonHops, ...analyticsHops(comparison).filter(([hop]) => has(hop))];
}

/** Counts of a table that are 0 when every event became exactly one row. */
export const countsOfLoss: readonly (readonly [string, string])[] = [
  ["missing", "missing from Pinot"], ["doubled", "doubled in Pinot"], ["unknown", "in Pinot that no auditor saw"],
  ["dropped", "dropped by Pinot"],
];

export function tableTotal(analytics: Analytics | undefined, name: string): number {
  const counts = (analytics?.tables ?? []).map((table) => table[name]).filter((one) => typeof one === "number");
  return counts.length === 0 ? NaN : counts.reduce((sum, one) => sum + one, 0);
}

/** Why the analytics of a trial must not be believed, a phrase each; empty when all is well or there is none. */
export function analyticsTroubles({analytics}: Trial): string[] {
  if (!analytics) return [];
  const broken = (analytics.checks ?? []).filter((check) => !check.holds).map((check) => check.name);
  const words = analytics.words ? `: ${analytics.words}` : "";
  const isChecked = (analytics.checks ?? []).length > 0;
  return [
    ...(analytics.complete === false ? [`analytics not complete${words}`] : []),
    ...(isChecked ? [] : ["Pinot was not compared with the database"]),
    ...(broken.length > 0 ? [`Pinot and the database differ in ${broken.join(", ")}`] : []),
    ...countsOfLoss.flatMap(([name, what]) => {
      const total = tableTotal(analytics, name);
      return total > 0 ? [`${plural(total, "row")} ${what}`] : [];
    }),
  ];
}

/** The short form for beside a name; empty when all is well. */
export function analyticsFlaw(trial: Trial | undefined): string {
  if (!trial) return "";
  if (!trial.analytics) return "no analytics";
  if (trial.analytics.complete === false) return "analytics not complete";
  if (!trial.analytics.checks?.length) return "not checked";
  return analyticsTroubles(trial).length > 0 ? "counts differ" : "";
}

const burstFactor = 2;

/** Seconds above twice the mean rate. */
export function burstSeconds(seconds: readonly Second[]): number[] {
  const rates = seconds.map((second) => second.intended ?? 0);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(rates.length, 1);
  return seconds.filter((_, index) => (rates[index] ?? 0) > burstFactor * mean).map((one) => one.second);
}

/** Something that happened to a trial of one series. */
export interface Mark {
  series: Series;
  from: number;   // Seconds from the start of the measured phase.
  until: number;
  words: string;
}

/** Segment commits on the axis of intended seconds. */
export function commitMarks(series: Series, trial: Trial): Mark[] {
  const start = trial.measured_from_unix_ns;
  if (!(start !== undefined && start > 0)) return [];
  return (trial.analytics?.commits ?? []).flatMap(({table, partition, unix_ms: at, rows}) => {
    if (at === undefined) return [];
    const second = (at - start / 1e6) / 1000;
    const size = rows === undefined ? "" : ` of ${plural(rows, "row")}`;
    return [{series, from: second, until: second,
             words: `commit${size}, ${table ?? "?"} partition ${partition ?? "?"}`}];
  });
}

export function faultName({what, role}: Fault): string {
  return [what, role].filter((word) => word).join(" ") || "fault";
}

export function faultMarks(series: Series, trial: Trial): Mark[] {
  return (trial.faults ?? []).flatMap((fault) => {
    const {at_seconds: planned, began_seconds: at = planned, for_seconds: length = 0} = fault;
    return typeof at !== "number" ? [] : [{series, from: at, until: at + length, words: faultName(fault)}];
  });
}

const classNames: Record<string, string> = {
  burst: "In bursts", after_burst: "After a burst", calm: "Calm", commit: "Around segment commits",
};

export function className(name: string): string {
  return classNames[name] ?? name.replaceAll("_", " ");
}

/** Names in the order in which the trials first have them. */
export function namesOf<T>(trials: readonly (Trial | undefined)[], list: (analytics: Analytics) => readonly T[] | undefined,
                           name: (item: T) => string): string[] {
  return [...new Set(trials.flatMap((trial) => (trial?.analytics ? list(trial.analytics) ?? [] : []).map(name)))];
}

/** "Pinot reads Kafka through A and Pulsar through B": for the sentence that the ingestion code differs. */
export function streamWords(comparison: Comparison): string[] {
  return comparison.series.flatMap(({cell, label}) => {
    const trial = comparison.blocks.map(({trials}) => trials.get(cell.id)).find((one) => one?.analytics?.pinot?.stream);
    return trial ? [`${label} through ${trial.analytics?.pinot?.stream ?? ""}`] : [];
  });
}

/** "6 of 6", of the checks against the database. */
export function checksHeld({analytics}: Trial): {held: number; all: number; words: string} {
  const checks = analytics?.checks ?? [];
  const held = checks.filter((check) => check.holds).length;
  return {held, all: checks.length, words: `${count(held)} of ${count(checks.length)}`};
}
