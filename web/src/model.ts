// What belongs together in a result: which cells are compared, whether that is like for like, which
// trials make a block, how each side is drawn. Pure.
// SPDX-License-Identifier: Apache-2.0
import {listed} from "./format.ts";
import {valueAt} from "./path.ts";
import type {Cell, Experiment, Level, LevelVerdict, Result, Trial} from "./types.ts";

/** Fewer blocks than this support no statement about a difference. */
export const blocksForVerdict = 7;

/** Key, name and definition of a hop. */
export type HopName = readonly [string, string, string];

/** The hops that every trial has; those of analytics are added in analytics.ts. */
export const commonHops: readonly HopName[] = [
  ["response_time", "Response time", "answered − intended, per HTTP request answered below 400"],
  ["service_time", "Service time", "answered − sent, of the same requests"],
  ["start_error", "Start error", "sent − intended, of requests whose connection was free when due"],
  ["blocked_time", "Blocked time", "connection free − intended, of the other requests"],
  ["publish_latency", "Publish latency", "acked − published, per event"],
  ["publish_response", "Publish response", "acked − intended, per event: the primary metric"],
  ["end_to_end", "End to end", "seen by the auditor − intended, per event"],
];

export interface Series {
  cell: Cell;
  label: string;
  color: string;
  dash: string;
  symbol: "circle" | "triangle" | "square" | "diamond";
}

/** Cells that a reader will compare, and whether they may be. */
export interface Comparison {
  title: string;
  workload: string;
  levels: string[];
  series: Series[];
  blocks: Block[];
  isLikeForLike: boolean;
  reasons: string[];
}

export interface Block {
  block: number;
  seed: number | undefined;
  trials: Map<string, Trial>;  // By cell id; a cell that has not run is absent.
}

export function platformName(platform: string): string {
  return platform.charAt(0).toUpperCase() + platform.slice(1);
}

const looks = [
  {color: "var(--series-1)", dash: "", symbol: "circle"},
  {color: "var(--series-2)", dash: "6 3", symbol: "triangle"},
  {color: "var(--series-3)", dash: "2 3", symbol: "square"},
  {color: "var(--series-4)", dash: "8 3 2 3", symbol: "diamond"},
] as const;

const repeatSuffix = " again";

/** A/A trials as a cell of their own, so that nothing takes them for the trial that they repeat. */
export function separateRepeats(result: Result): Result {
  const trials = result.trials.map((trial) =>
    trial.is_repeat ? {...trial, cell: trial.cell + repeatSuffix} : trial);
  const {plan} = result.experiment;
  if (!plan?.order?.some(({is_repeat}) => is_repeat)) return {...result, trials};
  const repeated = new Set(plan.order.flatMap(({cell, is_repeat}) => (is_repeat ? [cell] : [])));
  const order = plan.order.map((one) => (one.is_repeat ? {...one, cell: one.cell + repeatSuffix} : one));
  const cells = (plan.cells ?? []).flatMap((cell) =>
    repeated.has(cell.id) ? [cell, {...cell, id: cell.id + repeatSuffix}] : [cell]);
  return {...result, trials, experiment: {...result.experiment, plan: {...plan, cells, order}}};
}

/** The plan's cells, without that of the null broker; without a plan, those of the trials. */
export function cellsOf({experiment, trials}: Result): Cell[] {
  const planned = experiment.plan?.cells;
  if (planned?.length) return planned.filter(({platform}) => platform !== "null");
  const cells = new Map<string, Cell>();
  for (const {cell, platform, level, workload} of trials) {
    cells.set(cell, {id: cell, platform, level, workload});
  }
  return [...cells.values()];
}

/** What is varied in a cell: "producer.linger_ms 5". */
function settingsOf({settings = {}}: Cell): string[] {
  return Object.entries(settings).map(([name, value]) =>
    `${name} ${name === "broker_cpus" && value === "0" ? "all" : value}`);
}

function seriesOf(cells: Cell[]): Series[] {
  const isRepeat = (cell: Cell): boolean => cell.id.endsWith(repeatSuffix);
  const originals = cells.filter((cell) => !isRepeat(cell));
  const isOneLevel = new Set(cells.map((cell) => cell.level)).size === 1;
  const isUnique = isOneLevel && new Set(originals.map((cell) => cell.platform)).size === originals.length;
  return cells.map((cell, index) => {
    const name = platformName(cell.platform) + (isRepeat(cell) ? " again (A/A)" : "");
    const look = looks[index % looks.length] ?? looks[0];
    const place = isUnique ? [] : isOneLevel ? settingsOf(cell) : [cell.level, ...settingsOf(cell)];
    return {cell, label: [name, ...place].join(", "), ...look};
  });
}

function blocksOf({experiment, trials}: Result, cells: Cell[]): Block[] {
  const ids = new Set(cells.map((cell) => cell.id));
  const blocks = new Map<number, Block>();
  const blockAt = (number: number, seed: number | undefined): Block => {
    const block = blocks.get(number) ?? {block: number, seed, trials: new Map<string, Trial>()};
    blocks.set(number, block);
    return block;
  };
  for (const planned of experiment.plan?.order ?? []) {
    if (ids.has(planned.cell)) blockAt(planned.block, planned.seed);
  }
  for (const trial of trials) {
    if (ids.has(trial.cell)) blockAt(trial.block, trial.seed).trials.set(trial.cell, trial);
  }
  return [...blocks.values()].sort((a, b) => a.block - b.block);
}

function unfairLevel(name: string, level: Level | undefined): string[] {
  if (level?.like_for_like !== false) return [];
  const reason = level.like_for_like_reason ?? level.promises ?? "";
  return [`Level “${name}”: ${reason || "the platforms promise different things at it"}`];
}

function differentPromises(cells: Cell[], experiment: Experiment): string[] {
  const levels = new Set(cells.map((cell) => cell.level));
  if (levels.size < 2) return [];
  const sides = cells.map((cell) => {
    const promises = experiment.levels?.[cell.level]?.promises ?? "not described";
    return `${platformName(cell.platform)} runs at level “${cell.level}” (${promises})`;
  });
  return [`The cells compared promise different things: ${listed(sides)}`];
}

/** A cell with the settings that all of these have alike. */
function sharedSettings(cells: Cell[]): Cell {
  const [first] = cells;
  const shared = Object.entries(first?.settings ?? {}).filter(([name, value]) =>
    cells.every(({settings}) => settings?.[name] === value));
  return {id: "", platform: "", level: "", workload: "", settings: Object.fromEntries(shared)};
}

function comparison(result: Result, cells: Cell[]): Comparison {
  const levels = [...new Set(cells.map((cell) => cell.level))];
  const isCompared = new Set(cells.map((cell) => cell.platform)).size > 1;
  const reasons = isCompared
    ? [
        ...levels.flatMap((name) => unfairLevel(name, result.experiment.levels?.[name])),
        ...differentPromises(cells, result.experiment),
      ]
    : [];
  const workload = cells[0]?.workload ?? "";
  return {
    title: [`level ${levels.join(" / ")}`, `workload ${workload}`, ...settingsOf(sharedSettings(cells))].join(", "),
    workload,
    levels,
    series: seriesOf(cells),
    blocks: blocksOf(result, cells),
    isLikeForLike: reasons.length === 0,
    reasons,
  };
}

/** True when every platform runs at the same levels, so that each level compares within itself. */
function isSquare(cells: Cell[]): boolean {
  const platforms = new Set(cells.map((cell) => cell.platform));
  const pairs = new Set(cells.map((cell) => `${cell.platform} ${cell.level}`));
  return pairs.size === platforms.size * new Set(cells.map((cell) => cell.level)).size;
}

/** Cells of a level that are compared: by equal settings where every platform has them, else all. */
function splitBySettings(cells: Cell[]): Cell[][] {
  const groups = [...groupBy(cells, ({settings}) => JSON.stringify(settings ?? {})).values()];
  const platforms = new Set(cells.map(({platform}) => platform)).size;
  const isSplit = platforms > 1 && groups.every((group) => new Set(group.map(({platform}) => platform)).size === platforms);
  return isSplit ? groups : [cells];
}

/**
 * One comparison per workload, level and value of what is varied; per workload where levels and platforms do
 * not match up.
 */
export function comparisonsOf(result: Result): Comparison[] {
  const byWorkload = groupBy(cellsOf(result), (cell) => cell.workload);
  return [...byWorkload.values()].flatMap((cells) => {
    if (!isSquare(cells)) return [comparison(result, cells)];
    return [...groupBy(cells, (cell) => cell.level).values()].flatMap((level) =>
      splitBySettings(level).map((same) => comparison(result, same)),
    );
  });
}

/** The trial of the null broker, for tables that show all that was measured; it is compared with nothing. */
export function nullBrokerOf(result: Result): Comparison[] {
  const cells = (result.experiment.plan?.cells ?? []).filter(({platform}) => platform === "null");
  return cells.length === 0 ? [] : [{
    ...comparison(result, cells),
    title: "Flow's own share: a broker inside the shop that acknowledges at once",
    series: seriesOf(cells).map((series) => ({...series, label: "Null broker"})),
    isLikeForLike: true,
    reasons: [],
  }];
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** What the analysis says of a comparison; nothing where it compares other things. */
export function levelOf({analysis}: Result, {levels, workload}: Comparison): LevelVerdict | undefined {
  const [name, ...more] = levels;
  if (name === undefined || more.length > 0) return undefined;
  return analysis?.levels?.find((one) => (one.workload ?? workload) === workload &&
                                         (one.level === name || one.level === `${name}, ${workload}`));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return NaN;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? NaN;
  return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** The value of one path in every trial of a cell that has it: null counts as beyond all others. */
export function valuesOf({blocks}: Comparison, cell: string, path: string): number[] {
  return blocks.flatMap(({trials}) => {
    const value = valueAt(trials.get(cell), path);
    if (value === null) return [Infinity];
    return typeof value === "number" ? [value] : [];
  });
}

const tails: Record<string, number> = {p50_ns: 0.5, p90_ns: 0.1, p99_ns: 0.01, p99_9_ns: 0.001};

/** True when so few samples are no better than their maximum at a quantile: "p99_ns" of 40. */
export function isUnresolved(field: string, samples: unknown): boolean {
  const tail = tails[field];
  return tail !== undefined && typeof samples === "number" && samples > 0 && samples * tail < 1 - 1e-9;
}

/** Requests answered in warm-up and schedule: what the CPU seconds of a trial were spent on. */
export function requestsServed(trial: Trial): number {
  const answered = (phase: string): number =>
    Number(valueAt(trial, `phases.${phase}.requests.answered`) ?? 0);
  return answered("warm_up") + answered("measured");
}
