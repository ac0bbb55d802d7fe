// Freshness over time: a panel for each side on one scale, with the traffic above it and what happened
// to that side (segment commits, faults) drawn into it.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {burstSeconds, commitMarks, faultMarks} from "../analytics.ts";
import type {Mark} from "../analytics.ts";
import {h} from "../dom.ts";
import type {Child} from "../dom.ts";
import {count, duration, significant} from "../format.ts";
import type {Block, Comparison} from "../model.ts";
import type {Second} from "../types.ts";
import {blockTitle, legend} from "../sections/parts.ts";
import {latencyAxis} from "./axis.ts";
import {makeFigure} from "./figure.ts";
import type {Data} from "./figure.ts";
import {blockChoice, commonOf, latencyPanel, linesOf, longest, present, rate, secondsData, shade, thinned,
        throughputPanel} from "./panels.ts";
import type {Column, Common, Line} from "./panels.ts";

const quantiles = ["queryable_p50_ns", "queryable_p99_ns", "queryable_max_ns"] as const;
const panelHeight = 168;

const middle = (second: Second): number => second.second + 0.5;
/** NaN for a second without samples, so that the line has a gap there. */
const at = (key: string) => (second: Second): number => (second[key] ? second[key] : NaN);

/** A band from fault to repair, its name above the frame, where no line can cross it. */
function faultBands(faults: readonly Mark[], end: number): Plot.Markish[] {
  const inside = faults.filter(({from, until}) => until >= 0 && from <= end);
  const name = (some: Mark[], textAnchor: "start" | "end"): Plot.Markish =>
    Plot.text(some, {x: "from", text: "words", frameAnchor: "top", textAnchor, lineAnchor: "bottom", dy: -3,
                     fill: "var(--bad)", fontWeight: 600});
  return [
    Plot.rect(inside, {x1: "from", x2: (d: Mark) => Math.min(Math.max(d.until, d.from + end / 400), end),
                       fill: "var(--fault)", stroke: "var(--bad)", strokeWidth: 0.6}),
    name(inside.filter(({from}) => from < end * 0.7), "start"),
    name(inside.filter(({from}) => from >= end * 0.7), "end"),
  ];
}

function commitTicks(commits: readonly Mark[], end: number): Plot.Markish[] {
  const inside = commits.filter(({from}) => from >= 0 && from <= end);
  const title = ({from, words}: Mark): string => `second ${significant(from)}: ${words}`;
  return [
    Plot.ruleX(inside, {x: "from", stroke: "var(--ink)", strokeOpacity: 0.45, strokeDasharray: "1 3"}),
    Plot.dot(inside, {x: "from", frameAnchor: "bottom", symbol: "times", r: 4, dy: -6, stroke: "var(--ink)", strokeWidth: 1.8,
                      title, tip: true}),
  ];
}

function freshnessMarks({series, seconds}: Line, common: Common): Plot.Markish[] {
  const [p50, p99, max] = quantiles;
  const title = (d: Second): string => `${series.label}, second ${d.second} (${count(rate(d))} requests)\n` +
    `p50 ${duration(at(p50)(d))}, p99 ${duration(at(p99)(d))}, max ${duration(at(max)(d))}`;
  return [
    Plot.areaY(seconds, {x: middle, y1: at(p50), y2: at(p99), fill: series.color, fillOpacity: 0.13}),
    Plot.line(seconds, {x: middle, y: at(p50), stroke: series.color, strokeWidth: 1}),
    Plot.line(seconds, {x: middle, y: at(p99), stroke: series.color, strokeWidth: 1.9,
                        strokeDasharray: series.dash || "none"}),
    Plot.dot(thinned(present(seconds, p99), common), {x: middle, y: p99, fill: series.color, symbol: series.symbol, r: 2.8}),
    Plot.ruleY(present(seconds, max), {y: max, x1: "second", x2: (d: Second) => d.second + 1, stroke: series.color,
                                       strokeWidth: 1.1}),
    Plot.dot(present(seconds, p99), {x: middle, y: p99, fill: "transparent", r: 4, title, tip: true}),
  ];
}

function sidePanel(line: Line, values: readonly number[], common: Common, bursts: Plot.Markish): Element {
  const {series, trial, seconds} = line;
  const end = (seconds.at(-1)?.second ?? 0) + 1;
  const y = latencyAxis(values, `${series.label}: freshness`, panelHeight - 44);
  return Plot.plot({
    ...common, height: panelHeight, y: y.scale, ariaLabel: `Freshness of ${series.label} by intended second`,
    marks: [
      bursts, ...faultBands(faultMarks(series, trial), end), ...y.marks,
      ...freshnessMarks(line, common), ...commitTicks(commitMarks(series, trial), end),
    ],
  });
}

const sample = (kind: string): HTMLElement => h("span", {class: `sample ${kind}`, "aria-hidden": "true"});

function key(lines: readonly Line[], hasBursts: boolean): HTMLElement {
  const end = (longest(lines).at(-1)?.second ?? 0) + 1;
  const has = (marks: (line: Line) => Mark[]): boolean =>
    lines.some((line) => marks(line).some(({from, until}) => until >= 0 && from <= end));  // Those that are drawn.
  const entry = (kind: string, words: string): HTMLElement => h("span", {}, sample(kind), ` ${words}`);
  return h("p", {class: "axis-note entries"},
    entry("p99", "p99"), entry("p50", "p50, tint up to p99"), entry("max", "max of the second"),
    hasBursts ? entry("burst", "burst: above twice the mean rate") : null,
    has(({series, trial}) => commitMarks(series, trial)) ? h("span", {}, "✕ segment commit") : null,
    has(({series, trial}) => faultMarks(series, trial)) ? entry("fault", "fault") : null,
    h("span", {}, "x: intended second of the measured phase"));
}

function valuesOf(lines: readonly Line[]): number[] {
  return lines.flatMap(({seconds}) => quantiles.flatMap((name) => present(seconds, name).map(at(name))));
}

function draw(comparison: Comparison, block: Block, width: number): Element {
  const lines = linesOf(comparison, block);
  const values = valuesOf(lines);
  if (values.length === 0) return h("p", {class: "empty"}, `No trial of ${blockTitle(block)} has freshness by second.`);
  const common = commonOf(lines, width);
  const bursts = burstSeconds(longest(lines));
  const behind = shade(bursts, lines, common);
  const queried = lines.filter(({seconds}) => present(seconds, "query_p99_ns").length > 0);
  return h("div", {class: "panels"},
    throughputPanel(lines, common, behind),
    lines.map((line) => sidePanel(line, values, common, behind)),
    queried.length === 0 ? null
      : latencyPanel(queried, ["query_p99_ns", "dashboard query p99"], common, behind),
    key(lines, bursts.length > 0));
}

const columns: readonly Column[] = [
  ["intended", "Requests", "count"], ["events_acked", "Events acked", "count"],
  ["queryable_p50_ns", "Freshness p50, ms", "ms"], ["queryable_p99_ns", "Freshness p99, ms", "ms"],
  ["queryable_max_ns", "Freshness max, ms", "ms"], ["query_p99_ns", "Dashboard query p99, ms", "ms"],
];

/** The seconds with what happened in them. */
function data(comparison: Comparison, block: Block): Data {
  const lines = linesOf(comparison, block);
  const {columns: known, rows} = secondsData(lines, columns);
  const events = lines.flatMap(({series, trial, seconds}) => {
    const commits = commitMarks(series, trial);
    const faults = faultMarks(series, trial);
    return seconds.map(({second}) => [
      commits.filter(({from}) => Math.floor(from) === second).length,
      faults.filter(({from, until}) => Math.floor(from) <= second && second <= until).map(({words}) => words).join("; "),
    ]);
  });
  return {
    columns: [...known, {key: "segment_commits", words: "Segment commits"}, {key: "fault", words: "Fault"}],
    rows: rows.map((row, index) => [...row, ...(events[index] ?? [])]),
  };
}

export function freshnessFigure(comparison: Comparison, id: string, stamps: Child): Child {
  let [block] = comparison.blocks;
  if (!block || comparison.blocks.every((one) => valuesOf(linesOf(comparison, one)).length === 0)) {
    return h("p", {class: "empty"}, "No trial has freshness by second.");
  }
  const controls = blockChoice(comparison, id, (chosen) => {
    block = chosen;
    figure.update();
  });
  const figure = makeFigure({
    id, stamps, controls, title: "Freshness, second by second",
    legend: legend(comparison),
    caption: [
      h("strong", {}, "How to read it. "),
      "A row belongs to the second in which its request was intended, however late it could be queried: a pause of ingestion ",
      "shows as a peak at the rows that waited longest, which may be intended just before it, and a slope down to the moment at ",
      "which Pinot had caught up. Every platform has a panel of its own on one logarithmic scale, with its own commits and ",
      "faults at the moments at which they happened. A gap is a second without rows.",
    ],
    draw: (width) => (block ? draw(comparison, block, width) : h("p")),
    data: () => (block ? data(comparison, block) : {columns: [], rows: []}),
  });
  return figure.element;
}
