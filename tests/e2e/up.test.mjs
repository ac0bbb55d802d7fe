// Servers that stay: `flow up`, `flow status` and `flow down`, with the quickest of them.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";

import { flow, ownCache, scratch } from "./support.mjs";

test("several servers are ended by name or all at once, never by surprise", (context) => {
  const env = { ...process.env, FLOW_CACHE: ownCache(scratch(context)) };
  const call = (...args) => flow(args, { env });
  const names = () => JSON.parse(call("status", "--json").out).up.map((entry) => entry.name);
  context.after(() => call("down", "--all"));

  assert.equal(call("up", "postgres").code, 0);
  assert.equal(call("up", "postgres", "--name", "other").code, 0);
  assert.deepEqual(names(), ["other", "postgres"]);

  const unclear = call("down");
  assert.equal(unclear.code, 2, unclear.out);
  assert.match(unclear.err, /other, postgres, or --all/);
  assert.equal(call("down", "other", "--all").code, 2);
  assert.deepEqual(names(), ["other", "postgres"]);

  assert.equal(call("down", "other").code, 0);
  assert.deepEqual(names(), ["postgres"]);
  const last = call("down");  // There is only one that can be meant.
  assert.equal(last.code, 0, last.err);
  assert.match(last.out, /postgres is down/);

  assert.match(call("down", "--all").out, /Nothing is up/);
});
