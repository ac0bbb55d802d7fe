// Pinot's side of an example trial: when each event became a row, what probe, queries and checks said.
// Simulated like the rest; one segment commit falls into calm, one into a burst; a fault stops ingestion later.
// SPDX-License-Identifier: Apache-2.0
import {Random, hop, nanos, quantile} from "./example_numbers.mjs";

const millisecond = 1_000_000;

const shapes = {
  kafka: {take: 0.0009, stream: "Pinot's own Kafka plugin (pinot-kafka-2.0)"},
  pulsar: {take: 0.0019, stream: "Flow's Pulsar plugin (flow-pinot-pulsar 0.1.0)"},
};
const commits = [{second: 4.3, partition: 1, pause: 0.62}, {second: 28.4, partition: 4, pause: 0.48}];
const fault = {what: "kill", role: "pinot-server", at_seconds: 19, for_seconds: 1.5, began_seconds: 19.001,
               words: "killed; ready again 2.4 s after that"};
const faultEnd = 21.4;

// What holds a row of this partition back when it was seen at this moment, and until when.
function heldUntil(seen, partition) {
  if (seen > fault.at_seconds && seen < faultEnd) return faultEnd;
  const commit = commits.find((one) => one.partition === partition && seen > one.second && seen < one.second + one.pause);
  return commit ? commit.second + commit.pause : seen;
}

// Whole milliseconds, as Pinot's clock says.
function rowsOf(requests, shape, random) {
  return requests.filter((request) => request.event).map(({second, intended, event}, index) => {
    const partition = index % 6;
    const taken = heldUntil(event.seen, partition) + random.lognormal(shape.take, 0.6) - 0.0008;
    return {second, partition, intended, seen: event.seen, ingested: Math.floor(taken * 1000) / 1000,
            topic: index % 17 === 3 ? "orders" : "products"};
  });
}

function spread(values, fields = ["p50_ns", "p99_ns", "max_ns"]) {
  const whole = hop(values);
  return Object.fromEntries(fields.map((field) => [field, whole[field]]));
}

function classesOf(rows, volumes) {
  const mean = volumes.reduce((a, b) => a + b, 0) / volumes.length;
  const isBurst = (second) => (volumes[second] ?? 0) > 2 * mean;
  const isAfter = (second) => !isBurst(second) && (isBurst(second - 1) || isBurst(second - 2));
  const isCommit = (second) => commits.some((commit) => Math.floor(commit.second) === second);
  const kinds = [
    ["burst", "seconds above twice the mean rate", isBurst],
    ["after_burst", "the two seconds behind a burst", isAfter],
    ["calm", "all other seconds", (second) => !isBurst(second) && !isAfter(second)],
    ["commit", "seconds in which a segment was committed", isCommit],
  ];
  return kinds.map(([name, words, belongs]) => {
    const here = rows.filter((row) => belongs(row.second));
    return {name, words, seconds: volumes.filter((_, second) => belongs(second)).length, rows: here.length,
            ...spread(here.map((row) => row.ingested - row.intended))};
  });
}

const dashboard = [
  ["revenue_per_minute", "Revenue per minute"], ["top_products", "Top products"],
  ["orders_by_status", "Orders by status"], ["funnel", "From sign-in to order"], ["distinct_users", "Distinct users"],
];

function queriesOf(seconds, random) {
  const all = dashboard.flatMap(([name, title]) => Array.from({length: 40}, (_, index) => ({
    name, title, at: index * seconds / 40, took: random.lognormal(0.0062, 0.5),
    staleness: random.uniform() < 0.2 ? 0 : random.lognormal(0.004, 0.8)})));
  const slow = (query) => (query.at > fault.at_seconds && query.at < faultEnd ? {...query, took: faultEnd - query.at + 0.05,
                                                                         staleness: query.at - fault.at_seconds} : query);
  return all.map(slow);
}

function queryLoad(queries) {
  return dashboard.map(([name, title]) => {
    const here = queries.filter((query) => query.name === name);
    const stale = spread(here.map((query) => query.staleness));
    return {name, title, sent: here.length, answered: here.length, failed: 0, ...spread(here.map((query) => query.took)),
            ...Object.fromEntries(Object.entries(stale).map(([field, value]) => [`staleness_${field}`, value]))};
  });
}

function checksOf(trial) {
  const orders = 310 + (trial.seed % 7);
  const check = (name, unit, database) => ({name, unit, database, pinot: database, holds: true});
  return [
    check("orders", "orders", orders), check("sum of order amounts", "cents", orders * 12_345 + 89),
    check("ordered items", "items", orders * 3 + 11), check("orders in state created", "orders", orders - 20),
    check("orders in state paid", "orders", 20), check("users", "users", 100),
  ];
}

function tablesOf(trial, rows) {
  return ["users", "products", "orders"].map((topic) => {
    const before = {users: 100, products: 1550, orders: 16}[topic];
    const here = rows.filter((row) => row.topic === topic).length + before;
    return {table: `${trial.platform}_${topic}`, topic, rows: here, events_seen: here, missing: 0, doubled: 0, unknown: 0,
            late: 0, without_stamp: topic === "products" ? 10 : 0, dropped: 0, commits: topic === "products" ? 2 : 0};
  });
}

function probeOf(rows, random) {
  const sampled = rows.filter((_, index) => index % 50 === 7);
  const found = sampled.map((row) => ({...row, until: random.uniform() * 0.012, extra: random.lognormal(0.0052, 0.4)}));
  const resolution = spread(found.map((one) => one.until));
  return {
    hop: hop(found.map((one) => one.ingested + one.extra + one.until - one.intended)),
    summary: {events: found.length, found: found.length, not_found: 0, queries: found.length * 4, queries_per_second_max: 20,
              resolution_p50_ns: resolution.p50_ns, resolution_max_ns: resolution.max_ns,
              minus_row: spread(found.map((one) => one.extra + one.until)),
              cpu_seconds_per_query: 0.0021, cpu_share: 0.0213, cpu_share_limit: 0.05,
              words: "every 50th event of the measured phase, looked for from 2 ms before it is expected"},
  };
}

function addSeconds(trial, rows, queries) {
  const sorted = (values) => values.map(nanos).sort((a, b) => a - b);
  for (const second of trial.per_second) {
    const fresh = sorted(rows.filter((row) => row.second === second.second).map((row) => row.ingested - row.intended));
    const took = sorted(queries.filter((query) => Math.floor(query.at) === second.second).map((query) => query.took));
    Object.assign(second, {queryable_p50_ns: quantile(fresh, 0.5), queryable_p99_ns: quantile(fresh, 0.99),
                           queryable_max_ns: fresh.at(-1) ?? null, query_p99_ns: quantile(took, 0.99)});
  }
}

function pinotResources(trial) {
  const one = (role, cpu, rss) => ({role, process: "java", cpu_seconds: cpu, rss_bytes_max: rss, rss_bytes_mean: rss * 0.9,
                                    write_bytes: 4e6});
  return [one("pinot-zookeeper", 0.9, 120e6), one("pinot-controller", 2.2, 560e6), one("pinot-broker", 3.1, 480e6),
          one("pinot-server", 7.4 + trial.trial * 0.3, 910e6)];
}

/** Adds what a trial with analytics has more: hops, seconds, resources and the member `analytics`. */
export function addAnalytics(trial, requests, volumes) {
  const shape = shapes[trial.platform] ?? shapes.kafka;
  const random = new Random(trial.seed * 77 + trial.trial);
  const rows = rowsOf(requests, shape, random);
  const queries = queriesOf(volumes.length, random);
  const probe = probeOf(rows, random);
  const shares = ["p50_ns", "p90_ns", "p99_ns", "max_ns"];
  trial.hops.queryable = hop(rows.map((row) => row.ingested - row.intended));
  trial.hops.probe = probe.hop;
  trial.hops.query = hop(queries.map((query) => query.took));
  trial.resources.push(...pinotResources(trial));
  addSeconds(trial, rows, queries);
  trial.analytics = {
    complete: true, words: "",
    pinot: {version: "0.11.0", origin: "started", controller: "http://127.0.0.1:41234", stream: shape.stream,
            segment_rows: 1200},
    resolution_ns: millisecond, tables: tablesOf(trial, rows), checks: checksOf(trial), classes: classesOf(rows, volumes),
    broker_share: {words: "of the same events: until the auditor saw the event, and from there until Pinot had its row",
                   broker: spread(rows.map((row) => row.seen - row.intended), shares),
                   ingestion: spread(rows.map((row) => row.ingested - row.seen), shares)},
    probe: probe.summary,
    pinot_metric: {answers: 200, ...spread(Array.from({length: 200}, () => random.lognormal(0.061, 0.7))),
                   words: "the oldest of six partitions decides"},
    queries_per_second: 6.25, queries: queryLoad(queries),
    commits: commits.map(({second, partition}) => ({table: `${trial.platform}_products`, partition,
      unix_ms: Math.round(trial.measured_from_unix_ns / millisecond + second * 1000), rows: 1200 + partition})),
  };
  trial.faults = [fault];
}

/** Pinot went away with the rest: no probe, rows missing, a total that differs, nulls where nothing was measured. */
export function spoilAnalytics(trial) {
  const {analytics, hops} = trial;
  const nothing = {p50_ns: null, p99_ns: null, max_ns: null};
  delete hops.probe;
  delete analytics.probe;
  delete trial.faults;
  hops.queryable = {...hops.queryable, censored: 75, p99_9_ns: null, max_ns: null,
                    curve: hops.queryable.curve.filter(([q]) => q <= 0.985)};
  Object.assign(analytics, {
    complete: false, words: "2 of 3 tables were read to their end",
    classes: analytics.classes.map((one) => (one.name === "commit" ? {...one, rows: 0, ...nothing} : one)),
    pinot_metric: {answers: 0, ...nothing, words: "no answer named a time"},
    broker_share: {words: "", broker: analytics.broker_share.broker},
  });
  Object.assign(analytics.tables[1], {rows: analytics.tables[1].rows - 80, missing: 81, doubled: 1});
  Object.assign(analytics.checks[1], {pinot: analytics.checks[1].database - 12_345, holds: false});
  Object.assign(analytics.queries[2], {answered: 0, failed: 40, ...nothing, staleness_p50_ns: null, staleness_p99_ns: null,
                                       staleness_max_ns: null});
  for (const second of trial.per_second.slice(-3)) {
    Object.assign(second, {queryable_p50_ns: null, queryable_p99_ns: null, queryable_max_ns: null, query_p99_ns: null});
  }
}
