// Everything that could explain a difference: settings side by side, versions, the host.
// SPDX-License-Identifier: Apache-2.0
import {details, detailsLater, h, paragraph, section, table, td, th, thRow, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {bytes, duration, percent, significant} from "../format.ts";
import type {Comparison} from "../model.ts";
import type {Difference, Result, Settings, Trial} from "../types.ts";
import {comparisonTitle, key} from "./parts.ts";

export interface SettingRow {
  group: string;
  name: string;
  values: (string | null)[];
  isDifferent: boolean;
}

function isGroup(setting: unknown): setting is Record<string, unknown> {
  return typeof setting === "object" && setting !== null && !Array.isArray(setting);
}

function settingText(setting: unknown): string {
  if (typeof setting === "object") return JSON.stringify(setting);
  // JSON in a browser rounds integers beyond 2^53: the last digits are not those of the file.
  const isRounded = typeof setting === "number" && Number.isInteger(setting) && !Number.isSafeInteger(setting);
  return isRounded ? `≈ ${String(setting)}` : String(setting);
}

/** {a: {b: 1}} as [["a.b", "1"]]. */
function flat(settings: Record<string, unknown>, prefix = ""): [string, string][] {
  return Object.entries(settings).flatMap(([name, setting]): [string, string][] => {
    if (isGroup(setting)) return flat(setting, `${prefix}${name}.`);
    return [[prefix + name, settingText(setting)]];
  });
}

/** Group → name → value; what belongs to no group is "general". */
function grouped(settings: Settings | undefined): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const [group, setting] of Object.entries(settings ?? {})) {
    const name = isGroup(setting) ? group : "general";
    const values = isGroup(setting) ? flat(setting) : flat({[group]: setting});
    groups.set(name, new Map([...(groups.get(name) ?? []), ...values]));
  }
  return groups;
}

/** Every setting of every side; one that a side does not know is null there. */
export function settingRows(sides: readonly (Settings | undefined)[]): SettingRow[] {
  const rows: SettingRow[] = [];
  const all = sides.map(grouped);
  for (const group of new Set(all.flatMap((side) => [...side.keys()]))) {
    const names = new Set(all.flatMap((side) => [...(side.get(group)?.keys() ?? [])]));
    for (const name of names) {
      const values = all.map((side) => side.get(group)?.get(name) ?? null);
      rows.push({group, name, values, isDifferent: new Set(values).size > 1});
    }
  }
  return rows;
}

/** True of a setting that some side does not know. */
export function isOneSided({values}: SettingRow): boolean {
  return values.some((value) => value === null);
}

function settingLine(row: SettingRow): HTMLElement {
  const {name, values, isDifferent} = row;
  const mark = !isDifferent ? "" : isOneSided(row) ? "own" : "≠";
  return h("tr", {class: mark === "≠" ? "differs" : undefined},
    h("th", {scope: "row", class: "sub"}, h("code", {}, name)),
    values.map((value) => td(value === null ? h("span", {class: "none"}, "–") : h("code", {}, value))),
    values.length > 1 ? h("td", {class: mark === "own" ? "none" : undefined}, mark) : null);
}

/** What the trials ran with, as the programs said it. */
function effectiveSettings(comparison: Comparison): (Settings | undefined)[] {
  return comparison.series.map(({cell}) => comparison.blocks
    .map((block) => block.trials.get(cell.id)).find((trial) => trial?.settings)?.settings);
}

/** What the level asks for, server settings included. */
function levelSettings(comparison: Comparison, {experiment}: Result): (Settings | undefined)[] {
  return comparison.series.map(({cell}) => {
    const settings = experiment.levels?.[cell.level]?.[cell.platform];
    return isGroup(settings) ? settings : undefined;
  });
}

/** What a client library has set below the driver's own settings: long, and rarely what is looked for. */
export function isOfLibrary({name}: SettingRow): boolean {
  return name.includes("rdkafka.");
}

/** What can be compared in sight; the long rest, which one program has and the other has no word for, folded. */
function settingTables(comparison: Comparison, sides: (Settings | undefined)[], caption: string): Child {
  const rows = settingRows(sides);
  const own = rows.filter((row) => !isOfLibrary(row));
  const fold = (words: string, some: SettingRow[], inside: string): Child =>
    some.length === 0 ? null : details(`${words} (${some.length})`, settingTable(comparison, some, inside));
  return [
    settingTable(comparison, own.filter((row) => !isOneSided(row)), caption),
    fold("Settings that only one side has", own.filter(isOneSided), "As the programs report them."),
    fold("Every property of the client library", rows.filter(isOfLibrary), "As the library reports them."),
  ];
}

function settingTable(comparison: Comparison, rows: readonly SettingRow[], caption: string): Child {
  if (rows.length === 0) return null;
  const width = comparison.series.length + 2;
  const groups = [...new Set(rows.map((row) => row.group))];
  return table(
    `${caption} “≠”: both have it and differ; “own”: only one side has it.`,
    tr(th("Setting"), comparison.series.map((series) => th(key(series), series.label)),
       comparison.series.length > 1 ? th("Differs") : null),
    groups.map((group) => [
      h("tr", {class: "group"}, h("th", {scope: "rowgroup", colspan: width}, h("span", {class: "hop"}, group))),
      rows.filter((row) => row.group === group).map(settingLine),
    ]), {class: "grouped words"});
}

export interface DefaultRow {
  role: string;
  key: string;
  standard: string | null;
  value: string | null;
}

/** Where a port or a folder had to be chosen says nothing about how the server behaves. */
export function isAddress({key: name, value}: Difference): boolean {
  return /port$/i.test(name) || /^\/|127\.0\.0\.1/.test(value ?? "");
}

/** What the servers of a cell run with otherwise than as shipped; addresses and folders last. */
export function defaultRows(roles: Record<string, Difference[]> | undefined): DefaultRow[] {
  return Object.entries(roles ?? {}).flatMap(([role, differences]) =>
    [...differences].sort((a, b) => Number(isAddress(a)) - Number(isAddress(b))).map((one) => ({
      role, key: one.key, standard: one.default ?? null, value: one.value ?? null,
    })));
}

function codeOr(text: string | null, otherwise: string): Child {
  if (text === null) return h("span", {class: "none"}, otherwise);
  return text === "" ? h("span", {class: "none"}, "empty") : h("code", {}, text);
}

function defaultsTable(comparison: Comparison, {differs_from_default: cells}: Result): Child {
  return comparison.series.map((series) => {
    const rows = defaultRows(cells?.[series.cell.id]);
    if (rows.length === 0) return null;
    const roles = [...new Set(rows.map((row) => row.role))];
    return details(`${series.label}: server settings that are not the vendor's default (${rows.length})`, table(
      "Each with the vendor's default. What is not listed is as the vendor ships it.",
      tr(th("Setting"), th("Default"), th("Here")),
      roles.map((role) => [
        h("tr", {class: "group"}, h("th", {scope: "rowgroup", colspan: 3}, h("span", {class: "hop"}, role))),
        rows.filter((row) => row.role === role).map((row) => h("tr", {},
          h("th", {scope: "row", class: "sub"}, h("code", {}, row.key)),
          td(codeOr(row.standard, "none set")), td(codeOr(row.value, "left out")))),
      ]), {class: "grouped words"}));
  });
}

function factName(name: string): string {
  return name.replace(/_(ns|bytes)$/, "").replaceAll("_", " ");
}

export function factText(name: string, fact: unknown): string {
  if (fact === null || fact === undefined) return "unknown";
  if (typeof fact === "number" && name.endsWith("_ns")) return duration(fact);
  if (typeof fact === "number" && name.endsWith("_bytes")) return bytes(fact);
  if (typeof fact === "number" && name.includes("_share")) return percent(fact);
  if (typeof fact === "number" && !Number.isInteger(fact)) return significant(fact);
  return typeof fact === "object" ? JSON.stringify(fact) : String(fact);
}

function hostTable({experiment}: Result): Child {
  const facts = {...experiment.host, ...Object.fromEntries(
    Object.entries(experiment.flow ?? {}).map(([name, fact]) => [`flow_${name}`, fact]))};
  const rows = Object.entries(facts).map(([name, fact]) => tr(
    thRow(factName(name)), td(factText(name, fact))));
  return table("The machine, and the Flow that measured.", tr(th("Fact"), th("Value")), rows, {class: "words"});
}

function trialFacts(trial: Trial): HTMLElement {
  const versions = Object.entries(trial.versions ?? {}).map(([name, version]) => `${name}: ${version}`);
  const facts = {...trial.generator, ...trial.machine};
  const generator = Object.entries(facts).map(([name, fact]) =>
    `${factName(name)}: ${factText(name, fact)}`);
  return tr(h("th", {scope: "row", class: "whole"}, trial.id), td(versions.join("; ")), td(h("code", {}, trial.schedule_hash ?? "–")),
            td(generator.join("; ")));
}

export function disclosureSection(result: Result, comparisons: readonly Comparison[]): HTMLElement {
  const trials = (): HTMLElement => table("Versions, schedule and load generator of every trial.",
    tr(th("Trial"), th("Versions"), th("Schedule hash"), th("Generator and machine")),
    result.trials.map(trialFacts), {class: "words"});
  return section("disclosure", "Disclosure",
    paragraph(
      "A client's or server's default is a setting too. Command lines and effective configuration of every ",
      "server stand in ", h("code", {}, "servers.json"), " of each trial's folder, their logs in ", h("code", {}, "logs/"), "."),
    comparisons.map((comparison) => [
      comparisonTitle(comparison, comparisons),
      settingTables(comparison, effectiveSettings(comparison),
                    "Effective settings, side by side where the sides have them under one name."),
      settingTable(comparison, settingRows(levelSettings(comparison, result)),
                   "What the level sets on servers, topics and clients."),
      defaultsTable(comparison, result),
    ]),
    hostTable(result),
    result.trials.length > 4 ? detailsLater("Every trial's versions and schedule", trials) : trials());
}
