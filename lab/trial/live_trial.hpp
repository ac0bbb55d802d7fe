// What a running trial tells about itself in intervals.jsonl, beside what its programs say about
// each second: the steps on its way ("step"), what processes and machine use ("resources"), and the
// gates as far as they are known before the seal ("gates"). For whoever watches from outside, such
// as the dashboard.
// Thread: the trial's main thread; the sampler's thread through resource_sink().
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "lab/trial/live_log.hpp"
#include "loadtest/generator.hpp"
#include "measure/histogram.hpp"
#include "net/io_thread.hpp"
#include "servers/resources.hpp"

namespace flow::lab {

class LiveTrial {
 public:
  // `log` lives on `io`; both outlive this, and this outlives the sampler that got the sink.
  LiveTrial(net::IoThread& io, LiveLog& log, const base::ClockAnchor& anchor)
      : io_(io), log_(log), anchor_(anchor) {}
  ~LiveTrial();  // Waits until all is written.
  LiveTrial(const LiveTrial&) = delete;
  LiveTrial& operator=(const LiveTrial&) = delete;

  // A step begins, as a person calls it: "starting kafka and PostgreSQL". `planned`: how long it
  // will take, where that is known.
  void step(std::string_view words, base::Nanos planned = base::Nanos{0});

  // A second of the measured phase: the gates that it decides so far. The seal decides them for
  // good, on the joined records.
  void load(const loadtest::LoadProgress& progress);
  // For a line of the terminal: "; NOT HOLDING: steal", empty while all that are known so far do.
  // On `io`.
  const std::string& broken_gates() const { return broken_gates_; }

  servers::ResourceSampler::OnSample resource_sink();

 private:
  void tell(std::string_view kind, base::json::object keys);

  net::IoThread& io_;
  LiveLog& log_;
  base::ClockAnchor anchor_;
  measure::Histogram start_error_;  // Of the measured phase so far.
  measure::Histogram response_;
  double steal_share_ = 0;  // Since the sampler began. On io_, as is the next one.
  std::string broken_gates_;
};

}  // namespace flow::lab
