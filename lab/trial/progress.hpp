// What a person sees while work goes on. On a terminal one line is redrawn in place (step, bar,
// numbers, time left); in a pipe plain lines, at most one every few seconds. Never silent for more
// than 5 s: a thread of its own repeats the running step with the time it has taken.
// Thread: any; calls are serialised inside.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.hpp"

namespace flow::lab {

class Progress {
 public:
  explicit Progress(std::FILE* out = stderr);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A new step: the line of the one before is finished with the time it took.
  void step(std::string_view name);
  // Numbers of the running step: "1,672 req/s  p99 3.2 ms"; `done_share` from 0 to 1 draws a bar,
  // and the time left follows from it.
  void update(std::string_view text, std::optional<double> done_share = std::nullopt);
  // A line of its own that stays.
  void note(std::string_view text);
  void finish();

 private:
  void draw();
  void heartbeat();
  std::string line() const;

  std::FILE* out_;
  bool is_terminal_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stops_ = false;
  std::string step_;
  std::string text_;
  std::optional<double> share_;
  base::TimePoint step_began_;
  base::TimePoint drawn_at_;
  std::thread thread_;
};

}  // namespace flow::lab
