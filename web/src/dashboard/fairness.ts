// What a reader must know before taking a difference between results for one of the platforms. Pure.
// SPDX-License-Identifier: Apache-2.0
import type {Headlines} from "./types.ts";

const differ = (values: readonly unknown[]): boolean =>
  new Set(values.map((value) => JSON.stringify(value ?? null))).size > 1;

/** Names of levels or workloads that mean something else in one result than in another. */
function changed(all: readonly Headlines[], part: "levels" | "workloads",
                 meaning: (entry: Record<string, unknown>) => unknown): string[] {
  const names = new Set(all.flatMap((one) => Object.keys(one.experiment[part] ?? {})));
  return [...names].filter((name) => {
    const entries = all.flatMap((one) => one.experiment[part]?.[name] ?? []);
    return differ(entries.map((entry) => meaning(entry as Record<string, unknown>)));
  });
}

export function differences(all: readonly Headlines[]): string[] {
  return [
    ...changed(all, "levels", (level) => level["promises"]).map((name) => `level “${name}” promises different things`),
    ...changed(all, "workloads", (workload) => workload).map((name) => `workload “${name}” is another one`),
    ...(differ(all.map((one) => one.experiment.host)) ? ["they ran on different machines"] : []),
    ...(differ(all.map((one) => one.experiment.flow?.commit)) ? ["they were made by different versions of Flow"] : []),
  ];
}

/** Levels at which the platforms promise different things, with the reason. */
export function unfairLevels(all: readonly Headlines[]): string[] {
  return [...new Set(all.flatMap((one) => Object.entries(one.experiment.levels ?? {})
      .filter(([, level]) => level.like_for_like === false)
      .map(([name, level]) => `level “${name}”: ${level.like_for_like_reason ?? ""}`)))];
}
