// What the blocks allow to conclude: a sentence per level, the forest plot behind it, the tests, and
// the other metrics, labelled as what they are.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, section, table, td, tdNumber, th, thNumber, thRow, tr} from "../dom.ts";
import type {Child} from "../dom.ts";
import {plural, significant} from "../format.ts";
import {forestFigure} from "../figures/forest.ts";
import {shiftFigure} from "../figures/shift.ts";
import type {Interval, LevelVerdict, Result} from "../types.ts";

function intervalText(interval: Interval | null | undefined): string {
  if (!interval) return "–";
  const end = (value: number | null): string => (value === null ? "unbounded" : significant(value));
  return `${end(interval.lower)} to ${end(interval.upper)}`;
}

function numberText(value: number | null | undefined): string {
  return typeof value === "number" ? significant(value) : "–";
}

function testsTable(level: LevelVerdict): HTMLElement {
  const rows: [string, string][] = [
    ["Blocks that count", String(level.blocks ?? 0)],
    ["Ratio (Hodges–Lehmann)", numberText(level.ratio)],
    ["Interval, simultaneous over the primaries", intervalText(level.interval_simultaneous)],
    ["Interval, 95 % by itself", intervalText(level.interval_95)],
    ["p, exact signed rank (Holm)", numberText(level.p_holm?.signed_rank)],
    ["p, sign flips of the mean (Holm)", numberText(level.p_holm?.sign_flip)],
    ["p, paired t (Holm)", numberText(level.p_holm?.paired_t)],
    ["Noise floor: 95 % of a platform against itself", numberText(level.noise_floor?.ratio)],
    ["Blocks needed, about", numberText(level.blocks_needed)],
  ];
  return table(`How the verdict at level ${level.level} came about: ${level.words ?? ""}.`,
               tr(th("Quantity"), thNumber("Value")), rows.map(([name, value]) => tr(thRow(name), tdNumber(value))),
               {class: "narrow"});
}

function secondaryTable(level: LevelVerdict): Child {
  const rows = level.secondaries ?? [];
  if (rows.length === 0) return null;
  return table(
    `Exploratory, level ${level.level}: other metrics, ${level.second} ÷ ${level.first}. They are told different with ` +
    "a false discovery rate of 10 %, and mean something only where the primary metric is decided.",
    tr(th("Metric"), thNumber("Ratio"), th("95 % by itself"), thNumber("p adjusted"), th("Different")),
    rows.map((row) => tr(thRow(row.metric), tdNumber(numberText(row.ratio)), td(intervalText(row.interval_95)),
                         tdNumber(numberText(row.p_adjusted)),
                         td(!row.is_different ? "no" : row.is_interpreted ? "yes" : "yes, not interpreted"))));
}

/** True when some level has a verdict, "cannot tell" included. */
export function hasVerdict({analysis}: Result): boolean {
  return (analysis?.levels ?? []).some(({verdict}) => verdict !== undefined && verdict !== "estimate");
}

export function sentencesOf({analysis}: Result): string[] {
  return analysis?.sentences ?? [];
}

/** What the experiment file asks by name. */
export function questionsSection({analysis}: Result): Child {
  const questions = analysis?.questions ?? [];
  if (questions.length === 0) return null;
  return section("questions", "The questions of this experiment", questions.map(({name, text, sentences = []}) => [
    h("h3", {}, `${name}. ${text}`),
    sentences.length === 0 ? paragraph("No block of its levels can be judged.")
      : h("ul", {}, sentences.map((sentence) => h("li", {}, sentence))),
  ]));
}

export function verdictSection(result: Result): Child {
  const levels = (result.analysis?.levels ?? []).filter(({blocks}) => (blocks ?? 0) > 1);
  if (levels.length === 0) return null;
  return section("verdict", "What the blocks say",
    result.analysis?.preregistered === false
      ? h("div", {class: "banner", role: "note"}, h("strong", {class: "banner-title"}, "⚠ CHANGED AFTER THE START"),
          paragraph("Settings or plan are not those that were stored before the first trial."))
      : null,
    levels.map((level, index) => [
      h("h3", {}, `Level ${level.level}`),
      paragraph(level.like_for_like === false ? h("strong", {}, "NOT LIKE FOR LIKE: ") : null, level.sentence ?? ""),
      forestFigure(level, index === 0 ? "figure-forest" : `figure-forest-${index + 1}`),
      level.shift?.crosses ? paragraph(h("strong", {}, level.shift.sentence ?? "")) : paragraph(level.shift?.sentence ?? ""),
      shiftFigure(level, index === 0 ? "figure-shift" : `figure-shift-${index + 1}`),
      level.components?.sentence
        ? paragraph(h("strong", {}, "Where to spend the next hour. "), level.components.sentence) : null,
      testsTable(level),
      secondaryTable(level),
    ]),
    paragraph(`Below ${plural(levels[0]?.blocks_min ?? 7, "block")} there are numbers and no verdict. The block is the `,
              "unit: the requests of one trial share its machine, its minute and its bursts."));
}
