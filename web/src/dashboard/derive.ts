// What is calculated from what the server sends: rates per second, where a trial is on its way, how
// long it will all take. Pure.
// SPDX-License-Identifier: Apache-2.0
import type {Current, LiveSecond, LiveTrial, Step, TrialRow} from "./types.ts";

type PlannedTrial = NonNullable<NonNullable<Current["experiment"]["plan"]>["order"]>[number];

export function numberAt(second: LiveSecond, key: string): number | null {
  const value = second[key];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A latency; 0 and null both say that nothing was measured in that second. */
export function latencyAt(second: LiveSecond, key: string): number | null {
  const value = numberAt(second, key);
  return value !== null && value > 0 ? value : null;
}

export interface Rates {
  unixS: number;
  phase: string;
  /** Requests that came due in this second, and that were answered in it. */
  intended: number | null;
  answered: number | null;
  /** Events acknowledged in this second. */
  acked: number | null;
}

/** The generator counts up through a phase; a second's rate is the step to the count before. */
export function ratesOf(seconds: readonly LiveSecond[]): Rates[] {
  let before: {phase: string; unixS: number; intended: number; answered: number} | null = null;
  return seconds.map((second) => {
    const phase = second.phase ?? "";
    const intended = numberAt(second, "intended");
    const answered = numberAt(second, "answered");
    const rates: Rates = {unixS: second.unix_s, phase, intended: null, answered: null,
                          acked: numberAt(second, "acked")};
    if (intended === null || answered === null) return rates;
    const from = before?.phase === phase ? before : {unixS: second.unix_s - 1, intended: 0, answered: 0};
    const span = Math.max(second.unix_s - from.unixS, 1);
    rates.intended = Math.max(intended - from.intended, 0) / span;
    rates.answered = Math.max(answered - from.answered, 0) / span;
    before = {phase, unixS: second.unix_s, intended, answered};
    return rates;
  });
}

/** The step that runs, and when it began. */
export function stepNow(trial: LiveTrial | null): Step | null {
  return trial?.steps.at(-1) ?? null;
}

/** "001-kafka-fsync-1" -> the planned trial of that number. */
export function plannedOf({experiment}: Current, id: string): PlannedTrial | undefined {
  const number = Number.parseInt(id, 10);
  return experiment.plan?.order?.find((one) => one.trial === number);
}

/** Whether the watched trial is under way: it has no result yet and somebody works on it. */
export function isTrialRunning(current: Current): boolean {
  const {trial, state, trials} = current;
  return state === "running" && trial !== null && !trials.some(({id}) => id === trial.id);
}

const secondsOf = ({started_unix_ns: from, finished_unix_ns: until}: TrialRow): number | null =>
  from && until && until > from ? (until - from) / 1e9 : null;

const mean = (values: readonly number[]): number | null =>
  values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;

/** How long a trial of a cell takes: as those before it did, else as was estimated. */
function expectedSeconds(current: Current, cell: string): number | null {
  const complete = current.trials.filter((row) => row.state === "complete");
  const lengths = (rows: readonly TrialRow[]): number[] => rows.map(secondsOf).filter((one) => one !== null);
  const planned = current.experiment.plan?.order?.length ?? 0;
  const estimated = current.estimated_seconds && planned > 0 ? current.estimated_seconds / planned : null;
  return mean(lengths(complete.filter((row) => row.cell === cell))) ?? mean(lengths(complete)) ?? estimated;
}

/** Seconds until the experiment ends; null when nobody knows. */
export function secondsLeft(current: Current, nowNs: number): number | null {
  if (current.state !== "running") return null;
  const done = new Set(current.trials.map((row) => row.trial));
  const running = isTrialRunning(current) ? plannedOf(current, current.trial?.id ?? "") : undefined;
  let left = 0;
  for (const planned of current.experiment.plan?.order ?? []) {
    if (done.has(planned.trial)) continue;
    const expected = expectedSeconds(current, planned.cell);
    if (expected === null) return null;
    const began = planned === running ? current.trial?.steps[0]?.unix_ns : undefined;
    left += began ? Math.max(expected - (nowNs - began) / 1e9, 0) : expected;
  }
  return left;
}

/** "0:42", "12:05", "1:02:03". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Bounds between the shades of the heat strip, ns: steps of about three. */
export const shadeBounds = [1e6, 3e6, 10e6, 30e6, 100e6, 300e6, 1e9, 3e9] as const;

/** 0 (fastest) to 8. */
export function shadeOf(ns: number): number {
  const at = shadeBounds.findIndex((bound) => ns < bound);
  return at < 0 ? shadeBounds.length : at;
}

/** The seconds that a strip of `slots` shows: the newest, from the beginning while they fit. */
export function windowOf(seconds: readonly LiveSecond[], slots: number): {from: number; until: number} {
  const first = seconds[0]?.unix_s ?? 0;
  const last = seconds.at(-1)?.unix_s ?? 0;
  const until = Math.max(last + 1, first + Math.min(slots, 60));
  return {from: Math.max(first, until - slots), until};
}
