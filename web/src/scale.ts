// The axes of latency figures: a tail axis on which every further nine of a quantile takes the same
// room, and round ticks for logarithms of time. Pure.
// SPDX-License-Identifier: Apache-2.0

/** −log10(1 − q), so that p90, p99, p99.9 … stand at 1, 2, 3 …; p0 at 0. */
export function tailPosition(q: number): number {
  return -Math.log10(1 - q);
}

export function quantileAt(position: number): number {
  return 1 - 10 ** -position;
}

export interface CurvePoint {
  q: number;
  ns: number;
  position: number;
}

/**
 * A curve as points of the figure. `count` samples resolve no quantile beyond 1 − 1/count: the maximum
 * (q = 1) is drawn there, everything else beyond is left out, and so are values that a logarithm
 * cannot show.
 */
export function curvePoints(
  curve: readonly (readonly [number, number | null])[],
  count: number,
): CurvePoint[] {
  const end = Math.log10(Math.max(count, 1));
  const points: CurvePoint[] = [];
  for (const [q, ns] of curve) {
    if (ns === null || !(ns > 0)) continue;
    const position = q >= 1 ? end : tailPosition(q);
    if (position <= end + 1e-9) points.push({q, ns, position});
  }
  return points;
}

const tickSteps = [[1, 2, 5], [1, 3], [1]];

/** Round ticks within [low, high]: the densest of 1-2-5, 1-3 and powers of ten with at most `most`. */
export function logTicks(low: number, high: number, most: number): number[] {
  if (!(low > 0) || !(high >= low)) return [];
  const choices = tickSteps.map((steps) => ticksOf(low, high, steps));
  return choices.find((ticks) => ticks.length <= most) ?? choices.at(-1) ?? [];
}

function ticksOf(low: number, high: number, steps: readonly number[]): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) {
    for (const step of steps) {
      const tick = step * 10 ** power;
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks;
}

/** [low, high] around all values with a little air, for a logarithmic axis. */
export function logDomain(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [1e5, 1e7];
  const low = positive.reduce((a, b) => Math.min(a, b));
  const high = positive.reduce((a, b) => Math.max(a, b));
  return [low / 1.25, high * 1.25];
}
