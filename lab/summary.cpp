// SPDX-License-Identifier: Apache-2.0
#include "lab/summary.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "lab/judge/analysis.hpp"
#include "lab/result/lenient_json.hpp"
#include "measure/quantiles.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> hop_rows{{
    {"response_time", "response time (answered - intended)"},
    {"service_time", "service time (answered - sent)"},
    {"publish_response", "publish response (acked - intended)"},
    {"publish_latency", "publish latency (acked - published)"},
    {"end_to_end", "end to end (seen - intended)"},
    {"queryable", "freshness (queryable - intended)"},
    {"probe", "freshness by probe"},
    {"query", "query (answered - intended)"},
    {"start_error", "start error (sent - intended)"},
}};
constexpr std::array<std::string_view, 5> quantile_keys{"p50_ns", "p90_ns", "p99_ns", "p99_9_ns",
                                                        "max_ns"};

std::int64_t number_at(const value& from, std::string_view path) {
  const value* at = find_at(from, path);
  return at && at->is_number() ? at->to_number<std::int64_t>() : 0;
}

std::string duration_at(const value& hop, std::string_view key) {
  const value* at = find_at(hop, key);
  if (!at) return "-";
  if (at->is_null()) return number_at(hop, "count") == 0 ? "-" : "> measured";
  return measure::format_duration(base::Nanos{at->to_number<std::int64_t>()});
}

void add_hops(std::string& out, const array& trials) {
  out += fmt::format("{:<38}{:<26}{:>9}{:>11}{:>11}{:>11}{:>11}{:>11}\n", "", "", "count", "p50",
                     "p90", "p99", "p99.9", "max");
  for (const auto& [hop_name, title] : hop_rows) {
    bool is_first = true;
    for (const auto& trial : trials) {
      const value* hop = find_at(trial, fmt::format("hops/{}", hop_name));
      if (!hop) continue;
      out += fmt::format("{:<38}{:<26}{:>9}", is_first ? title : "", text_at(trial, "id"),
                         number_at(*hop, "count"));
      for (const auto key : quantile_keys) out += fmt::format("{:>11}", duration_at(*hop, key));
      out += '\n';
      is_first = false;
    }
  }
}

void add_audit(std::string& out, const array& trials) {
  out += fmt::format("\n{:<38}{:<26}{:>9}{:>11}{:>11}{:>11}{:>11}{:>11}\n", "events, all phases",
                     "", "attempts", "acked", "seen once", "lost", "duplicate", "reordered");
  for (const auto& trial : trials) {
    std::array<std::int64_t, 6> sums{};
    for (const auto* phase : {"registration", "warm_up", "measured"}) {
      const auto of = [&](std::string_view key) {
        return number_at(trial, fmt::format("phases/{}/{}", phase, key));
      };
      sums[0] += of("events/attempts");
      sums[1] += of("events/acked");
      sums[2] += of("audit/seen_once");
      sums[3] += of("audit/missing");
      sums[4] += of("audit/duplicated");
      sums[5] += of("audit/reordered");
    }
    out += fmt::format("{:<38}{:<26}{:>9}{:>11}{:>11}{:>11}{:>11}{:>11}\n", "",
                       text_at(trial, "id"), sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]);
  }
}

// One line for each trial with analytics: rows against events, sums against the database.
void add_analytics(std::string& out, const array& trials) {
  for (const auto& trial : trials) {
    const value* analytics = find_at(trial, "analytics");
    if (!analytics) continue;
    std::array<std::int64_t, 4> sums{};
    constexpr std::array<std::string_view, 4> keys = {"rows", "events_seen", "missing", "doubled"};
    const value* tables = find_at(*analytics, "tables");
    for (const auto& table : tables && tables->is_array() ? tables->as_array() : array{}) {
      for (std::size_t i = 0; i < keys.size(); ++i) sums[i] += number_at(table, keys[i]);
    }
    std::size_t agree = 0;
    std::string differ;
    const value* checks = find_at(*analytics, "checks");
    const array all = checks && checks->is_array() ? checks->as_array() : array{};
    for (const auto& check : all) {
      if (check.at("holds").as_bool()) {
        ++agree;
      } else {
        differ += fmt::format("    differs: {}: {} in the database, {} in Pinot\n",
                              text_at(check, "name"), number_at(check, "database"),
                              number_at(check, "pinot"));
      }
    }
    const std::string words = text_at(*analytics, "words");
    out += fmt::format(
        "\n{}: Pinot holds {} rows of {} events: {} missing, {} doubled; {} of {} sums agree with "
        "the database{}\n{}",
        text_at(trial, "id"), sums[0], sums[1], sums[2], sums[3], agree, all.size(),
        words.empty() ? "" : "; not complete: " + words, differ);
  }
}

void add_faults(std::string& out, const array& trials) {
  for (const auto& trial : trials) {
    const value* faults = find_at(trial, "faults");
    for (const auto& fault : faults && faults->is_array() ? faults->as_array() : array{}) {
      out += fmt::format("{}: fault {} of {} at {:.1f} s: {}\n", text_at(trial, "id"),
                         text_at(fault, "what"), text_at(fault, "role"),
                         fault.at("at_seconds").to_number<double>(), text_at(fault, "words"));
    }
  }
}

void add_validity(std::string& out, const array& trials) {
  out += '\n';
  for (const auto& trial : trials) {
    const value* gates = find_at(trial, "gates");
    std::size_t held = 0;
    std::string broken;
    for (const auto& gate : gates && gates->is_array() ? gates->as_array() : array{}) {
      const value* holds = find_at(gate, "holds");
      if (holds && holds->is_bool() && holds->as_bool()) {
        ++held;
      } else {
        broken += fmt::format("    does not hold: {}: {}\n", text_at(gate, "name"),
                              text_at(gate, "words"));
      }
    }
    const std::string words = text_at(trial, "state_words");
    const std::size_t all = gates && gates->is_array() ? gates->as_array().size() : 0;
    out += fmt::format(
        "{}: {}{}; {}\n{}", text_at(trial, "id"), text_at(trial, "state"),
        words.empty() ? "" : " (" + words + ")",
        all == 0 ? "no gate was reached" : fmt::format("{} of {} gates hold", held, all), broken);
  }
}

void add_words(std::string& out, const value& experiment) {
  if (const value* levels = find_at(experiment, "levels"); levels && levels->is_object()) {
    for (const auto& [name, level] : levels->as_object()) {
      const value* like = find_at(level, "like_for_like");
      if (like && like->is_bool() && !like->as_bool()) {
        out += fmt::format("NOT LIKE FOR LIKE at level {}: {}\n", std::string_view(name),
                           text_at(level, "like_for_like_reason"));
      }
      if (const value* notes = find_at(level, "replication"); notes && notes->is_object()) {
        for (const auto& [platform, words] : notes->as_object()) {
          out += fmt::format(
              "{} at {}: {}\n", std::string_view(platform), std::string_view(name),
              words.is_string() ? std::string_view(words.as_string()) : std::string_view());
        }
      }
    }
  }
  if (const value* warnings = find_at(experiment, "warnings"); warnings && warnings->is_array()) {
    for (const auto& warning : warnings->as_array()) {
      if (warning.is_string())
        out += fmt::format("Note: {}\n", std::string_view(warning.as_string()));
    }
  }
  const std::string words = text_at(experiment, "estimate/words");
  if (!words.empty()) out += words + "\n";
}

// One sentence for each level that can be compared.
void add_verdicts(std::string& out, const object& result) {
  auto analysis = analyse(result);
  if (!analysis) return;
  const array& sentences = analysis->at("sentences").as_array();
  if (!sentences.empty()) out += '\n';
  for (const auto& sentence : sentences) {
    out += fmt::format("{}\n", std::string_view(sentence.as_string()));
  }
}

}  // namespace

std::string summary_text(const object& result) {
  std::string out = "\n";
  const array& trials = result.at("trials").as_array();
  if (trials.empty()) {
    out += "No trial was finished.\n";
  } else {
    add_hops(out, trials);
    add_audit(out, trials);
    add_analytics(out, trials);
    add_faults(out, trials);
    add_validity(out, trials);
    add_verdicts(out, result);
  }
  add_words(out, result.at("experiment"));
  return out;
}

}  // namespace flow::lab
