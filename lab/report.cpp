// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "lab/judge/analysis.hpp"
#include "lab/packed_text.hpp"
#include "lab/result/default_differences.hpp"
#include "lab/result/files.hpp"
#include "lab/result/load.hpp"
#include "web/report_template.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Result;

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

// The texts as they are: writing parsed numbers again could change a last digit.
Result<std::string> packed_data(const fs::path& folder) {
  auto experiment = load_experiment_document(folder);
  if (!experiment) return std::unexpected(experiment.error());
  const std::string differences =
      base::json::serialize(differences_by_cell(folder, experiment->json));
  PackedText data;
  data.add("{\"experiment\": ");
  data.add(experiment->text);
  data.add(", \"trials\": [");
  std::string_view comma;
  auto result = load_trial_documents(folder, std::move(experiment->json), [&](ResultFile& trial) {
    data.add(comma);
    data.add(without_histograms(trial.text));
    comma = ",";
    prune_for_analysis(trial.json);
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
