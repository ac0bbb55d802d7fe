// What the lab adds to the example results: the classes of each trial, and an analysis of the blocks
// with the numbers of the trials and intervals that are made up.
// SPDX-License-Identifier: Apache-2.0
import {nanos, quantile} from "./example_numbers.mjs";

const depth = 5;

function hopOf(seconds) {
  const sorted = seconds.map(nanos).sort((a, b) => a - b);
  const of = (q) => (sorted.length * (1 - q) < 1 - 1e-9 ? null : quantile(sorted, q));
  return {count: sorted.length, censored: 0, p50_ns: of(0.5), p99_ns: of(0.99)};
}

/** Ticks by how often they were the heavier half. */
export function classesOf(requests, volumes, hasAnalytics) {
  const total = volumes.reduce((a, b) => a + b);
  const heavier = volumes.map((volume) =>
    Math.round((Math.log(volume / total) - depth * Math.log(0.295)) / Math.log(0.705 / 0.295)));
  return Array.from({length: depth + 1}, (_, number) => number).filter((number) => heavier.includes(number)).map((number) => {
    const here = requests.filter(({second}) => heavier[second] === number);
    const events = here.filter(({event}) => event);
    const ticks = heavier.filter((one) => one === number).length;
    return {
      class: number, requests_per_second: here.length / ticks, ticks, requests: here.length,
      response_time: hopOf(here.map((one) => one.answered - one.intended)),
      publish_response: hopOf(events.map((one) => one.event.acked - one.intended)),
      ...(hasAnalytics && {queryable: hopOf(events.map((one) => one.event.seen - one.intended + 0.08))}),
    };
  });
}

function middle(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[sorted.length >> 1];
}

const quantileOf = ({curve}, q) => curve.find(([at]) => at >= q - 1e-9)?.[1] ?? null;

function shiftOf(pairs) {
  const points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999].map((q) => {
    const ratio = middle(pairs.map(([first, second]) =>
      quantileOf(second.hops.publish_response, q) / quantileOf(first.hops.publish_response, q)));
    const reach = 1.02 + 0.35 * Math.max(0, q - 0.85) * 6;
    return {q, blocks: pairs.length, ratio, lower: ratio / reach, upper: q === 0.999 ? null : ratio * reach, has_band: true, p_holm: 0.01};
  });
  return {hop: "publish_response", confidence: 0.95, points, crosses: false,
          sentence: "Kafka is lower at p10 to p99.9; no quantile shows the opposite."};
}

function loadOf(pairs, hop) {
  const side = (trials, index) => ({blocks: trials.length, p50_ns: middle(trials.map(({classes}) => classes[index][hop].p50_ns)),
                                    p99_ns: middle(trials.map(({classes}) => classes[index][hop].p99_ns))});
  return pairs[0][0].classes.map((one, index) => ({
    class: one.class, requests_per_second: one.requests_per_second, ticks: one.ticks,
    first: side(pairs.map(([first]) => first), index), second: side(pairs.map(([, second]) => second), index),
  }));
}

/** Of an experiment with two platforms. */
export function analysisOf(trials, level) {
  const blocks = [...new Set(trials.map(({block}) => block))];
  const of = (block, platform) => trials.find((trial) => trial.block === block && trial.platform === platform);
  const pairs = blocks.map((block) => [of(block, "kafka"), of(block, "pulsar")]);
  const ratios = pairs.map(([first, second], index) =>
    ({block: blocks[index], ratio: second.hops.publish_response.p99_ns / first.hops.publish_response.p99_ns}));
  const ratio = middle(ratios.map((one) => one.ratio));
  const interval = {confidence: 0.95, coverage: 0.951, lower: ratio / 1.2, upper: ratio * 1.2};
  const sentence = `At level ${level}, an example sentence about the p99 of publish response (simulated, not a measurement).`;
  return {
    format: "flow-analysis/1", margin: 0.1, preregistered: true, sentences: [sentence],
    levels: [{
      level, workload: "bursts", like_for_like: true, metric: "p99 of publish response", first: "Kafka", second: "Pulsar",
      verdict: "different", words: "different, maybe too small to matter", sentence, blocks: blocks.length, blocks_min: 7,
      blocks_needed: null, ratio, margin: 0.1, interval_simultaneous: interval, interval_95: interval,
      p_holm: {signed_rank: 0.002, sign_flip: 0.002, paired_t: 0.001}, noise_floor: {pairs: 10, ratio: 1.04}, ratios,
      secondaries: [], shift: shiftOf(pairs),
      classes: {publish_response: loadOf(pairs, "publish_response"), response_time: loadOf(pairs, "response_time")},
      elasticity: {hop: "publish_response", quantile: 0.99, at_requests_per_second: 300, first: 0.42, second: 1.31},
      components: {sentence: "Spend the next hour on more blocks (about 12 fit in and would make the interval 33 % shorter), " +
                             "not on longer trials: an example."},
    }],
  };
}
