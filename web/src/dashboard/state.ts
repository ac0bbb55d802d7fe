// What the page knows, and how an event changes it. Pure.
// SPDX-License-Identifier: Apache-2.0
import type {Current, Line, LiveTrial, Progress, Results, Snapshot} from "./types.ts";

export interface State {
  results: Results;
  current: Current | null;
  /** Server's clock − this one's, ms. */
  skewMs: number;
  flow: {version?: string; commit?: string};
}

export const linesMax = 1800;  // Of each kind; the server keeps as many.

export const emptyState: State = {
  results: {folder: "", is_folder_there: true, results: [], results_left_out: 0},
  current: null,
  skewMs: 0,
  flow: {},
};

function added<T>(to: T[], line: T): T[] {
  return [...(to.length >= linesMax ? to.slice(to.length - linesMax + 1) : to), line];
}

function withLine(trial: LiveTrial, line: Line): LiveTrial {
  switch (line.kind) {
    case "live": return {...trial, seconds: added(trial.seconds, line)};
    case "step": return {...trial, steps: added(trial.steps, line)};
    case "resources": return {...trial, resources: added(trial.resources, line)};
    case "gates": return {...trial, gates: line};
    default: return trial;  // Of a later version.
  }
}

function withLines(current: Current | null, lines: Line[]): Current | null {
  if (!current?.trial) return current;
  return {...current, trial: lines.reduce(withLine, current.trial)};
}

/** `nowMs`: this machine's clock, for the difference to the server's. */
export function applied(state: State, type: string, data: unknown, nowMs: number): State {
  switch (type) {
    case "snapshot": {
      const {unix_ns, flow, current, ...results} = data as Snapshot;
      return {results, current, flow, skewMs: unix_ns / 1e6 - nowMs};
    }
    case "results": return {...state, results: data as Results};
    case "current": return {...state, current: data as Current | null};
    case "progress":
      return state.current ? {...state, current: {...state.current, ...(data as Progress)}} : state;
    case "trial":
      return state.current ? {...state, current: {...state.current, trial: data as LiveTrial}} : state;
    case "lines": return {...state, current: withLines(state.current, (data as {lines: Line[]}).lines)};
    default: return state;
  }
}
