// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/baseline.hpp"

#include <algorithm>
#include <initializer_list>

#include "lab/result/load.hpp"

namespace flow::lab {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

// Those of the keys that are there, in the order asked for.
object part_of(const object& from, std::initializer_list<std::string_view> keys) {
  object part;
  for (const auto key : keys) {
    if (const value* at = from.if_contains(key)) part[key] = *at;
  }
  return part;
}

const object* member_object(const object& from, std::string_view key) {
  const value* at = from.if_contains(key);
  return at ? at->if_object() : nullptr;
}

object trial_part(const object& trial) {
  object part = part_of(trial, {"id", "cell", "workload", "block", "seed", "is_repeat", "state",
                                "valid", "platform_fell_over", "schedule_hash"});
  object hops;
  if (const object* all = member_object(trial, "hops")) {
    for (const auto& [name, hop] : *all) {
      if (const object* one = hop.if_object()) {
        hops[name] = part_of(*one, {"count", "p50_ns", "p90_ns", "p99_ns", "p99_9_ns"});
      }
    }
  }
  part["hops"] = std::move(hops);
  return part;
}

object experiment_part(const object& experiment) {
  object part = part_of(experiment, {"name", "created_unix_ns", "flow"});
  if (const object* host = member_object(experiment, "host")) {
    part["host"] = part_of(*host, {"host_name", "cpu_model", "cores", "kernel", "filesystem"});
  }
  if (const object* effective = member_object(experiment, "effective")) {
    part["effective"] = part_of(*effective, {"platforms", "levels", "blocks", "primary", "margin"});
  }
  return part;
}

}  // namespace

object make_baseline(const object& result) {
  object baseline{{"format", baseline_format}};
  const object* experiment = member_object(result, "experiment");
  baseline["experiment"] = experiment ? experiment_part(*experiment) : object();
  array trials;
  const value* all = result.if_contains("trials");
  for (const auto& trial : all && all->is_array() ? all->get_array() : array{}) {
    if (const object* one = trial.if_object()) trials.push_back(trial_part(*one));
  }
  baseline["trials"] = std::move(trials);
  return baseline;
}

std::string baseline_text(const object& baseline) {
  std::string text = "{\"format\": " + base::json::serialize(baseline.at("format")) +
                     ",\n \"experiment\": " + base::json::serialize(baseline.at("experiment")) +
                     ",\n \"trials\": [";
  std::string_view comma = "\n  ";
  for (const auto& trial : baseline.at("trials").as_array()) {
    text.append(comma).append(base::json::serialize(trial));
    comma = ",\n  ";
  }
  return text + "\n]}\n";
}

Result<object> load_comparable(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return load_result(path);
  auto read = base::read_json_file(path.string());
  if (!read) return std::unexpected(read.error());
  const object* baseline = read->if_object();
  const value* format = baseline ? baseline->if_contains("format") : nullptr;
  if (!format || *format != value(baseline_format)) {
    return fail(Errc::config, "{}: expected a result folder, or a file with format {}",
                path.string(), baseline_format);
  }
  const value* trials = baseline->if_contains("trials");
  const bool is_whole = member_object(*baseline, "experiment") && trials && trials->is_array() &&
                        std::ranges::all_of(trials->get_array(), &value::is_object);
  if (!is_whole) {
    return fail(Errc::config, "{}: expected an experiment and a list of trials in it",
                path.string());
  }
  return *baseline;
}

}  // namespace flow::lab
