// Faults on purpose, at their time in the measured phase: a process is killed and started again, or
// frozen for a while. What happened when, and how long the server took to be back, stands in the
// result. Each fault runs on a thread of its own while it lasts; as long as one does, the servers
// are its alone.
// Thread: the trial's main thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/plan/fault.hpp"

namespace flow::lab {

class FaultInjector {
 public:
  // What a fault needs of the servers; all block. `restart` returns when the role answers again.
  struct Hands {
    std::function<base::Result<void>(const std::string& role)> kill, restart, freeze, thaw;
  };

  FaultInjector(std::vector<Fault> faults, Hands hands);
  ~FaultInjector();  // Waits for the running one.

  // Begins a fault that is due; one at a time. `since_start`: of the measured phase.
  void begin_due(base::Nanos since_start);
  // While true nobody else may touch the servers.
  bool is_running();
  // Waits for the running one. What was not due by now is described as not reached.
  void finish();

  base::json::array describe() const;

 private:
  struct Result {
    bool is_begun = false;
    double began_seconds = 0;
    std::string words = "not reached";
  };
  std::string run(const Fault& fault) const;
  void collect();

  std::vector<Fault> faults_;  // By time.
  Hands hands_;
  std::vector<Result> results_;
  std::size_t next_ = 0;
  std::future<std::string> running_;
};

}  // namespace flow::lab
