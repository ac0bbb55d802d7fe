// Panels over intended seconds that several figures share: the traffic, one latency of every side.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import type {Child, Unit} from "../dom.ts";
import {count, duration} from "../format.ts";
import type {Block, Comparison, Series} from "../model.ts";
import {joinPath} from "../path.ts";
import type {Second, Trial} from "../types.ts";
import {blockTitle} from "../sections/parts.ts";
import {latencyAxis} from "./axis.ts";
import {Ref, choice} from "./figure.ts";
import type {Data} from "./figure.ts";

export interface Line {
  series: Series;
  trial: Trial;
  seconds: Second[];
}

export function linesOf(comparison: Comparison, block: Block): Line[] {
  return comparison.series.flatMap((series) => {
    const trial = block.trials.get(series.cell.id);
    return trial?.per_second?.length ? [{series, trial, seconds: trial.per_second}] : [];
  });
}

export const rate = (second: Second): number => second.intended ?? 0;

export function longest(lines: readonly Line[]): Second[] {
  return lines.reduce<Second[]>((most, {seconds}) => (seconds.length > most.length ? seconds : most), []);
}

export const present = (seconds: readonly Second[], key: string): Second[] =>
  seconds.filter((second) => typeof second[key] === "number" && (second[key] ?? 0) > 0);

/** What the panels of one figure share, so that their seconds stand below each other. */
export interface Common {
  width: number;
  marginLeft: number;
  marginRight: number;
  marginTop: number;
  marginBottom: number;
  x: Plot.ScaleOptions;
}

export function commonOf(lines: readonly Line[], width: number): Common {
  const end = (longest(lines).at(-1)?.second ?? 0) + 1;
  return {width, marginLeft: 54, marginRight: 14, marginTop: 20, marginBottom: 24,
          x: {domain: [0, end], label: null}};
}

/** Neighbouring seconds as one range: [3, 4, 7] → [3, 5), [7, 8). */
export function rangesOf(seconds: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const second of seconds) {
    const last = ranges.at(-1);
    if (last && last[1] === second) last[1] = second + 1;
    else ranges.push([second, second + 1]);
  }
  return ranges;
}

/** Seconds to shade behind a panel; without outlines where they would be all that is seen. */
export function shade(seconds: readonly number[], lines: readonly Line[], common: Common): Plot.Markish {
  return Plot.rect(rangesOf(seconds), {x1: "0", x2: "1", fill: "var(--burst)", stroke: "var(--burst-strong)",
                                       strokeWidth: isDense(lines, common) ? 0 : 0.6});
}

/** Too many seconds for a gap between bars or a symbol on each. */
function isDense(lines: readonly Line[], {width}: Common): boolean {
  return width / Math.max(longest(lines).length, 1) < 6;
}

/** All of a few seconds; of many, every n-th, so that the symbols still tell the lines apart. */
export function thinned(seconds: Second[], {width}: Common): Second[] {
  const step = Math.ceil(seconds.length / (width / 14));
  return seconds.filter((_, index) => index % step === 0);
}

export function throughputPanel(lines: readonly Line[], common: Common, burst: Plot.Markish): Element {
  return Plot.plot({
    ...common, height: 132, y: {label: "per second: requests (bars), events acked (lines)", grid: true,
                                labelArrow: "none", ticks: 4, nice: true},
    ariaLabel: "Requests intended and events acknowledged per second",
    marks: [
      burst,
      Plot.rectY(longest(lines), {x1: "second", x2: (d: Second) => d.second + 1, y: rate, fill: "var(--bar)",
                                  inset: isDense(lines, common) ? 0 : 0.5, tip: true,
                                  title: (d: Second) => `second ${d.second}: ${count(rate(d))} requests`}),
      ...lines.map(({series, seconds}) =>
        Plot.line(seconds, {x: (d: Second) => d.second + 0.5, y: "events_acked", stroke: series.color, strokeWidth: 1.6,
                            strokeDasharray: series.dash || "none"})),
      Plot.ruleY([0]),
    ],
  });
}

export function latencyPanel(lines: readonly Line[], [key, words]: readonly [string, string], common: Common,
                             burst: Plot.Markish): Element {
  const values = lines.flatMap(({seconds}) => present(seconds, key).map((second) => second[key] ?? 0));
  const height = 150;
  const y = latencyAxis(values, words, height - 44);
  return Plot.plot({
    ...common, height, y: y.scale, ariaLabel: `${words} by intended second`,
    marks: [
      burst,
      ...y.marks,
      ...lines.flatMap(({series, seconds}) => [
        // All seconds, so that one without samples leaves a gap.
        Plot.line(seconds, {x: (d: Second) => d.second + 0.5, y: (d: Second) => (d[key] ? d[key] : NaN), stroke: series.color,
                            strokeWidth: 1.6, strokeDasharray: series.dash || "none"}),
        Plot.dot(thinned(present(seconds, key), common), {
          x: (d: Second) => d.second + 0.5, y: key, fill: series.color, symbol: series.symbol, r: 2.8}),
        Plot.dot(present(seconds, key), {
          x: (d: Second) => d.second + 0.5, y: key, fill: "transparent", r: 2.8, tip: true,
          title: (d: Second) => `${series.label}, second ${d.second} (${count(rate(d))} requests)\n` +
                                `${words}: ${duration(d[key] ?? NaN)}`,
        }),
      ]),
    ],
  });
}

/** Key of a second, words over its column, unit. */
export type Column = readonly [string, string, Unit];

/** Every second of every line, as the data of a figure. */
export function secondsData(lines: readonly Line[], columns: readonly Column[]): Data {
  return {
    columns: [{key: "platform", words: "Platform"}, {key: "trial", words: "Trial"}, {key: "second", words: "Second"},
              ...columns.map(([key, words]) => ({key, words}))],
    rows: lines.flatMap(({series, trial, seconds}) => seconds.map((second, index) => [
      series.label, trial.id, second.second,
      ...columns.map(([key, , unit]) => new Ref(trial, joinPath("per_second", index, key), unit)),
    ])),
  };
}

/** A choice of blocks above a figure; nothing when there is one block. */
export function blockChoice(comparison: Comparison, id: string, onChange: (block: Block) => void): Child {
  if (comparison.blocks.length < 2) return null;
  const options = comparison.blocks.map((block) => [String(block.block), blockTitle(block)] as const);
  return choice(`${id}-block`, "Block", options, options[0]?.[0] ?? "", (chosen) => {
    const block = comparison.blocks.find((one) => String(one.block) === chosen);
    if (block) onChange(block);
  });
}
