// Puts a result folder into the built page, as `flow report` does: for working on the page alone.
//   node render.mjs TEMPLATE RESULT_DIR OUT.html
// SPDX-License-Identifier: Apache-2.0
import {existsSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {basename, join} from "node:path";

const marker = "/*FLOW_DATA*/";

export function embed(template, data) {
  const [head, tail, ...rest] = template.split(marker);
  if (tail === undefined || rest.length > 0) throw new Error(`the template must hold ${marker} once`);
  return head + JSON.stringify(data).replaceAll("<", "\\u003c") + tail;
}

export function loadResult(folder) {
  const read = (path) => JSON.parse(readFileSync(path, "utf8"));
  const trials = readdirSync(join(folder, "trials")).sort()
      .map((id) => join(folder, "trials", id, "trial.json")).filter(existsSync).map(read);
  const analysis = join(folder, "analysis.json");
  return {experiment: read(join(folder, "experiment.json")), trials, ...(existsSync(analysis) && {analysis: read(analysis)})};
}

if (basename(process.argv[1] ?? "") === "render.mjs") {  // Run, not imported.
  const [template, folder, out] = process.argv.slice(2);
  if (!out) {
    console.error("usage: node render.mjs TEMPLATE RESULT_DIR OUT.html");
    process.exit(2);
  }
  writeFileSync(out, embed(readFileSync(template, "utf8"), loadResult(folder)));
}
