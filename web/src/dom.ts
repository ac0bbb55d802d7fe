// Elements without a framework. Text is always set as text: nothing of a result file is ever parsed
// as HTML.
// SPDX-License-Identifier: Apache-2.0
import * as format from "./format.ts";
import {joinPath, splitPath, valueAt} from "./path.ts";
import type {Trial} from "./types.ts";

export type Child = Node | string | number | null | undefined | false | Child[];
type Attributes = Record<string, string | number | boolean | undefined>;

export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) {
      element.append(typeof child === "number" ? String(child) : child);
    }
  }
}

/** How a raw number becomes text; `data-unit` tells a reader of the page how to turn it back. */
export const units = {
  ms: format.milliseconds,
  count: format.count,
  percent: (share: number) => format.significant(share * 100),
  bytes: format.bytes,
  seconds: (seconds: number) => format.duration(seconds * 1e9),
  number: (value: number) => format.significant(value),
  exact: format.exact,
  duration: format.duration,
} as const;
export type Unit = keyof typeof units;

const sampleCounts = ["rows", "answered", "answers"];

/** True where a null of the file means that there was no sample, not that the value lies beyond all samples. */
function isWithoutSamples(trial: Trial, path: string): boolean {
  const keys = splitPath(path);
  const [part = "", name = ""] = keys;
  if (part === "analytics") {
    const holder = keys.slice(0, -1);
    return !sampleCounts.some((count) => Number(valueAt(trial, joinPath(...holder, count))) > 0);
  }
  return part === "per_second" || valueAt(trial, joinPath(part, name, "count")) === 0;
}

function nullText(trial: Trial, path: string): string {
  return isWithoutSamples(trial, path) ? format.missing : "> measured";
}

/** The number at `path` of a trial's file, marked with where it comes from. */
export function value(trial: Trial | undefined, path: string, unit: Unit): HTMLElement {
  const raw = trial === undefined ? undefined : valueAt(trial, path);
  if (trial === undefined || raw === undefined) return h("span", {class: "none"}, format.missing);
  const marks = {"data-trial": trial.id, "data-path": path, "data-unit": unit};
  if (raw === null) return h("span", {...marks, "data-value": "null"}, nullText(trial, path));
  if (typeof raw !== "number") return h("span", {...marks, "data-value": String(raw)}, String(raw));
  return h("span", {...marks, "data-value": raw}, units[unit](raw));
}

/** A number calculated from several: `rule` names how, so that a test can do it again. */
export function derived(raw: number, unit: Unit, rule: string, of: Attributes = {}): HTMLElement {
  const isKnown = Number.isFinite(raw);
  if (!isKnown && raw !== Infinity) return h("span", {class: "none"}, format.missing);
  const marks = {"data-derived": rule, "data-unit": unit, "data-value": isKnown ? raw : "null", ...of};
  return h("span", marks, isKnown ? units[unit](raw) : "> measured");
}

export const th = (...children: Child[]): HTMLElement => h("th", {scope: "col"}, ...children);
export const thNumber = (...children: Child[]): HTMLElement =>
  h("th", {scope: "col", class: "n"}, ...children);
export const thRow = (...children: Child[]): HTMLElement => h("th", {scope: "row"}, ...children);
export const td = (...children: Child[]): HTMLElement => h("td", {}, ...children);
export const tdNumber = (...children: Child[]): HTMLElement => h("td", {class: "n"}, ...children);
export const tr = (...cells: Child[]): HTMLElement => h("tr", {}, ...cells);

/** A table that scrolls by itself when it is wider than the page, by keyboard too. */
export function table(caption: Child, head: Child, body: Child, extra: Attributes = {}): HTMLElement {
  const title = h("caption", {}, h("span", {}, caption));
  const inner = h("table", extra, title, h("thead", {}, head), h("tbody", {}, body));
  const label = title.textContent ?? "table";
  return h("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": label}, inner);
}

export function section(id: string, title: string, ...children: Child[]): HTMLElement {
  return h("section", {id, "aria-labelledby": `${id}-title`},
           h("h2", {id: `${id}-title`}, title), ...children);
}

export function details(summary: Child, ...children: Child[]): HTMLElement {
  return h("details", {}, h("summary", {}, summary), ...children);
}

/** The same, with content that is made when it is first opened: a hundred of them are too many to lay out. */
export function detailsLater(summary: Child, make: () => Child): HTMLElement {
  const fold = details(summary);
  fold.addEventListener("toggle", () => { append(fold, [make()]); }, {once: true});
  return fold;
}

/** A word with a sign before it, so that the colour is never the only difference. */
export function verdict(holds: boolean, yes: string, no: string): HTMLElement {
  return h("span", {class: holds ? "yes" : "no"}, `${holds ? "✓" : "✗"} ${holds ? yes : no}`);
}

export function paragraph(...children: Child[]): HTMLElement {
  return h("p", {}, ...children);
}
