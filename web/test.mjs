// Type check, then the unit tests: bundled first, because node 18 cannot read TypeScript.
// SPDX-License-Identifier: Apache-2.0
import {spawnSync} from "node:child_process";
import {mkdtempSync, readdirSync, rmSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {build} from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(here, ".test-"));

function run(command, args) {
  return spawnSync(command, args, {stdio: "inherit", cwd: here}).status ?? 1;
}

try {
  let status = run(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--noEmit"]);
  const tests = readdirSync(join(here, "tests")).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => join(here, "tests", name)),
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outExtension: {".js": ".mjs"},
    outdir: out,
    logLevel: "warning",
  });
  const files = readdirSync(out).map((name) => join(out, name));
  status ||= run(process.execPath, ["--test", ...files]);
  process.exitCode = status;
} finally {
  rmSync(out, {recursive: true, force: true});
}
