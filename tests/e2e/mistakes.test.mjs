// The operator's mistakes: exit code 2 and one sentence that names the thing, the value and what was
// expected; nothing is started.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { experimentFile, flow, scratch } from "./support.mjs";

const mistakes = [
  [["nonsense"], /nonsense|subcommand/],
  [["run"], /file/],
  [["run", "/nowhere.yaml"], /\/nowhere\.yaml/],
  [["report", "/nowhere"], /\/nowhere/],
  [["verify", "/tmp"], /SHA256SUMS|seal/],
  [["demo", "--level", "nonsense"], /nonsense[^]*fsync-1/],
  [["up", "nats"], /nats/],
  [["up", "kafka", "--nodes", "0"], /nodes/],
  [["up", "pinot", "--home", "/nowhere"], /\/nowhere: [^]*pinot-spi/],
  [["up", "pinot", "--pulsar-plugin", "/nowhere.jar"], /\/nowhere\.jar/],
  [["up", "pinot", "--nodes", "3"], /--nodes/],
  [["up", "kafka", "--pulsar-plugin", "/nowhere.jar"], /--pulsar-plugin is for pinot/],
  [["down", "nothing-of-this-name"], /nothing-of-this-name/],
  [["shop"], /--postgres/],
  [["shop", "--postgres", "postgresql://127.0.0.1:1/x"], /--kafka|--pulsar|--no-broker/],
  [["shop", "--no-broker", "--postgres", "x", "--port", "99999"], /port/i],
  [["shop", "--no-broker", "--postgres", "postgresql://127.0.0.1:1/x", "--bcrypt-cost", "99"], /99/],
  [["load", "ftp://127.0.0.1/"], /ftp/],
  [["load", "http://127.0.0.1:1/", "--rate", "-5"], /rate/],
  [["auditor"], /--kafka|--pulsar/],
  [["auditor", "--kafka", "127.0.0.1", "--records", "/tmp/x"], /127\.0\.0\.1/],
  [["traffic", "--bias", "1.5"], /1\.5/],
  [["traffic", "--placement", "odd"], /odd/],
  [["pinot"], /subcommand/],
  [["pinot", "create"], /--kafka[^]*--pulsar/],
  [["pinot", "create", "--kafka", "h:1", "--topics", "carts", "--dry-run", "--pinot-version", "0.11.0"], /carts/],
  [["pinot", "create", "--kafka", "h:1", "--stream-setting", "x", "--dry-run"], /--stream-setting x/],
  [["pinot", "create", "--kafka", "h:1", "--dry-run", "--pinot-version", "eleven"], /eleven/],
  [["pinot", "status", "--pinot", "ftp://h"], /ftp:/],
  [["pinot", "drop", "--pinot", "http://127.0.0.1:1"], /--prefix/],
  [["pinot", "drop", "--prefix", "", "--pinot", "http://127.0.0.1:1"], /every table/],
  [["pinot", "sql"], /statement/],
];

for (const [args, pattern] of mistakes) {
  test(`flow ${args.join(" ")}`, () => {
    const end = flow(args, { timeout: 20_000 });
    assert.equal(end.code, 2, end.out + end.err);
    assert.match(end.err, pattern);
  });
}

test("an experiment file with an unknown key is named with its line, and no folder is made", (context) => {
  const folder = scratch(context);
  const file = experimentFile(folder, { blocks: "1\nblokcs: 2" });
  const end = flow(["run", file, "--results", path.join(folder, "results")]);
  assert.equal(end.code, 2);
  assert.match(end.err, /experiment\.yaml:\d+: \/blokcs: unknown key/);
  assert.ok(!fs.existsSync(path.join(folder, "results")));
});

test("a shop without its database says so and ends with 3", () => {
  const end = flow(["shop", "--no-broker", "--postgres", "postgresql://127.0.0.1:1/x", "--port", "0",
    "--admin-port", "0"], { timeout: 60_000 });
  assert.equal(end.code, 3, end.out + end.err);
  assert.match(end.err, /127\.0\.0\.1/);
});

test("a Pinot that is not there is said, and ends with 3", () => {
  const end = flow(["pinot", "sql", "--broker", "http://127.0.0.1:1", "SELECT 1"], { timeout: 60_000 });
  assert.equal(end.code, 3, end.out + end.err);
  assert.match(end.err, /127\.0\.0\.1:1/);
});

test("the tables of a dry run are printed whole without a Pinot", () => {
  const end = flow(["pinot", "create", "--kafka", "h:1", "--dry-run", "--pinot-version", "0.11.0"]);
  assert.equal(end.code, 0, end.out + end.err);
  assert.deepEqual(JSON.parse(end.out).tables.map((table) => table.name),
    ["kafka_users", "kafka_products", "kafka_orders"]);
});

test("a load test against nothing says so and ends with 3", () => {
  const end = flow(["load", "http://127.0.0.1:1/", "--scenario", "get", "--ticks", "1"], { timeout: 60_000 });
  assert.equal(end.code, 3, end.out + end.err);
});

for (const command of ["run", "dashboard", "report", "verify", "demo", "up", "status", "down", "shop", "load", "auditor", "traffic",
  "pinot"]) {
  test(`flow ${command} --help has an example`, () => {
    const end = flow([command, "--help"]);
    assert.equal(end.code, 0);
    assert.match(end.out, /Example/);
  });
}
