// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/diff.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "lab/judge/analysis.hpp"
#include "lab/judge/inference_document.hpp"
#include "lab/judge/inference_words.hpp"
#include "lab/result/lenient_json.hpp"

namespace flow::lab {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// Values of one result by cell, then by block.
using Values = std::map<std::string, std::map<std::uint32_t, double>>;

struct Side {
  Values values;
  Values repeats;                                // A/A trials, of the cell that they repeat.
  std::map<std::string, std::string> schedules;  // By "workload/block": the hash.
};

Side read_side(const object& result, const std::string& primary) {
  Side side;
  for (const auto& trial : result.at("trials").as_array()) {
    const object& one = trial.as_object();
    const value* repeat = one.if_contains("is_repeat");
    const value* block = one.if_contains("block");
    if (!block || !block->is_number() || block->to_number<std::uint32_t>() == 0) continue;
    const bool is_repeat = repeat && repeat->is_bool() && repeat->as_bool();
    const auto number = block->to_number<std::uint32_t>();
    if (number == 0) continue;  // The null broker's: before the blocks, and no platform.
    auto& values = is_repeat ? side.repeats : side.values;
    values[text_at(trial, "cell")][number] = metric_value(trial, primary);
    side.schedules[fmt::format("{}/{}", text_at(trial, "workload"), number)] =
        text_at(trial, "schedule_hash");
  }
  return side;
}

LevelBlocks pair_up(const std::string& cell, const Side& before, const Side& after,
                    const std::string& metric) {
  LevelBlocks level;
  level.level = cell;
  level.primary.metric = metric;
  const auto& old_values = before.values.at(cell);
  for (const auto& [block, new_value] : after.values.at(cell)) {
    const auto at = old_values.find(block);
    level.primary.blocks.push_back(
        {block, at == old_values.end() ? no_value : at->second, new_value});
  }
  return level;
}

// What two trials of the same differ by, in both results.
std::vector<BlockPair> same_pairs(const Side& before, const Side& after) {
  std::vector<BlockPair> pairs;
  for (const Side* side : {&before, &after}) {
    for (const auto& [cell, blocks] : side->repeats) {
      const auto originals = side->values.find(cell);
      if (originals == side->values.end()) continue;
      for (const auto& [block, again] : blocks) {
        const auto at = originals->second.find(block);
        if (at != originals->second.end()) pairs.push_back({block, at->second, again});
      }
    }
  }
  return pairs;
}

// Whether the whole interval lies beyond the margin.
bool is_beyond(const LevelInference& level, double margin) {
  const double limit = std::log1p(margin);
  return level.simultaneous &&
         (level.simultaneous->lower > limit || level.simultaneous->upper < -limit);
}

Change change_of(const LevelInference& level, double margin) {
  // Results without A/A trials have no noise floor; the notes say so.
  const bool lacks_floor_only =
      level.verdict == Verdict::different && level.doubt == Doubt::floor_unknown;
  if (level.verdict == Verdict::lower || (lacks_floor_only && is_beyond(level, margin))) {
    return level.log_ratio < 0 ? Change::better : Change::worse;
  }
  switch (level.verdict) {
    case Verdict::equivalent:
    case Verdict::different_but_equivalent:
      return Change::same;
    case Verdict::lower:
    case Verdict::different:
    case Verdict::inconclusive:
    case Verdict::estimate:
      break;
  }
  return Change::unknown;
}

std::vector<std::string> notes_of(const object& before, const object& after, const Side& a,
                                  const Side& b) {
  std::vector<std::string> notes = {
      "The two results were not run in turn: what changed on the machine between them is in the "
      "difference"};
  for (const auto* fact : {"cpu_model", "kernel", "host_name"}) {
    const std::string path = fmt::format("host/{}", fact);
    const std::string was = text_at(before.at("experiment"), path);
    const std::string is = text_at(after.at("experiment"), path);
    if (was != is) notes.push_back(fmt::format("{}: '{}' before, '{}' after", fact, was, is));
  }
  if (a.repeats.empty() && b.repeats.empty()) {
    notes.emplace_back("No A/A trials in them: how much two equal runs differ is not known");
  }
  const bool same_traffic = std::ranges::all_of(a.schedules, [&](const auto& one) {
    const auto at = b.schedules.find(one.first);
    return at == b.schedules.end() || at->second == one.second;
  });
  if (!same_traffic) notes.emplace_back("the schedules differ: the traffic was not the same");
  return notes;
}

}  // namespace

std::string_view name_of(Change change) {
  static constexpr std::array<std::string_view, 4> names = {"better", "same", "worse",
                                                            "cannot tell"};
  return names[static_cast<std::size_t>(change)];
}

Change ResultDiff::worst() const {
  for (const Change change : {Change::worse, Change::unknown, Change::same}) {
    if (std::ranges::any_of(cells, [&](const auto& cell) { return cell.change == change; })) {
      return change;
    }
  }
  return Change::better;
}

Result<ResultDiff> diff_results(const object& before, const object& after, std::string primary,
                                double margin) {
  if (primary.empty()) primary = text_at(before.at("experiment"), "effective/primary");
  if (primary.empty()) primary = "publish_response_p99";
  if (primary.rfind("_p") == std::string::npos) {
    return fail(Errc::config, "metric {}: expected <hop>_<quantile>, as publish_response_p99",
                primary);
  }
  const Side a = read_side(before, primary), b = read_side(after, primary);
  ResultDiff diff{.metric = metric_words(primary), .margin = margin, .cells = {}, .notes = {}};
  InferenceInput input;
  input.first = "before";
  input.second = "after";
  input.margin = margin;
  for (const auto& [cell, blocks] : b.values) {
    if (!a.values.contains(cell)) continue;
    input.levels.push_back(pair_up(cell, a, b, diff.metric));
    input.levels.back().same = same_pairs(a, b);
  }
  if (input.levels.empty()) {
    return fail(Errc::config, "the two results have no cell in common");
  }
  input.primaries = input.levels.size();
  for (auto& level : infer(input)) {
    diff.cells.push_back({level.level, change_of(level, margin), std::move(level)});
  }
  diff.notes = notes_of(before, after, a, b);
  return diff;
}

std::string markdown_of(const ResultDiff& diff) {
  const auto is_like_worst = [&](const auto& cell) { return cell.change == diff.worst(); };
  std::string text =
      fmt::format("**{}: {}** ({} of {} cell{})\n\n", diff.metric, name_of(diff.worst()),
                  std::ranges::count_if(diff.cells, is_like_worst), diff.cells.size(),
                  diff.cells.size() == 1 ? "" : "s");
  text += fmt::format(
      "| cell | {}, after ÷ before | interval | blocks | |\n|---|---|---|---|---|\n", diff.metric);
  for (const auto& cell : diff.cells) {
    const auto& level = cell.inference;
    const auto interval = level.simultaneous ? level.simultaneous : level.plain;
    text += fmt::format(
        "| {} | {} | {} | {} | **{}**{} |\n", cell.cell,
        level.ratios.empty() ? "–" : format_ratio(level.log_ratio),
        interval
            ? fmt::format("{} to {}", format_ratio(interval->lower), format_ratio(interval->upper))
            : "–",
        level.ratios.size(), name_of(cell.change),
        level.blocks_needed ? fmt::format(", about {} blocks would", *level.blocks_needed) : "");
  }
  text += fmt::format("\nA change below {:.0f} % counts as none.", 100 * diff.margin);
  for (const auto& note : diff.notes) text += " " + note + ".";
  return text + "\n";
}

object describe(const ResultDiff& diff) {
  InferenceInput input;
  input.first = "before";
  input.second = "after";
  input.margin = diff.margin;
  array cells, notes;
  for (const auto& cell : diff.cells) {
    object one = describe(cell.inference, input);
    one["cell"] = cell.cell;
    one["change"] = name_of(cell.change);
    cells.push_back(std::move(one));
  }
  for (const auto& note : diff.notes) notes.emplace_back(note);
  return {{"format", "flow-diff/1"},   {"metric", diff.metric},
          {"margin", diff.margin},     {"change", name_of(diff.worst())},
          {"cells", std::move(cells)}, {"notes", std::move(notes)}};
}

}  // namespace flow::lab
