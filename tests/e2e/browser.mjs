// Headless Chromium for the end-to-end tests. playwright-core lies in a build folder: the source tree has
// no node_modules.
// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** `given`: a node_modules folder to be tried first. */
export function loadPlaywright(given) {
  const builds = join(here, "../../build");
  const found = existsSync(builds) ? readdirSync(builds).map((name) => join(builds, name, "web/work/node_modules")) : [];
  const folders = [given, process.env.FLOW_WEB_MODULES, ...found].filter((folder) => folder);
  const folder = folders.find((one) => existsSync(join(one, "playwright-core/package.json")));
  if (!folder) throw new Error(`playwright-core not found in ${folders.join(", ") || "build/*/web/work/node_modules"}`);
  return createRequire(join(resolve(folder), "x.js"))("playwright-core");
}

export async function launchBrowser(modules) {
  return loadPlaywright(modules).chromium.launch({
    executablePath: process.env.FLOW_CHROMIUM ?? "/usr/bin/chromium", headless: true, timeout: 30_000,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}
