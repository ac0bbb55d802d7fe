// Results side by side: headline quantiles for each cell, and what differs besides.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, table, td, tdNumber, th, thNumber, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {milliseconds, missing, plural, ratio} from "../format.ts";
import {ask} from "./access.ts";
import {differences, unfairLevels} from "./fairness.ts";
import type {View} from "./now.ts";
import type {HeadlineHop, Headlines, ResultRow} from "./types.ts";

const hops = [["response_time", "Response time"], ["publish_response", "Publish response"],
              ["end_to_end", "End to end"]] as const;
const quantiles = [["p50_ns", "p50"], ["p99_ns", "p99"], ["p99_9_ns", "p99.9"]] as const;

function number(hop: HeadlineHop | undefined, key: (typeof quantiles)[number][0]): string {
  const ns = hop?.[key];
  if (typeof ns === "number") return milliseconds(ns);
  return ns === null && hop?.count ? "> measured" : missing;
}

function cellRows(cell: string, all: readonly Headlines[], stamps: () => Child): HTMLElement[] {
  const sides = all.map((one) => one.cells.find(({id}) => id === cell));
  const trials = sides.map((side) =>
    (side ? h("small", {}, `${plural(side.trials_complete, "trial")}, ${side.trials_valid} valid`) : missing));
  const head = h("tr", {class: "group"}, h("th", {scope: "rowgroup"}, cell, " ", stamps()),
                 trials.map((words) => tdNumber(words)), sides.length === 2 ? td() : null);
  const lines = hops.flatMap(([hop, name]) => quantiles.map(([key, quantile]) => {
    const [base, other] = sides.map((side) => side?.hops[hop]?.[key] ?? NaN);
    return tr(h("th", {scope: "row", class: "sub"}, `${name} ${quantile}`),
      sides.map((side) => tdNumber(number(side?.hops[hop], key))),
      sides.length === 2 ? h("td", {class: "n ratio"}, ratio(base ?? NaN, other ?? NaN)) : null);
  }));
  return [head, ...lines];
}

/** Those that most results have first. */
function cellsOf(all: readonly Headlines[]): string[] {
  const counts = new Map<string, number>();
  for (const {id} of all.flatMap((one) => one.cells)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, more]) => more - many || a.localeCompare(b)).map(([id]) => id);
}

function comparisonTable(all: readonly Headlines[], stamps: () => Child): HTMLElement {
  const title = (one: Headlines): Child => [one.experiment.name ?? one.name, h("small", {}, ` ${one.name}`)];
  return table(
    "Quantiles over all complete trials of a cell, from their merged histograms, in ms. A ratio of two runs decides nothing.",
    tr(th("Cell"), all.map((one) => thNumber(title(one))), all.length === 2 ? thNumber("second ÷ first") : null),
    cellsOf(all).flatMap((cell) => cellRows(cell, all, stamps)), {class: "grouped compare"});
}

function content(all: readonly Headlines[]): Node[] {
  const differs = differences(all);
  const reasons = unfairLevels(all);
  const isFair = reasons.length === 0 && differs.length === 0;
  const isEstimate = all.some((one) => one.experiment.estimate?.is_estimate);
  const stamps = (): Child[] => [isEstimate ? h("span", {class: "stamp"}, "ESTIMATE") : null,
                                 isFair ? null : h("span", {class: "stamp loud"}, "NOT LIKE FOR LIKE")];
  const banner = h("div", {class: "banner", role: "note"},
    h("strong", {class: "banner-title"}, "⚠ NOT LIKE FOR LIKE"),
    differs.length > 0 ? paragraph(`Between these results: ${differs.join("; ")}.`) : null,
    reasons.length > 0 ? paragraph(`Between the platforms: ${reasons.join("; ")}.`) : null);
  return isFair ? [comparisonTable(all, stamps)] : [banner, comparisonTable(all, stamps)];
}

export interface CompareView extends View {
  choose(names: readonly string[]): void;
}

export function compareView(): CompareView {
  const body = h("div", {"aria-live": "polite"});
  const element = h("section", {id: "compare", "aria-labelledby": "compare-title"},
    h("h2", {id: "compare-title"}, "Side by side"), body);
  element.hidden = true;
  const known = new Map<string, {key: string; headlines: Headlines}>();
  let rows: readonly ResultRow[] = [];
  let shown = "";

  const fetched = async (name: string): Promise<Headlines> => {
    const row = rows.find((one) => one.name === name);
    const key = `${row?.state ?? ""} ${row?.trials_done ?? 0}`;
    const before = known.get(name);
    if (before?.key === key) return before.headlines;
    const headlines = await (await ask(`/api/results/${encodeURIComponent(name)}`)).json() as Headlines;
    known.set(name, {key, headlines});
    return headlines;
  };
  return {
    element,
    update(state) { rows = state.results.results; },
    choose(names) {
      element.hidden = names.length < 2;
      const key = JSON.stringify(names.map((name) => [name, rows.find((one) => one.name === name)?.trials_done]));
      if (element.hidden || key === shown) return;
      shown = key;
      Promise.all(names.map(fetched)).then((all) => {
        if (key === shown) body.replaceChildren(...content(all));
      }).catch((error: unknown) => {
        body.replaceChildren(paragraph(h("span", {class: "bad"}, `They cannot be compared: ${String(error)}`)));
        shown = "";
      });
    },
  };
}
