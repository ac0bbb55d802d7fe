// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "lab/analysis.hpp"
#include "lab/default_differences.hpp"
#include "lab/files.hpp"
#include "lab/packed_text.hpp"
#include "web/report_template.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::json::value;

constexpr std::string_view marker = "/*FLOW_DATA*/";

// The page draws no histogram, and base64 packs badly: the text behind every key "hdr_v2" becomes
// empty. Inside a string the quotes of such a key would have a backslash before them.
std::string without_histograms(std::string_view json) {
  constexpr std::string_view key = "\"hdr_v2\"";
  std::string kept;
  kept.reserve(json.size());
  for (std::size_t at = json.find(key); at != std::string_view::npos; at = json.find(key)) {
    const bool is_key = at == 0 || json[at - 1] != '\\';
    const std::size_t open = json.find_first_not_of(": \t\r\n", at + key.size());
    const bool has_text = open != std::string_view::npos && json[open] == '"';
    const std::size_t close = has_text ? json.find('"', open + 1) : std::string_view::npos;
    if (!is_key || close == std::string_view::npos) {
      kept += json.substr(0, at + key.size());
      json.remove_prefix(at + key.size());
      continue;
    }
    kept += json.substr(0, open + 1);
    json.remove_prefix(close);
  }
  return kept.append(json);
}

// What no analysis reads; most of a trial.
void prune(value& trial) {
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

// A file of a result: its text, and that it is JSON was checked.
struct ResultFile {
  std::string text;
  value json;
};

Result<ResultFile> read_result_file(const fs::path& path) {
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto json = base::parse_json(*text, path.string());
  if (!json) return std::unexpected(json.error());
  return ResultFile{std::move(*text), std::move(*json)};
}

Result<ResultFile> read_experiment(const fs::path& folder) {
  const fs::path file = folder / "experiment.json";
  if (!fs::exists(file)) {
    return fail(Errc::config, "{}: no experiment.json here; expected a folder written by flow run",
                folder.string());
  }
  return read_result_file(file);
}

// {"experiment", "trials"}; one trial's text at a time in memory. `visit`: told each trial's file,
// in order, before its value becomes part of the result.
Result<base::json::object> read_result(const fs::path& folder, value experiment, auto&& visit) {
  base::json::array trials;
  for (const auto& path : trial_files(folder)) {
    auto trial = read_result_file(path);
    if (!trial) return std::unexpected(trial.error());
    visit(*trial);
    trials.push_back(std::move(trial->json));
  }
  return base::json::object{{"experiment", std::move(experiment)}, {"trials", std::move(trials)}};
}

// The texts as they are: writing parsed numbers again could change a last digit.
Result<std::string> packed_data(const fs::path& folder) {
  auto experiment = read_experiment(folder);
  if (!experiment) return std::unexpected(experiment.error());
  const std::string differences =
      base::json::serialize(differences_by_cell(folder, experiment->json));
  PackedText data;
  data.add("{\"experiment\": ");
  data.add(experiment->text);
  data.add(", \"trials\": [");
  std::string_view comma;
  auto result = read_result(folder, std::move(experiment->json), [&](ResultFile& trial) {
    data.add(comma);
    data.add(without_histograms(trial.text));
    comma = ",";
    prune(trial.json);
  });
  if (!result) return std::unexpected(result.error());
  auto analysis = analyse(*result);
  if (!analysis) return std::unexpected(analysis.error());
  data.add("], \"analysis\": ");
  data.add(base::json::serialize(*analysis));
  data.add(", \"differs_from_default\": ");
  data.add(differences);
  data.add("}");
  return data.finish();
}

}  // namespace

Result<base::json::object> load_result(const fs::path& folder) {
  auto experiment = read_experiment(folder);
  if (!experiment) return std::unexpected(experiment.error());
  return read_result(folder, std::move(experiment->json), [](ResultFile&) {});
}

Result<base::json::object> load_for_analysis(const fs::path& folder) {
  auto experiment = read_experiment(folder);
  if (!experiment) return std::unexpected(experiment.error());
  return read_result(folder, std::move(experiment->json),
                     [](ResultFile& trial) { prune(trial.json); });
}

Result<fs::path> write_report(const fs::path& folder) {
  auto data = packed_data(folder);
  if (!data) return std::unexpected(data.error());
  const std::string_view page = web::report_template();
  const std::size_t at = page.find(marker);
  FLOW_CHECK(at != std::string_view::npos);
  std::string html(page.substr(0, at));
  html += *data;
  html += page.substr(at + marker.size());
  const fs::path path = folder / "report.html";
  if (auto written = write_file(path, html); !written) return std::unexpected(written.error());
  return path;
}

}  // namespace flow::lab
