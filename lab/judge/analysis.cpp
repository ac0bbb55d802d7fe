// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/analysis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "lab/judge/components.hpp"
#include "lab/judge/inference_document.hpp"
#include "lab/judge/load_curve.hpp"
#include "lab/judge/shift.hpp"
#include "lab/plan/contrasts.hpp"
#include "lab/plan/plan.hpp"
#include "lab/result/lenient_json.hpp"
#include "measure/quantiles.hpp"

namespace flow::lab {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();
constexpr double fell_over = std::numeric_limits<double>::infinity();

double number_at(const value& from, std::string_view path) {
  const value* at = find_at(from, path);
  return at && at->is_number() ? at->to_number<double>() : no_value;
}

// A quantity of a trial; lower is better.
struct Metric {
  std::string name;   // As it stands in a sentence.
  std::string hop;    // Of trial.json; empty: `per_event`.
  std::string key;    // "p99_ns"
  std::string usage;  // "cpu_seconds", "write_bytes": of the platform's processes, per acked event.
};

std::string words_of(std::string_view hop, std::string_view quantile) {
  std::string words(hop);
  std::ranges::replace(words, '_', ' ');
  std::string number(quantile.substr(1));
  std::ranges::replace(number, '_', '.');
  return fmt::format("p{} of {}", number, hop == "queryable" ? "freshness" : words);
}

// "publish_response_p99"
Metric metric_of(std::string_view name) {
  const std::size_t at = name.rfind("_p");
  const std::string_view hop = name.substr(0, at);
  const std::string_view quantile = name.substr(at + 1);
  return {words_of(hop, quantile), std::string(hop), fmt::format("{}_ns", quantile), {}};
}

std::vector<Metric> secondaries_of(const std::string& primary, bool has_analytics) {
  std::vector<std::string> names = {"publish_response_p50",   "publish_response_p99",
                                    "publish_response_p99_9", "end_to_end_p50",
                                    "end_to_end_p99",         "response_time_p99"};
  if (has_analytics) names.insert(names.end(), {"queryable_p50", "queryable_p99"});
  std::vector<Metric> metrics;
  for (const auto& name : names) {
    if (name != primary) metrics.push_back(metric_of(name));
  }
  metrics.push_back({"CPU time of the platform per event", "", "", "cpu_seconds"});
  metrics.push_back({"bytes written to disk by the platform per event", "", "", "write_bytes"});
  return metrics;
}

double usage_of(const value& trial, const Metric& metric) {
  const double events = number_at(trial, "phases/measured/events/acked");
  const value* roles = find_at(trial, "resources");
  if (!roles || !roles->is_array() || !(events > 0)) return no_value;
  const std::string platform = text_at(trial, "platform") + "-";
  double used = 0;
  for (const auto& role : roles->as_array()) {
    if (text_at(role, "role").starts_with(platform)) used += number_at(role, metric.usage);
  }
  return used > 0 ? used / events : no_value;
}

double value_of(const value& trial, const Metric& metric) {
  if (is_true_at(trial, "platform_fell_over")) return fell_over;
  if (!is_true_at(trial, "valid")) return no_value;
  if (metric.hop.empty()) return usage_of(trial, metric);
  const value* at = find_at(trial, fmt::format("hops/{}/{}", metric.hop, metric.key));
  if (!at) return no_value;
  if (at->is_number()) return at->to_number<double>();
  return number_at(trial, fmt::format("hops/{}/count", metric.hop)) > 0 ? fell_over : no_value;
}

// The trials of one cell in one block.
struct Slot {
  const value* trial = nullptr;
  const value* repeat = nullptr;  // A/A
};
using Blocks = std::map<std::uint32_t, Slot>;

// Of the plan; of the trials where a result has none.
std::vector<PlainCell> cells_of(const value& experiment, const array& trials) {
  std::vector<PlainCell> cells;
  const auto add = [&](const value& from, std::string_view id_key) {
    PlainCell cell{text_at(from, id_key),
                   text_at(from, "platform"),
                   text_at(from, "level"),
                   text_at(from, "workload"),
                   {}};
    const value* settings = id_key == "id" ? find_at(from, "settings") : nullptr;
    if (settings && settings->is_object()) {
      for (const auto& [setting, chosen] : settings->as_object()) {
        if (chosen.is_string()) cell.settings.emplace_back(setting, chosen.as_string());
      }
    }
    const bool is_known =
        std::ranges::any_of(cells, [&](const auto& one) { return one.id == cell.id; });
    if (!is_known && cell.platform != null_platform) cells.push_back(std::move(cell));
  };
  const value* planned = find_at(experiment, "plan/cells");
  if (planned && planned->is_array()) {
    for (const auto& cell : planned->as_array()) add(cell, "id");
  } else {
    for (const auto& trial : trials) add(trial, "cell");
  }
  return cells;
}

class Reader {
 public:
  explicit Reader(const object& result) : experiment_(result.at("experiment")) {
    const auto& trials = result.at("trials").as_array();
    auto cells = cells_of(experiment_, trials);
    contrasts_ = contrasts_of(cells);
    for (const auto& trial : trials) take(trial);
    if (is_true_at(experiment_, "effective/pilot")) pilot_cells_ = std::move(cells);
  }

  Result<AnalysisInput> read() const {
    AnalysisInput input;
    auto& inference = input.inference;
    inference.margin = number_or("effective/margin", inference.margin);
    const std::string primary = text_or("effective/primary", "publish_response_p99");
    if (primary.rfind("_p") == std::string::npos) {
      return fail(Errc::config, "experiment.json: primary {}: expected <hop>_<quantile>", primary);
    }
    input.primary = primary;
    const auto secondaries =
        secondaries_of(primary, is_true_at(experiment_, "effective/analytics"));
    for (const auto& contrast : contrasts_) {
      const auto blocks = trials_of(contrast);
      LevelBlocks level{.level = contrast.name,
                        .first = contrast.first,
                        .second = contrast.second,
                        .primary = pairs_of(blocks, metric_of(primary)),
                        .secondaries = {},
                        .same = same_of(contrast, metric_of(primary))};
      for (const auto& metric : secondaries) level.secondaries.push_back(pairs_of(blocks, metric));
      inference.levels.push_back(std::move(level));
      input.cells.push_back(
          {contrast.level, contrast.workload, is_like_for_like(contrast), blocks});
    }
    const double primaries = number_or("plan/primaries", 0);
    inference.primaries =
        std::max(inference.levels.size(), static_cast<std::size_t>(std::max(primaries, 0.0)));
    for (const auto& cell : pilot_cells_) {
      input.pilot.push_back(
          {cell.level, metric_words(primary), same_of(cell.id, metric_of(primary))});
    }
    return input;
  }

 private:
  void take(const value& trial) {
    const double block = number_at(trial, "block");
    if (!std::isfinite(block)) return;
    Slot& slot = cells_[text_at(trial, "cell")][static_cast<std::uint32_t>(block)];
    (is_true_at(trial, "is_repeat") ? slot.repeat : slot.trial) = &trial;
  }

  const Blocks& blocks_of(const std::string& cell) const {
    static const Blocks none;
    const auto at = cells_.find(cell);
    return at == cells_.end() ? none : at->second;
  }

  // By block, each trial of both cells and the A/A trial of either.
  std::vector<BlockTrials> trials_of(const Contrast& contrast) const {
    std::map<std::uint32_t, BlockTrials> blocks;
    const auto add = [&](const std::string& cell, const value* BlockTrials::* side) {
      for (const auto& [block, slot] : blocks_of(cell)) {
        auto& trials = blocks[block];
        trials.block = block;
        trials.*side = slot.trial;
        if (slot.repeat) trials.repeat = slot.repeat;
      }
    };
    add(contrast.first_cell, &BlockTrials::first);
    add(contrast.second_cell, &BlockTrials::second);
    std::vector<BlockTrials> in_order;
    for (const auto& [block, trials] : blocks) in_order.push_back(trials);
    return in_order;
  }

  static MetricBlocks pairs_of(const std::vector<BlockTrials>& blocks, const Metric& metric) {
    MetricBlocks pairs{metric.name, {}};
    for (const auto& [block, first, second, repeat] : blocks) {
      pairs.blocks.push_back({block, first ? value_of(*first, metric) : no_value,
                              second ? value_of(*second, metric) : no_value});
    }
    return pairs;
  }

  // A/A
  std::vector<BlockPair> same_of(const std::string& cell, const Metric& metric) const {
    std::vector<BlockPair> pairs;
    for (const auto& [block, slot] : blocks_of(cell)) {
      if (!slot.trial || !slot.repeat) continue;
      pairs.push_back({block, value_of(*slot.trial, metric), value_of(*slot.repeat, metric)});
    }
    return pairs;
  }
  std::vector<BlockPair> same_of(const Contrast& contrast, const Metric& metric) const {
    auto pairs = same_of(contrast.first_cell, metric);
    const auto more = same_of(contrast.second_cell, metric);
    pairs.insert(pairs.end(), more.begin(), more.end());
    return pairs;
  }

  // Platforms can promise different things at one level; one platform by itself does not.
  bool is_like_for_like(const Contrast& contrast) const {
    if (contrast.differs_in_promise) return false;
    const value* like =
        find_at(experiment_, fmt::format("levels/{}/like_for_like", contrast.level));
    return contrast.is_one_platform || !like || !like->is_bool() || like->as_bool();
  }

  double number_or(std::string_view path, double otherwise) const {
    const double number = number_at(experiment_, path);
    return std::isfinite(number) ? number : otherwise;
  }
  std::string text_or(std::string_view path, std::string otherwise) const {
    std::string text = text_at(experiment_, path);
    return text.empty() ? otherwise : text;
  }

  const value& experiment_;
  std::vector<Contrast> contrasts_;
  std::vector<PlainCell> pilot_cells_;
  std::map<std::string, Blocks> cells_;
};

// A sentence that can be quoted alone.
std::string quoted(const std::string& sentence, const AnalysisCell& cell) {
  return cell.like_for_like ? sentence : "NOT LIKE FOR LIKE: " + sentence;
}

// What a verdict on one number leaves out.
void describe_shape(object& level, const AnalysisInput& input, const AnalysisCell& cell) {
  const std::string hop = input.primary.substr(0, input.primary.rfind("_p"));
  level["shift"] =
      describe(shift_of(cell.blocks, hop), hop, text_at(level, "first"), text_at(level, "second"));
  const auto curves = load_curves_of(cell.blocks);
  level["classes"] = describe(curves);
  level["elasticity"] = describe_elasticity(curves, hop);
  level["components"] = describe(components_of(cell.blocks, input.primary));
}

// Whether what experiment.json says now is what was stored before the first trial.
value preregistration_holds(const value& experiment) {
  const value* effective = find_at(experiment, "effective");
  const value* plan = find_at(experiment, "plan");
  const std::string stored = text_at(experiment, "preregistered_sha256");
  if (stored.empty() || !effective || !plan || !effective->is_object() || !plan->is_object()) {
    return nullptr;
  }
  return preregistration_of(effective->as_object(), plan->as_object()) == stored;
}

// The verdict of a level and, where it is decided, what else differs.
void add_findings(array& sentences, const LevelInference& level, const AnalysisCell& cell) {
  sentences.emplace_back(quoted(level.sentence, cell));
  for (const auto& secondary : level.secondaries) {
    if (secondary.is_different && secondary.is_interpreted) {
      sentences.emplace_back(quoted(secondary.sentence, cell));
    }
  }
}

// What the experiment file asks by name, with the findings of its levels.
array answers_of(const value& experiment, const std::vector<LevelInference>& inferred,
                 const std::vector<AnalysisCell>& cells) {
  array answers;
  for (const auto& question :
       array_in(object_in(as_object_or_empty(experiment), "effective"), "questions")) {
    array sentences;
    for (const auto& level : array_in(as_object_or_empty(question), "levels")) {
      if (!level.is_string()) continue;
      const std::string name = level_name(std::string(level.as_string()));
      for (std::size_t i = 0; i < inferred.size(); ++i) {
        if (cells[i].level == name) add_findings(sentences, inferred[i], cells[i]);
      }
    }
    answers.push_back({{"name", text_at(question, "name")},
                       {"text", text_at(question, "text")},
                       {"sentences", std::move(sentences)}});
  }
  return answers;
}

// What Flow adds by itself: the trial whose broker acknowledges at once.
std::optional<object> floor_of(const array& trials) {
  for (const auto& trial : trials) {
    if (text_at(trial, "platform") != null_platform || text_at(trial, "state") != "complete") {
      continue;
    }
    const double p50 = number_at(trial, "hops/publish_response/p50_ns");
    const double p99 = number_at(trial, "hops/publish_response/p99_ns");
    if (!std::isfinite(p50) || !std::isfinite(p99)) continue;
    const auto words = [](double ns) {
      return measure::format_duration(base::Nanos{static_cast<std::int64_t>(ns)});
    };
    return object{{"trial", text_at(trial, "id")},
                  {"publish_response_p50_ns", p50},
                  {"publish_response_p99_ns", p99},
                  {"sentence",
                   fmt::format("Flow's own share: with a broker that acknowledges at once, publish "
                               "response has a p50 of {} and a p99 of {} (trial {}).",
                               words(p50), words(p99), text_at(trial, "id"))}};
  }
  return std::nullopt;
}

}  // namespace

double metric_value(const value& trial, std::string_view name) {
  return value_of(trial, metric_of(name));
}

std::string metric_words(std::string_view name) { return metric_of(name).name; }

Result<AnalysisInput> analysis_input(const object& result) { return Reader(result).read(); }

Result<object> analyse(const object& result) {
  auto input = analysis_input(result);
  if (!input) return std::unexpected(input.error());
  array levels, sentences;
  const auto inferred = infer(input->inference);
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    object level = describe(inferred[i], input->inference);
    level["workload"] = input->cells[i].workload;
    level["like_for_like"] = input->cells[i].like_for_like;
    describe_shape(level, *input, input->cells[i]);
    levels.push_back(std::move(level));
    sentences.emplace_back(quoted(inferred[i].sentence, input->cells[i]));
  }
  object analysis{{"format", "flow-analysis/1"},
                  {"margin", input->inference.margin},
                  {"preregistered", preregistration_holds(result.at("experiment"))},
                  {"levels", std::move(levels)}};
  if (!input->pilot.empty()) {
    array& pilot = analysis["pilot"].emplace_array();
    for (const auto& finding :
         learn_from_pilot(input->pilot, input->inference.margin, input->inference.primaries)) {
      pilot.push_back(describe(finding));
      sentences.emplace_back(finding.sentence);
    }
  }
  if (auto floor = floor_of(result.at("trials").as_array())) {
    sentences.emplace_back(floor->at("sentence").as_string());
    analysis["floor"] = std::move(*floor);
  }
  analysis["sentences"] = std::move(sentences);
  if (auto answers = answers_of(result.at("experiment"), inferred, input->cells);
      !answers.empty()) {
    analysis["questions"] = std::move(answers);
  }
  return analysis;
}

}  // namespace flow::lab
