// SPDX-License-Identifier: Apache-2.0
#include "lab/dashboard/dashboard.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <sys/stat.h>

#include "lab/result/result_name.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr auto look_again_after = 2s;
constexpr std::size_t folders_max = 5'000;
constexpr std::size_t rows_shown_max = 500;
constexpr int rows_read_at_once = 50;  // For the first time, which parses a file each.

// Unix nanoseconds of the folder's last change of entries; -1 when there is no such folder.
std::int64_t changed_at(const fs::path& folder) {
  struct stat facts{};
  if (::stat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return -1;
  return std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

}  // namespace

Dashboard::Dashboard(DashboardOptions options)
    : options_(std::move(options)), log_(options_.epoch) {
  std::error_code ignored;
  fs::path folder = fs::absolute(options_.folder, ignored).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();  // It ended in a slash.
  if (fs::exists(folder / "experiment.json", ignored)) {
    only_ = folder.filename().string();
    folder = folder.parent_path();
  }
  options_.folder = std::move(folder);
}

std::vector<Event> Dashboard::poll(base::TimePoint now) {
  std::vector<Event> events;
  if (look_at_folder(now)) {
    std::string results = base::json::serialize(describe_results());
    if (results != told_results_) {
      told_results_ = results;
      events.push_back(log_.add("results", std::move(results)));
    }
  }
  const std::string before = current_ ? current_->name() : "";
  choose_current();
  if (!current_) {
    if (!before.empty()) add("current", nullptr, events);
    return events;
  }
  auto change = current_->poll(rows_.at(current_->name()).state());
  if (current_->name() != before) {
    add("current", current_->describe(), events);
    return events;
  }
  if (change.progress) add("progress", *change.progress, events);
  if (change.trial) add("trial", *change.trial, events);
  if (!change.lines.empty()) add("lines", object{{"lines", std::move(change.lines)}}, events);
  return events;
}

void Dashboard::add(std::string_view type, const value& data, std::vector<Event>& events) {
  events.push_back(log_.add(type, base::json::serialize(data)));
}

Event Dashboard::snapshot(std::int64_t unix_ns) const {
  object state = describe_results();
  state["unix_ns"] = unix_ns;
  state["flow"] = options_.flow_facts;
  state["current"] = current_ ? value(current_->describe()) : value();
  return {log_.newest_id(), "snapshot", base::json::serialize(state)};
}

Event Dashboard::bye() { return log_.add("bye", "{}"); }

std::optional<fs::path> Dashboard::folder_of(std::string_view name) const {
  const auto row = rows_.find(std::string(name));
  if (row == rows_.end() || !row->second.is_result()) return std::nullopt;
  return row->second.folder();
}

// True when it looked.
bool Dashboard::look_at_folder(base::TimePoint now) {
  const std::int64_t changed = changed_at(options_.folder);
  if (changed == folder_changed_ && now < next_look_) return false;
  folder_changed_ = changed;
  next_look_ = now + look_again_after;
  find_folders();
  int read = 0;
  for (auto& [name, row] : rows_) {
    const bool is_first = !row.was_looked_at();
    if (is_first && ++read > rows_read_at_once) {
      next_look_ = now;  // The rest at the next poll.
      break;
    }
    row.look();
  }
  return true;
}

void Dashboard::find_folders() {
  std::set<std::string, std::greater<>> names;
  left_out_ = 0;
  std::error_code error;
  for (fs::directory_iterator at(options_.folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    std::string name = at->path().filename().string();
    if (!only_.empty() && name != only_) continue;
    if (!at->is_directory(ignored)) continue;
    if (names.size() == folders_max || !can_be_shown(name)) {
      ++left_out_;
    } else {
      names.insert(std::move(name));
    }
  }
  std::erase_if(rows_, [&](const auto& row) { return !names.contains(row.first); });
  for (const auto& name : names) rows_.try_emplace(name, options_.folder / name);
}

void Dashboard::choose_current() {
  const auto is_running = [](const auto& row) {
    return row.second.is_result() && row.second.state() == ResultState::running;
  };
  auto chosen = std::ranges::find_if(rows_, is_running);
  if (chosen == rows_.end()) chosen = rows_.find(current_ ? current_->name() : only_);
  if (chosen == rows_.end() || !chosen->second.is_result()) {
    current_.reset();
  } else if (!current_ || current_->name() != chosen->first) {
    current_ = std::make_unique<WatchedExperiment>(chosen->second.folder());
  }
}

object Dashboard::describe_results() const {
  array results;
  std::size_t left_out = left_out_;
  for (const auto& [name, row] : rows_) {
    if (!row.is_result()) continue;
    if (results.size() == rows_shown_max) {
      ++left_out;
    } else {
      results.push_back(row.describe());
    }
  }
  return {{"folder", options_.folder.string()},
          {"is_folder_there", folder_changed_ >= 0},
          {"results", std::move(results)},
          {"results_left_out", left_out}};
}

}  // namespace flow::lab
