// Quantile curves on a tail axis, all sides overlaid, one hop at a time.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {hopsOf} from "../analytics.ts";
import {h} from "../dom.ts";
import type {Child} from "../dom.ts";
import {duration, quantileName} from "../format.ts";
import type {Comparison, HopName, Series} from "../model.ts";
import {joinPath} from "../path.ts";
import {curvePoints, tailPosition} from "../scale.ts";
import type {CurvePoint} from "../scale.ts";
import type {Trial} from "../types.ts";
import {legend} from "../sections/parts.ts";
import {endLabels, latencyAxis} from "./axis.ts";
import {Ref, choice, makeFigure} from "./figure.ts";
import type {Data} from "./figure.ts";

interface Curve {
  series: Series;
  trial: Trial;
  points: CurvePoint[];
}

function curvesOf(comparison: Comparison, hop: string): Curve[] {
  return comparison.blocks.flatMap((block) => comparison.series.flatMap((series) => {
    const trial = block.trials.get(series.cell.id);
    const {curve, count = 0} = trial?.hops?.[hop] ?? {};
    return trial && curve ? [{series, trial, points: curvePoints(curve, count)}] : [];
  }));
}

const marked = [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999];

/** Symbols at the named quantiles only: the point nearest to each. */
function named({points}: Curve): CurvePoint[] {
  return marked.flatMap((q) => {
    const near = points.filter((point) => Math.abs(point.position - tailPosition(q)) < 0.02);
    return near.slice(0, 1);
  });
}

function marks({series, trial, points}: Curve, isAlone: boolean): Plot.Markish[] {
  const title = (point: CurvePoint): string =>
    `${series.label}, ${trial.id}\n${point.q >= 1 ? "max" : quantileName(point.q)}: ${duration(point.ns)}`;
  const all: Plot.Markish[] = [
    Plot.line(points, {x: "position", y: "ns", stroke: series.color, strokeWidth: isAlone ? 2 : 1.1,
                       strokeDasharray: series.dash || "none", strokeOpacity: isAlone ? 1 : 0.75}),
    Plot.dot(named({series, trial, points}), {x: "position", y: "ns", fill: series.color,
                                              symbol: series.symbol, r: isAlone ? 4 : 2.6}),
    Plot.dot(points, {x: "position", y: "ns", r: 6, fill: "transparent", title, tip: true}),
  ];
  return all;
}

/** The names at the ends of the curves. */
function labelsOf(curves: readonly Curve[], domain: readonly [number, number], height: number): Plot.Markish[] {
  return endLabels(curves.flatMap(({series, points}) => {
    const end = points.at(-1);
    return end ? [{x: end.position, y: end.ns, text: series.label, color: series.color}] : [];
  }), domain, height);
}

function draw(comparison: Comparison, hop: string, axisLabel: string, width: number): Element {
  const curves = curvesOf(comparison, hop).filter(({points}) => points.length > 0);
  if (curves.length === 0) return h("p", {class: "empty"}, "No sample of this hop in any trial.");
  const points = curves.flatMap((curve) => curve.points);
  const last = points.reduce((most, point) => Math.max(most, point.position), 2);
  const isAlone = comparison.blocks.length === 1;
  const height = Math.round(Math.min(400, Math.max(280, width * 0.45)));
  const y = latencyAxis(points.map((point) => point.ns), axisLabel, height - 62);
  return Plot.plot({
    width, height, marginLeft: 54, marginRight: isAlone ? 58 : 18, marginTop: 22, marginBottom: 40,
    ariaLabel: "Latency by quantile on a logarithmic tail axis",
    x: {type: "linear", domain: [0, last], label: "quantile",
        labelArrow: "none", labelAnchor: "center", grid: true,
        ticks: [...(width < 520 ? [] : [0]), ...marked.map(tailPosition)].filter((x) => x <= last),
        tickFormat: (x: number) => (x === 0 ? "min" : quantileName(1 - 10 ** -x))},
    y: y.scale,
    marks: [...y.marks, ...curves.flatMap((curve) => marks(curve, isAlone)),
            ...(isAlone ? labelsOf(curves, y.domain, height - 62) : [])],
  });
}

function data(comparison: Comparison, hop: string): Data {
  const rows = curvesOf(comparison, hop).flatMap(({series, trial}) =>
    (trial.hops?.[hop]?.curve ?? []).map(([q], index) => [
      series.label, trial.id, quantileName(q), q,
      new Ref(trial, joinPath("hops", hop, "curve", index, 1), "duration"),
    ]));
  return {
    columns: [{key: "platform", words: "Platform"}, {key: "trial", words: "Trial"}, {key: "name", words: "Quantile"},
              {key: "quantile", words: "q"}, {key: `${hop}_ns`, words: "Latency"}],
    rows,
  };
}

/** Which hops a figure offers, and its words. */
export interface Curves {
  title: string;
  /** Of the choice. */
  label: string;
  hops: readonly string[];
  axisLabel: string;
  caption: Child;
}

const howToRead: Child = [
  "Equal steps to the right leave a tenth as many samples: at p99 one in a hundred is slower, at p99.9 one in a thousand. ",
  "Lower is faster. Both axes are logarithmic. A curve ends at its maximum, where the number of samples ends; one that ",
  "ends earlier was cut by samples that never came to an end. ",
];

export function curveFigure(comparison: Comparison, id: string, stamps: Child, curves: Curves): HTMLElement {
  const order = ([hop]: HopName): number => curves.hops.indexOf(hop);
  const present = hopsOf(comparison).filter((hop) => order(hop) >= 0).sort((a, b) => order(a) - order(b))
      .map(([hop, words]) => [hop, words] as const)
      .filter(([hop]) => curvesOf(comparison, hop).some(({points}) => points.length > 0));
  if (!present[0]) return h("p", {class: "empty"}, "No trial recorded a latency curve.");
  let [hop] = present[0];
  const controls = choice(`${id}-hop`, curves.label, present, hop, (chosen) => {
    hop = chosen;
    figure.update();
  });
  const figure = makeFigure({
    id, stamps, controls, title: curves.title,
    legend: legend(comparison),
    caption: [
      h("strong", {}, "How to read it. "), howToRead, curves.caption,
      comparison.blocks.length > 1 ? "One line is one trial; the spread between lines of a kind is the noise." : "",
    ],
    draw: (width) => draw(comparison, hop, curves.axisLabel, width),
    data: () => data(comparison, hop),
  });
  return figure.element;
}

/** Every hop of the comparison, one at a time. */
export function hopCurves(comparison: Comparison, id: string, stamps: Child): HTMLElement {
  return curveFigure(comparison, id, stamps, {
    title: "Latency by quantile", label: "Hop", hops: hopsOf(comparison).map(([hop]) => hop), axisLabel: "latency",
    caption: null,
  });
}
