// Forest plot of one level: the ratio of every block, the interval of their middle, the band in which
// a difference is too small to matter, and what a platform shows against itself.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {h} from "../dom.ts";
import {significant} from "../format.ts";
import type {LevelVerdict} from "../types.ts";
import {makeFigure} from "./figure.ts";

interface Row {
  name: string;
  ratio: number;
  lower: number;
  upper: number;
}

function rowsOf(level: LevelVerdict): Row[] {
  const blocks = (level.ratios ?? []).flatMap(({block, ratio}) =>
    ratio === null ? [] : [{name: `block ${block}`, ratio, lower: ratio, upper: ratio}]);
  const interval = level.interval_simultaneous ?? level.interval_95;
  if (level.ratio == null) return blocks;
  return [...blocks, {name: "all blocks", ratio: level.ratio, lower: interval?.lower ?? level.ratio,
                      upper: interval?.upper ?? level.ratio}];
}

function draw(level: LevelVerdict, rows: readonly Row[], width: number): Element {
  const margin = 1 + (level.margin ?? 0.1);
  const floor = level.noise_floor?.ratio ?? null;
  const all = rows[rows.length - 1];
  const ends = rows.flatMap(({lower, upper}) => [lower, upper]).concat([margin, 1 / margin]);
  const domain: [number, number] = [Math.min(...ends) / 1.05, Math.max(...ends) * 1.05];
  const names = rows.map(({name}) => name);
  return Plot.plot({
    width, height: 20 * rows.length + 64, marginLeft: 74, marginRight: 16, marginTop: 24, marginBottom: 40,
    ariaLabel: `Ratios of ${level.metric ?? ""} by block`,
    x: {type: "log", domain, label: `${level.second} ÷ ${level.first}, ${level.metric ?? ""}`, labelArrow: "none",
        labelAnchor: "center", tickFormat: (d: number) => significant(d), ticks: 6},
    y: {type: "band", domain: names, label: null},
    marks: [
      Plot.rectX([0], {x1: 1 / margin, x2: margin, fill: "var(--bar)", fillOpacity: 0.35}),
      floor === null ? null : Plot.ruleX([floor, 1 / floor], {stroke: "var(--ink)", strokeDasharray: "2 3"}),
      Plot.ruleX([1], {stroke: "var(--ink)"}),
      all?.name === "all blocks"
        ? Plot.ruleY([all], {x1: "lower", x2: "upper", y: "name", stroke: "var(--series-1)", strokeWidth: 3}) : null,
      Plot.dot(rows, {x: "ratio", y: "name", r: (row: Row) => (row.name === "all blocks" ? 5 : 3.5),
                      fill: (row: Row) => (row.name === "all blocks" ? "var(--series-1)" : "var(--ink)"),
                      title: (row: Row) => `${row.name}: ${significant(row.ratio)}`, tip: true}),
      Plot.text([`← ${level.second} lower`], {frameAnchor: "top-left", dy: -16}),
      Plot.text([`${level.first} lower →`], {frameAnchor: "top-right", dy: -16}),
    ],
  });
}

export function forestFigure(level: LevelVerdict, id: string): HTMLElement | null {
  const rows = rowsOf(level);
  if (rows.length === 0) return null;
  return makeFigure({
    id, title: `Every block at level ${level.level}`,
    caption: [
      h("strong", {}, "How to read it. "),
      "A dot is one block: both platforms under the same seed, one after the other. Left of 1 the second is lower. ",
      "The thick line is the interval for the middle of all blocks (simultaneous over the primaries of the ",
      "experiment). Within the grey band a difference is too small to matter; within the dotted lines it is no ",
      "larger than what one platform shows against itself.",
    ],
    draw: (width) => draw(level, rows, width),
    data: () => ({
      columns: [{key: "name", words: "block"}, {key: "ratio", words: "ratio"}, {key: "lower", words: "lower"},
                {key: "upper", words: "upper"}],
      rows: rows.map(({name, ratio, lower, upper}) => [name, ratio, lower, upper]),
    }),
  }).element;
}
