// The tables of the freshness section, each of one block: classes of moments, shares, measures, checks,
// counts, queries, what happened.
// SPDX-License-Identifier: Apache-2.0
import {analyticsFlaw, checksHeld, className, commitMarks, countsOfLoss, faultName, namesOf} from "../analytics.ts";
import {details, h, table, td, tdNumber, th, thNumber, thRow, tr, value, verdict} from "../dom.ts";
import type {Child, Unit} from "../dom.ts";
import {plural, significant} from "../format.ts";
import {joinPath} from "../path.ts";
import type {Block, Comparison, Series} from "../model.ts";
import type {Analytics, Trial} from "../types.ts";
import {flaw, key, quantileCells} from "./parts.ts";

/** One side of a block, which may not have run or have no analytics. */
export interface Side {
  series: Series;
  trial: Trial | undefined;
  analytics: Analytics | undefined;
}

export function sidesOf(comparison: Comparison, block: Block): Side[] {
  return comparison.series.map((series) => {
    const trial = block.trials.get(series.cell.id);
    return {series, trial, analytics: trial?.analytics};
  });
}

/** The name of a side as the head of its row, with what is wrong with its analytics. */
function sideHead({series, trial}: Side): HTMLElement {
  const words = analyticsFlaw(trial);
  return h("th", {scope: "row", class: "sub"}, key(series), series.label,
           words ? h("span", {class: "flaw"}, ` ✗ ${words}`) : flaw(trial));
}

function groupRow(width: number, name: Child, words: Child = null): HTMLElement {
  return h("tr", {class: "group"}, h("th", {scope: "rowgroup", colspan: width},
    h("span", {class: "hop"}, name, words ? h("small", {}, " ", words) : null)));
}

function cells(trial: Trial | undefined, path: string | undefined, fields: readonly string[], unit: Unit): HTMLElement[] {
  return fields.map((field) =>
    tdNumber(value(path === undefined ? undefined : trial, `${path ?? ""}.${field}`, unit)));
}

const spread = ["p50_ns", "p99_ns", "max_ns"] as const;

/** p50, p99 and maximum of the object at `path`, of as many samples as its `samples` says. */
function spreadCells(trial: Trial | undefined, path: string | undefined, samples: string, prefix = ""): HTMLElement[] {
  return quantileCells(path === undefined ? undefined : trial, path ?? "", spread.map((field) => prefix + field),
                       `${path ?? ""}.${samples}`);
}

const spreadHeads = (): HTMLElement[] => ["p50", "p99", "max"].map((name) => thNumber(name));

/** Where `name` stands in a list of a trial's analytics, as a path. */
function pathOf<T>({analytics}: Side, list: keyof Analytics, name: (item: T) => string, wanted: string): string | undefined {
  const items = analytics?.[list] as readonly T[] | undefined;
  const index = (items ?? []).findIndex((item) => name(item) === wanted);
  return index < 0 ? undefined : joinPath("analytics", list, index);
}

/** A count that must be 0, red when it is not. */
function mustBeZero(trial: Trial | undefined, path: string): HTMLElement {
  const cell = tdNumber(value(trial, path, "count"));
  const raw = cell.querySelector("[data-value]")?.getAttribute("data-value");
  if (raw === "0") cell.classList.add("zero");
  else if (raw !== undefined && raw !== null && raw !== "null") {
    cell.classList.add("bad");
    cell.prepend("✗ ");
  }
  return cell;
}

/** How many seconds are of a class; of the class around commits, how many commits there were. */
function classCount(trial: Trial | undefined, path: string | undefined, name: string): HTMLElement {
  const [cell] = cells(trial, path, ["seconds"], "count");
  if (name === "commit" && path !== undefined) cell?.append(h("small", {}, " commits"));
  return cell ?? td();
}

export function classTable(sides: readonly Side[], caption: Child): Child {
  type Class = NonNullable<Analytics["classes"]>[number];
  const names = namesOf(sides.map(({trial}) => trial), (analytics) => analytics.classes, ({name}) => name);
  if (names.length === 0) return null;
  const wordsOf = (name: string): string => sides.flatMap(({analytics}) =>
    (analytics?.classes ?? []).filter((one) => one.name === name).map((one) => one.words ?? ""))[0] ?? "";
  return table(caption, tr(th("ms"), thNumber("seconds"), thNumber("rows"), spreadHeads()), names.map((name) => [
    groupRow(6, className(name), wordsOf(name)),
    sides.map((side) => {
      const path = pathOf<Class>(side, "classes", (one) => one.name, name);
      return tr(sideHead(side), classCount(side.trial, path, name), cells(side.trial, path, ["rows"], "count"),
                spreadCells(side.trial, path, "rows"));
    }),
  ]), {class: "grouped"});
}

const shares: readonly (readonly [string, string, string])[] = [
  ["broker", "The broker's share", "seen by the auditor − intended, the shop's part included"],
  ["ingestion", "Ingestion's share", "taken by Pinot − seen by the auditor"],
];

export function shareTable(sides: readonly Side[], caption: Child): Child {
  if (!sides.some(({analytics}) => analytics?.broker_share)) return null;
  return table(caption, tr(th("ms"), ["p50", "p90", "p99", "max"].map((name) => thNumber(name))),
    shares.map(([share, name, words]) => [
      groupRow(5, name, words),
      sides.map((side) => tr(sideHead(side), cells(side.trial, joinPath("analytics", "broker_share", share),
                                                   ["p50_ns", "p90_ns", "p99_ns", "max_ns"], "ms"))),
    ]), {class: "grouped"});
}

/** Path of the object, its count, name, meaning. */
const measures: readonly (readonly [string, string, string, string])[] = [
  ["hops.queryable", "count", "By row",
   "every row: Pinot's clock when it took the row, minus intended. Whole milliseconds; the steps after it, until an answer " +
   "holds the row, are left out."],
  ["hops.probe", "count", "By probe",
   "a seeded sample: the moment an SQL answer first held the event, minus intended. All that a dashboard waits for is in it, " +
   "and so is the pause between two looks."],
  ["analytics.pinot_metric", "answers", "Pinot's own metric",
   "of every answer: when it came, minus the oldest of the partitions' newest publish times. Coarse: it grows while a partition " +
   "has no traffic, and what passed before publishing is not in it."],
];

/** What the files say about Pinot's metric; they know what it was taken from. */
function metricWords(sides: readonly Side[]): string | undefined {
  return sides.map(({analytics}) => analytics?.pinot_metric?.words).find((words) => words);
}

export function measureTable(sides: readonly Side[], caption: Child): Child {
  const row = (side: Side, path: string, samples: string): HTMLElement =>
    tr(sideHead(side), cells(side.trial, path, [samples], "count"), spreadCells(side.trial, path, samples));
  return table(caption, tr(th("ms"), thNumber("samples"), spreadHeads()),
    measures.map(([path, samples, name, meaning]) => [
      groupRow(5, name, path === "analytics.pinot_metric" ? metricWords(sides) ?? meaning : meaning),
      sides.map((side) => row(side, path, samples)),
    ]), {class: "grouped"});
}

/** Field of the probe, its name, unit, what stands behind the number. */
const probeRows: readonly (readonly [string, string, Unit, string])[] = [
  ["events", "Events sampled", "count", ""],
  ["found", "found", "count", ""],
  ["not_found", "not found", "count", ""],
  ["resolution_p50_ns", "Resolution, p50: from the last look without the event to the first with it", "ms", " ms"],
  ["resolution_max_ns", "Resolution, max", "ms", " ms"],
  ["minus_row.p50_ns", "Probe − row of the same events, p50: what the row's own time leaves out", "ms", " ms"],
  ["minus_row.p99_ns", "Probe − row, p99", "ms", " ms"],
  ["minus_row.max_ns", "Probe − row, max", "ms", " ms"],
  ["queries", "Queries sent", "count", ""],
  ["queries_per_second_max", "Queries per second, at most", "number", ""],
  ["cpu_seconds_per_query", "Pinot's CPU time for one query", "seconds", ""],
  ["cpu_share", "Share of Pinot's CPU time spent on the probe", "percent", " %"],
  ["cpu_share_limit", "Limit of that share", "percent", " %"],
];

function probeCell({trial, analytics}: Side, field: string, unit: Unit, suffix: string): HTMLElement {
  const path = `analytics.probe.${field}`;
  if (field === "not_found") return mustBeZero(trial, path);
  const {cpu_share: share, cpu_share_limit: limit} = analytics?.probe ?? {};
  const cell = tdNumber(value(trial, path, unit));
  if (!cell.querySelector(".none")) cell.append(h("small", {}, suffix));
  if (field === "cpu_share" && typeof share === "number" && typeof limit === "number" && share > limit) {
    cell.classList.add("bad");
    cell.prepend("✗ ");
  }
  return cell;
}

export function probeTable(sides: readonly Side[], caption: Child): Child {
  if (!sides.some(({analytics}) => analytics?.probe)) return null;
  return table(caption, tr(th("Of the probe"), sides.map(({series}) => thNumber(key(series), series.label))),
    probeRows.map(([field, name, unit, suffix]) =>
      tr(h("th", {scope: "row", class: /^(not )?found/.test(name) ? "sub" : undefined}, name), sides.map((side) => probeCell(side, field, unit, suffix)))), {class: "narrow"});
}

export function checkTable(sides: readonly Side[], caption: Child): Child {
  const checked = sides.filter(({analytics}) => analytics?.checks?.length);
  if (checked.length === 0) return null;
  return table(caption, tr(th("Check"), thNumber("PostgreSQL"), thNumber("Pinot"), th("")),
    checked.map(({series, trial, analytics}) => {
      const {held, all, words} = trial ? checksHeld(trial) : {held: 0, all: 0, words: ""};
      return [
        groupRow(4, [key(series), series.label], verdict(held === all, `${words} agree`, `${words} agree`)),
        (analytics?.checks ?? []).map((check, index) => h("tr", {class: check.holds ? undefined : "failed"},
          h("th", {scope: "row", class: "sub"}, check.name,
            check.unit && check.unit !== check.name ? h("small", {}, ` ${check.unit}`) : null),
          cells(trial, joinPath("analytics", "checks", index), ["database", "pinot"], "exact"),
          td(verdict(check.holds, "agree", "differ")))),
      ];
    }), {class: "grouped"});
}

const tableCounts: readonly (readonly [string, string])[] = [
  ["rows", "rows in Pinot"], ["events_seen", "events seen"], ["missing", "missing"], ["doubled", "doubled"],
  ["unknown", "unknown"], ["dropped", "dropped"], ["without_stamp", "without stamp"], ["late", "late"], ["commits", "commits"],
];

export function countTable(sides: readonly Side[], caption: Child): Child {
  const counted = sides.filter(({analytics}) => analytics?.tables?.length);
  const columns = tableCounts.filter(([name]) => counted.some(({analytics}) =>
    analytics?.tables?.some((one) => one[name] !== undefined)));
  if (counted.length === 0) return null;
  const isLoss = (name: string): boolean => countsOfLoss.some(([loss]) => loss === name);
  return table(caption, tr(th("Table"), columns.map(([, words]) => thNumber(words))),
    counted.map(({series, trial, analytics}) => [
      groupRow(columns.length + 1, [key(series), series.label]),
      (analytics?.tables ?? []).map((one, index) => tr(
        h("th", {scope: "row", class: "sub"}, h("code", {}, one.table),
          // Flow's own tables are named after their topic.
          !one.topic || one.table.endsWith(one.topic) ? null : h("small", {}, ` of ${one.topic}`)),
        columns.map(([name]) => {
          const path = joinPath("analytics", "tables", index, name);
          return isLoss(name) ? mustBeZero(trial, path) : tdNumber(value(trial, path, "count"));
        }))),
    ]), {class: "grouped"});
}

export function queryTable(sides: readonly Side[], caption: Child): Child {
  type Query = NonNullable<Analytics["queries"]>[number];
  const names = namesOf(sides.map(({trial}) => trial), (analytics) => analytics.queries, ({name}) => name);
  if (names.length === 0) return null;
  const titleOf = (name: string): string => sides.flatMap(({analytics}) =>
    (analytics?.queries ?? []).filter((one) => one.name === name).map((one) => one.title ?? name))[0] ?? name;
  const column = (words: string): HTMLElement => h("th", {scope: "colgroup", colspan: 3, class: "n phase"}, words);
  const head = [
    tr(th(), column("Queries"), column("Answered − intended, ms"), column("Staleness of the answer, ms")),
    tr(th("Dashboard query"), ["sent", "answered", "failed"].map((name) => thNumber(name)), spreadHeads(), spreadHeads()),
  ];
  return table(caption, head, names.map((name) => [
    groupRow(10, titleOf(name), h("code", {}, name)),
    sides.map((side) => {
      const path = pathOf<Query>(side, "queries", (one) => one.name, name);
      return tr(sideHead(side), cells(side.trial, path, ["sent", "answered"], "count"),
        path === undefined ? cells(undefined, path, ["failed"], "count") : mustBeZero(side.trial, `${path}.failed`),
        spreadCells(side.trial, path, "answered"), spreadCells(side.trial, path, "answered", "staleness_"));
    }),
  ]), {class: "grouped"});
}

export function faultList(sides: readonly Side[]): Child {
  const items = sides.flatMap(({series, trial}) => (trial?.faults ?? []).map((fault, index) => {
    const at = (field: string): Child => value(trial, joinPath("faults", index, field), "number");
    return h("li", {}, key(series), h("strong", {}, `${series.label}: ${faultName(fault)}`),
             " planned at second ", at("at_seconds"), fault.for_seconds ? [" for ", at("for_seconds"), " s"] : null,
             fault.began_seconds === null ? h("span", {class: "no"}, ", not reached") : null,
             typeof fault.began_seconds === "number" ? [", done at ", at("began_seconds")] : null,
             fault.words ? ` – ${fault.words}` : null);
  }));
  return items.length === 0 ? null : h("ul", {class: "faults"}, items);
}

/** Every commit, folded: there may be hundreds. */
export function commitList(sides: readonly Side[]): Child {
  const folds = sides.flatMap(({series, trial, analytics}) => {
    const commits = analytics?.commits ?? [];
    if (!trial || commits.length === 0) return [];
    const marks = commitMarks(series, trial);
    const rows = commits.map((commit, index) => tr(
      // All or none have a moment on the axis.
      thRow(significant(marks.length === commits.length ? marks[index]?.from ?? NaN : NaN, 4)),
      td(h("code", {}, commit.table ?? "")),
      cells(trial, joinPath("analytics", "commits", index), ["partition", "rows"], "count")));
    return [details(`${series.label}: ${plural(commits.length, "segment commit")}`,
      table(`Segment commits of ${trial.id}; seconds from the start of the measured phase.`,
            tr(th("Second"), th("Table"), thNumber("partition"), thNumber("rows")), rows, {class: "narrow"}))];
  });
  return folds.length === 0 ? null : folds;
}
