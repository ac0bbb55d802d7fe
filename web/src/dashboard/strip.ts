// Second by second, as it happens: requests due and answered, and below them each hop's p50 and p99 as
// shades. Both share the seconds; a cursor, moved by pointer or arrow keys, reads one of them out.
// SPDX-License-Identifier: Apache-2.0
import {details, h} from "../dom.ts";
import {duration, missing} from "../format.ts";
import {latencyAt, shadeBounds} from "./derive.ts";
import {refreshTable} from "./live_table.ts";
import type {View} from "./now.ts";
import {dataTable, drawHeat, frameOf, rateDrawing, readout, roomOf, rows, shownOf} from "./strip_drawing.ts";
import type {Shown} from "./strip_drawing.ts";
import type {LiveSecond} from "./types.ts";

function heatLegend(): HTMLElement {
  const rounded = (ns: number): string => {
    const [value, unit] = duration(ns).split(" ");
    return `${Number(value)} ${unit ?? ""}`;
  };
  const slowest = shadeBounds[shadeBounds.length - 1] ?? 0;
  const names = [...shadeBounds.map((bound) => `< ${rounded(bound)}`), `${rounded(slowest)} and more`];
  return h("p", {class: "legend shades"}, "Latency: ",
    names.map((name, index) => h("span", {}, h("span", {class: `shade shade-${index}`}), " ", name)));
}

function rateLegend(): HTMLElement {
  return h("p", {class: "legend"},
    h("span", {}, h("span", {class: "key-due"}), " requests due"),
    h("span", {}, h("span", {class: "key-answered"}), " answered"),
    h("span", {}, h("span", {class: "key-acked"}), " events acked"));
}

function heatLabels(): HTMLElement {
  return h("div", {class: "heat-labels", "aria-hidden": "true"}, rows.map(({hop, quantile}) =>
    h("span", {class: quantile}, quantile === "p50" ? [hop, h("span", {class: "wide"}, " p50")] : "p99")));
}

function heatValues(): {element: HTMLElement; set(second: LiveSecond | undefined): void} {
  const cells = rows.map(({quantile}) => h("span", {class: quantile}));
  return {
    element: h("div", {class: "heat-values", "aria-hidden": "true"}, cells),
    set(second) {
      rows.forEach(({key}, index) => {
        const ns = second ? latencyAt(second, key) : null;
        const cell = cells[index];
        if (cell) cell.textContent = ns === null ? missing : duration(ns);
      });
    },
  };
}

const moves: Record<string, number> = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10};

export function stripView(): View {
  const rates = h("div", {class: "drawing"});
  const canvas = h("canvas", {}) as HTMLCanvasElement;
  const values = heatValues();
  const heat = h("div", {class: "heat"}, heatLabels(), canvas, values.element);
  const words = h("p", {class: "readout"});
  const data = h("div", {});
  const fold = details("The same data as a table", data);
  fold.classList.add("data");
  const board = h("div", {class: "board", tabindex: 0, role: "slider", "aria-label": "Second that is read out"},
                  rates, heat);
  const element = h("section", {id: "seconds", "aria-labelledby": "seconds-title"},
    h("h2", {id: "seconds-title"}, "Second by second"),
    h("figure", {}, rateLegend(), board, words, heatLegend(),
      h("figcaption", {}, h("strong", {}, "How to read it. "),
        "Bars: requests whose time had come; a line below them means that the shop falls behind. Shades: each hop's ",
        "median and 99th percentile of what ended in that second. Pointer or arrow keys pick a second."), fold));

  let all: LiveSecond[] = [];
  let shown: Shown = {seconds: [], rates: [], from: 0, until: 1};
  let picked: number | null = null;  // Null: the newest.
  let frame = frameOf(0);

  const cursorNow = (): number => picked ?? shown.seconds.at(-1)?.unix_s ?? shown.from;
  const readOut = (cursor: number): void => {
    const text = readout(shown, cursor);
    words.textContent = text;
    board.setAttribute("aria-valuemin", String(shown.from));
    board.setAttribute("aria-valuemax", String(shown.until - 1));
    board.setAttribute("aria-valuenow", String(cursor));
    board.setAttribute("aria-valuetext", text);
  };
  const draw = (): void => {
    const width = Math.floor(board.clientWidth);
    if (width <= 0 || all.length === 0) return;
    frame = frameOf(width);
    shown = shownOf(all, frame);
    if (picked !== null && (picked < shown.from || picked >= shown.until)) picked = null;
    const cursor = cursorNow();
    heat.style.gridTemplateColumns = `${frame.left - 6}px ${roomOf(frame)}px ${frame.right - 6}px`;
    rates.replaceChildren(rateDrawing(shown, frame, cursor));
    drawHeat(canvas, shown, frame, cursor);
    values.set(shown.seconds.find((second) => second.unix_s === cursor));
    readOut(cursor);
    if (fold.hasAttribute("open")) refreshTable(data, dataTable(shown));
  };
  const pick = (unixS: number): void => {
    const [first, last] = [shown.seconds[0]?.unix_s ?? 0, shown.seconds.at(-1)?.unix_s ?? 0];
    picked = unixS >= last ? null : Math.max(unixS, first);
    draw();
  };

  board.addEventListener("keydown", (event) => {
    const by = moves[event.key];
    if (by !== undefined) pick(cursorNow() + by);
    else if (event.key === "Home") pick(shown.from);
    else if (event.key === "End") pick(Infinity);
    else return;
    event.preventDefault();
  });
  board.addEventListener("pointermove", (event) => {
    const x = event.clientX - board.getBoundingClientRect().left - frame.left;
    const share = x / roomOf(frame);
    if (share >= 0 && share < 1) pick(shown.from + Math.floor(share * (shown.until - shown.from)));
  });
  board.addEventListener("pointerleave", () => { picked = null; draw(); });
  fold.addEventListener("toggle", draw);
  new ResizeObserver(() => { requestAnimationFrame(draw); }).observe(board);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return {
    element,
    update({current}) {
      const seconds = current?.trial?.seconds ?? [];
      element.hidden = seconds.length === 0;
      if (seconds === all) return;
      all = seconds;
      draw();
    },
  };
}
