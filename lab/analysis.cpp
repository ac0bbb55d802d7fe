// SPDX-License-Identifier: Apache-2.0
#include "lab/analysis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "lab/inference_document.hpp"
#include "lab/plan.hpp"

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

const value* find(const value& from, std::string_view path) {
  boost::system::error_code error;
  return from.find_pointer(fmt::format("/{}", path), error);
}

std::string text_at(const value& from, std::string_view path) {
  const value* at = find(from, path);
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}

bool is_true(const value& from, std::string_view path) {
  const value* at = find(from, path);
  return at && at->is_bool() && at->as_bool();
}

double number_at(const value& from, std::string_view path) {
  const value* at = find(from, path);
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
  const value* roles = find(trial, "resources");
  if (!roles || !roles->is_array() || !(events > 0)) return no_value;
  const std::string platform = text_at(trial, "platform") + "-";
  double used = 0;
  for (const auto& role : roles->as_array()) {
    if (text_at(role, "role").starts_with(platform)) used += number_at(role, metric.usage);
  }
  return used > 0 ? used / events : no_value;
}

double value_of(const value& trial, const Metric& metric) {
  if (is_true(trial, "platform_fell_over")) return fell_over;
  if (!is_true(trial, "valid")) return no_value;
  if (metric.hop.empty()) return usage_of(trial, metric);
  const value* at = find(trial, fmt::format("hops/{}/{}", metric.hop, metric.key));
  if (!at) return no_value;
  if (at->is_number()) return at->to_number<double>();
  return number_at(trial, fmt::format("hops/{}/count", metric.hop)) > 0 ? fell_over : no_value;
}

// The trials of one level and workload.
struct Slot {
  const value* first = nullptr;
  const value* second = nullptr;
  const value* repeat = nullptr;  // A/A
};

class Reader {
 public:
  explicit Reader(const object& result) : experiment_(result.at("experiment")) {
    for (const auto& trial : result.at("trials").as_array()) take(trial);
  }

  Result<AnalysisInput> read() {
    AnalysisInput input;
    auto& inference = input.inference;
    inference.margin = number_or("effective/margin", inference.margin);
    const std::string primary = text_or("effective/primary", "publish_response_p99");
    if (primary.rfind("_p") == std::string::npos) {
      return fail(Errc::config, "experiment.json: primary {}: expected <hop>_<quantile>", primary);
    }
    if (platforms().size() != 2) return input;
    inference.first = platform_words(platforms()[0]);
    inference.second = platform_words(platforms()[1]);
    const auto secondaries = secondaries_of(primary, is_true(experiment_, "effective/analytics"));
    for (const auto& [name, blocks] : slots_) {
      const bool is_repeated = std::ranges::any_of(
          blocks, [](const auto& block) { return block.second.repeat != nullptr; });
      LevelBlocks level;
      level.level = name.second.empty() || workloads_.size() < 2
                        ? name.first
                        : fmt::format("{}, {}", name.first, name.second);
      level.primary = pairs_of(blocks, metric_of(primary));
      for (const auto& metric : secondaries) level.secondaries.push_back(pairs_of(blocks, metric));
      if (is_repeated) level.same = same_of(blocks, metric_of(primary));
      inference.levels.push_back(std::move(level));
      input.cells.push_back({name.first, name.second, is_like_for_like(name.first)});
    }
    inference.primaries = inference.levels.size();
    return input;
  }

 private:
  using Name = std::pair<std::string, std::string>;  // Level and workload.

  std::vector<std::string> platforms() const {
    std::vector<std::string> names;
    const value* list = find(experiment_, "effective/platforms");
    for (const auto& one : list && list->is_array() ? list->as_array() : array{}) {
      if (one.is_string()) names.emplace_back(one.as_string());
    }
    return names;
  }

  void take(const value& trial) {
    const Name name{text_at(trial, "level"), text_at(trial, "workload")};
    const double block = number_at(trial, "block");
    if (!std::isfinite(block)) return;
    Slot& slot = slots_[name][static_cast<std::uint32_t>(block)];
    workloads_.insert(name.second);
    const auto names = platforms();
    const std::string platform = text_at(trial, "platform");
    if (is_true(trial, "is_repeat")) {
      slot.repeat = &trial;
    } else if (!names.empty() && platform == names[0]) {
      slot.first = &trial;
    } else {
      slot.second = &trial;
    }
  }

  static MetricBlocks pairs_of(const std::map<std::uint32_t, Slot>& blocks, const Metric& metric) {
    MetricBlocks pairs{metric.name, {}};
    for (const auto& [block, slot] : blocks) {
      pairs.blocks.push_back({block, slot.first ? value_of(*slot.first, metric) : no_value,
                              slot.second ? value_of(*slot.second, metric) : no_value});
    }
    return pairs;
  }

  static std::vector<BlockPair> same_of(const std::map<std::uint32_t, Slot>& blocks,
                                        const Metric& metric) {
    std::vector<BlockPair> pairs;
    for (const auto& [block, slot] : blocks) {
      if (!slot.repeat) continue;
      const bool is_of_first =
          slot.first && text_at(*slot.first, "cell") == text_at(*slot.repeat, "cell");
      const value* original = is_of_first ? slot.first : slot.second;
      if (original) {
        pairs.push_back({block, value_of(*original, metric), value_of(*slot.repeat, metric)});
      }
    }
    return pairs;
  }

  bool is_like_for_like(const std::string& level) const {
    const value* like = find(experiment_, fmt::format("levels/{}/like_for_like", level));
    return !like || !like->is_bool() || like->as_bool();
  }

  static std::string platform_words(std::string name) {
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z')
      name[0] = static_cast<char>(name[0] - 32);
    return name;
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
  std::map<Name, std::map<std::uint32_t, Slot>> slots_;
  std::set<std::string> workloads_;
};

// Whether what experiment.json says now is what was stored before the first trial.
value preregistration_holds(const value& experiment) {
  const value* effective = find(experiment, "effective");
  const value* plan = find(experiment, "plan");
  const std::string stored = text_at(experiment, "preregistered_sha256");
  if (stored.empty() || !effective || !plan || !effective->is_object() || !plan->is_object()) {
    return nullptr;
  }
  return preregistration_of(effective->as_object(), plan->as_object()) == stored;
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
    levels.push_back(std::move(level));
    sentences.emplace_back(input->cells[i].like_for_like
                               ? inferred[i].sentence
                               : "NOT LIKE FOR LIKE: " + inferred[i].sentence);
  }
  return object{{"format", "flow-analysis/1"},
                {"margin", input->inference.margin},
                {"preregistered", preregistration_holds(result.at("experiment"))},
                {"levels", std::move(levels)},
                {"sentences", std::move(sentences)}};
}

}  // namespace flow::lab
