// SPDX-License-Identifier: Apache-2.0
#include "lab/result/result_row.hpp"

#include "lab/result/lenient_json.hpp"
#include "lab/result/running_mark.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::json::object;

constexpr std::size_t trials_counted_max = 100'000;

std::optional<FileIdentity> identity_of(const fs::path& path) {
  auto opened = open_regular(path);
  return opened ? std::optional(opened->second) : std::nullopt;
}

}  // namespace

std::string_view name_of(ResultState state) {
  switch (state) {
    case ResultState::running:
      return "running";
    case ResultState::sealed:
      return "sealed";
    case ResultState::interrupted:
      return "interrupted";
    case ResultState::unreadable:
      return "unreadable";
  }
  return "unreadable";
}

bool ResultRow::look() {
  was_looked_at_ = true;
  const bool is_other_experiment = look_at_experiment();
  if (!experiment_) return is_other_experiment;
  const auto seal = identity_of(folder_ / "SHA256SUMS");
  const bool has_report = identity_of(folder_ / "report.html").has_value();
  ResultState state = seal ? ResultState::sealed : ResultState::interrupted;
  if (!facts_.words.empty()) state = ResultState::unreadable;
  if (is_running(folder_)) state = ResultState::running;
  // Nothing is added to a sealed result.
  const bool is_settled = state == ResultState::sealed && seal == seal_ && state == state_;
  const std::size_t done = is_settled ? done_ : count_trials();
  const bool is_other =
      is_other_experiment || state != state_ || done != done_ || has_report != has_report_;
  seal_ = seal;
  state_ = state;
  done_ = done;
  has_report_ = has_report;
  return is_other;
}

bool ResultRow::look_at_experiment() {
  const fs::path path = folder_ / "experiment.json";
  const auto identity = identity_of(path);
  if (identity == experiment_) return false;
  experiment_ = identity;
  Facts facts;
  auto text = read_bounded(path, experiment_bytes_max);
  auto document = text ? base::parse_json(*text, "experiment.json") : std::unexpected(text.error());
  if (!document) {
    facts.words = document.error().what;
  } else {
    const auto& experiment = as_object_or_empty(*document);
    facts.experiment = text_in(experiment, "name");
    facts.question = text_in(experiment, "question");
    facts.created_unix_ns = static_cast<std::int64_t>(number_in(experiment, "created_unix_ns"));
    facts.planned = array_in(object_in(experiment, "plan"), "order").size();
  }
  facts_ = std::move(facts);
  return true;
}

std::size_t ResultRow::count_trials() const {
  std::size_t seen = 0;
  std::size_t done = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder_ / "trials", error), end; !error && at != end;
       at.increment(error)) {
    if (++seen > trials_counted_max) break;
    std::error_code ignored;
    if (fs::is_regular_file(fs::symlink_status(at->path() / "trial.json", ignored))) ++done;
  }
  return done;
}

object ResultRow::describe() const {
  return {{"name", folder_.filename().string()},
          {"experiment", facts_.experiment},
          {"question", facts_.question},
          {"created_unix_ns", facts_.created_unix_ns},
          {"state", name_of(state_)},
          {"words", facts_.words},
          {"trials_planned", facts_.planned},
          {"trials_done", done_},
          {"has_report", has_report_}};
}

}  // namespace flow::lab
