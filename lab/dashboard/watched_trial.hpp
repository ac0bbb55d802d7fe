// The running trial as its intervals.jsonl tells it, while that grows: steps, seconds, resources,
// gates. Lines that are not JSON are counted and left out; kinds not known are left out.
// Thread: one.
// Invariant: keeps a bounded number of lines of each kind, the newest.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "lab/result/line_tail.hpp"

namespace flow::lab {

struct WatchedTrialLimits {
  std::size_t seconds_max = 1800;
  std::size_t steps_max = 200;
};

class WatchedTrial {
 public:
  struct Change {
    bool is_reset = false;    // What was told before is void.
    base::json::array lines;  // New ones.
  };

  WatchedTrial(std::string id, const std::filesystem::path& folder, WatchedTrialLimits limits = {})
      : id_(std::move(id)), tail_(folder / "intervals.jsonl"), limits_(limits) {}

  const std::string& id() const { return id_; }

  Change poll();

  // {"id", "steps", "seconds", "resources", "gates", "lines_left_out"}: all that is kept.
  base::json::object describe() const;

 private:
  using Lines = std::deque<base::json::value>;
  bool keep(const base::json::value& line);
  void forget();

  std::string id_;
  LineTail tail_;
  WatchedTrialLimits limits_;
  Lines steps_;
  Lines seconds_;
  Lines resources_;
  base::json::value gates_;  // The newest line of them.
  std::size_t left_out_ = 0;
};

}  // namespace flow::lab
