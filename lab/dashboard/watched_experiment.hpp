// One experiment watched closely: its plan, each trial as far as it is known, and the trial that
// runs. Reads the files of its result folder only, so that it sees the same whether it looked on
// from the beginning or came later.
// Thread: one.
// Invariant: one poll reads a bounded number of files of bounded size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "lab/dashboard/watched_trial.hpp"
#include "lab/result/bounded_file.hpp"
#include "lab/result/result_row.hpp"

namespace flow::lab {

class WatchedExperiment {
 public:
  // What is new, ready to be told; empty members: nothing.
  struct Change {
    std::optional<base::json::object> progress;  // describe_progress(), when any of it changed.
    std::optional<base::json::object> trial;     // The running trial, when it is another one.
    base::json::array lines;                     // That the running trial gained.
  };

  explicit WatchedExperiment(std::filesystem::path folder);

  std::string name() const { return folder_.filename().string(); }

  Change poll(ResultState state);

  // {"name", "state", "since_unix_ns", "estimated_seconds", "trials": rows}
  base::json::object describe_progress() const;
  // The same with "experiment" (what the page needs of experiment.json) and "trial", or null.
  base::json::object describe() const;

 private:
  struct TrialFile {
    FileIdentity identity;
    base::json::object row;
  };
  void read_mark();
  bool look_at_trials();
  bool read_trial(const std::string& id);
  bool follow(const std::string& id);

  std::filesystem::path folder_;
  base::json::object experiment_;
  ResultState state_ = ResultState::interrupted;
  base::json::object mark_;                 // running.json while it runs.
  std::map<std::string, TrialFile> files_;  // By folder: what has a trial.json.
  std::unique_ptr<WatchedTrial> trial_;     // That runs, or ran last.
  bool is_first_ = true;
};

}  // namespace flow::lab
