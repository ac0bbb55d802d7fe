// The plan, trial by trial: a strip for the whole at a glance, a table with each trial's numbers.
// SPDX-License-Identifier: Apache-2.0
import {h, table, td, tdNumber, th, thNumber, thRow, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {milliseconds, missing} from "../format.ts";
import {isTrialRunning} from "./derive.ts";
import {refreshTable} from "./live_table.ts";
import type {View} from "./now.ts";
import type {Current, TrialRow} from "./types.ts";

type Look = "waiting" | "running" | "valid" | "invalid" | "partial" | "failed";

const signs: Record<Look, readonly [string, string]> = {
  waiting: ["·", "waits"],
  running: ["▶", "runs"],
  valid: ["✓", "valid"],
  invalid: ["✗", "not valid"],
  partial: ["✗", "partial"],
  failed: ["✗", "failed"],
};

interface PlanLine {
  trial: number;
  block: number | undefined;
  cell: string;
  isRepeat: boolean;
  look: Look;
  row: TrialRow | undefined;
}

function lookOf(row: TrialRow): Look {
  if (row.state === "complete") return row.valid ? "valid" : "invalid";
  return row.state === "partial" ? "partial" : "failed";
}

/** The planned trials in order; one that was run several times has a line for each. */
export function planLines(current: Current): PlanLine[] {
  const running = isTrialRunning(current) ? Number.parseInt(current.trial?.id ?? "", 10) : NaN;
  return (current.experiment.plan?.order ?? []).flatMap((planned): PlanLine[] => {
    const rows = current.trials.filter((row) => (row.trial ?? Number.parseInt(row.id, 10)) === planned.trial);
    const line = {trial: planned.trial, block: planned.block, cell: planned.cell, isRepeat: planned.is_repeat === true};
    const done = rows.map((row): PlanLine => ({...line, look: lookOf(row), row}));
    if (planned.trial === running) return [...done, {...line, look: "running", row: undefined}];
    return done.length > 0 ? done : [{...line, look: "waiting", row: undefined}];
  });
}

function strip(lines: readonly PlanLine[]): HTMLElement {
  const blocks = new Map<number | undefined, PlanLine[]>();
  for (const line of lines) blocks.set(line.block, [...(blocks.get(line.block) ?? []), line]);
  const cell = ({look, trial, cell: name}: PlanLine): HTMLElement =>
    h("span", {class: `square ${look}`, title: `Trial ${trial}, ${name}: ${signs[look][1]}`}, signs[look][0]);
  return h("div", {class: "plan-strip", "aria-hidden": "true"}, [...blocks.values()].map((block) =>
    h("span", {class: "plan-block"}, block.map(cell))));
}

const columns = [["response_time", "Response p99"], ["publish_response", "Publish response p99"],
                 ["end_to_end", "End to end p99"]] as const;

function number(row: TrialRow | undefined, hop: string): string {
  const {p99_ns: ns, count} = row?.hops?.[hop] ?? {};
  if (typeof ns === "number") return milliseconds(ns);
  return ns === null && count ? "> measured" : missing;
}

function notes({row, look}: PlanLine): Child {
  if (!row) return look === "running" ? "under way" : "";
  return [row.state_words, ...(row.broken ?? [])].filter((words) => words).join("; ");
}

function levelStamp(current: Current, cell: string): Child {
  const level = current.experiment.plan?.cells?.find((one) => one.id === cell)?.level ?? "";
  const facts = current.experiment.levels?.[level];
  return facts?.like_for_like === false
    ? h("span", {class: "stamp loud", title: facts.like_for_like_reason ?? ""}, "NOT LIKE FOR LIKE") : null;
}

function tableRow(current: Current, line: PlanLine): HTMLElement {
  const [sign, words] = signs[line.look];
  return h("tr", {class: line.look === "running" ? "runs" : undefined},
    thRow(String(line.trial)), tdNumber(String(line.block ?? missing)),
    td(h("span", {class: "whole"}, line.cell), line.isRepeat ? h("small", {}, " A/A") : null, " ", line.row ? levelStamp(current, line.cell) : null),
    h("td", {class: `whole look ${line.look}`}, `${sign} ${words}`),
    columns.map(([hop]) => tdNumber(number(line.row, hop))),
    td(notes(line)));
}

function planTable(current: Current, lines: readonly PlanLine[]): HTMLElement {
  const stamp = current.experiment.estimate?.is_estimate ? h("span", {class: "stamp"}, "ESTIMATE") : null;
  return table(
    [stamp, "Trials in the order in which they run; latencies of the measured phase. Numbers of single trials decide nothing."],
    tr(thNumber("Trial"), thNumber("Block"), th("Cell"), th("State"),
       columns.map(([, name]) => thNumber(name, h("small", {}, " ms"))), th("Notes")),
    lines.map((line) => tableRow(current, line)), {class: "words plan"});
}

export function planView(): View {
  const squares = h("div", {});
  const body = h("div", {});
  const element = h("section", {id: "plan", "aria-labelledby": "plan-title"},
    h("h2", {id: "plan-title"}, "Plan"), squares, body);
  let drawn = "";
  return {
    element,
    update({current}) {
      element.hidden = !current?.experiment.plan?.order?.length;
      if (!current || element.hidden) return;
      const lines = planLines(current);
      const now = JSON.stringify([current.name, lines]);
      if (now === drawn) return;
      drawn = now;
      squares.replaceChildren(strip(lines));
      refreshTable(body, planTable(current, lines));
      body.querySelector(".scroll")?.classList.toggle("tall", lines.length > 16);
    },
  };
}
