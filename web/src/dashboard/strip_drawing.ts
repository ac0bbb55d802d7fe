// Draws the strip: rates as SVG, hops as shades on a canvas, one second in words, all as a table.
// SPDX-License-Identifier: Apache-2.0
import {h, table, td, tdNumber, th, thNumber, tr} from "../dom.ts";
import {count, duration, milliseconds, missing} from "../format.ts";
import {latencyAt, ratesOf, shadeBounds, shadeOf, windowOf} from "./derive.ts";
import type {Rates} from "./derive.ts";
import {linePath, svg} from "./svg.ts";
import type {LiveSecond} from "./types.ts";

const hops = [["response", "Response"], ["publish_latency", "Publish latency"],
              ["publish_response", "Publish response"], ["end_to_end", "End to end"]] as const;
export const rows = hops.flatMap(([hop, words]) =>
  ["p50", "p99"].map((quantile) => ({key: `${hop}_${quantile}_ns`, hop: words, quantile})));

const phaseWords: Record<string, string> = {registration: "registration", warm_up: "warm-up", measured: "measured"};
const rateHeight = 132;
const rowHeight = 15;
const groupGap = 5;
const heatHeight = rows.length * rowHeight + (hops.length - 1) * groupGap;
const cellWidthMin = 4;

export interface Shown {
  seconds: LiveSecond[];
  rates: Rates[];
  from: number;
  until: number;
}

export interface Frame {
  width: number;
  left: number;
  right: number;
}

export const frameOf = (width: number): Frame =>
  ({width, left: width < 520 ? 92 : 150, right: width < 520 ? 52 : 66});
export const roomOf = ({width, left, right}: Frame): number => Math.max(width - left - right, 60);

function rowTop(index: number): number {
  return index * rowHeight + Math.floor(index / 2) * groupGap;
}

export function shownOf(all: readonly LiveSecond[], frame: Frame): Shown {
  const {from, until} = windowOf(all, Math.floor(roomOf(frame) / cellWidthMin));
  const isIn = (unixS: number): boolean => unixS >= from && unixS < until;
  // Rates before the cut: each is a step from the second before.
  const rates = ratesOf(all).filter(({unixS}) => isIn(unixS));
  return {seconds: all.filter(({unix_s: unixS}) => isIn(unixS)), rates, from, until};
}

function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** A line where a phase begins; its name where it has room until the next one. */
function phaseMarks(shown: Shown, x: (unixS: number) => number, height: number): SVGElement[] {
  const begins = shown.rates.filter(({phase}, index) => shown.rates[index - 1]?.phase !== phase);
  return begins.flatMap(({phase, unixS}, index) => {
    const words = phaseWords[phase] ?? phase;
    const room = x(begins[index + 1]?.unixS ?? shown.until) - x(unixS);
    const line = svg("line", {x1: x(unixS), x2: x(unixS), y1: 4, y2: height, class: "phase-line"});
    return room < 10 + words.length * 6 ? [line] : [line, svg("text", {x: x(unixS) + 3, y: 11, class: "phase-word"}, words)];
  });
}

export function rateDrawing(shown: Shown, frame: Frame, cursor: number): SVGElement {
  const room = roomOf(frame);
  const [top, bottom] = [18, rateHeight - 4];
  const x = (unixS: number): number => frame.left + (unixS - shown.from) / (shown.until - shown.from) * room;
  const most = niceTop(Math.max(1, ...shown.rates.flatMap((one) => [one.intended ?? 0, one.answered ?? 0, one.acked ?? 0])));
  const y = (rate: number): number => bottom - rate / most * (bottom - top);
  const step = x(shown.from + 1) - x(shown.from);
  const bars = shown.rates.filter(({intended}) => intended !== null).map((one) =>
    svg("rect", {x: x(one.unixS), y: y(one.intended ?? 0), width: Math.max(step - (step > 4 ? 1 : 0), 0.5),
                 height: bottom - y(one.intended ?? 0), class: "due"}));
  const line = (key: "answered" | "acked"): SVGElement => svg("path", {class: key, d: linePath(shown.rates.map((one) =>
    (one[key] === null ? null : [x(one.unixS) + step / 2, y(one[key])] as const)))});
  const ticks = [0, most / 2, most].flatMap((tick) => [
    svg("line", {x1: frame.left, x2: frame.left + room, y1: y(tick), y2: y(tick), class: "grid"}),
    svg("text", {x: frame.left - 6, y: y(tick) + 4, class: "tick"}, count(tick))]);
  return svg("svg", {width: frame.width, height: rateHeight, viewBox: `0 0 ${frame.width} ${rateHeight}`,
                     role: "img", "aria-label": "Requests due and answered and events acknowledged per second"},
    ...ticks, ...bars, line("acked"), line("answered"), ...phaseMarks(shown, x, rateHeight),
    svg("rect", {x: x(cursor), y: top, width: Math.max(step, 1), height: bottom - top, class: "cursor"}));
}

function shades(): string[] {
  const style = getComputedStyle(document.documentElement);
  return Array.from({length: shadeBounds.length + 1}, (_, index) => style.getPropertyValue(`--shade-${index}`).trim());
}

export function drawHeat(canvas: HTMLCanvasElement, shown: Shown, frame: Frame, cursor: number): void {
  const scale = window.devicePixelRatio || 1;
  const room = roomOf(frame);
  canvas.width = Math.round(room * scale);
  canvas.height = Math.round(heatHeight * scale);
  canvas.style.width = `${room}px`;
  canvas.style.height = `${heatHeight}px`;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(scale, scale);
  const colours = shades();
  const step = room / (shown.until - shown.from);
  for (const second of shown.seconds) {
    const x = (second.unix_s - shown.from) * step;
    rows.forEach(({key}, index) => {
      const ns = latencyAt(second, key);
      if (ns === null) return;
      context.fillStyle = colours[shadeOf(ns)] ?? "";
      context.fillRect(x, rowTop(index), Math.max(step - (step > 5 ? 1 : 0), 0.7), rowHeight - 1);
    });
  }
  context.strokeStyle = getComputedStyle(canvas).color;
  context.strokeRect((cursor - shown.from) * step + 0.5, 0.5, Math.max(step - 1, 1), heatHeight - 1);
}

function clockOf(unixS: number): string {
  return `${new Date(unixS * 1000).toISOString().slice(11, 19)} UTC`;
}

function rateWords({intended, answered, acked}: Rates): string {
  const words = (value: number | null, what: string): string | null => (value === null ? null : `${count(value)} ${what}`);
  return [words(intended, "requests due"), words(answered, "answered"), words(acked, "events acked")]
      .filter((one) => one !== null).join(", ");
}

export function readout(shown: Shown, cursor: number): string {
  const index = shown.seconds.findIndex((second) => second.unix_s === cursor);
  const [second, rates] = [shown.seconds[index], shown.rates[index]];
  if (!second || !rates) return `${clockOf(cursor)}: nothing told`;
  const latencies = hops.flatMap(([hop, words]) => {
    const [p50, p99] = [latencyAt(second, `${hop}_p50_ns`), latencyAt(second, `${hop}_p99_ns`)];
    return p99 === null ? [] : [`${words.toLowerCase()} p50 ${p50 === null ? missing : duration(p50)}, p99 ${duration(p99)}`];
  });
  const phase = phaseWords[rates.phase] ?? rates.phase;
  return [clockOf(cursor), phase, rateWords(rates), ...latencies].filter((one) => one).join(" · ");
}

export function dataTable({seconds, rates}: Shown): HTMLElement {
  const head = tr(th("Second, UTC"), th("Phase"), thNumber("due"), thNumber("answered"), thNumber("events acked"),
                  rows.map(({hop, quantile}) => thNumber(`${hop} ${quantile}`, h("small", {}, " ms"))));
  const rate = (value: number | null | undefined): HTMLElement =>
    tdNumber(value === null || value === undefined ? missing : count(value));
  const body = seconds.map((second, index) => tr(
    td(clockOf(second.unix_s).slice(0, 8)), td(phaseWords[second.phase ?? ""] ?? second.phase ?? ""),
    rate(rates[index]?.intended), rate(rates[index]?.answered), rate(rates[index]?.acked),
    rows.map(({key}) => {
      const ns = latencyAt(second, key);
      return tdNumber(ns === null ? missing : milliseconds(ns));
    })));
  return table("The seconds of the figure, by completion; latencies in ms.", head, body.reverse());
}
