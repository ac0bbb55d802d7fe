// From a click to a chart: when an event shows up in a query, measured in three ways, whose share it
// was, and whether Pinot's answers agree with the database.
// SPDX-License-Identifier: Apache-2.0
import {analyticsTroubles, hasAnalytics, hasTwoIngestions, resolutionWords, streamWords} from "../analytics.ts";
import {h, paragraph, section, value} from "../dom.ts";
import type {Child} from "../dom.ts";
import {curveFigure} from "../figures/curves.ts";
import {freshnessFigure} from "../figures/freshness.ts";
import {count, listed} from "../format.ts";
import type {Block, Comparison} from "../model.ts";
import {checkTable, classTable, commitList, countTable, faultList, measureTable, probeTable, queryTable, shareTable,
        sidesOf} from "./analytics_tables.ts";
import type {Side} from "./analytics_tables.ts";
import {byBlock, comparisonTitle} from "./parts.ts";

type CaptionOf = (comparison: Comparison, words: string) => Child;

/** A heading and a sentence before a table; nothing where there is no table. */
function part(title: string, words: Child, content: Child): Child {
  return content ? [h("h3", {}, title), words ? paragraph(words) : null, content] : null;
}

function ingestionNote(comparison: Comparison): Child {
  const streams = streamWords(comparison);
  if (!hasTwoIngestions(comparison)) return null;
  const read = streams.length === 0 ? "Pinot's ingestion code differs by platform"
    : `Pinot reads ${listed(streams)}: its ingestion code differs by platform`;
  return h("div", {class: "honesty", role: "note"}, paragraph(
    h("strong", {}, "Not the brokers alone. "),
    `${read}, so a difference of freshness is not the brokers' alone. The shares stand apart under “Whose share”.`));
}

function troubleNote(sides: readonly Side[]): Child {
  const items = sides.flatMap(({trial}) => {
    const troubles = trial ? analyticsTroubles(trial) : [];
    return trial && troubles.length > 0
      ? [h("li", {}, h("strong", {}, `${trial.id}: `), `${troubles.join("; ")}.`.replace(/\.\.$/, "."))] : [];
  });
  if (items.length === 0) return null;
  return h("div", {class: "trouble", role: "note"},
    h("strong", {}, "✗ Read with care. "), "Freshness of rows that are not there, or that are wrong, says little.",
    h("ul", {}, items));
}

function asSentence(text: string): string {
  return ` ${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace(/\.\.$/, ".");
}

/** What the trials' own files say about a part: once, or by side where they say different things. */
function wordsOf(sides: readonly Side[], words: (side: Side) => string | undefined): string {
  const said = sides.flatMap((side) => (words(side) ? [{label: side.series.label, text: words(side) ?? ""}] : []));
  if (new Set(said.map(({text}) => text)).size < 2) return said[0] ? asSentence(said[0].text) : "";
  return said.map(({label, text}) => asSentence(`${label}: ${text}`)).join("");
}

/** How often the dashboard asked, by the first side that says so: the plan is the same for all. */
function rateOf(sides: readonly Side[]): Child {
  const trial = sides.find(({analytics}) => analytics?.queries_per_second !== undefined)?.trial;
  return trial ? [", ", value(trial, "analytics.queries_per_second", "number"), " per second"] : null;
}

function blockParts(comparison: Comparison, block: Block, captionOf: CaptionOf): Child {
  const sides = sidesOf(comparison, block);
  if (!sides.some(({analytics}) => analytics)) return paragraph("No trial of this block has analytics.");
  const caption = (words: string): Child => captionOf(comparison, words);
  return [
    troubleNote(sides),
    part("In bursts, after them, in calm", null,
      classTable(sides, caption("Freshness by what the traffic and Pinot did in the second of the event, in milliseconds."))),
    part("Whose share", [
      wordsOf(sides, ({analytics}) => analytics?.broker_share?.words), " Each share has its own quantiles: they do not add up to those ",
      "of freshness. The auditor and Pinot are two readers of one topic, and Pinot's clock shows whole milliseconds."],
      shareTable(sides, caption("The broker's share against ingestion's, of the same events, in milliseconds."))),
    part("Three measures of one thing",
      "They should agree within what each leaves out. Where the first two do not, the one by row is not the whole story.",
      measureTable(sides, caption("Freshness in milliseconds, by three measures."))),
    part("What the probe sees, and costs", wordsOf(sides, ({analytics}) => analytics?.probe?.words).trim() || null,
      probeTable(sides, caption("A probe that looks more often sees finer and costs more."))),
    part("Do the answers agree with the database?",
      "Asked after the drain, when every event is in: the same totals from PostgreSQL, which the shop writes, and from Pinot.",
      checkTable(sides, caption("Both numbers of every check."))),
    part("Is every event a row, once?", [
      "Rows are matched with the events that the auditor read, copies in the topic included, by trace id. Missing: in the topic, ",
      "and no row. Doubled: more rows than copies. Unknown: a row of an event that nobody read. Late rows could be queried more ",
      "than a second after their intended time; they are no error. Rows without a stamp name no event and are in no histogram."],
      countTable(sides, caption("Rows of Pinot's tables against the events of their topics."))),
    part("Dashboard queries meanwhile", [
      "Sent by a schedule of their own, whether or not the last one was answered", rateOf(sides), ". Staleness: the age, when the ",
      "query was sent, of the oldest acked event that Pinot did not have yet; 0 when it had all."],
      queryTable(sides, caption("Load of dashboard queries while events arrive. Grey: too few samples to tell the quantile from the maximum."))),
    part("What was done to it", null, faultList(sides)),
    part("Segment commits", "A commit stops its partition until the segment is built: what arrives then has to wait.",
      commitList(sides)),
  ];
}

const origins: Record<string, string> = {
  started: "started by Flow beside the platform", running: "a cluster that was running before",
};

/** Version and origin of Pinot; named by side where they differ. */
function facts(comparison: Comparison): Child {
  const words = comparison.series.flatMap(({cell, label}) => {
    const pinot = comparison.blocks.map(({trials}) => trials.get(cell.id)?.analytics?.pinot).find((one) => one);
    if (!pinot) return [];
    const parts = [`Pinot ${pinot.version ?? "of unknown version"}`, origins[pinot.origin ?? ""] ?? pinot.origin,
                   pinot.segment_rows === undefined ? null : `segments committed at ${count(pinot.segment_rows)} rows`];
    return [{label, text: parts.filter((one) => one).join(", ")}];
  });
  const same = new Set(words.map(({text}) => text)).size < 2;
  if (words.length === 0) return null;
  return paragraph(same ? `${words[0]?.text ?? ""}.` : `${words.map(({label, text}) => `${label}: ${text}`).join("; ")}.`);
}

function comparisonParts(comparison: Comparison, suffix: string, stamp: () => Child, captionOf: CaptionOf): Child {
  return [
    facts(comparison),
    ingestionNote(comparison),
    curveFigure(comparison, `figure-freshness-curves${suffix}`, stamp(), {
      title: "Freshness by quantile", label: "Measure", hops: ["queryable", "probe", "end_to_end", "query"],
      axisLabel: "time from intended",
      caption: ["One sample is one row, one sampled event or one query; end to end is the time to the auditor, which reads the ",
                "same topics. Rows are timed in whole milliseconds",
                resolutionWords(comparison) ? ` (${resolutionWords(comparison)})` : "", ". "],
    }),
    freshnessFigure(comparison, `figure-freshness${suffix}`, stamp()),
    byBlock(comparison, (block) => blockParts(comparison, block, captionOf)),
  ];
}

export function freshnessSection(comparisons: readonly Comparison[], stampOf: (comparison: Comparison) => Child,
                                 captionOf: CaptionOf): Child {
  const measured = comparisons.filter(hasAnalytics);
  if (measured.length === 0) return null;
  return section("freshness", "Freshness: from a click to a chart",
    paragraph(
      "An event reaches its reader when a query returns it. Freshness is ", h("em", {}, "queryable"), " − ",
      h("em", {}, "intended"), ": from the moment at which the schedule wanted the click to the moment at which Apache Pinot had ",
      "its row. Everything on the way is inside: the shop, the broker, Pinot's ingestion."),
    measured.map((comparison, index) => [
      comparisonTitle(comparison, measured),
      comparisonParts(comparison, index === 0 ? "" : `-${index + 1}`, () => stampOf(comparison), captionOf),
    ]));
}
