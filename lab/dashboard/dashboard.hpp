// What a dashboard shows, without its HTTP: looks at a folder of results again and again, and turns
// what changed into events. It reads result files only and writes none, so that it may run in any
// process, be started and ended at any time, and there may be several.
//
// Events, each with JSON data:
//   snapshot  the whole state: what a client needs that knows nothing
//   results   the list of results
//   current   the experiment that is watched closely, or null: the one that runs, else the last one
//             that did while this was looking
//   progress  that experiment's state and finished trials
//   trial     the running trial, from its beginning
//   lines     what the running trial's intervals.jsonl gained
//   bye       the dashboard ends
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "lab/dashboard/event_log.hpp"
#include "lab/dashboard/watched_experiment.hpp"
#include "lab/result/result_row.hpp"

namespace flow::lab {

struct DashboardOptions {
  // A folder of result folders, which need not be there yet, or one result folder.
  std::filesystem::path folder = "results";
  std::string epoch = {};              // See EventLog.
  base::json::object flow_facts = {};  // version, commit.
};

class Dashboard {
 public:
  explicit Dashboard(DashboardOptions options);

  // Looks at the disk: the experiment that runs each time, the list of results when its folder
  // changed and every two seconds. What is new, in order. Reads a bounded number of files.
  std::vector<Event> poll(base::TimePoint now);

  // Its id is that of the newest event.
  Event snapshot(std::int64_t unix_ns) const;
  std::optional<std::vector<Event>> events_after(std::string_view id) const {
    return log_.after(id);
  }
  Event bye();

  // The folder of a result that is in the list; nullopt for any other name. Nothing that a client
  // sends becomes part of a path.
  std::optional<std::filesystem::path> folder_of(std::string_view name) const;

 private:
  bool look_at_folder(base::TimePoint now);
  void find_folders();
  void choose_current();
  void add(std::string_view type, const base::json::value& data, std::vector<Event>& events);
  base::json::object describe_results() const;

  DashboardOptions options_;
  std::string only_;  // The one result to be shown; empty: all.
  EventLog log_;
  std::map<std::string, ResultRow, std::greater<>> rows_;  // By folder, the newest first.
  std::size_t left_out_ = 0;                               // Folders that are not in rows_.
  std::int64_t folder_changed_ = -2;                       // Unix ns; -1: there is none.
  base::TimePoint next_look_{};
  std::unique_ptr<WatchedExperiment> current_;
  std::string told_results_;
};

}  // namespace flow::lab
