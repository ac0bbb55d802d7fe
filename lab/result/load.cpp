// SPDX-License-Identifier: Apache-2.0
#include "lab/result/load.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "lab/result/files.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::json::value;

std::vector<fs::path> trial_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder / "trials", error), end; !error && at != end;
       at.increment(error)) {
    if (fs::exists(at->path() / "trial.json")) files.push_back(at->path() / "trial.json");
  }
  std::ranges::sort(files);
  return files;
}

Result<ResultFile> read_result_file(const fs::path& path) {
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto json = base::parse_json(*text, path.string());
  if (!json) return std::unexpected(json.error());
  return ResultFile{std::move(*text), std::move(*json)};
}

Result<base::json::object> load(const fs::path& folder,
                                const std::function<void(ResultFile&)>& visit) {
  auto experiment = load_experiment_document(folder);
  if (!experiment) return std::unexpected(experiment.error());
  return load_trial_documents(folder, std::move(experiment->json), visit);
}

}  // namespace

Result<ResultFile> load_experiment_document(const fs::path& folder) {
  const fs::path file = folder / "experiment.json";
  if (!fs::exists(file)) {
    return fail(Errc::config, "{}: no experiment.json here; expected a folder written by flow run",
                folder.string());
  }
  return read_result_file(file);
}

Result<base::json::object> load_trial_documents(const fs::path& folder, value experiment,
                                                const std::function<void(ResultFile&)>& visit) {
  base::json::array trials;
  for (const auto& path : trial_files(folder)) {
    auto trial = read_result_file(path);
    if (!trial) return std::unexpected(trial.error());
    visit(*trial);
    trials.push_back(std::move(trial->json));
  }
  return base::json::object{{"experiment", std::move(experiment)}, {"trials", std::move(trials)}};
}

void prune_for_analysis(value& trial) {
  auto* at = trial.if_object();
  if (at == nullptr) return;
  for (const auto* key : {"analytics", "audit", "gates", "machine", "partitions", "per_second",
                          "settings", "sums", "versions"}) {
    at->erase(key);
  }
  value* hops = at->if_contains("hops");
  if (hops == nullptr || !hops->is_object()) return;
  for (auto& [name, hop] : hops->get_object()) {
    if (hop.is_object()) hop.get_object().erase("curve");
  }
}

Result<base::json::object> load_result(const fs::path& folder) {
  return load(folder, [](ResultFile&) {});
}

Result<base::json::object> load_for_analysis(const fs::path& folder) {
  return load(folder, [](ResultFile& trial) { prune_for_analysis(trial.json); });
}

}  // namespace flow::lab
