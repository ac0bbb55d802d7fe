// Logarithmic axes that all figures share: round ticks, as many as there is room for, units that fit.
// The marks carry the labels themselves: a d3 log scale would blank every label it finds too dense.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {count, duration} from "../format.ts";
import {logDomain, logTicks} from "../scale.ts";

export interface Axis {
  scale: Plot.ScaleOptions;
  domain: readonly [number, number];
  marks: Plot.Markish[];
}

const labelRoom = 24;  // Pixels from one tick label to the next.

/** A vertical axis for nanoseconds; `height` is that of the frame. */
export function latencyAxis(values: readonly number[], label: string, height: number): Axis {
  const domain = logDomain(values);
  const ticks = logTicks(...domain, Math.floor(height / labelRoom));
  const text = (ns: number): string => duration(ns).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");
  return {
    scale: {type: "log", domain, axis: null},
    domain,
    marks: [
      Plot.gridY(ticks),
      Plot.axisY(ticks, {text, label, labelArrow: "none", labelAnchor: "top"}),
    ],
  };
}

/** A horizontal axis for counts; `width` is that of the frame. */
export function countAxis(values: readonly number[], label: string, width: number): Axis {
  const domain = logDomain(values);
  const ticks = logTicks(...domain, Math.floor(width / 44));
  return {
    scale: {type: "log", domain, axis: null},
    domain,
    marks: [
      Plot.gridX(ticks),
      Plot.axisX(ticks, {text: (x: number) => count(x), label, labelArrow: "none", labelAnchor: "center"}),
    ],
  };
}

export interface End {
  x: number;
  y: number;
  text: string;
  color: string;
}

const labelHeight = 14;

/** Names to the right of where curves end, moved apart where ends lie close; `height` is that of the frame. */
export function endLabels(ends: readonly End[], [low, high]: readonly [number, number], height: number): Plot.Markish[] {
  const scale = height / Math.log(high / low);
  const placed = ends.map((end) => ({...end, at: Math.log(high / end.y) * scale})).sort((a, b) => a.at - b.at);
  let above = -Infinity;
  return placed.map((end) => {
    above = Math.max(end.at, above + labelHeight);
    return Plot.text([end], {x: "x", y: "y", text: "text", fill: end.color, textAnchor: "start", dx: 7,
                             dy: above - end.at, fontWeight: 600});
  });
}
