// Shift function of one level: the ratio of the platforms quantile by quantile, with a band for all
// quantiles at once.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {h} from "../dom.ts";
import {quantileName, significant} from "../format.ts";
import {tailPosition} from "../scale.ts";
import type {LevelVerdict} from "../types.ts";
import {makeFigure} from "./figure.ts";

interface Point {
  q: number;
  position: number;
  ratio: number;
  lower: number;
  upper: number;
  hasBand: boolean;
}

/** Points with a ratio; an unbounded end is infinite, or 0. */
export function shiftPoints(level: LevelVerdict): Point[] {
  return (level.shift?.points ?? []).flatMap(({q, ratio, lower, upper, has_band}) =>
    ratio === null ? [] : [{q, position: tailPosition(q), ratio, hasBand: has_band === true,
                            lower: lower ?? 0, upper: upper ?? Infinity}]);
}

const ticks = [0.1, 0.5, 0.9, 0.95, 0.99, 0.999];

function domainOf(points: readonly Point[], margin: number): [number, number] {
  const ends = points.flatMap(({ratio, lower, upper, hasBand}) => (hasBand ? [ratio, lower, upper] : [ratio]))
      .filter((end) => end > 0 && Number.isFinite(end)).concat([margin, 1 / margin]);
  return [Math.min(...ends) / 1.05, Math.max(...ends) * 1.05];
}

function draw(level: LevelVerdict, points: readonly Point[], width: number): Element {
  const margin = 1 + (level.margin ?? 0.1);
  const domain = domainOf(points, margin);
  const inside = (end: number): number => Math.min(Math.max(end, domain[0]), domain[1]);
  const band = points.filter(({hasBand}) => hasBand)
      .map((point) => ({...point, lower: inside(point.lower), upper: inside(point.upper)}));
  const endsLow = (points.at(-1)?.ratio ?? 1) < 1; // There the curve is, and no label.
  const title = ({q, ratio, lower, upper, hasBand}: Point): string =>
    `${quantileName(q)}: ${significant(ratio)}` +
    (hasBand ? `\nband ${significant(lower)} to ${upper === Infinity ? "unbounded" : significant(upper)}` : "");
  return Plot.plot({
    width, height: 280, marginLeft: 54, marginRight: 18, marginTop: 26, marginBottom: 40,
    ariaLabel: `Ratio of ${level.second} to ${level.first} by quantile`,
    x: {domain: [0, tailPosition(0.999) + 0.1], label: "quantile", labelArrow: "none", labelAnchor: "center",
        ticks: ticks.filter((q) => width >= 520 || (q !== 0.95 && q !== 0.1)).map(tailPosition),
        tickFormat: (x: number) => quantileName(1 - 10 ** -x)},
    y: {type: "log", domain, label: `${level.second} ÷ ${level.first}`, labelArrow: "none", labelAnchor: "top",
        tickFormat: (d: number) => significant(d), ticks: 6, grid: true},
    marks: [
      Plot.rectY([0], {y1: 1 / margin, y2: margin, fill: "var(--bar)", fillOpacity: 0.35}),
      Plot.areaY(band, {x: "position", y1: "lower", y2: "upper", fill: "var(--series-1)", fillOpacity: 0.2}),
      Plot.ruleY([1], {stroke: "var(--ink)"}),
      Plot.line(points, {x: "position", y: "ratio", stroke: "var(--series-1)", strokeWidth: 2}),
      Plot.dot(points, {x: "position", y: "ratio", fill: "var(--series-1)", r: 3.5, title, tip: true}),
      Plot.text([`↑ ${level.first} lower`], {frameAnchor: "top-right", dy: -14}),
      Plot.text([`↓ ${level.second} lower`], {frameAnchor: endsLow ? "bottom-left" : "bottom-right", dy: -6,
                                                      stroke: "var(--paper)", strokeWidth: 3, fill: "var(--ink)"}),
    ],
  });
}

export function shiftFigure(level: LevelVerdict, id: string): HTMLElement | null {
  const points = shiftPoints(level);
  if (points.length === 0) return null;
  const hasBand = points.some((point) => point.hasBand);
  return makeFigure({
    id, title: `Every quantile at level ${level.level}`,
    caption: [
      h("strong", {}, "How to read it. "),
      `The line is ${level.second} ÷ ${level.first} at each quantile of ${(level.shift?.hop ?? "").replaceAll("_", " ")}, `,
      "over the blocks; below 1 the second is lower. Equal steps to the right leave a tenth as many samples. ",
      hasBand ? "The band holds all the ratios at once with 95 % confidence: where it leaves 1 out, the platforms differ. "
              : "There are too few blocks for a band, which takes 9. ",
      "A band that is above 1 at one quantile and below at another means that the curves cross: then no single number says ",
      "which platform is faster. In the grey strip a difference is too small to matter.",
    ],
    draw: (width) => draw(level, points, width),
    data: () => ({
      columns: [{key: "quantile", words: "quantile"}, {key: "q", words: "q"}, {key: "ratio", words: "ratio"},
                {key: "lower", words: "lower"}, {key: "upper", words: "upper"}],
      rows: points.map(({q, ratio, lower, upper, hasBand: isKnown}) =>
        [quantileName(q), q, ratio, isKnown ? lower : null, isKnown && Number.isFinite(upper) ? upper : null]),
    }),
  }).element;
}
