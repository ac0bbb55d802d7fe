// Writes a result folder of the documented format (docs/reference/result-format.md) from a seed, for
// developing the page and for its tests: a b-model burst, two platforms with different shapes, one
// gate that fails, one broker that stalls for a second; from seven blocks on with an analysis. The
// numbers are simulated and say so.
//   node example.mjs OUT [--blocks 1] [--platforms kafka,pulsar] [--level fsync-1] [--partial] [--analytics]
// SPDX-License-Identifier: Apache-2.0
import {mkdirSync, writeFileSync} from "node:fs";
import {basename, join} from "node:path";
import {parseArgs} from "node:util";
import {analysisOf, classesOf} from "./example_analysis.mjs";
import {addAnalytics, spoilAnalytics} from "./example_analytics.mjs";
import {Random, hop, nanos, quantile} from "./example_numbers.mjs";

const start = 1_795_000_000;  // Unix seconds.
const ticks = 32;

function bModel(bias, depth, total, seed) {
  const random = new Random(seed);
  const leaves = [];
  const split = (volume, level) => {
    if (level === depth) return void leaves.push(volume);
    const left = volume * (random.draw() >> 63n ? bias : 1 - bias);
    split(left, level + 1);
    split(volume - left, level + 1);
  };
  split(total, 0);
  let sum = 0;
  let before = 0;
  return leaves.map((volume) => {
    sum += volume;
    const upTo = Math.floor(sum + 0.5);
    const here = upTo - before;
    before = upTo;
    return here;
  });
}

const shapes = {
  kafka: {work: 0.00048, ack: 0.0016, ackSigma: 0.45, read: 0.0011, stall: null, cpu: 11.2, rss: 612e6,
          server: "Kafka 4.3.1", client: "librdkafka 2.0.2", roles: ["kafka-1"]},
  pulsar: {work: 0.00052, ack: 0.0027, ackSigma: 0.3, read: 0.0024, stall: 11.3, cpu: 17.9, rss: 488e6,
           server: "Pulsar 4.0.8", client: "flow 0.1.0", roles: ["zookeeper", "bookie-1", "broker-1"]},
};

// One FIFO shop in front of a broker that holds every acknowledgement back while it stalls.
function simulate(shape, volumes, seed) {
  const random = new Random(seed);
  const requests = [];
  let freeAt = 0;
  volumes.forEach((volume, second) => {
    const times = Array.from({length: volume}, () => second + random.uniform()).sort((a, b) => a - b);
    for (const intended of times) {
      const startError = random.exponential(0.00003);
      const sent = Math.max(intended + startError, freeAt - 0.35);  // 200 connections, then they queue.
      freeAt = Math.max(sent, freeAt) + random.exponential(shape.work);
      const answered = freeAt + random.lognormal(0.0011, 0.35);
      const request = {second, intended, sent, answered, startError, blocked: sent - intended - startError};
      if (random.uniform() < 0.52) {
        const published = answered - 0.0002;
        let acked = published + random.lognormal(shape.ack, shape.ackSigma);
        if (shape.stall !== null && acked > shape.stall && published < shape.stall + 1) {
          acked = Math.max(acked, shape.stall + 1 + random.exponential(0.02));
        }
        request.event = {published, acked, seen: acked + random.lognormal(shape.read, 0.5)};
      }
      requests.push(request);
    }
  });
  return requests;
}

function perSecond(requests, volumes) {
  return volumes.map((intended, second) => {
    const here = requests.filter((r) => r.second === second);
    const events = here.filter((r) => r.event);
    const of = (values) => values.map(nanos).sort((a, b) => a - b);
    const response = of(here.map((r) => r.answered - r.intended));
    const publish = of(events.map((r) => r.event.acked - r.intended));
    const endToEnd = of(events.map((r) => r.event.seen - r.intended));
    return {
      second, intended, response_p50_ns: quantile(response, 0.5), response_p99_ns: quantile(response, 0.99),
      response_max_ns: response.at(-1) ?? null, events_acked: events.length,
      publish_response_p50_ns: quantile(publish, 0.5), publish_response_p99_ns: quantile(publish, 0.99),
      end_to_end_p50_ns: quantile(endToEnd, 0.5), end_to_end_p99_ns: quantile(endToEnd, 0.99),
      end_to_end_max_ns: endToEnd.at(-1) ?? null,
    };
  });
}

function phase(intended, events, byStatus, span) {
  return {
    from_request: span[0], until_request: span[1],
    requests: {intended, answered: intended, answered_by_status: byStatus, failed: 0, unanswered: 0},
    events: {attempts: events, acked: events, rejected: 0, timed_out: 0, lost: 0, queue_full: 0},
    audit: {seen_once: events, duplicated: 0, extra_copies: 0, missing: 0, unacked_seen: 0, rejected_seen: 0,
            unknown_seen: 0, reordered: 0, misplaced: 0, read: events},
  };
}

function sumsOf(name, {requests, events, audit}) {
  const sum = (what, left, right) => ({phase: name, name: what, left, right, holds: left === right});
  return [
    sum("intended = answered + failed + unanswered", requests.intended,
        requests.answered + requests.failed + requests.unanswered),
    sum("attempts = queue_full + acked + rejected + timed_out + lost", events.attempts,
        events.queue_full + events.acked + events.rejected + events.timed_out + events.lost),
    sum("acked = seen once + duplicated + missing", events.acked,
        audit.seen_once + audit.duplicated + audit.missing),
  ];
}

function gatesOf(hops, isBroken) {
  const late = (hops.start_error.p99_ns ?? 0) / 1e9;
  const steal = isBroken ? 0.037 : 0.0012;
  const gate = (name, value, limit, unit, holds, words) => ({name, value, limit, unit, holds, words});
  return [
    gate("start_error_p99", late, 0.001, "s", late <= 0.001,
         `99 % of the requests left within ${(late * 1e3).toFixed(2)} ms of their intended time (limit 1.00 ms)`),
    gate("completeness", 1, 0.999, "share", true, "9600 of 9600 intended requests were answered (at least 99.9 %)"),
    gate("generator_cpu", 0.118, 0.7, "share", true, "the busiest generator thread used of one core 11.8 % (limit 70 %)"),
    gate("steal", steal, 0.01, "share", !isBroken,
         `stolen from this machine's CPU time: ${(steal * 100).toFixed(1)} % (limit 1 %)`),
    gate("schedule_hash", 0, 0, "", true, "the schedule 54d2fc914faa7c29 is that of the whole block"),
    gate("conservation", 0, 0, "count", true, "9 of 9 sums of requests and events hold"),
  ];
}

function resourcesOf(shape) {
  const one = (role, process, cpu, rss, written) => ({role, process, cpu_seconds: cpu, rss_bytes_max: rss,
    rss_bytes_mean: rss * 0.93, write_bytes: written});
  return [
    ...shape.roles.map((role, i) => one(role, "java", shape.cpu * [1, 0.5, 1.1][i] / (shape.roles.length > 1 ? 2 : 1), shape.rss * [1, 1.6, 2.1][i] / (shape.roles.length > 1 ? 2 : 1) | 0,
                                        31e6 + i * 5e6)),
    one("postgres", "postgres", 4.81, 98e6, 22.4e6), one("shop", "flow", 6.42, 41e6, 1.2e6),
    one("auditor", "flow", 1.07, 24e6, 0.4e6), one("flow", "flow", 3.9, 62e6, 2.1e6),
  ];
}

const settings = {
  kafka: {producer: {acks: "all", linger_ms: "1", batch_bytes_max: "16384", compression: "lz4", idempotence: "true",
                     "max.in.flight": "5"},
          consumer: {fetch_wait_max_ms: "10"}, topic: {partitions: "6", replication: "1", flush_messages: "1"},
          shop: {pool: "16", outbox: "false"}},
  pulsar: {producer: {linger_ms: "1", batch_bytes_max: "16384", compression: "lz4", pending_max: "1000"},
           consumer: {receiver_queue: "1000"}, topic: {partitions: "6", ensemble: "1", write_quorum: "1",
           ack_quorum: "1", journal_sync: "true"}, shop: {pool: "16", outbox: "false"}},
};

function makeTrial({number, platform, level, block, seed, volumes, isPartial, hasAnalytics}) {
  const shape = shapes[platform];
  const requests = simulate(shape, volumes, seed * 1000 + number);
  const events = requests.filter((r) => r.event).map((r) => ({...r.event, intended: r.intended}));
  const hops = {
    response_time: hop(requests.map((r) => r.answered - r.intended)),
    service_time: hop(requests.map((r) => r.answered - r.sent)),
    start_error: hop(requests.filter((r) => r.blocked < 1e-9).map((r) => r.startError)),
    blocked_time: hop(requests.filter((r) => r.blocked >= 1e-9).map((r) => r.blocked)),
    publish_latency: hop(events.map((e) => e.acked - e.published)),
    publish_response: hop(events.map((e) => e.acked - e.intended)),
    end_to_end: hop(events.map((e) => e.seen - e.intended)),
  };
  const phases = {
    registration: phase(211, 110, {200: 200, 201: 11}, [1, 211]),
    warm_up: phase(3000, 1556, {200: 2903, 201: 97}, [212, 3211]),
    measured: phase(requests.length, events.length, {200: requests.length - 301, 201: 301}, [3212, 12811]),
  };
  const sums = Object.entries(phases).flatMap(([name, value]) => sumsOf(name, value));
  const gates = gatesOf(hops, platform === "pulsar" && block === 1);
  const from = start + number * 60;
  const id = `${String(number).padStart(3, "0")}-${platform}-${level}`;
  const trial = {
    format: "flow-trial/1", trial: number, id, cell: `${platform}-${level}`, platform, level, workload: "bursts",
    block, seed, state: "complete", state_words: "", valid: gates.every((g) => g.holds),
    started_unix_ns: from * 1e9, measured_from_unix_ns: (from + 18) * 1e9,
    measured_until_unix_ns: (from + 50) * 1e9, finished_unix_ns: (from + 55) * 1e9,
    schedule_hash: "54d2fc914faa7c29",
    versions: {server: shape.server, client: shape.client, postgres: "15.20", java: "17.0.15"},
    phases, audit: {complete: true, words: "", records_read: events.length + 1666, foreign_records: 0, examples: []},
    sums, hops, by_status: {}, classes: classesOf(requests, volumes, hasAnalytics),
    stationarity: {hop: "publish_response", ticks, ticks_with_queue: 0, ticks_in_large_classes: 20, is_judged: false, kpss: 0.21, kpss_lags: 3,
                   drift_share_per_minute: -0.012, drift_interval_95: {lower: -0.05, upper: 0.03},
                   words: "not judged: 20 of 32 ticks count, and at least 30 should (an example)"},
    published: {events: events.length + 1556, bytes: (events.length + 1556) * 312},
    partitions: [10, 10, 10, 30, 20, 20].map((share, partition) => ({topic: "products", partition,
      events: Math.round((events.length - 301) * share / 100)})).concat(
      [0, 1, 2, 3, 4, 5].map((partition) => ({topic: "orders", partition, events: 48 + ((partition * 7 + number) % 5)}))),
    gates, generator: {shards: 1, priority: "SCHED_FIFO 10", cpu_share: 0.118, connections_opened: 40},
    resources: resourcesOf(shape), machine: {steal_share: 0.0012, iowait_share: 0.021, busy_share: 0.61},
    settings: settings[platform], per_second: perSecond(requests, volumes),
  };
  if (hasAnalytics) addAnalytics(trial, requests, volumes);
  return isPartial ? cutShort(trial) : trial;
}

// The broker was killed after 20 seconds: what was measured is there, the audit is not complete.
function cutShort(trial) {
  const measured = trial.phases.measured;
  measured.requests.answered -= 140;
  measured.requests.unanswered = 140;
  measured.events.acked -= 75;
  measured.events.lost = 75;
  measured.audit.seen_once -= 80;
  measured.audit.missing = 5;
  trial.hops.response_time = {...trial.hops.response_time, censored: 140, p99_ns: null, p99_9_ns: null, max_ns: null,
    curve: trial.hops.response_time.curve.filter(([q]) => q <= 0.985)};
  Object.assign(trial, {
    state: "partial", state_words: "broker-1 ended with signal 9 in second 20 of the measured phase", valid: false,
    audit: {complete: false, words: "4 of 6 partitions of products were read to their end", records_read: 4100,
            foreign_records: 0, examples: [{trace_id: "00000000000000020000000000000fa1", words: "acked, never seen"}]},
    sums: Object.entries(trial.phases).flatMap(([name, value]) => sumsOf(name, value)),
    per_second: trial.per_second.slice(0, 20),
  });
  if (trial.analytics) spoilAnalytics(trial);
  return trial;
}

function failedTrial(trial) {
  return {format: trial.format, trial: trial.trial, id: trial.id, cell: trial.cell, platform: trial.platform,
          level: trial.level, workload: trial.workload, block: trial.block, seed: trial.seed, state: "failed",
          state_words: "bookie-1 was not ready within 60 s: journal directory is on a full disk", valid: false,
          started_unix_ns: trial.started_unix_ns, measured_from_unix_ns: 0, measured_until_unix_ns: 0,
          finished_unix_ns: trial.started_unix_ns + 60e9, versions: {server: trial.versions.server}};
}

function levelOf(level) {
  const isFair = level !== "default";
  return {
    promises: isFair ? "an acknowledged event is on the disk of one node" : "what the vendor ships",
    does_not_promise: isFair ? "that the event survives the loss of that disk" : "the same on both platforms",
    like_for_like: isFair,
    like_for_like_reason: isFair ? "both platforms force the write to disk before they acknowledge"
      : "Pulsar syncs its journal before it acknowledges, Kafka acknowledges from the page cache",
    replication: {kafka: "one node, nothing replicated", pulsar: "one bookie, one broker, nothing replicated"},
    kafka: {nodes: 1, broker: {"log.flush.interval.messages": "1"}, topic: {partitions: "6"}, producer: {acks: "all"}},
    pulsar: {bookies: 1, brokers: 1, bookie: {journalSyncData: "true"}, topic: {partitions: "6"}, producer: {}},
  };
}

function experimentOf({blocks, platforms, level, volumes, order}) {
  return {
    format: "flow-experiment/1", name: "demo",
    question: "How fresh and how safe are a shop's events under bursty traffic, on Kafka and on Pulsar?",
    created_unix_ns: start * 1e9,
    flow: {version: "0.1.0", commit: "ab2a233", build: "release", is_sanitized: false},
    command: ["flow", "demo", "--seed", "42"],
    host: {cpu_model: "Simulated CPU (example data, not a measurement)", cores: 2, memory_bytes: 25e9,
           kernel: "6.1.0-25-amd64", os: "Debian GNU/Linux 12", filesystem: "ext4", disk: "/dev/vda", clock_source: "tsc",
           governor: "unknown", java: "17.0.15", fsync_latency_p50_ns: 90_000, fsync_latency_p99_ns: 900_000},
    plan: {blocks, seeds: Array.from({length: blocks}, (_, i) => 42 + i),
           cells: platforms.map((platform) => ({id: `${platform}-${level}`, platform, level, workload: "bursts"})), order},
    levels: {[level]: levelOf(level)},
    workloads: {bursts: {
      model: "b-model", bias: 0.705, ticks, tick_ns: 1e9, requests_per_second: 300, placement: "uniform", users: 100,
      warm_up_seconds: 10, warm_up_requests_per_second: 300,
      facts: {requests: 9600, peak_factor: Math.max(...volumes) / 300, busiest_tick_requests: Math.max(...volumes),
              busiest_tick_share: Math.max(...volumes) / 9600, tail_support_ticks: 1, volumes,
              overload: [300, 600, 900, 1200, 1500].map((capacity) => ({capacity_per_second: capacity,
                time_share: volumes.filter((v) => v > capacity).length / ticks,
                requests_share: volumes.filter((v) => v > capacity).reduce((a, b) => a + b, 0) / 9600}))}}},
    warnings: ["the CPU governor could not be read: frequency scaling may add noise"],
    estimate: blocks < 7 ? {is_estimate: true, words: `ESTIMATE: ${blocks === 1 ? "one block" : `${blocks} blocks`}, cold JVMs`}
      : {is_estimate: false, words: ""},
    effective: {},
  };
}

/** {experiment, trials} as the files would hold them. */
export function makeResult({blocks = 1, platforms = ["kafka", "pulsar"], level = "fsync-1", partial = false,
                            analytics = false} = {}) {
  const order = [];
  const trials = [];
  for (let block = 1; block <= blocks; ++block) {
    const seed = 41 + block;
    const volumes = bModel(0.705, 5, 9600, seed);
    const inOrder = block % 2 ? platforms : [...platforms].reverse();
    for (const platform of inOrder) {
      const number = order.length + 1;
      order.push({trial: number, block, cell: `${platform}-${level}`, seed});
      const isPartial = partial && block === 1 && platform === platforms.at(-1);
      const trial = makeTrial({number, platform, level, block, seed, volumes, isPartial,
                               hasAnalytics: analytics});
      trials.push(partial && block === 2 && platform === platforms.at(-1) ? failedTrial(trial) : trial);
    }
  }
  const volumes = bModel(0.705, 5, 9600, 42);
  const experiment = experimentOf({blocks, platforms, level, volumes, order});
  if (blocks < 7 || platforms.length !== 2) return {experiment, trials};
  return {experiment, trials, analysis: analysisOf(trials, level)};
}

export function writeResult(folder, {experiment, trials, analysis}) {
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, "experiment.json"), JSON.stringify(experiment, null, 1));
  if (analysis) writeFileSync(join(folder, "analysis.json"), JSON.stringify(analysis));
  for (const trial of trials) {
    mkdirSync(join(folder, "trials", trial.id), {recursive: true});
    writeFileSync(join(folder, "trials", trial.id, "trial.json"), JSON.stringify(trial));
  }
}

if (basename(process.argv[1] ?? "") === "example.mjs") {  // Run, not imported.
  const {values, positionals} = parseArgs({allowPositionals: true, options: {
    blocks: {type: "string", default: "1"}, platforms: {type: "string", default: "kafka,pulsar"},
    level: {type: "string", default: "fsync-1"}, partial: {type: "boolean", default: false},
    analytics: {type: "boolean", default: false}}});
  if (positionals.length !== 1) {
    console.error("usage: node example.mjs OUT [--blocks N] [--platforms a,b] [--level NAME] [--partial] [--analytics]");
    process.exit(2);
  }
  writeResult(positionals[0], makeResult({...values, blocks: Number(values.blocks),
    platforms: values.platforms.split(",")}));
}
