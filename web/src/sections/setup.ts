// What was run, in plain words, and how to run it again.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, section, table, td, th, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {bytes, count, duration, listed, plural, significant} from "../format.ts";
import {cellsOf, platformName} from "../model.ts";
import type {Experiment, Result, Workload} from "../types.ts";

export function hostWords({host}: Experiment): string {
  if (!host) return "The machine was not recorded.";
  const text = (name: string): string => String(host[name] ?? "");
  const size = Number(host["memory_bytes"]);
  const fsync = Number(host["fsync_latency_p99_ns"]);
  const parts = [
    `${plural(Number(host["cores"] ?? 0), "core")} of ${text("cpu_model")}`,
    Number.isFinite(size) ? `${bytes(size)} of memory` : "",
    text("os") ? `${text("os")} (kernel ${text("kernel")})` : "",
    text("disk") ? `${text("filesystem")} on ${text("disk")}` : "",
  ].filter((part) => part !== "");
  const sync = Number.isFinite(fsync) && fsync > 0
    ? ` A forced write took ${duration(Number(host["fsync_latency_p50_ns"]))} at the median and ` +
      `${duration(fsync)} at p99 before the first trial.`
    : "";
  return `${parts.join(", ")}. Clients, servers and load generator shared this machine.${sync}`;
}

function modeWords({mode, placement}: Workload): string {
  if (mode === undefined || mode === "open") return `placed ${placement ?? "?"}`;
  return `mode ${mode}: customers wait for answers, these are the numbers when every one comes at once`;
}

function scheduleWords(name: string, workload: Workload): string {
  const seconds = ((workload.ticks ?? 0) * (workload.tick_ns ?? 0)) / 1e9;
  const warmUp = workload.warm_up_seconds
    ? `${significant(workload.warm_up_seconds, 3)} s of warm-up at ` +
      `${significant(workload.warm_up_requests_per_second ?? 0)} requests/s, then `
    : "";
  const bias = workload.bias === undefined ? "" : ` with bias ${workload.bias}`;
  return `“${name}”: ${warmUp}${count(workload.facts?.requests ?? 0)} requests in ` +
         `${significant(seconds)} s (mean ${significant(workload.requests_per_second ?? 0)}/s, ` +
         `${workload.model ?? "unknown model"}${bias}, ${modeWords(workload)}, ` +
         `${plural(workload.users ?? 0, "user")}).`;
}

function servers(result: Result): Child {
  const versions = new Map<string, string>();
  for (const {platform, versions: of} of result.trials) {
    if (of) {
      const words = [of["server"], of["client"] ? `client ${of["client"]}` : null]
          .filter((word) => word).join(", ");
      versions.set(platform, words);
    }
  }
  const platforms = [...new Set(cellsOf(result).map((cell) => cell.platform))];
  return platforms.map((platform) => [
    h("dt", {}, platformName(platform)), h("dd", {}, versions.get(platform) ?? "did not run"),
  ]);
}

function levelTable(result: Result): Child {
  const levels = Object.entries(result.experiment.levels ?? {});
  if (levels.length === 0) return null;
  const rows = levels.map(([name, level]) => tr(
    h("th", {scope: "row", class: "whole"}, name),
    td(level.promises ?? "–"),
    td(level.does_not_promise ?? "–"),
    td(Object.entries(level.replication ?? {}).map(([platform, words]) =>
      h("div", {}, `${platformName(platform)}: ${words}`))),
    td(level.like_for_like === false
      ? h("span", {class: "no"}, "✗ no: ", level.like_for_like_reason ?? "")
      : ["yes", level.like_for_like_reason ? `: ${level.like_for_like_reason}` : ""])));
  return table("What each level promises, and what was not replicated.",
    tr(th("Level"), th("Promises"), th("Does not promise"), th("Replication"), th("Like for like")),
    rows, {class: "words"});
}

function order({experiment}: Result): string {
  const planned = experiment.plan?.order ?? [];
  if (planned.length === 0 || planned.length > 16) return `${plural(planned.length, "trial")}`;
  return planned.map((trial) => trial.cell).join(" → ");
}

export function setup(result: Result): HTMLElement {
  const {experiment} = result;
  const platforms = [...new Set(cellsOf(result).map((cell) => platformName(cell.platform)))];
  const seeds = experiment.plan?.seeds ?? [];
  const command = (experiment.command ?? []).map(shellWord).join(" ");
  return section("setup", "What was run",
    paragraph(
      `${listed(platforms)}, one after the other. In every trial a load generator sends HTTP requests to a `,
      "shop on PostgreSQL at times fixed in advance; the shop publishes events to the platform; an ",
      "auditor reads every event back and compares it with what the shop says it published.",
      result.trials.some(({analytics}) => analytics)
        ? " Apache Pinot reads the same topics into tables and is asked dashboard queries meanwhile." : ""),
    h("dl", {class: "facts-list"},
      servers(result),
      h("dt", {}, "Host"), h("dd", {}, hostWords(experiment)),
      Object.entries(experiment.workloads ?? {}).map(([name, workload]) =>
        [h("dt", {}, "Schedule"), h("dd", {}, scheduleWords(name, workload))]),
      h("dt", {}, "Order run"), h("dd", {}, order(result)),
      seeds.length ? [h("dt", {}, plural(seeds.length, "Seed").replace(/^\d+ /, "")),
                      h("dd", {}, seeds.join(", "))] : null,
      command ? [h("dt", {}, "Run it again"), h("dd", {}, h("code", {}, command))] : null),
    levelTable(result));
}

/** As typed in a shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

