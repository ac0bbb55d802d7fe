// What is going on: the running trial, its step, how far everything is.
// SPDX-License-Identifier: Apache-2.0
import {details, h, paragraph, table, td, tdNumber, th, thNumber, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {moment} from "../format.ts";
import {clock, isTrialRunning, plannedOf, secondsLeft, stepNow} from "./derive.ts";
import {refreshTable} from "./live_table.ts";
import type {State} from "./state.ts";
import type {Current, LiveTrial} from "./types.ts";

export interface View {
  element: HTMLElement;
  update(state: State, nowNs: number): void;
}

function bar(share: number | null, label: string): HTMLElement {
  const done = share === null ? undefined : Math.round(Math.min(Math.max(share, 0), 1) * 100);
  const meter = h("progress", {max: 100, value: done, "aria-label": label});
  return h("span", {class: "meter"}, meter);
}

function stateWords(current: Current): string {
  switch (current.state) {
    case "running": return "running";
    case "sealed": return "ended";
    case "interrupted":
      return "interrupted: its coordinator is gone. The same flow run with --resume goes on at the next unfinished trial";
    default: return current.state;
  }
}

/** "Trial 3 of 8 · kafka-fsync-1 · block 2 (seed 43)" */
function trialWords(current: Current): string {
  const id = current.trial?.id ?? "";
  const planned = plannedOf(current, id);
  const all = current.experiment.plan?.order?.length ?? 0;
  if (!planned) return id;
  return `Trial ${planned.trial} of ${all} · ${planned.cell} · block ${planned.block} (seed ${planned.seed})`;
}

function stepLine(current: Current, nowNs: number): Child {
  if (!isTrialRunning(current)) return null;
  const step = stepNow(current.trial);
  if (!step) return h("p", {class: "step"}, "no step told yet");
  const taken = (nowNs - (step.unix_ns ?? nowNs)) / 1e9;
  const planned = step.planned_seconds ?? 0;
  const left = planned > 0 ? `, about ${clock(planned - taken)} left` : "";
  return h("div", {class: "step"},
    h("strong", {}, step.step ?? ""), ` for ${clock(taken)}${left}`,
    planned > 0 ? bar(taken / planned, "Progress of this step") : null);
}

function wholeLine(current: Current, nowNs: number): Child {
  const planned = current.experiment.plan?.order?.length ?? 0;
  const done = current.trials.length;
  const left = secondsLeft(current, nowNs);
  const since = current.since_unix_ns ? `running for ${clock((nowNs - current.since_unix_ns) / 1e9)}` : null;
  const words = [`${done} of ${planned} trials done`, since,
                 left === null ? null : `about ${clock(left)} left`].filter((one) => one !== null);
  return h("div", {class: "whole-run"}, words.join(" · "), bar(planned > 0 ? done / planned : null, "Trials done"));
}

function stepsTable({steps}: LiveTrial, nowNs: number, isRunning: boolean): HTMLElement {
  const rows = steps.map((step, index) => {
    const end = steps[index + 1]?.unix_ns ?? (isRunning ? nowNs : undefined);
    const taken = end !== undefined && step.unix_ns ? clock((end - step.unix_ns) / 1e9) : "–";
    return tr(td(step.step ?? ""), tdNumber(taken));
  });
  return table("Steps of this trial.", tr(th("Step"), thNumber("took, min:s")), rows, {class: "narrow"});
}

function nothing({results}: State): Child[] {
  const newest = results.results[0];
  return [
    paragraph(h("strong", {}, "Nothing is running "), "in ", h("code", {}, results.folder || "this folder"), ".",
      results.is_folder_there ? null : " The folder does not exist yet; it will be seen when it does."),
    newest ? paragraph(`The newest result is ${newest.name}, of ${moment(newest.created_unix_ns)}.`) : null,
    paragraph("An experiment that is started here appears by itself: ",
              h("code", {}, "flow run experiments/demo.yaml"), "."),
  ];
}

const nodes = (parts: readonly Child[]): Node[] => parts.filter((part): part is Node => part instanceof Node);

export function nowView(): View {
  const body = h("div", {});
  const steps = h("div", {});
  const fold = details("Steps of this trial", steps);
  const element = h("section", {id: "now", "aria-labelledby": "now-title"},
    h("h2", {id: "now-title"}, "Now"), body, fold);
  return {
    element,
    update(state, nowNs) {
      const {current} = state;
      fold.hidden = !current?.trial?.steps.length;
      if (!current) return body.replaceChildren(...nodes(nothing(state)));
      const isRunning = isTrialRunning(current);
      body.replaceChildren(...nodes([
        h("p", {class: `run-state ${current.state}`}, `${current.name}: ${stateWords(current)}.`),
        current.trial ? h("p", {class: "trial-line"}, isRunning ? trialWords(current) : `Last: ${trialWords(current)}`) : null,
        stepLine(current, nowNs),
        wholeLine(current, nowNs),
      ]));
      if (current.trial && fold.hasAttribute("open")) {
        refreshTable(steps, stepsTable(current.trial, nowNs, isRunning));
      }
    },
  };
}
