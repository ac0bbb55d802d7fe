// What each platform does at each rate that the traffic asked for, and how much its tail answers to more.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, section} from "../dom.ts";
import type {Child} from "../dom.ts";
import {significant} from "../format.ts";
import {levelOf} from "../model.ts";
import type {Comparison} from "../model.ts";
import type {LevelVerdict, Result} from "../types.ts";
import {ratesFigure} from "../figures/rates.ts";
import {comparisonTitle} from "./parts.ts";

/** "+0.42 % on Kafka and +1.3 % on Pulsar"; empty where neither is known. */
export function elasticityWords({elasticity, first, second}: LevelVerdict): string {
  const sides = [[first, elasticity?.first], [second, elasticity?.second]] as const;
  return sides.flatMap(([name, slope]) => (typeof slope === "number"
    ? [`${slope < 0 ? "−" : "+"}${significant(Math.abs(slope), 2)} % on ${name}`] : [])).join(" and ");
}

function elasticityParagraph(level: LevelVerdict | undefined): Child {
  const rate = level?.elasticity?.at_requests_per_second;
  const words = level ? elasticityWords(level) : "";
  if (words === "" || typeof rate !== "number") return null;
  return paragraph(
    `At the mean rate of ${significant(rate)} requests per second, 1 % more load changes the p99 of `,
    `${(level?.elasticity?.hop ?? "").replaceAll("_", " ")} by `, h("strong", {}, words),
    " (elasticity, between the two nearest points). Above 1 the tail grows faster than the load, and a ratio of two p99s is no ratio of speeds.");
}

export function ratesSection(result: Result, comparisons: readonly Comparison[],
                             stampsOf: (comparison: Comparison) => Child): Child {
  const parts = comparisons.map((comparison, index) => {
    const level = levelOf(result, comparison);
    const id = index === 0 ? "figure-rates" : `figure-rates-${index + 1}`;
    const figure = ratesFigure(comparison, level, id, stampsOf(comparison));
    return figure ? [comparisonTitle(comparison, comparisons), figure, elasticityParagraph(level)] : null;
  });
  if (parts.every((part) => part === null)) return null;
  return section("rates", "At which load", parts);
}
