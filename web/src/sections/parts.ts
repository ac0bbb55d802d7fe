// Pieces that several sections use: the sample that stands for a series, captions with their stamps,
// tables of one block each.
// SPDX-License-Identifier: Apache-2.0
import {details, detailsLater, h, tdNumber, value} from "../dom.ts";
import type {Child} from "../dom.ts";
import {isUnresolved} from "../model.ts";
import type {Block, Comparison, Series} from "../model.ts";
import {valueAt} from "../path.ts";
import type {Experiment, Trial} from "../types.ts";

const svgNamespace = "http://www.w3.org/2000/svg";

const symbolPaths = {
  circle: "M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0",
  triangle: "M0,-4.2L4.2,3.2L-4.2,3.2Z",
  square: "M-3.2,-3.2H3.2V3.2H-3.2Z",
  diamond: "M0,-4.6L4.6,0L0,4.6L-4.6,0Z",
} as const;

/** Line, dash and symbol of a series, as in the figures. */
export function key({color, dash, symbol}: Series): Element {
  const svg = document.createElementNS(svgNamespace, "svg");
  const put = (element: Element, attributes: Record<string, string | number>): void => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  };
  put(svg, {class: "key", viewBox: "0 0 30 12", width: 30, height: 12, "aria-hidden": "true"});
  const line = document.createElementNS(svgNamespace, "line");
  put(line, {x1: 0, x2: 30, y1: 6, y2: 6, "stroke-dasharray": dash, "stroke-width": 2});
  const mark = document.createElementNS(svgNamespace, "path");
  put(mark, {d: symbolPaths[symbol], transform: "translate(15 6)"});
  line.style.stroke = color;
  mark.style.fill = color;
  svg.append(line, mark);
  return svg;
}

/** Beside the name of a trial that must be read with care; nothing beside a good one. */
export function flaw(trial: Trial | undefined): Child {
  if (trial === undefined) return h("span", {class: "flaw"}, " ✗ not run");
  const state = trial.state ?? "complete";
  if (state === "complete" && trial.valid === true) return null;
  return h("span", {class: "flaw"}, ` ✗ ${state === "complete" ? "not valid" : state}`);
}

/** Quantiles in milliseconds of the object at `path`; grey where its count at `samples` does not resolve them. */
export function quantileCells(trial: Trial | undefined, path: string, fields: readonly string[], samples: string): HTMLElement[] {
  const known = trial ? valueAt(trial, samples) : undefined;
  return fields.map((field) => {
    const cell = tdNumber(value(trial, `${path}.${field}`, "ms"));
    if (isUnresolved(field.replace("staleness_", ""), known)) cell.classList.add("unresolved");
    return cell;
  });
}

export function legend({series, blocks}: Comparison): HTMLElement {
  const [only] = blocks;
  return h("p", {class: "legend"}, series.map((one) => h("span", {}, key(one), " ", one.label,
    only && blocks.length === 1 ? flaw(only.trials.get(one.cell.id)) : null)));
}

/** The words that must stand beside every number that compares the platforms. */
export function stamps(comparison: Comparison, experiment: Experiment): Child[] {
  return [
    experiment.estimate?.is_estimate ? h("span", {class: "stamp"}, "ESTIMATE") : null,
    comparison.isLikeForLike ? null : h("span", {class: "stamp loud"}, "NOT LIKE FOR LIKE"),
  ];
}

export function blockTitle({block, seed}: Block): string {
  return seed === undefined ? `Block ${block}` : `Block ${block} (seed ${seed})`;
}

/** One block: its content. Several: each under a summary line, the first open. */
export function byBlock(comparison: Comparison, content: (block: Block) => Child): Child {
  if (comparison.blocks.length === 1 && comparison.blocks[0]) return content(comparison.blocks[0]);
  return comparison.blocks.map((block, index) => {
    const fold = index === 0 ? details(blockTitle(block), content(block))
                             : detailsLater(blockTitle(block), () => content(block));
    fold.classList.add("block");
    if (index === 0) fold.setAttribute("open", "");
    return fold;
  });
}

/** The heading of a comparison, only where there are several. */
export function comparisonTitle(comparison: Comparison, all: readonly Comparison[]): Child {
  if (all.length < 2) return null;
  return h("h3", {}, comparison.title.charAt(0).toUpperCase() + comparison.title.slice(1));
}
