// The gates that are known while a trial is measured, the moment they break.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, table, td, tdNumber, th, thNumber, thRow, tr, verdict} from "../dom.ts";
import {count, duration, missing, percent, significant} from "../format.ts";
import type {Gate, Maybe} from "../types.ts";
import {refreshTable} from "./live_table.ts";
import type {View} from "./now.ts";

const words: Record<string, string> = {
  start_error_p99: "99 % of the requests left on time",
  late_starts: "few left over 5 ms late with a connection free",
  generator_cpu: "the busiest generator thread had time left",
  steal: "the machine's CPU was its own",
  clock_step: "the wall clock did not step",
};

function gateNumber(value: Maybe<number>, unit: string | undefined): string {
  if (typeof value !== "number") return missing;
  if (unit === "s") return duration(value * 1e9);
  if (unit === "share") return percent(value);
  return unit === "count" ? count(value) : significant(value);
}

function row(gate: Gate): HTMLElement {
  return h("tr", {class: gate.holds ? undefined : "failed", "data-gate": gate.name},
    thRow(gate.name.replaceAll("_", " ")),
    td(verdict(gate.holds, "holds", "does not hold")),
    tdNumber(gateNumber(gate.value, gate.unit)), tdNumber(gateNumber(gate.limit, gate.unit)),
    td(words[gate.name] ?? gate.words ?? ""));
}

export function brokenGates(gates: readonly Gate[] | undefined): string[] {
  return (gates ?? []).filter((gate) => !gate.holds).map((gate) => gate.name.replaceAll("_", " "));
}

export function gatesView(): View {
  const note = paragraph();
  const body = h("div", {});
  const element = h("section", {id: "gates", "aria-labelledby": "gates-title"},
    h("h2", {id: "gates-title"}, "Gates so far"), body, note);
  let drawn: unknown;
  return {
    element,
    update({current}) {
      const trial = current?.trial;
      element.hidden = !trial;
      if (!trial || (trial.gates === drawn && note.textContent)) return;
      drawn = trial.gates;
      const known = trial.gates?.gates ?? [];
      note.textContent = known.length === 0
        ? "They are judged second by second in the measured phase."
        : "Provisional: the seal decides these, and the gates that need all records (completeness, Little's law, " +
          "schedule hash, conservation, audit).";
      if (known.length === 0) return body.replaceChildren();
      refreshTable(body, table("Promises of the generator and the machine, over the measured phase so far.",
        tr(th("Gate"), th("So far"), thNumber("Value"), thNumber("Limit"), th("It asks that")),
        known.map(row), {class: "words gates"}));
    },
  };
}
