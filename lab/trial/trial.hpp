// One trial: start servers -> create topics -> auditor -> shop -> products, users -> warm up -> the
// seeded schedule -> drain -> read back -> seal. Whatever goes wrong on the way, what was measured
// until then is written, with a word that says why it is not more.
// Thread: the program's main thread; blocks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "lab/plan/experiment.hpp"
#include "lab/plan/plan.hpp"
#include "lab/trial/progress.hpp"
#include "lab/trial/stop.hpp"
#include "servers/level.hpp"
#include "streaming/driver_choice.hpp"

namespace flow::lab {

class TrialServers;

struct TrialInput {
  const Experiment& experiment;
  const Workload& workload;
  const Cell& cell;
  PlannedTrial planned;
  std::string id;  // "001-kafka-fsync-1"
  const servers::Level& level;
  std::filesystem::path folder;     // trials/<id>; made here.
  std::uint64_t key = 1;            // The stamp's trial id; never 0, new for every run.
  std::string block_schedule_hash;  // Of the block's first trial; empty: this is it.
  // Servers of the trial before that this one goes on with; taken out. Where the next one can go on
  // with this one's, they are put in.
  std::unique_ptr<TrialServers>& kept_servers;
  bool keeps_servers = false;
  const std::string& program;  // This binary.
  const streaming::DriverFactory& make_driver;
};

struct TrialOutcome {
  std::string state;  // "complete", "partial", "failed"
  bool is_valid = false;
  std::string schedule_hash;
  std::string words = {};                 // One line: gates, the p99 of each hop that counts.
  std::optional<base::Error> error = {};  // What ended it early.
};

TrialOutcome run_trial(const TrialInput& input, Progress& progress, StopRequest& stop);

}  // namespace flow::lab
