// SPDX-License-Identifier: Apache-2.0
#include "lab/dashboard/watched_experiment.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "lab/result/lenient_json.hpp"
#include "lab/result/result_name.hpp"
#include "lab/result/running_mark.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr std::size_t trial_bytes_max = 64U << 20;
constexpr std::size_t mark_bytes_max = 64U << 10;
constexpr std::size_t trials_max = 10'000;
constexpr int trials_read_at_once = 4;

Result<value> read_json(const fs::path& path, std::size_t bytes_max) {
  auto text = read_bounded(path, bytes_max);
  if (!text) return std::unexpected(text.error());
  return base::parse_json(*text, path.filename().string());
}

object picked(const object& from, std::initializer_list<std::string_view> keys) {
  object some;
  for (const auto key : keys) {
    if (const auto* value = from.if_contains(key)) some[key] = *value;
  }
  return some;
}

// Without the settings of every level and every default: a page that shows progress needs none.
object brief(const object& document) {
  object experiment = picked(document, {"name", "question", "created_unix_ns", "flow", "command",
                                        "plan", "workloads", "warnings", "estimate"});
  object& levels = experiment["levels"].emplace_object();
  for (const auto& [name, level] : object_in(document, "levels")) {
    levels[name] = picked(as_object_or_empty(level), {"promises", "does_not_promise",
                                                      "like_for_like", "like_for_like_reason"});
  }
  return experiment;
}

array broken_gates(const object& trial) {
  array words;
  for (const auto& entry : array_in(trial, "gates")) {
    const auto& gate = as_object_or_empty(entry);
    if (bool_in(gate, "holds")) continue;
    const auto sentence = text_in(gate, "words");
    words.emplace_back(sentence.empty() ? text_in(gate, "name") : sentence);
  }
  for (const auto& entry : array_in(trial, "sums")) {
    const auto& sum = as_object_or_empty(entry);
    if (bool_in(sum, "holds")) continue;
    words.emplace_back(fmt::format("{}: {}", text_in(sum, "phase"), text_in(sum, "name")));
  }
  return words;
}

object headline_hops(const object& trial) {
  object hops;
  const auto& all = object_in(trial, "hops");
  for (const auto* name : {"response_time", "publish_response", "end_to_end"}) {
    hops[name] = picked(object_in(all, name), {"count", "p50_ns", "p99_ns"});
  }
  return hops;
}

object row_of(const std::string& id, const object& trial) {
  object row = picked(trial, {"trial", "cell", "block", "seed", "state", "state_words", "valid",
                              "started_unix_ns", "finished_unix_ns"});
  row["id"] = id;
  row["broken"] = broken_gates(trial);
  row["hops"] = headline_hops(trial);
  return row;
}

// The folders below trials/, in order.
std::vector<std::string> trial_folders(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(folder / "trials", error), end; !error && at != end;
       at.increment(error)) {
    if (names.size() == trials_max) break;
    std::error_code ignored;
    if (!fs::is_directory(at->symlink_status(ignored))) continue;
    if (auto name = at->path().filename().string(); can_be_shown(name)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

WatchedExperiment::WatchedExperiment(fs::path folder) : folder_(std::move(folder)) {
  auto document = read_json(folder_ / "experiment.json", experiment_bytes_max);
  if (document) experiment_ = brief(as_object_or_empty(*document));
}

WatchedExperiment::Change WatchedExperiment::poll(ResultState state) {
  const bool is_other_state = state != state_ || is_first_;
  state_ = state;
  is_first_ = false;
  if (is_other_state) read_mark();
  const std::string before = trial_ ? trial_->id() : "";
  Change change;
  const bool is_any = look_at_trials() || is_other_state;
  if (is_any) change.progress = describe_progress();
  if (!trial_) return change;
  auto gained = trial_->poll();
  if (trial_->id() != before || gained.is_reset) {
    change.trial = trial_->describe();
  } else {
    change.lines = std::move(gained.lines);
  }
  return change;
}

void WatchedExperiment::read_mark() {
  mark_ = {};
  if (state_ != ResultState::running) return;
  auto mark = read_json(folder_ / running_mark_name, mark_bytes_max);
  if (mark) mark_ = as_object_or_empty(*mark);
}

// The trial that runs is the last one without a trial.json.
bool WatchedExperiment::look_at_trials() {
  const auto folders = trial_folders(folder_);
  bool is_any = false;
  int read = 0;
  std::string running;
  for (const auto& id : folders) {
    std::error_code ignored;
    const fs::path file = folder_ / "trials" / id / "trial.json";
    if (!fs::exists(fs::symlink_status(file, ignored))) {
      running = id;
    } else if (read < trials_read_at_once && read_trial(id)) {
      ++read;
      is_any = true;
    }
  }
  const std::set<std::string> there(folders.begin(), folders.end());
  const auto gone = std::erase_if(files_, [&](const auto& entry) {
    return !there.contains(entry.first) || entry.first == running;
  });
  if (running.empty() && !trial_ && !folders.empty()) running = folders.back();
  const bool is_other_trial = !running.empty() && follow(running);
  return is_any || gone > 0 || is_other_trial;
}

bool WatchedExperiment::read_trial(const std::string& id) {
  const fs::path path = folder_ / "trials" / id / "trial.json";
  const auto opened = open_regular(path);
  const FileIdentity identity = opened ? opened->second : FileIdentity{};
  const auto known = files_.find(id);
  if (known != files_.end() && known->second.identity == identity) return false;
  auto document = read_json(path, trial_bytes_max);
  object row;
  if (document) {
    row = row_of(id, as_object_or_empty(*document));
  } else {
    row = {{"id", id}, {"state", "unreadable"}, {"state_words", document.error().what}};
  }
  files_[id] = {identity, std::move(row)};
  return true;
}

bool WatchedExperiment::follow(const std::string& id) {
  if (trial_ && trial_->id() == id) return false;
  trial_ = std::make_unique<WatchedTrial>(id, folder_ / "trials" / id);
  return true;
}

object WatchedExperiment::describe_progress() const {
  array rows;
  for (const auto& [id, file] : files_) rows.push_back(file.row);
  return {{"name", name()},
          {"state", name_of(state_)},
          {"since_unix_ns", value_in(mark_, "since_unix_ns")},
          {"estimated_seconds", value_in(mark_, "estimated_seconds")},
          {"trials", std::move(rows)}};
}

object WatchedExperiment::describe() const {
  object all = describe_progress();
  all["experiment"] = experiment_;
  all["trial"] = trial_ ? value(trial_->describe()) : value();
  return all;
}

}  // namespace flow::lab
