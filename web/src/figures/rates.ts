// Latency against offered rate, both axes logarithmic: the ticks of a bursty schedule ask for few
// different rates, so that one run shows what a platform does at each.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {hopsOf} from "../analytics.ts";
import {h} from "../dom.ts";
import type {Child} from "../dom.ts";
import {duration, missing, plural, significant} from "../format.ts";
import {platformName} from "../model.ts";
import type {Comparison, Series} from "../model.ts";
import {joinPath} from "../path.ts";
import {legend} from "../sections/parts.ts";
import type {ClassHop, LevelVerdict, Trial, VolumeClass} from "../types.ts";
import {countAxis, endLabels, latencyAxis} from "./axis.ts";
import {Amount, Ref, choice, makeFigure} from "./figure.ts";
import type {Data, Datum} from "./figure.ts";

export type RateHop = "response_time" | "publish_response" | "queryable";
const rateHops: readonly RateHop[] = ["publish_response", "response_time", "queryable"];
const quantiles = [["p50_ns", "p50"], ["p99_ns", "p99"]] as const;

export interface RatePoint {
  rate: number;
  ticks: number;
  p50_ns: number | null;
  p99_ns: number | null;
  /** For the table: what stands where there is no number, or where the number comes from. */
  data: [Datum, Datum];
}

/** One platform in one trial, or its medians over the blocks. */
export interface RateCurve {
  series: Series;
  name: string;
  points: RatePoint[];
}

function datumOf(trial: Trial, index: number, hop: RateHop, field: "p50_ns" | "p99_ns", {count = 0, censored = 0, ...at}: ClassHop): Datum {
  if (at[field] != null) return new Ref(trial, joinPath("classes", index, hop, field), "duration");
  return (count + censored) * (field === "p50_ns" ? 0.5 : 0.01) < 1 - 1e-9 ? missing : "> measured";
}

function pointOf(trial: Trial, one: VolumeClass, index: number, hop: RateHop): RatePoint[] {
  const at = one[hop];
  if (!at) return [];
  return [{rate: one.requests_per_second, ticks: one.ticks, p50_ns: at.p50_ns ?? null, p99_ns: at.p99_ns ?? null,
           data: [datumOf(trial, index, hop, "p50_ns", at), datumOf(trial, index, hop, "p99_ns", at)]}];
}

function trialCurves(comparison: Comparison, hop: RateHop): RateCurve[] {
  return comparison.blocks.flatMap(({trials}) => comparison.series.flatMap((series) => {
    const trial = trials.get(series.cell.id);
    if (!trial?.classes?.length) return [];
    return [{series, name: trial.id, points: trial.classes.flatMap((one, index) => pointOf(trial, one, index, hop))}];
  }));
}

function medianCurves({series}: Comparison, level: LevelVerdict, hop: RateHop): RateCurve[] {
  const amount = (ns: number | null): Datum => (ns === null ? missing : new Amount(ns, "duration"));
  return (["first", "second"] as const).flatMap((side) => {
    const one = series.find(({cell, label}) => platformName(cell.platform) === level[side] && !label.includes("A/A"));
    if (!one) return [];
    const points = (level.classes?.[hop] ?? []).map((at) => ({
      rate: at.requests_per_second, ticks: at.ticks, p50_ns: at[side].p50_ns, p99_ns: at[side].p99_ns,
      data: [amount(at[side].p50_ns), amount(at[side].p99_ns)] as [Datum, Datum]}));
    return [{series: one, name: "median of the blocks", points}];
  });
}

/** Medians where several blocks were judged together, else every trial. */
export function rateCurves(comparison: Comparison, level: LevelVerdict | undefined, hop: RateHop): RateCurve[] {
  const isJudged = comparison.blocks.length > 1 && (level?.classes?.[hop] ?? []).length > 0;
  const curves = level && isJudged ? medianCurves(comparison, level, hop) : trialCurves(comparison, hop);
  return curves.filter(({points}) => points.some(({p50_ns, p99_ns}) => p50_ns !== null || p99_ns !== null));
}

interface Mark {
  rate: number;
  ns: number;
  words: string;
}

function marksOf({series, name, points}: RateCurve, field: "p50_ns" | "p99_ns", words: string): Mark[] {
  return points.flatMap(({rate, ticks, ...at}) => {
    const ns = at[field];
    if (ns === null || !(ns > 0) || !(rate > 0)) return [];
    return [{rate, ns, words: `${series.label}, ${name}\n${significant(rate)} requests/s (${plural(ticks, "tick")})\n` +
                              `${words}: ${duration(ns)}`}];
  });
}

function draw(curves: readonly RateCurve[], axisLabel: string, width: number): Element {
  const lines = curves.flatMap((curve) => quantiles.map(([field, words]) =>
    ({...curve, words, isTail: field === "p99_ns", marks: marksOf(curve, field, words)})))
    .filter(({marks}) => marks.length > 0);
  const all = lines.flatMap(({marks}) => marks);
  if (all.length === 0) return h("p", {class: "empty"}, "No quantile is known at any rate.");
  const isAlone = curves.length <= 2;
  const right = isAlone ? 84 : 18;
  const height = Math.round(Math.min(400, Math.max(280, width * 0.45)));
  const y = latencyAxis(all.map(({ns}) => ns), axisLabel, height - 62);
  const x = countAxis(all.map(({rate}) => rate), "offered requests per second in a tick", width - 54 - right);
  const ends = lines.flatMap(({series, words, marks}) => {
    const end = marks.at(-1);
    return end ? [{x: end.rate, y: end.ns, text: `${series.label} ${words}`, color: series.color}] : [];
  });
  return Plot.plot({
    width, height, marginLeft: 54, marginRight: right, marginTop: 22, marginBottom: 40,
    ariaLabel: "Latency against offered rate, both axes logarithmic",
    x: x.scale, y: y.scale,
    marks: [
      ...x.marks, ...y.marks,
      ...lines.flatMap(({series, isTail, marks}) => [
        Plot.line(marks, {x: "rate", y: "ns", stroke: series.color, strokeWidth: isTail ? 2 : 1.1,
                          strokeDasharray: series.dash || "none", strokeOpacity: isAlone ? 1 : 0.75}),
        Plot.dot(marks, {x: "rate", y: "ns", stroke: series.color, fill: isTail ? series.color : "var(--paper)",
                         symbol: series.symbol, r: isAlone ? 4 : 2.6}),
        Plot.dot(marks, {x: "rate", y: "ns", r: 6, fill: "transparent", title: "words", tip: true}),
      ]),
      ...(isAlone ? endLabels(ends, y.domain, height - 62) : []),
    ],
  });
}

function data(curves: readonly RateCurve[], hop: RateHop): Data {
  return {
    columns: [{key: "platform", words: "Platform"}, {key: "of", words: "Of"},
              {key: "requests_per_second", words: "Requests per second"}, {key: "ticks", words: "Ticks"},
              {key: `${hop}_p50_ns`, words: "p50"}, {key: `${hop}_p99_ns`, words: "p99"}],
    rows: curves.flatMap(({series, name, points}) => points.map((point) =>
      [series.label, name, new Amount(point.rate, "number"), point.ticks, ...point.data])),
  };
}

export function ratesFigure(comparison: Comparison, level: LevelVerdict | undefined, id: string, stamps: Child): HTMLElement | null {
  const names = new Map(hopsOf(comparison).map(([hop, words]) => [hop, words]));
  const present = rateHops.filter((hop) => rateCurves(comparison, level, hop).length > 0);
  if (!present[0]) return null;
  let hop = present[0];
  const controls = choice(`${id}-hop`, "Hop", present.map((one) => [one, names.get(one) ?? one] as const), hop, (chosen) => {
    hop = present.find((one) => one === chosen) ?? hop;
    figure.update();
  });
  const figure = makeFigure({
    id, stamps, controls, title: "Latency against offered rate",
    legend: legend(comparison),
    caption: [
      h("strong", {}, "How to read it. "),
      "The ticks of a bursty schedule ask for few different rates. A point is everything that was intended in the ticks of ",
      "one rate: filled p99, hollow p50. Where a line bends upwards, the platform begins to queue. A queue outlives its burst, ",
      "so that a low rate can have a high p99 when it follows a high one. A p99 that fewer than 100 samples would have to ",
      "tell is left out, as is one that lies beyond what was measured. ",
      comparison.blocks.length > 1 && level?.classes?.[hop]?.length
        ? "Each point is the median of the blocks." : "",
    ],
    draw: (width) => draw(rateCurves(comparison, level, hop), "latency", width),
    data: () => data(rateCurves(comparison, level, hop), hop),
  });
  return figure.element;
}
