// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "lab/analysis.hpp"
#include "lab/default_differences.hpp"
#include "lab/files.hpp"
#include "web/report_template.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view marker = "/*FLOW_DATA*/";

// "</script>" in a value must not end the element that carries the data.
std::string safe_inside_script(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const bool opens_tag =
        json[i] == '<' && i + 1 < json.size() && (json[i + 1] == '/' || json[i + 1] == '!');
    if (opens_tag) {
      safe += "\\u003c";
    } else {
      safe += json[i];
    }
  }
  return safe;
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
  base::json::value value;
};

Result<ResultFile> read_result_file(const fs::path& path) {
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto value = base::parse_json(*text, path.string());
  if (!value) return std::unexpected(value.error());
  return ResultFile{std::move(*text), std::move(*value)};
}

struct ResultFiles {
  ResultFile experiment;
  std::vector<ResultFile> trials;  // In order; those without trial.json left out.
};

Result<ResultFiles> read_result(const fs::path& folder) {
  const fs::path file = folder / "experiment.json";
  if (!fs::exists(file)) {
    return fail(Errc::config, "{}: no experiment.json here; expected a folder written by flow run",
                folder.string());
  }
  auto experiment = read_result_file(file);
  if (!experiment) return std::unexpected(experiment.error());
  ResultFiles files{std::move(*experiment), {}};
  for (const auto& path : trial_files(folder)) {
    auto trial = read_result_file(path);
    if (!trial) return std::unexpected(trial.error());
    files.trials.push_back(std::move(*trial));
  }
  return files;
}

// The texts as they are: writing parsed numbers again could change a last digit.
std::string text_of(const ResultFiles& files, const base::json::object& analysis,
                    const base::json::object& differences) {
  std::string text = "{\"experiment\": " + files.experiment.text +
                     ", \"analysis\": " + base::json::serialize(analysis) +
                     ", \"differs_from_default\": " + base::json::serialize(differences) +
                     ", \"trials\": [";
  std::string_view comma;
  for (const auto& trial : files.trials) {
    text.append(comma).append(trial.text);
    comma = ",";
  }
  return text + "]}";
}

base::json::object to_result(ResultFiles files) {
  base::json::array trials;
  for (auto& trial : files.trials) trials.push_back(std::move(trial.value));
  return {{"experiment", std::move(files.experiment.value)}, {"trials", std::move(trials)}};
}

}  // namespace

Result<base::json::object> load_result(const fs::path& folder) {
  auto files = read_result(folder);
  if (!files) return std::unexpected(files.error());
  return to_result(std::move(*files));
}

Result<fs::path> write_report(const fs::path& folder) {
  auto files = read_result(folder);
  if (!files) return std::unexpected(files.error());
  auto analysis = analyse(to_result(*files));
  if (!analysis) return std::unexpected(analysis.error());
  const std::string_view page = web::report_template();
  const std::size_t at = page.find(marker);
  FLOW_CHECK(at != std::string_view::npos);
  std::string html(page.substr(0, at));
  html += safe_inside_script(
      text_of(*files, *analysis, differences_by_cell(folder, files->experiment.value)));
  html += page.substr(at + marker.size());
  const fs::path path = folder / "report.html";
  if (auto written = write_file(path, html); !written) return std::unexpected(written.error());
  return path;
}

}  // namespace flow::lab
