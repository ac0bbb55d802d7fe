// SPDX-License-Identifier: Apache-2.0
#include "lab/result/headlines.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "lab/result/bounded_file.hpp"
#include "lab/result/lenient_json.hpp"
#include "lab/result/result_row.hpp"
#include "measure/hdr_codec.hpp"
#include "measure/quantiles.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr std::array<std::string_view, 3> hop_names{"response_time", "publish_response",
                                                    "end_to_end"};
constexpr std::size_t trial_bytes_max = 64U << 20;
constexpr std::size_t bytes_max = 256U << 20;  // Of all trials; read one by one.

struct MergedHop {
  measure::Histogram values;
  std::uint64_t censored = 0;
};

struct CellSum {
  object identity;
  std::size_t trials = 0;
  std::size_t complete = 0;
  std::size_t valid = 0;
  std::map<std::string_view, MergedHop> hops;
};

Result<void> add_hop(MergedHop& merged, const object& hops, std::string_view name,
                     const std::string& where) {
  const auto* hop = hops.if_contains(name);
  if (!hop) return {};
  auto values = measure::histogram_from_json(base::JsonView(*hop, where));
  if (!values) return std::unexpected(values.error());
  if (values->options() != merged.values.options()) {
    return fail(Errc::io, "{}: another histogram layout than this version's", where);
  }
  merged.values.merge(*values);
  merged.censored += static_cast<std::uint64_t>(number_in(as_object_or_empty(*hop), "censored"));
  return {};
}

Result<void> add_trial(std::map<std::string, CellSum>& cells, const object& trial,
                       const std::string& where) {
  CellSum& cell = cells[std::string(text_in(trial, "cell"))];
  if (cell.trials++ == 0) {
    cell.identity = {{"platform", text_in(trial, "platform")},
                     {"level", text_in(trial, "level")},
                     {"workload", text_in(trial, "workload")}};
  }
  if (text_in(trial, "state") != "complete") return {};
  ++cell.complete;
  if (bool_in(trial, "valid")) ++cell.valid;
  for (const auto name : hop_names) {
    auto added = add_hop(cell.hops[name], object_in(trial, "hops"), name,
                         fmt::format("{}: /hops/{}", where, name));
    if (!added) return added;
  }
  return {};
}

value quantile_ns(const MergedHop& hop, double q) {
  const auto quantile = measure::quantile(hop.values, hop.censored, q);
  if (!quantile || quantile->is_beyond) return nullptr;
  return quantile->value.count();
}

object describe(const MergedHop& hop) {
  const bool has_max = hop.values.count() > 0 && hop.censored == 0;
  return {{"count", hop.values.count()},
          {"censored", hop.censored},
          {"p50_ns", quantile_ns(hop, 0.5)},
          {"p99_ns", quantile_ns(hop, 0.99)},
          {"p99_9_ns", quantile_ns(hop, 0.999)},
          {"max_ns", has_max ? value(hop.values.max().count()) : value(nullptr)}};
}

object describe(const std::string& id, const CellSum& cell) {
  object all{{"id", id}};
  for (const auto& [key, text] : cell.identity) all[key] = text;
  all["trials"] = cell.trials;
  all["trials_complete"] = cell.complete;
  all["trials_valid"] = cell.valid;
  object& hops = all["hops"].emplace_object();
  for (const auto& [name, hop] : cell.hops) hops[name] = describe(hop);
  return all;
}

// What decides whether two results may be compared; schedules and settings in full stay behind.
object describe_experiment(const object& document) {
  object some;
  for (const auto* key : {"name", "question", "created_unix_ns", "flow", "estimate"}) {
    some[key] = value_in(document, key);
  }
  const auto& host = object_in(document, "host");
  some["host"] = object{{"host_name", value_in(host, "host_name")},
                        {"cpu_model", value_in(host, "cpu_model")},
                        {"cores", value_in(host, "cores")},
                        {"disk", value_in(host, "disk")}};
  object& levels = some["levels"].emplace_object();
  for (const auto& [name, entry] : object_in(document, "levels")) {
    const auto& level = as_object_or_empty(entry);
    levels[name] = object{{"promises", value_in(level, "promises")},
                          {"like_for_like", value_in(level, "like_for_like")},
                          {"like_for_like_reason", value_in(level, "like_for_like_reason")}};
  }
  object& workloads = some["workloads"].emplace_object();
  for (const auto& [name, entry] : object_in(document, "workloads")) {
    object workload = as_object_or_empty(entry);
    workload.erase("facts");
    workloads[name] = std::move(workload);
  }
  return some;
}

std::vector<fs::path> trial_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder / "trials", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    const fs::path file = at->path() / "trial.json";
    if (fs::is_regular_file(fs::symlink_status(file, ignored))) files.push_back(file);
  }
  std::ranges::sort(files);
  return files;
}

Result<value> read_json(const fs::path& file, const std::string& where, std::size_t most) {
  auto text = read_bounded(file, most);
  if (!text) return std::unexpected(text.error());
  return base::parse_json(*text, where);
}

}  // namespace

Result<object> headlines(const fs::path& folder) {
  auto experiment = read_json(folder / "experiment.json", "experiment.json", experiment_bytes_max);
  if (!experiment) return std::unexpected(experiment.error());
  std::map<std::string, CellSum> cells;
  std::size_t bytes = 0;
  for (const auto& file : trial_files(folder)) {
    std::error_code ignored;
    bytes += fs::file_size(file, ignored);
    if (bytes > bytes_max) {
      return fail(Errc::io, "{}: more than {} bytes of trials", folder.string(), bytes_max);
    }
    const std::string where = file.parent_path().filename().string();
    auto trial = read_json(file, where, trial_bytes_max);
    if (!trial) return std::unexpected(trial.error());
    auto added = add_trial(cells, as_object_or_empty(*trial), where);
    if (!added) return std::unexpected(added.error());
  }
  array rows;
  for (const auto& [id, cell] : cells) rows.push_back(describe(id, cell));
  return object{{"name", folder.filename().string()},
                {"experiment", describe_experiment(as_object_or_empty(*experiment))},
                {"cells", std::move(rows)}};
}

}  // namespace flow::lab
