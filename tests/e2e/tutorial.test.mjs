// The commands of the tutorial's part by hand, as they stand on the page, one after the other.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { FLOW, ROOT, ownCache, scratch } from "./support.mjs";

test("the tutorial's commands by hand work as they stand", (context) => {
  const folder = scratch(context);
  const page = fs.readFileSync(path.join(ROOT, "docs/tutorial.md"), "utf8");
  const blocks = [...page.matchAll(/```sh\n([^]*?)```/g)].map((match) => match[1]);
  assert.ok(blocks.length >= 5);
  fs.symlinkSync(FLOW, path.join(folder, "flow"));
  const script = `set -euo pipefail\ntrap './flow down --all >/dev/null 2>&1 || true' EXIT\n${blocks.join("\n")}`;

  const run = spawnSync("bash", ["-c", script], {
    cwd: folder, encoding: "utf8", timeout: 240_000, stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FLOW_CACHE: ownCache(folder) },
  });

  const log = path.join(folder, "shop.log");
  const shop = fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
  assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}\n${shop}`);
  assert.match(run.stdout, /orders\s+cents/);
  assert.match(run.stdout, /p50_ms\s+events/);
  assert.match(shop, /stopped: \d+ events, (\d+) acked, 0 rejected, 0 timed out, 0 lost/);
});
