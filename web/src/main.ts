// The report: reads the result that the lab put into the page and lays it out once. No network, no
// state beyond the choices of a reader.
// SPDX-License-Identifier: Apache-2.0
import {unpack} from "./data.ts";
import {h, paragraph, section} from "./dom.ts";
import type {Child} from "./dom.ts";
import {hopCurves} from "./figures/curves.ts";
import {loadFigure, secondsFigure} from "./figures/seconds.ts";
import {trafficSection} from "./figures/traffic.ts";
import {comparisonsOf, nullBrokerOf, separateRepeats} from "./model.ts";
import type {Comparison} from "./model.ts";
import {auditSection} from "./sections/audit.ts";
import {disclosureSection} from "./sections/disclosure.ts";
import {freshnessSection} from "./sections/freshness.ts";
import {header, overview} from "./sections/head.ts";
import {hopSection} from "./sections/hops.ts";
import {comparisonTitle, stamps} from "./sections/parts.ts";
import {ratesSection} from "./sections/rates.ts";
import {partitionSection, resourceSection} from "./sections/resources.ts";
import {setup} from "./sections/setup.ts";
import {validitySection} from "./sections/validity.ts";
import {questionsSection, verdictSection} from "./sections/verdict.ts";
import type {Result} from "./types.ts";

function readResult(text: string): Result {
  const {experiment, trials, analysis, differs_from_default} = JSON.parse(text) as Partial<Result>;
  return separateRepeats({
    experiment: experiment ?? {}, trials: trials ?? [], analysis: analysis ?? {},
    differs_from_default: differs_from_default ?? {},
  });
}

function figureSections(result: Result, comparisons: readonly Comparison[]): Child[] {
  const each = (make: (comparison: Comparison, suffix: string, stamp: () => Child) => Child): Child =>
    comparisons.map((comparison, index) => [
      comparisonTitle(comparison, comparisons),
      make(comparison, index === 0 ? "" : `-${index + 1}`, () => stamps(comparison, result.experiment)),
    ]);
  return [
    section("curves", "The shape of latency",
            each((comparison, suffix, stamp) => hopCurves(comparison, `figure-curves${suffix}`, stamp()))),
    section("seconds", "Over time",
            each((comparison, suffix, stamp) => [
              secondsFigure(comparison, `figure-seconds${suffix}`, stamp()),
              loadFigure(comparison, `figure-load${suffix}`, stamp()),
            ])),
  ];
}

function contents(parts: readonly HTMLElement[]): HTMLElement {
  return h("nav", {"aria-label": "Contents"}, parts.map((part) =>
    h("a", {href: `#${part.id}`}, part.querySelector("h2")?.textContent ?? part.id)));
}

function render(result: Result): Child[] {
  const comparisons = comparisonsOf(result);
  const measured = [...comparisons, ...nullBrokerOf(result)];
  const captionOf = (comparison: Comparison, words: string): Child =>
    [stamps(comparison, result.experiment), " ", words];
  const sections = [
    overview(result, comparisons, captionOf),
    questionsSection(result),
    verdictSection(result),
    setup(result),
    trafficSection(result),
    hopSection(measured, captionOf),
    freshnessSection(comparisons, (comparison) => stamps(comparison, result.experiment), captionOf),
    ratesSection(result, comparisons, (comparison) => stamps(comparison, result.experiment)),
    figureSections(result, comparisons),
    auditSection(measured, captionOf),
    validitySection(result),
    resourceSection(measured, captionOf),
    partitionSection(comparisons, captionOf),
    disclosureSection(result, comparisons),
  ].flat(3).filter((part): part is HTMLElement => part instanceof HTMLElement);
  return [
    header(result), contents(sections), sections,
    h("footer", {}, paragraph(
      "Made by Flow from ", h("code", {}, "experiment.json"), " and the ", h("code", {}, "trial.json"),
      " files of this result; they are inside this file too, but for the raw histograms. It loads nothing.")),
  ];
}

async function show(main: HTMLElement, text: string): Promise<void> {
  if (text.startsWith("/*")) {
    main.replaceChildren(paragraph("This is the empty report page: no result has been put into it."));
    return;
  }
  const result = readResult(await unpack(text));
  document.title = `${result.experiment.name ?? "Flow"} · Flow report`;
  main.replaceChildren();
  const put = (child: Child): void => {
    if (Array.isArray(child)) child.forEach(put);
    else if (child instanceof Node) main.append(child);
  };
  put(render(result));
}

const main = document.getElementById("main");
if (main) {
  show(main, document.getElementById("flow-data")?.textContent ?? "").catch((error: unknown) => {
    main.replaceChildren(paragraph(error instanceof Error ? error.message : String(error)));
    throw error;  // To the console too.
  });
}
