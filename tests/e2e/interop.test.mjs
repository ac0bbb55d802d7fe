// Foreign clients read the shop's events: kcat on Kafka, Pulsar's own pulsar-client. Key, the study's
// JSON body and the trace context must be there; the bytes are the same on both.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { flow, ownCache, removeFolder, start, until, wholeLines } from "./support.mjs";

const trace = "00-000000000000002a0000000000000007-00000000000000aa-01";
let folder, cache, env; // Of its own, so that nobody else's servers are ended.
const email = "admin@flow.test";
const password = "correct horse";

// JSON of a subcommand's standard output.
const jsonOf = (run) => {
  assert.equal(run.code, 0, run.err);
  return JSON.parse(run.out);
};

// What `flow up NAME --json` started.
const up = (...args) => jsonOf(flow(["up", ...args, "--json"], { env }));

async function request(port, method, target, body, token) {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${target}`, {
    method, body: body && JSON.stringify(body),
    headers: {
      "Content-Type": "application/json", traceparent: trace, tracestate: "flow=1795000000000000000",
      ...(token && { Authorization: `Bearer ${token}` }),
    },
  });
  assert.ok(answer.ok, `${method} ${target}: ${answer.status}`);
  return answer.json();
}

// A product made and looked at, an order placed: three events, then the shop drains and ends.
async function shopping(broker, postgres) {
  const run = start(["shop", ...broker, "--postgres", postgres, "--port", "0", "--admin-port", "0", "--json",
    "--create-topics"],
  { env: { ...env, FLOW_ADMIN_EMAIL: email, FLOW_ADMIN_PASSWORD: password } });
  const ready = await until(() => wholeLines(run.out).split("\n").find((line) => line.includes('"ready"')),
    `the shop to be ready: ${run.err}`);
  const { port } = JSON.parse(ready);
  const { token } = await request(port, "POST", "/auth/signin", { email, password });
  const product = await request(port, "POST", "/products/",
    { name: "Nib — fine", price: 10.5, currency: "USD", category: "pens", description: null }, token);
  const { order } = await request(port, "POST", "/orders",
    { orderItems: [{ productId: product.id, quantity: 2 }] }, token);
  run.child.kill("SIGTERM");
  const end = await run.ended;
  assert.equal(end.code, 0, end.err);
  return { product, order };
}

describe("foreign clients", { skip: !fs.existsSync("/usr/bin/kcat") && "kcat is not installed" }, () => {
  let postgres;
  before(() => {
    folder = fs.mkdtempSync("/tmp/flow-interop-");
    cache = ownCache(folder);
    env = { ...process.env, FLOW_CACHE: cache };
    postgres = up("postgres");
  });
  after(() => {
    flow(["down", "--all"], { env });
    removeFolder(folder);
  });

  test("kcat reads key, body and trace context from Kafka", async () => {
    const kafka = up("kafka", "--level", "fsync-1");
    const { product, order } = await shopping(["--kafka", kafka.service], postgres.service);
    const read = (topic) => spawnSync("kcat", ["-b", kafka.service, "-C", "-e", "-q", "-t", topic, "-f",
      "%k\t%h\t%s\n"], { encoding: "utf8", timeout: 30_000 }).stdout.trim().split("\t");
    for (const [topic, entity] of [["products", product], ["orders", order]]) {
      const [key, headers, body] = read(topic);
      assert.equal(key, String(entity.id));
      assert.match(headers, /traceparent=00-000000000000002a0000000000000007-[0-9a-f]{16}-01/);
      assert.match(headers, /tracestate=flow=1795000000000000000/);
      assert.doesNotMatch(headers, /00000000000000aa/, "each hop has a parent id of its own");
      assert.equal(JSON.parse(body).id, entity.id);
    }
    const [, , body] = read("orders");
    assert.match(body, /"totalAmount":21\.00,"currency":"USD","currentStatus":0/);
    flow(["down", "kafka"], { env });
  });

  test("pulsar-client reads the same from Pulsar", async () => {
    const pulsar = up("pulsar", "--level", "fsync-1");
    const { order } = await shopping(["--pulsar", pulsar.service, "--pulsar-admin", pulsar.admin],
      postgres.service);
    const read = spawnSync(path.join(cache, "apache-pulsar-4.0.8/bin/pulsar-client"), ["--url", pulsar.service, "consume",
      "-s", "foreign", "-n", "1", "-p", "Earliest",
      "persistent://public/default/orders"], { encoding: "utf8", timeout: 90_000 });
    assert.match(read.stdout, new RegExp(`key:\\[${order.id}\\]`), read.stdout + read.stderr);
    assert.match(read.stdout, /traceparent=00-000000000000002a0000000000000007-[0-9a-f]{16}-01/);
    assert.match(read.stdout, /"totalAmount":21\.00,"currency":"USD","currentStatus":0/);
    flow(["down", "pulsar"], { env });
  });
});
