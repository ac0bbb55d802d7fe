// The traffic as it was planned: requests per second, the busiest tick marked.
// SPDX-License-Identifier: Apache-2.0
import * as Plot from "@observablehq/plot";
import {h, paragraph, section, table, tdNumber, thNumber, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {count, duration, percent, plural, significant} from "../format.ts";
import type {Result, Workload} from "../types.ts";
import {makeFigure} from "./figure.ts";

interface Tick {
  from: number;
  until: number;
  requests: number;
  rate: number;
  isBusiest: boolean;
}

export function ticksOf(workload: Workload): Tick[] {
  const volumes = workload.facts?.volumes ?? [];
  const seconds = (workload.tick_ns ?? 1e9) / 1e9;
  const busiest = volumes.indexOf(volumes.reduce((a, b) => Math.max(a, b), 0));
  return volumes.map((requests, index) => ({
    from: index * seconds, until: (index + 1) * seconds, requests, rate: requests / seconds,
    isBusiest: index === busiest,
  }));
}

/** "second" for ticks of one second, else "100 ms tick". */
export function tickName(workload: Workload): string {
  const ns = workload.tick_ns ?? 1e9;
  return ns === 1e9 ? "second" : `tick of ${duration(ns)}`;
}

function draw(workload: Workload, ticks: Tick[], width: number): Element {
  const mean = workload.requests_per_second ?? 0;
  const busiest = ticks.filter((tick) => tick.isBusiest);
  const isLeft = (busiest[0]?.from ?? 0) < (ticks.at(-1)?.until ?? 0) / 2;
  const text = (tick: Tick): string =>
    `busiest ${tickName(workload)}\n${count(tick.requests)} requests\n` +
    `${percent(workload.facts?.busiest_tick_share ?? 0)} of all`;
  return Plot.plot({
    width, height: 224, marginLeft: 46, marginRight: 62, marginTop: 22, marginBottom: 40,
    ariaLabel: `Requests per second over the schedule of ${ticks.length} ticks`,
    x: {label: "second of the measured phase", labelArrow: "none", labelAnchor: "center"},
    y: {label: "requests per second", grid: true, labelArrow: "none", nice: true},
    marks: [
      Plot.rectY(ticks, {
        x1: "from", x2: "until", y: "rate", inset: width / ticks.length < 6 ? 0 : 0.5,
        fill: (tick: Tick) => (tick.isBusiest ? "var(--burst-strong)" : "var(--bar)"),
        title: (tick: Tick) => `${significant(tick.from)}–${significant(tick.until)} s: ${count(tick.requests)} requests`,
        tip: true,
      }),
      Plot.ruleY([mean], {stroke: "var(--ink)", strokeDasharray: "2 3"}),
      Plot.text([mean], {y: (d: number) => d, text: (d: number) => `mean ${significant(d)}`,
                         frameAnchor: "right", textAnchor: "start", dx: 3}),
      Plot.text(busiest, {x: isLeft ? "until" : "from", y: "rate", text, textAnchor: isLeft ? "start" : "end",
                          dx: isLeft ? 6 : -6, lineAnchor: "top", dy: -2, lineHeight: 1.25,
                          fontWeight: 600, stroke: "var(--paper)", strokeWidth: 4, fill: "var(--ink)"}),
      Plot.ruleY([0]),
    ],
  });
}

function supportWords(workload: Workload): Child {
  const {busiest_tick_share: share, tail_support_ticks: support, peak_factor: peak} = workload.facts ?? {};
  const decides = share !== undefined && share >= 0.01
    ? ` With ${percent(share)} of all requests in it, the busiest ${tickName(workload)} decides the p99 of ` +
      `the trial, unless something stalls outside it: the slowest 1 % fit inside it many times over.`
    : "";
  const tail = support === undefined ? ""
    : ` The 1 % of requests sent at the highest rate lie in ${plural(support, "tick")}` +
      (support < 10 ? ": fewer than 10, so the p99 says how one burst went, not how bursts go." : ".");
  return paragraph(`Peak ÷ mean: ${peak === undefined ? "–" : significant(peak)}.${decides}${tail}`);
}

function overloadTable(workload: Workload): Child {
  const rows = workload.facts?.overload ?? [];
  if (rows.length === 0) return null;
  return table(
    "Overload before anything runs: how long, and for how many requests, the schedule asks for more than a " +
    "system of a given capacity can do.",
    tr(thNumber("Capacity, requests/s"), thNumber("Share of time above"), thNumber("Share of requests above")),
    rows.map((row) => tr(tdNumber(count(row.capacity_per_second)), tdNumber(percent(row.time_share)),
                         tdNumber(percent(row.requests_share)))), {class: "narrow"});
}

function trafficFigure(name: string, workload: Workload, seed: number | undefined, isFirst: boolean): HTMLElement {
  const ticks = ticksOf(workload);
  return makeFigure({
    id: isFirst ? "figure-traffic" : `figure-traffic-${name}`,
    title: `Traffic “${name}”`,
    caption: [
      h("strong", {}, "How to read it. "),
      `One bar is one ${tickName(workload)} of the schedule${seed === undefined ? "" : `, drawn for seed ${seed}`}; `,
      "another seed moves the bars and keeps their heights. The times are fixed before the trial and do not wait ",
      "for answers.",
    ],
    draw: (width) => draw(workload, ticks, width),
    data: () => ({
      columns: [{key: "from_s", words: "from, s"}, {key: "until_s", words: "until, s"},
                {key: "requests", words: "requests"}, {key: "requests_per_second", words: "requests/s"}],
      rows: ticks.map((tick) => [tick.from, tick.until, tick.requests, tick.rate]),
    }),
  }).element;
}

export function trafficSection({experiment}: Result): Child {
  const workloads = Object.entries(experiment.workloads ?? {})
      .filter(([, workload]) => workload.facts?.volumes?.length);
  if (workloads.length === 0) return null;
  return section("traffic", "The traffic", workloads.map(([name, workload], index) => [
    trafficFigure(name, workload, experiment.plan?.seeds?.[0], index === 0),
    supportWords(workload),
    overloadTable(workload),
  ]));
}
