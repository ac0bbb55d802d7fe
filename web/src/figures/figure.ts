// The frame around every figure: legend, controls, drawing that follows the width of the page,
// caption, the data to download, and the same data as a table for those who do not see the drawing.
// SPDX-License-Identifier: Apache-2.0
import {dataUri, toCsv, toJson} from "../csv.ts";
import type {Field} from "../csv.ts";
import {h, table, td, tdNumber, th, thNumber, tr, units, value} from "../dom.ts";
import type {Child, Unit} from "../dom.ts";
import {valueAt} from "../path.ts";
import type {Trial} from "../types.ts";

/** A number of a trial's file, to be marked with its path when it is shown. */
export class Ref {
  constructor(readonly trial: Trial, readonly path: string, readonly unit: Unit) {}
}
/** A number that was calculated, with the unit to show it in. */
export class Amount {
  constructor(readonly raw: number, readonly unit: Unit) {}
}
export type Datum = string | number | null | Ref | Amount;

export interface Data {
  columns: {key: string; words: string}[];
  rows: Datum[][];
}

export interface Figure {
  id: string;
  title: string;
  /** How to read it. */
  caption: Child;
  stamps?: Child;
  legend?: Child;
  /** Inputs above the drawing; whoever owns them calls the handle's update(). */
  controls?: Child;
  draw(width: number): Element;
  data(): Data;
}

export interface FigureHandle {
  element: HTMLElement;
  update(): void;
}

const widthMin = 260;
const widthPrinted = 680;

function field(datum: Datum): Field {
  if (datum instanceof Amount) return datum.raw;
  if (!(datum instanceof Ref)) return datum;
  const raw = valueAt(datum.trial, datum.path);
  return typeof raw === "number" || typeof raw === "string" ? raw : null;
}

function cell(datum: Datum): HTMLElement {
  if (datum instanceof Ref) return tdNumber(value(datum.trial, datum.path, datum.unit));
  if (datum instanceof Amount) return tdNumber(units[datum.unit](datum.raw));
  if (typeof datum === "number") return tdNumber(String(datum));
  return td(datum ?? "–");
}

function dataTable(title: string, {columns, rows}: Data): HTMLElement {
  const isNumber = (index: number): boolean => typeof rows[0]?.[index] !== "string";
  const head = columns.map(({words}, index) => (isNumber(index) ? thNumber(words) : th(words)));
  return table(`Data of the figure “${title}”.`, tr(head), rows.map((row) => tr(row.map(cell))));
}

function downloads(id: string, {columns, rows}: Data): HTMLElement {
  const keys = columns.map(({key}) => key);
  const fields = rows.map((row) => row.map(field));
  const link = (suffix: string, type: string, text: string): HTMLElement =>
    h("a", {download: `${id}.${suffix}`, href: dataUri(type, text)}, suffix.toUpperCase());
  return h("span", {}, "Download data: ", link("csv", "text/csv", toCsv(keys, fields)), " · ",
           link("json", "application/json", toJson(keys, fields)));
}

/** Makes a figure that redraws itself when its width changes and before printing. */
export function makeFigure(figure: Figure): FigureHandle {
  const drawing = h("div", {class: "drawing"});
  const files = h("div", {class: "downloads"});
  const fold = h("details", {class: "data"}, h("summary", {}, "The same data as a table"));
  const element = h("figure", {id: figure.id, "aria-labelledby": `${figure.id}-title`},
    h("h3", {id: `${figure.id}-title`}, figure.title, " ", figure.stamps),
    figure.controls, figure.legend, drawing,
    h("figcaption", {}, figure.caption), files, fold);
  let drawn = 0;
  const draw = (width: number): void => {
    drawn = width;
    drawing.replaceChildren(figure.draw(width));
  };
  const fillTable = (): void => {
    fold.querySelector(".scroll")?.remove();
    if (fold.hasAttribute("open")) fold.append(dataTable(figure.title, figure.data()));
  };
  const fit = (): void => {
    const width = Math.max(Math.floor(drawing.clientWidth), widthMin);
    if (width !== drawn) draw(width);
  };
  fold.addEventListener("toggle", fillTable);
  new ResizeObserver(() => { requestAnimationFrame(fit); }).observe(drawing);
  window.addEventListener("beforeprint", () => { draw(widthPrinted); });
  window.addEventListener("afterprint", fit);
  const update = (): void => {
    if (drawn > 0) draw(drawn);
    const data = figure.data();
    files.replaceChildren(...(data.rows.length > 0 ? [downloads(figure.id, data)] : []));
    fold.toggleAttribute("hidden", data.rows.length === 0);
    fillTable();
  };
  update();
  return {element, update};
}

/** Radio buttons: one choice, arrow keys move it. */
export function choice(name: string, label: string, options: readonly (readonly [string, string])[],
                       chosen: string, onChange: (value: string) => void): HTMLElement {
  const set = h("fieldset", {class: "choice"}, h("legend", {}, label));
  for (const [option, words] of options) {
    const input = h("input", {type: "radio", name, value: option, checked: option === chosen});
    input.addEventListener("change", () => { onChange(option); });
    set.append(h("label", {}, input, h("span", {}, words)));
  }
  return set;
}
