// What the dashboard's server sends (docs/reference/dashboard-api.md). Everything below the first level
// comes from files that another version may have written or a crash cut short, so all may be absent.
// SPDX-License-Identifier: Apache-2.0
import type {Experiment, Gate, Maybe} from "../types.ts";

export type ResultState = "running" | "sealed" | "interrupted" | "unreadable";

/** A line of the list of results. */
export interface ResultRow {
  name: string;
  experiment: string;
  question: string;
  created_unix_ns: number;
  state: ResultState;
  words: string;
  trials_planned: number;
  trials_done: number;
  has_report: boolean;
}

export interface HopBrief {
  count?: number;
  p50_ns?: Maybe<number>;
  p99_ns?: Maybe<number>;
}

/** A trial that has ended. */
export interface TrialRow {
  id: string;
  trial?: number;
  cell?: string;
  block?: number;
  state?: string;
  state_words?: string;
  valid?: boolean;
  started_unix_ns?: number;
  finished_unix_ns?: number;
  broken?: string[];
  hops?: Record<string, HopBrief>;
}

/** What happened in one wall second; keys as in intervals.jsonl. */
export interface LiveSecond {
  kind: "live";
  phase?: string;
  unix_s: number;
  [key: string]: unknown;
}

export interface Step {
  kind: "step";
  step?: string;
  unix_ns?: number;
  planned_seconds?: number;
}

export interface Resources {
  kind: "resources";
  unix_ns?: number;
  roles?: Record<string, {cpu_share?: number; rss_bytes?: number}>;
  machine?: {busy_share?: number; iowait_share?: number; steal_share?: number};
}

export interface Gates {
  kind: "gates";
  unix_ns?: number;
  gates?: Gate[];
}

export type Line = LiveSecond | Step | Resources | Gates;

/** The trial that runs, or ran last. */
export interface LiveTrial {
  id: string;
  steps: Step[];
  seconds: LiveSecond[];
  resources: Resources[];
  gates: Gates | null;
  lines_left_out: number;
}

export interface Progress {
  name: string;
  state: ResultState;
  since_unix_ns: Maybe<number>;
  estimated_seconds: Maybe<number>;
  trials: TrialRow[];
}

export interface Current extends Progress {
  experiment: Experiment;
  trial: LiveTrial | null;
}

export interface Results {
  folder: string;
  is_folder_there: boolean;
  results: ResultRow[];
  results_left_out: number;
}

export interface Snapshot extends Results {
  unix_ns: number;
  flow: {version?: string; commit?: string};
  current: Current | null;
}

/** Of one result, for the comparison: lab/result/headlines.hpp. */
export interface HeadlineHop extends HopBrief {
  censored?: number;
  p99_9_ns?: Maybe<number>;
  max_ns?: Maybe<number>;
}
export interface HeadlineCell {
  id: string;
  platform?: string;
  level?: string;
  workload?: string;
  trials: number;
  trials_complete: number;
  trials_valid: number;
  hops: Record<string, HeadlineHop>;
}
export interface Headlines {
  name: string;
  experiment: Experiment;
  cells: HeadlineCell[];
}
