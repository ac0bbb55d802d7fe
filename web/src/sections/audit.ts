// Where every request and event went: the ledger by phase, and whether its sums hold.
// SPDX-License-Identifier: Apache-2.0
import {details, h, paragraph, section, table, td, tdNumber, th, thNumber, thRow, tr, value, verdict}
  from "../dom.ts";
import type {Child} from "../dom.ts";
import {notHolding} from "../format.ts";
import {joinPath, valueAt} from "../path.ts";
import type {Block, Comparison} from "../model.ts";
import type {Trial} from "../types.ts";
import {byBlock, comparisonTitle, flaw, key} from "./parts.ts";

const phases: readonly (readonly [string, string])[] = [
  ["measured", "Measured"], ["warm_up", "Warm-up"], ["registration", "Registration"],
];

/** Part, name and words; a row without a name is a heading. */
const ledger: readonly (readonly [string, string, string])[] = [
  ["requests", "intended", "Requests intended"],
  ["requests", "answered", "answered"],
  ["requests", "failed", "failed"],
  ["requests", "unanswered", "unanswered"],
  ["events", "attempts", "Events attempted"],
  ["events", "acked", "acked"],
  ["events", "rejected", "rejected"],
  ["events", "timed_out", "timed out"],
  ["events", "lost", "connection lost"],
  ["events", "queue_full", "queue full"],
  ["audit", "", "Acked events, read back"],
  ["audit", "seen_once", "seen once"],
  ["audit", "duplicated", "duplicated: seen more than once"],
  ["audit", "missing", "missing: never seen"],
  ["audit", "", "Beside these"],
  ["audit", "extra_copies", "extra copies of duplicated events"],
  ["audit", "unacked_seen", "timed out or lost, yet seen (no error)"],
  ["audit", "rejected_seen", "rejected, yet seen"],
  ["audit", "unknown_seen", "seen, in no record of the shop"],
  ["audit", "reordered", "out of order within a key"],
  ["audit", "misplaced", "in another topic, partition or key than attempted"],
  ["audit", "read", "Events read back, copies included"],
];
const mustBeZero = new Set(["missing", "duplicated", "rejected_seen", "unknown_seen", "misplaced", "failed", "unanswered"]);

/** Every status that any of the trials answered with, in order. */
export function statusesOf(trials: readonly (Trial | undefined)[]): string[] {
  const found = trials.flatMap((trial) => phases.flatMap(([phase]) =>
    Object.keys((valueAt(trial, `phases.${phase}.requests.answered_by_status`) ?? {}) as object)));
  return [...new Set(found)].sort();
}

function statusRow(status: string, trials: readonly (Trial | undefined)[]): HTMLElement {
  return h("tr", {}, h("th", {scope: "row", class: "sub deep"}, `with status ${status}`),
    phases.map(([phase]) => trials.map((trial) => tdNumber(
      value(trial, joinPath("phases", phase, "requests", "answered_by_status", status), "count")))));
}

function ledgerCell(trial: Trial | undefined, phase: string, part: string, name: string): HTMLElement {
  const cell = tdNumber(value(trial, joinPath("phases", phase, part, name), "count"));
  const raw = cell.querySelector("[data-value]")?.getAttribute("data-value");
  if (raw === "0") cell.classList.add("zero");
  if (mustBeZero.has(name) && raw !== undefined && raw !== null && raw !== "0") {
    cell.classList.add("bad");
    cell.prepend("✗ ");
  }
  return cell;
}

function ledgerTable(comparison: Comparison, block: Block, caption: Child): HTMLElement {
  const trials = comparison.series.map((series) => block.trials.get(series.cell.id));
  const head = [
    tr(th(), phases.map(([, name]) => h("th", {scope: "colgroup", colspan: trials.length, class: "n phase"}, name))),
    tr(th("Count"), phases.map(() => comparison.series.map((one, index) =>
      thNumber(key(one), one.label, flaw(trials[index]))))),
  ];
  const rows = ledger.map(([part, name, words]) => {
    const isTotal = words.charAt(0) !== words.charAt(0).toLowerCase();
    if (name === "") {
      return h("tr", {class: "head"}, h("th", {scope: "rowgroup", colspan: 1 + 3 * trials.length}, words));
    }
    const row = h("tr", {class: isTotal ? "head" : undefined},
      h("th", {scope: "row", class: isTotal ? undefined : "sub"}, words),
      phases.map(([phase]) => trials.map((trial) => ledgerCell(trial, phase, part, name))));
    return name === "answered" ? [row, statusesOf(trials).map((status) => statusRow(status, trials))] : row;
  });
  return table(caption, head, rows, {class: "ledger"});
}

function sumTable(trial: Trial, label: string): Child {
  const sums = trial.sums ?? [];
  if (sums.length === 0) return null;
  const rows = sums.map((sum, index) => tr(
    thRow(sum.phase.replace("_", "-")), td(sum.name),
    tdNumber(value(trial, joinPath("sums", index, "left"), "count")),
    tdNumber(value(trial, joinPath("sums", index, "right"), "count")),
    td(verdict(sum.holds, "holds", "does not hold"))));
  const broken = sums.filter((sum) => !sum.holds).length;
  const fold = details(
    [`${label}: `, verdict(broken === 0, `all ${sums.length} sums hold`,
                           notHolding(broken, sums.length, "sum"))],
    table(`Sums of ${trial.id}.`, tr(th("Phase"), th("Sum"), thNumber("left"), thNumber("right"), th("")),
          rows));
  if (broken > 0) fold.setAttribute("open", "");
  return fold;
}

function reading(trial: Trial, label: string): Child {
  const {audit} = trial;
  if (!audit) return null;
  if (trial.platform === "null") return paragraph(h("strong", {}, `${label}: `), `${audit.words ?? ""}.`);
  const examples = audit.examples ?? [];
  return [
    paragraph(
      h("strong", {}, `${label}: `),
      verdict(audit.complete === true, "every partition was read to its end",
              `the read is not complete – ${audit.words ?? ""}`),
      ". Records read: ", value(trial, "audit.records_read", "count"),
      ", of them not of this trial: ", value(trial, "audit.foreign_records", "count"), "."),
    examples.length === 0 ? null
      : details(`Examples (${examples.length})`,
                h("pre", {tabindex: 0}, examples.map((one) => JSON.stringify(one)).join("\n"))),
  ];
}

export function auditSection(comparisons: readonly Comparison[],
                             captionOf: (comparison: Comparison, words: string) => Child): HTMLElement {
  return section("audit", "Did every event arrive?",
    paragraph(
      "The shop records every attempt to publish, the auditor every event it read back; the two are ",
      "joined by trace id. Loss means: acknowledged by the platform and never seen."),
    comparisons.map((comparison) => [
      comparisonTitle(comparison, comparisons),
      byBlock(comparison, (block) => [
        ledgerTable(comparison, block, captionOf(comparison,
          "Requests and events by phase. Indented rows are the parts of what stands above them.")),
        comparison.series.map((series) => {
          const trial = block.trials.get(series.cell.id);
          return trial ? [reading(trial, series.label), sumTable(trial, series.label)] : null;
        }),
      ]),
    ]));
}
