// A latency axis that all figures share: logarithmic, round ticks, units that fit.
// SPDX-License-Identifier: Apache-2.0
import {duration} from "../format.ts";
import {logDomain, logTicks} from "../scale.ts";

export function latencyAxis(values: readonly number[], label: string): object {
  const [low, high] = logDomain(values);
  const ticks = logTicks(low, high);
  return {
    type: "log", domain: [low, high], label, labelArrow: "none", grid: true, ticks,
    tickFormat: (ns: number) => duration(ns).replace(/\.0+ /, " "),
  };
}
