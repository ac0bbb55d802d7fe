// The result files as the page reads them (docs/reference/result-format.md). A trial may have been
// cut short at any point, so everything but its identity may be absent.
// SPDX-License-Identifier: Apache-2.0

export type Maybe<T> = T | null | undefined;
/** Groups of settings by name; a group may nest further. */
export type Settings = Record<string, unknown>;

export interface Cell {
  id: string;
  platform: string;
  level: string;
  workload: string;
  settings?: Record<string, string>;  // What is varied, and its value.
}

export interface Level {
  promises?: string;
  does_not_promise?: string;
  like_for_like?: boolean;
  like_for_like_reason?: string;
  replication?: Record<string, string>;
  /** By platform: everything that the level sets. */
  [platform: string]: unknown;
}

export interface Workload {
  model?: string;
  bias?: number;
  ticks?: number;
  tick_ns?: number;
  requests_per_second?: number;
  /** Left out by results before there were modes: open. */
  mode?: string;
  placement?: string;
  users?: number;
  warm_up_seconds?: number;
  warm_up_requests_per_second?: number;
  facts?: {
    requests?: number;
    peak_factor?: number;
    busiest_tick_requests?: number;
    busiest_tick_share?: number;
    tail_support_ticks?: number;
    volumes?: number[];
    overload?: {capacity_per_second: number; time_share: number; requests_share: number}[];
  };
}

export interface Experiment {
  format?: string;
  name?: string;
  question?: string;
  created_unix_ns?: number;
  flow?: {version?: string; commit?: string; build?: string; is_sanitized?: boolean};
  command?: string[];
  host?: Record<string, unknown>;
  plan?: {
    blocks?: number;
    seeds?: number[];
    cells?: Cell[];
    order?: {trial: number; block: number; cell: string; seed: number; is_repeat?: boolean}[];
  };
  levels?: Record<string, Level>;
  workloads?: Record<string, Workload>;
  warnings?: string[];
  estimate?: {is_estimate?: boolean; words?: string};
}

export interface Hop {
  count?: number;
  overflow?: number;
  censored?: number;
  curve?: [number, number | null][];
}

export interface Gate {
  name: string;
  value: Maybe<number>;
  limit: Maybe<number>;
  unit?: string;
  holds: boolean;
  words?: string;
}

export interface Phase {
  requests?: Record<string, unknown>;
  events?: Record<string, number>;
  audit?: Record<string, number>;
}

export interface Second {
  second: number;
  intended?: Maybe<number>;
  events_acked?: Maybe<number>;
  [quantity: string]: Maybe<number>;
}

/** One hop in the ticks of one rate. */
export interface ClassHop {
  count?: number;
  censored?: number;
  p50_ns?: Maybe<number>;
  p99_ns?: Maybe<number>;
}

/** The ticks of a schedule that ask for the same rate, and what was measured in them. */
export interface VolumeClass {
  class: number;
  requests_per_second: number;
  ticks: number;
  requests?: number;
  response_time?: ClassHop;
  publish_response?: ClassHop;
  queryable?: ClassHop;
}

export interface Stationarity {
  is_judged?: boolean;
  words?: string;
}

/** Quantiles of something that is not a hop. */
export interface Spread {
  p50_ns?: Maybe<number>;
  p90_ns?: Maybe<number>;
  p99_ns?: Maybe<number>;
  max_ns?: Maybe<number>;
}

/** A table of Pinot: what became of the events of its topic, in counts by name. */
export interface AnalyticsTable {
  table: string;
  topic?: string;
  [count: string]: unknown;
}

export interface Commit {
  table?: string;
  partition?: number;
  unix_ms?: number;
  rows?: number;
}

export interface Fault {
  what?: string;
  role?: string;
  at_seconds?: number;
  for_seconds?: number;
  /** When it was done; null when the trial ended before. */
  began_seconds?: Maybe<number>;
  words?: string;
}

/** What Pinot saw of the trial; absent when the trial ran without analytics. */
export interface Analytics {
  complete?: boolean;
  words?: string;
  pinot?: {version?: string; origin?: string; controller?: string; stream?: string; segment_rows?: number};
  resolution_ns?: number;
  tables?: AnalyticsTable[];
  checks?: {
    name: string;
    unit?: string;
    database: Maybe<number>;
    pinot: Maybe<number>;
    holds: boolean;
  }[];
  classes?: ({name: string; words?: string; seconds?: number; rows?: number} & Spread)[];
  broker_share?: {words?: string; broker?: Spread; ingestion?: Spread};
  probe?: {
    words?: string;
    cpu_share?: Maybe<number>;
    cpu_share_limit?: Maybe<number>;
    minus_row?: Spread;
    [quantity: string]: unknown;
  };
  pinot_metric?: {answers?: number; words?: string} & Spread;
  queries_per_second?: number;
  queries?: ({name: string; title?: string; sent?: number; failed?: number} & Spread)[];
  commits?: Commit[];
}

export interface Trial {
  trial: number;
  id: string;
  cell: string;
  platform: string;
  level: string;
  workload: string;
  block: number;
  seed?: number;
  /** The A/A trial of its block. */
  is_repeat?: boolean;
  state?: string;
  state_words?: string;
  valid?: boolean;
  measured_from_unix_ns?: number;
  schedule_hash?: string;
  versions?: Record<string, string>;
  phases?: Record<string, Phase>;
  audit?: {
    complete?: boolean;
    words?: string;
    records_read?: number;
    foreign_records?: number;
    examples?: unknown[];
  };
  sums?: {phase: string; name: string; left: number; right: number; holds: boolean}[];
  hops?: Record<string, Hop>;
  classes?: VolumeClass[];
  stationarity?: Stationarity;
  published?: {events?: number; bytes?: number};
  partitions?: {topic: string; partition: number; events: number}[];
  gates?: Gate[];
  generator?: Record<string, unknown>;
  resources?: {
    role: string;
    process?: string;
    cpu_seconds?: number;
    rss_bytes_max?: number;
    write_bytes?: number;
  }[];
  machine?: Record<string, Maybe<number>>;
  settings?: Settings;
  per_second?: Second[];
  faults?: Fault[];
  analytics?: Analytics;
}

export interface Interval {
  lower: number | null;
  upper: number | null;
}

/** The ratio of one quantile over the blocks; an end that is null beside a band is unbounded. */
export interface ShiftPoint {
  q: number;
  blocks?: number;
  ratio: number | null;
  lower: number | null;
  upper: number | null;
  has_band?: boolean;
}

/** Medians over the blocks of the ticks of one rate. */
export interface LoadClass {
  class: number;
  requests_per_second: number;
  ticks: number;
  first: {blocks?: number; p50_ns: number | null; p99_ns: number | null};
  second: {blocks?: number; p50_ns: number | null; p99_ns: number | null};
}

/** What the blocks say about one level; ratios are second ÷ first platform. */
export interface LevelVerdict {
  level: string;
  workload?: string;
  like_for_like?: boolean;
  metric?: string;
  first: string;
  second: string;
  verdict?: string;
  words?: string;
  sentence?: string;
  blocks?: number;
  blocks_min?: number;
  blocks_needed?: Maybe<number>;
  ratio?: Maybe<number>;
  margin?: number;
  interval_simultaneous?: Interval | null;
  interval_95?: Interval | null;
  p_holm?: Record<string, Maybe<number>>;
  noise_floor?: {pairs?: number; ratio?: Maybe<number>};
  ratios?: {block: number; ratio: number | null}[];
  shift?: {hop?: string; points?: ShiftPoint[]; crosses?: boolean; sentence?: string};
  classes?: Record<string, LoadClass[]>;
  elasticity?: {hop?: string; at_requests_per_second?: Maybe<number>; first?: Maybe<number>; second?: Maybe<number>};
  components?: {sentence?: string};
  secondaries?: {
    metric: string;
    ratio?: Maybe<number>;
    interval_95?: Interval | null;
    p_adjusted?: number;
    is_different?: boolean;
    is_interpreted?: boolean;
  }[];
}

export interface Analysis {
  preregistered?: boolean | null;
  levels?: LevelVerdict[];
  sentences?: string[];
  questions?: {name: string; text: string; sentences?: string[]}[];
}

/** A setting of a server that is not its vendor's default; null: the vendor sets none, or Flow leaves it out. */
export interface Difference {
  key: string;
  default: Maybe<string>;
  value: Maybe<string>;
}

export interface Result {
  experiment: Experiment;
  analysis?: Analysis;
  /** By cell, then by role. */
  differs_from_default?: Record<string, Record<string, Difference[]>>;
  trials: Trial[];
}
