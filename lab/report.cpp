// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"
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

// The texts as they are: parsing and writing numbers again could change a last digit.
Result<std::string> result_text(const fs::path& folder) {
  auto experiment = read_file(folder / "experiment.json");
  if (!experiment) return std::unexpected(experiment.error());
  std::string text = "{\"experiment\": " + *experiment + ", \"trials\": [";
  std::string_view comma;
  for (const auto& path : trial_files(folder)) {
    auto trial = read_file(path);
    if (!trial) return std::unexpected(trial.error());
    text.append(comma).append(*trial);
    comma = ",";
  }
  return text + "]}";
}

}  // namespace

Result<base::json::object> load_result(const fs::path& folder) {
  const fs::path file = folder / "experiment.json";
  if (!fs::exists(file)) {
    return fail(Errc::config, "{}: no experiment.json here; expected a folder written by flow run",
                folder.string());
  }
  auto experiment = base::read_json_file(file.string());
  if (!experiment) return std::unexpected(experiment.error());
  base::json::array trials;
  for (const auto& path : trial_files(folder)) {
    auto trial = base::read_json_file(path.string());
    if (!trial) return std::unexpected(trial.error());
    trials.push_back(std::move(*trial));
  }
  return base::json::object{{"experiment", std::move(*experiment)}, {"trials", std::move(trials)}};
}

Result<fs::path> write_report(const fs::path& folder) {
  if (auto valid = load_result(folder); !valid) return std::unexpected(valid.error());
  auto text = result_text(folder);
  if (!text) return std::unexpected(text.error());
  const std::string_view page = web::report_template();
  const std::size_t at = page.find(marker);
  FLOW_CHECK(at != std::string_view::npos);
  std::string html(page.substr(0, at));
  html += safe_inside_script(*text);
  html += page.substr(at + marker.size());
  const fs::path path = folder / "report.html";
  if (auto written = write_file(path, html); !written) return std::unexpected(written.error());
  return path;
}

}  // namespace flow::lab
