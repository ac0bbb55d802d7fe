// The head of the page: question, what may be concluded, the few numbers most readers came for.
// SPDX-License-Identifier: Apache-2.0
import {analyticsTroubles, checksHeld, hasAnalytics, hasTwoIngestions, resolutionWords, tableTotal} from "../analytics.ts";
import {derived, h, paragraph, section, table, tdNumber, th, thNumber, thRow, tr, value, verdict}
  from "../dom.ts";
import type {Child} from "../dom.ts";
import {count, listed, moment, percent, plural} from "../format.ts";
import {blocksForVerdict, median, valuesOf} from "../model.ts";
import type {Comparison, Series} from "../model.ts";
import type {Experiment, Result, Trial} from "../types.ts";
import {tickName} from "../figures/traffic.ts";
import {key} from "./parts.ts";
import {hasVerdict, sentencesOf} from "./verdict.ts";

const summaryColumns: readonly (readonly [string, string])[] = [
  ["hops.response_time.p99_ns", "Response p99"],
  ["hops.publish_response.p99_ns", "Publish response p99"],
  ["hops.end_to_end.p50_ns", "End to end p50"],
  ["hops.end_to_end.p99_ns", "End to end p99"],
  ["hops.end_to_end.max_ns", "End to end max"],
];

export function blockCount(result: Result): number {
  const run = new Set(result.trials.map((trial) => trial.block).filter((block) => block > 0)).size;
  return Math.max(result.experiment.plan?.blocks ?? 0, run);
}

function verdictWords(result: Result, blocks: number, isCompared: boolean): string {
  if (!isCompared) return "Only one platform was run: nothing is compared here.";
  if (blocks < blocksForVerdict) {
    return `${blocks === 1 ? "One block" : plural(blocks, "block")} cannot show that two platforms differ (at least ` +
           `${blocksForVerdict} are needed). These are numbers, measured on this machine, and ` +
           `not a ranking.`;
  }
  return sentencesOf(result).join(" ") || `${count(blocks)} blocks, shown one by one.`;
}

function honesty(result: Result, blocks: number, isCompared: boolean): HTMLElement {
  const words = result.experiment.estimate?.words;
  if (hasVerdict(result)) {
    return h("div", {class: "honesty", role: "note"},
      sentencesOf(result).map((sentence) => h("p", {class: "stamp-line"}, sentence)),
      paragraph("By ", h("a", {href: "#verdict"}, "the blocks, taken together"), "."));
  }
  return h("div", {class: "honesty", role: "note"},
    words ? h("p", {class: "stamp-line"}, words) : null,
    paragraph(h("strong", {}, "No verdict. "), verdictWords(result, blocks, isCompared)));
}

export function likeForLikeBanner(comparisons: readonly Comparison[]): Child[] {
  return comparisons.filter((one) => !one.isLikeForLike).map((one) =>
    h("div", {class: "banner", role: "note"},
      h("strong", {class: "banner-title"}, "⚠ NOT LIKE FOR LIKE"),
      one.reasons.map((reason) => paragraph(`${reason}.`.replace(/\.\.$/, "."))),
      paragraph("A difference between the platforms below may be the price of the promise and not of ",
                "the platform.")));
}

function troubles(trials: readonly Trial[], planned: number): Child {
  const unfinished = trials.filter((trial) => (trial.state ?? "complete") !== "complete");
  const invalid = trials.filter((trial) => trial.valid === false &&
                                           (trial.state ?? "complete") === "complete");
  const items: Child[] = unfinished.map((trial) =>
    h("li", {}, h("strong", {}, `${trial.id}: ${trial.state ?? ""}`), ` – ${trial.state_words ?? ""}`));
  for (const trial of invalid) {
    const broken = (trial.gates ?? []).filter((gate) => !gate.holds)
        .map((gate) => gate.words ?? gate.name);
    const sums = (trial.sums ?? []).filter((sum) => !sum.holds).length;
    if (sums > 0) broken.push(`${plural(sums, "sum")} of the audit do not hold`);
    items.push(h("li", {}, h("strong", {}, `${trial.id}: not valid`), ` – ${broken.join("; ")}`));
  }
  for (const trial of trials) {
    const wrong = analyticsTroubles(trial);
    if (wrong.length > 0) items.push(h("li", {}, h("strong", {}, trial.id), ` – ${wrong.join("; ")}`));
  }
  if (planned > trials.length) {
    items.push(h("li", {}, h("strong", {}, `${plural(planned - trials.length, "planned trial")} not run`)));
  }
  if (items.length === 0) return null;
  return h("div", {class: "trouble", role: "note"},
    h("strong", {}, "Read with care. "),
    "These trials are not complete or not valid, or their analytics is not; their numbers are shown all the same.",
    h("ul", {}, items));
}

function summaryCell(comparison: Comparison, {cell}: Series, path: string): HTMLElement {
  const only = comparison.blocks.length === 1 ? comparison.blocks[0]?.trials.get(cell.id) : undefined;
  if (comparison.blocks.length === 1) return tdNumber(value(only, path, "ms"));
  const values = valuesOf(comparison, cell.id, path);
  return tdNumber(derived(median(values), "ms", "median-of-blocks",
                          {"data-cell": cell.id, "data-path": path}));
}

function summaryRow(comparison: Comparison, series: Series): HTMLElement {
  const trials = comparison.blocks.flatMap(({trials: of}) => of.get(series.cell.id) ?? []);
  const valid = trials.filter((trial) => trial.valid).length;
  const audit = (name: string): HTMLElement => {
    const known = trials.flatMap((trial) => trial.phases?.["measured"]?.audit?.[name] ?? []);
    const total = known.length === 0 ? NaN : known.reduce((sum, one) => sum + one, 0);
    return h("td", {class: total > 0 ? "n bad" : "n"}, total > 0 ? "✗ " : null,
             derived(total, "count", "sum-of-trials",
                     {"data-cell": series.cell.id, "data-path": `phases.measured.audit.${name}`}));
  };
  return tr(
    thRow(key(series), series.label),
    summaryColumns.map(([path]) => summaryCell(comparison, series, path)),
    audit("missing"), audit("duplicated"),
    h("td", {class: "whole"}, verdict(trials.length > 0 && valid === trials.length, `${valid} of ${trials.length}`,
               `${valid} of ${trials.length}`)));
}

function summary(comparison: Comparison, caption: Child): HTMLElement {
  const head = tr(th("Platform"), summaryColumns.map(([, name]) => thNumber(name, h("small", {}, " ms"))),
                  thNumber("Lost events"), thNumber("Dupli\u00adcated"), th("Valid trials"));
  return table(caption, head, comparison.series.map((series) => summaryRow(comparison, series)));
}

const freshnessColumns: readonly (readonly [string, string])[] = [
  ["hops.queryable.p50_ns", "Freshness p50"],
  ["hops.queryable.p99_ns", "Freshness p99"],
  ["hops.queryable.max_ns", "Freshness max"],
  ["hops.query.p99_ns", "Dashboard query p99"],
];

/** The sum over tables and trials of a count that should be 0. */
function lossCell(trials: readonly Trial[], {cell}: Series, name: string): HTMLElement {
  const known = trials.map(({analytics}) => tableTotal(analytics, name)).filter(Number.isFinite);
  const total = known.length === 0 ? NaN : known.reduce((sum, one) => sum + one, 0);
  return h("td", {class: total > 0 ? "n bad" : "n"}, total > 0 ? "✗ " : null,
           derived(total, "count", "sum-of-tables", {"data-cell": cell.id, "data-path": name}));
}

function freshnessRow(comparison: Comparison, series: Series): HTMLElement {
  const trials = comparison.blocks.flatMap(({trials: of}) => of.get(series.cell.id) ?? []);
  const checks = trials.map(checksHeld);
  const [held, all] = [checks.reduce((sum, one) => sum + one.held, 0), checks.reduce((sum, one) => sum + one.all, 0)];
  const isComplete = trials.length > 0 && trials.every(({analytics}) => analytics && analytics.complete !== false);
  return tr(
    thRow(key(series), series.label),
    freshnessColumns.map(([path]) => summaryCell(comparison, series, path)),
    lossCell(trials, series, "missing"), lossCell(trials, series, "doubled"),
    h("td", {class: "whole"}, all === 0 ? h("span", {class: "no"}, "✗ not checked")
      : verdict(held === all, `${count(held)} of ${count(all)}`, `${count(held)} of ${count(all)}`),
      isComplete ? null : h("span", {class: "flaw"}, " ✗ not complete")));
}

/** The same for trials with analytics: from the click to a row that can be queried. */
function freshnessSummary(comparison: Comparison, caption: Child): Child {
  if (!hasAnalytics(comparison)) return null;
  const head = tr(th("Platform"), freshnessColumns.map(([, name]) => thNumber(name, h("small", {}, " ms"))),
                  thNumber("Missing from Pinot"), thNumber("Dou\u00adbled"), th("Agrees with database"));
  return table(caption, head, comparison.series.map((series) => freshnessRow(comparison, series)));
}

function busiest(result: Result, comparison: Comparison): string {
  const workload = result.experiment.workloads?.[comparison.workload];
  const share = workload?.facts?.busiest_tick_share ?? 0;
  if (!(share >= 0.01)) return "";
  const name = Object.keys(result.experiment.workloads ?? {}).length > 1 ? ` of “${comparison.workload}”` : "";
  return ` The busiest ${tickName(workload ?? {})}${name} holds ${percent(share)} of all requests and so decides ` +
         `the p99, unless something stalls outside it.`;
}

export function header(result: Result): HTMLElement {
  const {experiment, trials} = result;
  const title = experiment.question || experiment.name || "Flow experiment";
  const facts = [
    experiment.name ? `Experiment “${experiment.name}”` : null,
    experiment.created_unix_ns ? moment(experiment.created_unix_ns) : null,
    `${plural(trials.length, "trial")} in ${plural(blockCount(result), "block")}`,
    experiment.flow ? `Flow ${experiment.flow.version ?? ""} (${experiment.flow.commit ?? "?"})` : null,
  ].filter((fact) => fact !== null);
  return h("header", {class: "title"},
    h("p", {class: "kicker"}, "Flow · measurement report"),
    h("h1", {}, title),
    h("p", {class: "facts"}, facts.join(" · ")),
    experiment.flow?.is_sanitized
      ? h("div", {class: "banner", role: "note"}, h("strong", {class: "banner-title"}, "⚠ SANITIZED BUILD"),
          paragraph("Flow was built with sanitizers: no number here may be published."))
      : null);
}

export function overview(result: Result, comparisons: readonly Comparison[],
                         captionOf: (comparison: Comparison, words: string) => Child): HTMLElement {
  const blocks = blockCount(result);
  return section("summary", "In short",
    honesty(result, blocks, comparisons.some(({series}) => series.length > 1)),
    likeForLikeBanner(comparisons),
    troubles(result.trials, result.experiment.plan?.order?.length ?? 0),
    comparisons.map((comparison) => {
      const what = blocks > 1
        ? `Median of the blocks' values (trials that measured nothing are left out), ${comparison.title}.`
        : `Measured phase, ${comparison.title}.`;
      return [summary(comparison, captionOf(comparison, what)),
              freshnessSummary(comparison, captionOf(comparison, freshnessCaption(comparison)))];
    }),
    paragraph(
      "Times count from the moment at which the schedule ", h("em", {}, "intended"), " a request to start, ",
      "so waiting behind a stall is inside them.",
      [...new Set(comparisons.map((comparison) => busiest(result, comparison)))]),
    warningsOf(result.experiment));
}

function freshnessCaption(comparison: Comparison): string {
  const resolution = resolutionWords(comparison);
  return `Freshness: from the intended click to a row that Pinot can be asked for${resolution && ` (${resolution})`}, ` +
         `${comparison.blocks.length > 1 ? "median of the blocks' values" : "measured phase"}, ${comparison.title}.` +
         (hasTwoIngestions(comparison) ? " Not the brokers alone: the ingestion code differs by platform." : "");
}

function warningsOf({warnings}: Experiment): Child {
  if (!warnings?.length) return null;
  return paragraph(h("strong", {}, "Warnings: "), `${listed(warnings)}.`);
}
