// What every second of the schedule got: throughput and p99 by intended second, the burst marked; and
// the same p99 against the rate of its second, a load-latency curve from one bursty trial.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {h} from "../dom.ts";
import type {Child} from "../dom.ts";
import {count, duration} from "../format.ts";
import type {Block, Comparison} from "../model.ts";
import type {Second} from "../types.ts";
import {legend} from "../sections/parts.ts";
import {countAxis, latencyAxis} from "./axis.ts";
import {makeFigure} from "./figure.ts";
import {blockChoice, commonOf, latencyPanel, linesOf, longest, present, rate, secondsData, shade, throughputPanel}
  from "./panels.ts";
import type {Column} from "./panels.ts";

const panels: readonly (readonly [string, string])[] = [
  ["response_p99_ns", "response time p99"],
  ["publish_response_p99_ns", "publish response p99"],
  ["end_to_end_p99_ns", "end to end p99"],
];

/** The second with most requests, from the longest trial of the block. */
export function busiestSecond(seconds: readonly Second[]): number | undefined {
  let best: Second | undefined;
  for (const second of seconds) if (!best || rate(second) > rate(best)) best = second;
  return best?.second;
}

function draw(comparison: Comparison, block: Block, width: number): Element {
  const lines = linesOf(comparison, block);
  const seconds = longest(lines);
  if (seconds.length === 0) return h("p", {class: "empty"}, "No trial of this block has a time series.");
  const busiest = busiestSecond(seconds);
  const common = commonOf(lines, width);
  const burst = shade(busiest === undefined ? [] : [busiest], lines, common);
  const label = h("p", {class: "axis-note"},
    h("span", {class: "burst-key"}), ` second ${busiest ?? "–"}, the busiest · x: intended second of the measured phase`);
  return h("div", {class: "panels"}, throughputPanel(lines, common, burst),
           panels.map((panel) => latencyPanel(lines, panel, common, burst)), label);
}

const columns: readonly Column[] = [
  ["intended", "Requests", "count"], ["events_acked", "Events acked", "count"],
  ["response_p50_ns", "Response p50, ms", "ms"], ["response_p99_ns", "Response p99, ms", "ms"],
  ["publish_response_p50_ns", "Publish response p50, ms", "ms"],
  ["publish_response_p99_ns", "Publish response p99, ms", "ms"],
  ["end_to_end_p50_ns", "End to end p50, ms", "ms"], ["end_to_end_p99_ns", "End to end p99, ms", "ms"],
  ["end_to_end_max_ns", "End to end max, ms", "ms"],
];

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
    data: () => secondsData(block ? linesOf(comparison, block) : [], columns),
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
    data: () => secondsData(comparison.blocks.flatMap((block) => linesOf(comparison, block)), columns),
  }).element;
}
