// The results in the folder: to open, and to choose for the comparison.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, table, td, tdNumber, th, thNumber, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {count, missing, moment} from "../format.ts";
import {reportLink} from "./access.ts";
import type {View} from "./now.ts";
import type {State} from "./state.ts";
import type {ResultRow, ResultState} from "./types.ts";

const compared = {least: 2, most: 4} as const;

const states: Record<ResultState, string> = {
  running: "▶ running", sealed: "✓ ended, sealed", interrupted: "✗ interrupted", unreadable: "✗ unreadable",
};

export interface ResultsView extends View {
  /** Names, in the order of the list. */
  chosen(): string[];
}

function report(row: ResultRow, onTrouble: (words: string) => void): Child {
  if (row.has_report) return reportLink(row.name, onTrouble, "Report", h("span", {class: "unseen"}, ` of ${row.name}`));
  return h("span", {class: "none"}, row.state === "running" ? "at its end" : missing);
}

function resultLine(row: ResultRow, box: HTMLElement, onTrouble: (words: string) => void): HTMLElement {
  return h("tr", {"data-result": row.name},
    td(box), h("td", {class: "whole"}, moment(row.created_unix_ns)),
    h("th", {scope: "row"}, row.experiment || row.name, h("small", {}, ` ${row.question || row.words}`)),
    h("td", {class: `whole state ${row.state}`}, states[row.state]),
    tdNumber(`${count(row.trials_done)} of ${count(row.trials_planned)}`),
    td(report(row, onTrouble)));
}

function resultTable({results}: State, lines: HTMLElement[]): HTMLElement {
  if (lines.length === 0) return paragraph("No result lies here yet.");
  const more = results.results_left_out > 0
    ? ` ${count(results.results_left_out)} more folders are not shown (too many, or a name that cannot be).` : "";
  return table(
    `Results in ${results.folder}, the newest first. Tick ${compared.least} to ${compared.most} to see them side by side.${more}`,
    tr(th(h("span", {class: "unseen"}, "Compare")), th("Started"), th("Experiment"), th("State"), thNumber("Trials"), th("Report")),
    lines, {class: "words results"});
}

export function resultsView(onChoice: () => void): ResultsView {
  const chosen = new Set<string>();
  const body = h("div", {});
  const trouble = h("p", {class: "bad", role: "status"});
  const element = h("section", {id: "results", "aria-labelledby": "results-title"},
    h("h2", {id: "results-title"}, "Results"), trouble, body);
  let drawn: unknown;
  let names: string[] = [];

  const say = (words: string): void => { trouble.textContent = words; };
  const box = (row: ResultRow): HTMLElement => {
    const input = h("input", {type: "checkbox", checked: chosen.has(row.name), "aria-label": `Compare ${row.name}`,
                              disabled: row.trials_done === 0 && !chosen.has(row.name)}) as HTMLInputElement;
    input.addEventListener("change", () => {
      if (input.checked && chosen.size >= compared.most) {
        input.checked = false;
        return say(`At most ${compared.most} results side by side.`);
      }
      say("");
      if (input.checked) chosen.add(row.name);
      else chosen.delete(row.name);
      onChoice();
    });
    return input;
  };
  return {
    element,
    chosen: () => names.filter((name) => chosen.has(name)),
    update(state) {
      if (state.results === drawn) return;
      drawn = state.results;
      names = state.results.results.map(({name}) => name);
      for (const name of chosen) if (!names.includes(name)) chosen.delete(name);
      const focused = document.activeElement?.closest("[data-result]")?.getAttribute("data-result");
      body.replaceChildren(resultTable(state, state.results.results.map((row) => resultLine(row, box(row), say))));
      body.querySelector(".scroll")?.classList.toggle("tall", names.length > 12);
      if (focused) body.querySelector<HTMLElement>(`[data-result="${CSS.escape(focused)}"] input`)?.focus();
      onChoice();
    },
  };
}
