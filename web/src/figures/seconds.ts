// What every second of the schedule got: throughput and p99 by intended second, the burst marked; and
// the same p99 against the rate of its second, a load-latency curve from one bursty trial.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {h} from "../dom.ts";
import type {Child} from "../dom.ts";
import {count, duration} from "../format.ts";
import type {Block, Comparison, Series} from "../model.ts";
import {joinPath} from "../path.ts";
import type {Second, Trial} from "../types.ts";
import {blockTitle, legend} from "../sections/parts.ts";
import {countAxis, latencyAxis} from "./axis.ts";
import {Ref, choice, makeFigure} from "./figure.ts";
import type {Data, Datum} from "./figure.ts";

const panels: readonly (readonly [string, string])[] = [
  ["response_p99_ns", "response time p99"],
  ["publish_response_p99_ns", "publish response p99"],
  ["end_to_end_p99_ns", "end to end p99"],
];

interface Line {
  series: Series;
  trial: Trial;
  seconds: Second[];
}

function linesOf(comparison: Comparison, block: Block): Line[] {
  return comparison.series.flatMap((series) => {
    const trial = block.trials.get(series.cell.id);
    return trial?.per_second?.length ? [{series, trial, seconds: trial.per_second}] : [];
  });
}

const rate = (second: Second): number => second.intended ?? 0;

/** The second with most requests, from the longest trial of the block. */
export function busiestSecond(seconds: readonly Second[]): number | undefined {
  let best: Second | undefined;
  for (const second of seconds) if (!best || rate(second) > rate(best)) best = second;
  return best?.second;
}

function longest(lines: readonly Line[]): Second[] {
  return lines.reduce<Second[]>((most, {seconds}) => (seconds.length > most.length ? seconds : most), []);
}

const present = (seconds: readonly Second[], key: string): Second[] =>
  seconds.filter((second) => typeof second[key] === "number" && (second[key] ?? 0) > 0);

interface Common {
  width: number;
}

/** Too many seconds for a gap between bars or a symbol on each. */
function isDense(lines: readonly Line[], {width}: Common): boolean {
  return width / Math.max(longest(lines).length, 1) < 6;
}

/** All of a few seconds; of many, every n-th, so that the symbols still tell the lines apart. */
function thinned(seconds: Second[], {width}: Common): Second[] {
  const step = Math.ceil(seconds.length / (width / 14));
  return seconds.filter((_, index) => index % step === 0);
}

function throughputPanel(lines: readonly Line[], common: Common, burst: Plot.Markish): Element {
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

function latencyPanel(lines: readonly Line[], [key, words]: readonly [string, string], common: Common,
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

function draw(comparison: Comparison, block: Block, width: number): Element {
  const lines = linesOf(comparison, block);
  const seconds = longest(lines);
  if (seconds.length === 0) return h("p", {class: "empty"}, "No trial of this block has a time series.");
  const busiest = busiestSecond(seconds);
  const end = (seconds.at(-1)?.second ?? 0) + 1;
  const common = {width, marginLeft: 54, marginRight: 14, marginTop: 20, marginBottom: 24,
                  x: {domain: [0, end], label: null}};
  const burst = Plot.rect(busiest === undefined ? [] : [busiest], {
    x1: (second: number) => second, x2: (second: number) => second + 1, fill: "var(--burst)",
    stroke: "var(--burst-strong)", strokeWidth: 0.6});
  const label = h("p", {class: "axis-note"},
    h("span", {class: "burst-key"}), ` second ${busiest ?? "–"}, the busiest · x: intended second of the measured phase`);
  return h("div", {class: "panels"}, throughputPanel(lines, common, burst),
           panels.map((panel) => latencyPanel(lines, panel, common, burst)), label);
}

function data(comparison: Comparison, block: Block): Data {
  const columns: [string, string, "count" | "ms"][] = [
    ["intended", "Requests", "count"], ["events_acked", "Events acked", "count"],
    ["response_p50_ns", "Response p50, ms", "ms"], ["response_p99_ns", "Response p99, ms", "ms"],
    ["publish_response_p50_ns", "Publish response p50, ms", "ms"],
    ["publish_response_p99_ns", "Publish response p99, ms", "ms"],
    ["end_to_end_p50_ns", "End to end p50, ms", "ms"], ["end_to_end_p99_ns", "End to end p99, ms", "ms"],
    ["end_to_end_max_ns", "End to end max, ms", "ms"],
  ];
  const rows: Datum[][] = linesOf(comparison, block).flatMap(({series, trial, seconds}) =>
    seconds.map((second, index) => [
      series.label, trial.id, second.second,
      ...columns.map(([key, , unit]) => new Ref(trial, joinPath("per_second", index, key), unit)),
    ]));
  return {
    columns: [{key: "platform", words: "Platform"}, {key: "trial", words: "Trial"}, {key: "second", words: "Second"},
              ...columns.map(([key, words]) => ({key, words}))],
    rows,
  };
}

/** A choice of blocks above a figure; nothing when there is one block. */
function blockChoice(comparison: Comparison, id: string, onChange: (block: Block) => void): Child {
  if (comparison.blocks.length < 2) return null;
  const options = comparison.blocks.map((block) => [String(block.block), blockTitle(block)] as const);
  return choice(`${id}-block`, "Block", options, options[0]?.[0] ?? "", (chosen) => {
    const block = comparison.blocks.find((one) => String(one.block) === chosen);
    if (block) onChange(block);
  });
}

export function secondsFigure(comparison: Comparison, id: string, stamps: Child): Child {
  let [block] = comparison.blocks;
  if (!block) return null;
  const controls = blockChoice(comparison, id, (chosen) => {
    block = chosen;
    figure.update();
  });
  const figure = makeFigure({
    id, stamps, controls, title: "Second by second",
    legend: legend(comparison),
    caption: [
      h("strong", {}, "How to read it. "),
      "A request belongs to the second in which it was intended to start, however late its answer came: a stall shows as ",
      "latency in the seconds it hit, not as missing requests. The shaded second is the busiest. Latency axes are ",
      "logarithmic; a gap is a second without samples.",
    ],
    draw: (width) => (block ? draw(comparison, block, width) : h("p")),
    data: () => (block ? data(comparison, block) : {columns: [], rows: []}),
  });
  return figure.element;
}

function drawLoad(comparison: Comparison, width: number): Element {
  const lines = comparison.blocks.flatMap((block) => linesOf(comparison, block));
  const key = "publish_response_p99_ns";
  const points = lines.flatMap(({series, trial, seconds}) => present(seconds, key)
      .filter((second) => rate(second) > 0).map((second) => ({series, trial, second})));
  type Point = (typeof points)[number];
  if (points.length === 0) return h("p", {class: "empty"}, "No second has a publish response time.");
  const height = 290;
  const x = countAxis(points.map(({second}) => rate(second)), "requests intended in the second", width - 74);
  const y = latencyAxis(points.map(({second}) => second[key] ?? 0), "publish response p99", height - 62);
  return Plot.plot({
    width, height, marginLeft: 54, marginTop: 22, marginBottom: 40, x: x.scale, y: y.scale,
    ariaLabel: "Publish response p99 of each second against its requests per second",
    marks: [...x.marks, ...y.marks, ...comparison.series.map((series) =>
      Plot.dot(points.filter((point) => point.series === series), {
        x: (point: Point) => rate(point.second), y: (point: Point) => point.second[key] ?? NaN, r: 4,
        stroke: series.color, fill: series.color, fillOpacity: 0.25, strokeWidth: 1.4, symbol: series.symbol, tip: true,
        title: ({second, trial}: Point) => `${series.label}, ${trial.id}, second ${second.second}\n` +
          `${count(rate(second))} requests: ${duration(second[key] ?? NaN)}`,
      }))],
  });
}

export function loadFigure(comparison: Comparison, id: string, stamps: Child): HTMLElement {
  return makeFigure({
    id, stamps, title: "Latency against load, from the same trial",
    legend: legend(comparison),
    caption: [
      h("strong", {}, "How to read it. "),
      "One mark is one second: how many requests it intended, and the p99 of its publish response. Marks that rise to the ",
      "right show load; a mark far above its neighbours of the same load shows a disturbance or the backlog of the second before.",
    ],
    draw: (width) => drawLoad(comparison, width),
    data: () => {
      const all = comparison.blocks.map((block) => data(comparison, block));
      return {columns: all[0]?.columns ?? [], rows: all.flatMap(({rows}) => rows)};
    },
  }).element;
}
