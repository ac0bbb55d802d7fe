// Random numbers and histograms of the example results.
// SPDX-License-Identifier: Apache-2.0
const mask = (1n << 64n) - 1n;

export class Random {
  constructor(seed) { this.state = BigInt(seed); }

  draw() {  // SplitMix64
    this.state = (this.state + 0x9e3779b97f4a7c15n) & mask;
    let z = this.state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    return z ^ (z >> 31n);
  }

  uniform() { return Number(this.draw() >> 11n) * 2 ** -53; }
  exponential(mean) { return -Math.log1p(-this.uniform()) * mean; }
  lognormal(median, sigma) {
    const normal = Math.sqrt(-2 * Math.log1p(-this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
    return median * Math.exp(sigma * normal);
  }
}

export const nanos = (seconds) => Math.round(seconds * 1e9);
export const quantile = (sorted, q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
const curveQuantiles = [0, 0.1, 0.25, 0.5, 0.75];
for (let tail = 0.1; tail > 5e-5; tail /= 10 ** 0.125) curveQuantiles.push(1 - tail);

export function hop(values) {
  const sorted = values.map(nanos).sort((a, b) => a - b);
  if (sorted.length === 0) {
    return {count: 0, overflow: 0, censored: 0, min_ns: null, mean_ns: null, p50_ns: null, p90_ns: null,
            p99_ns: null, p99_9_ns: null, max_ns: null, hdr_v2: "", curve: []};
  }
  return {
    count: sorted.length, overflow: 0, censored: 0, min_ns: sorted[0],
    mean_ns: sorted.reduce((a, b) => a + b, 0) / sorted.length,
    p50_ns: quantile(sorted, 0.5), p90_ns: quantile(sorted, 0.9), p99_ns: quantile(sorted, 0.99),
    p99_9_ns: quantile(sorted, 0.999), max_ns: sorted.at(-1), hdr_v2: "HISTFAAAsimulated",
    curve: curveQuantiles.filter((q) => q <= 1 - 1 / sorted.length)
        .map((q) => [q, quantile(sorted, q)]).concat([[1, sorted.at(-1)]]),
  };
}
