// Whether the trials may be believed: every gate of every trial with its value and limit.
// SPDX-License-Identifier: Apache-2.0
import {analyticsTroubles} from "../analytics.ts";
import {details, detailsLater, h, paragraph, section, table, td, tdNumber, th, thNumber, thRow, tr, value, verdict}
  from "../dom.ts";
import type {Child, Unit} from "../dom.ts";
import {joinPath} from "../path.ts";
import {notHolding} from "../format.ts";
import type {Gate, Result, Trial} from "../types.ts";

const gateUnits: Record<string, [Unit, string]> = {
  s: ["seconds", ""],
  share: ["percent", " %"],
  count: ["count", ""],
};

function gateNumber(trial: Trial, gate: Gate, index: number, field: "value" | "limit"): HTMLElement {
  const [unit, suffix] = gateUnits[gate.unit ?? ""] ?? ["number", gate.unit ? ` ${gate.unit}` : ""];
  return tdNumber(value(trial, joinPath("gates", index, field), unit), h("small", {}, suffix));
}

function gateRow(trial: Trial, gate: Gate, index: number): HTMLElement {
  return h("tr", {class: gate.holds ? undefined : "failed"},
    thRow(gate.name.replaceAll("_", " ")),
    td(verdict(gate.holds, "holds", "does not hold")),
    gateNumber(trial, gate, index, "value"), gateNumber(trial, gate, index, "limit"),
    td(gate.words ?? ""));
}

function stateWords(trial: Trial): string {
  const state = trial.state ?? "complete";
  return trial.state_words ? `${state}: ${trial.state_words}` : state;
}

function gateFold(trial: Trial, isOpen: boolean): HTMLElement {
  const gates = trial.gates ?? [];
  const broken = gates.filter((gate) => !gate.holds).length;
  const title: Child = [
    h("strong", {}, trial.id), " – ", verdict(trial.valid === true, "valid", "not valid"),
    `, ${stateWords(trial)}, `,
    gates.length === 0 ? "no gate evaluated"
      : broken === 0 ? `all ${gates.length} gates hold`
                     : notHolding(broken, gates.length, "gate")];
  const content = (): Child => [
    analyticsWords(trial),
    gates.length === 0 ? null
      : table(`Validity gates of ${trial.id}.`,
              tr(th("Gate"), th("Result"), thNumber("Value"), thNumber("Limit"), th("In words")),
              gates.map((gate, index) => gateRow(trial, gate, index)), {class: "words gates"}),
    steadinessWords(trial),
  ];
  const fold = isOpen ? details(title, content()) : detailsLater(title, content);
  fold.classList.add("block");
  if (isOpen) fold.setAttribute("open", "");
  return fold;
}

/** Why nothing is said of the server's steadiness; where it was judged there is a gate. */
function steadinessWords({stationarity}: Trial): Child {
  if (!stationarity?.words || stationarity.is_judged !== false) return null;
  return paragraph("Steadiness of the server: ", stationarity.words, ".");
}

/** Whether what Pinot answered may be believed; nothing for a trial without analytics. */
function analyticsWords(trial: Trial): Child {
  if (!trial.analytics) return null;
  const troubles = analyticsTroubles(trial);
  return paragraph("Analytics: ", verdict(troubles.length === 0, "every event is one row, and the answers agree with the database",
                                          troubles.join("; ")), ".");
}

export function validitySection({trials}: Result): HTMLElement {
  // A few trials: all in sight. Many: those that need a look.
  const folds = trials.map((trial) =>
    gateFold(trial, trials.length <= 4 || trial.valid !== true || analyticsTroubles(trial).length > 0));
  return section("validity", "May these trials be believed?",
    paragraph(
      "A trial is valid when the load generator kept its promises, the machine was its own and every sum ",
      "holds. A generator that breaks a promise voids a trial; a platform that is slow is a result."),
    folds);
}
