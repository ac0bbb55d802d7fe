// Sends a plan to a system under test and measures what comes back: the HTTP load generator. The
// plan's times are the truth: nothing is skipped, nothing is sent early, what is late keeps its
// time. Open: a schedule; closed: visits, whose times wait for answers. Its shards run on threads
// of their own; the caller's thread waits in run(), passes the log on and shows progress.
//
//   Generator generator(plan);
//   auto result = generator.run(&log, [](const LoadProgress& p) { ... });
//
// Thread: run() once; stop_soon() and stop_now() from any thread while it runs or before.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/measurements.hpp"
#include "loadtest/plan.hpp"
#include "loadtest/request_log.hpp"
#include "loadtest/shard.hpp"
#include "measure/quantiles.hpp"

namespace flow::loadtest {

// What happened up to now (counts) and since the last report (histograms, of that moment only).
struct LoadProgress {
  Nanos elapsed{0};           // Since the start; negative before it.
  Nanos planned_duration{0};  // To the last intended time.
  std::uint64_t planned = 0;  // Requests in the plan; of visits, if every answer came at once.
  std::uint64_t intended = 0;
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  bool is_closed = false;                           // Visits, not a schedule.
  std::uint64_t present = 0;                        // Customers; closed.
  std::uint64_t in_flight = 0;                      // Sent, nothing heard yet.
  std::uint64_t late = 0;                           // Subset of sent, see late_share().
  double cpu_share_max = 0;                         // Of the busiest shard's thread.
  const measure::Histogram* response = nullptr;     // Of answers of every status.
  const measure::Histogram* start_error = nullptr;  // Of requests that found a connection free.
};

// One promise of the generator, with what was found. A run that breaks one is invalid.
struct Gate {
  std::string name;
  double value = 0;
  double limit = 0;
  std::string unit;         // "ms" or "%"
  bool is_minimum = false;  // The value must be at least the limit, else at most.
  bool passed = false;
};

struct LoadResult {
  TimePoint start{};
  TimePoint end{};            // The last answer, or the drain's deadline.
  std::uint64_t planned = 0;  // LoadPlan::planned()
  bool is_closed = false;     // Visits, not a schedule.
  Nanos planned_duration{0};
  std::optional<Nanos> stopped_after;  // The operator ended it early.
  Measurements measured;
  std::vector<ShardHealth> shards;
  double steal_share = 0;  // Of all processors' time, taken by the hypervisor.
  Nanos clock_step{0};     // Wall clock against monotonic, since the plan's anchor.

  // Over all intended requests: failed, error answers and unanswered rank above every answer.
  std::optional<measure::Quantile> response_quantile(double q) const;

  double seconds() const;
  double cpu_share_max() const;   // Of the busiest shard's thread.
  double in_flight_mean() const;  // N, by integrating over time.
  double present_mean() const;    // Customers, by integrating over time; closed.
  // |N - X R| / N, and of customers |N - X (R + Z)| / N: the larger; 0 when nothing was sent.
  double littles_law_gap() const;
  double late_share() const;  // Of sent: over 5 ms late with a connection free.
  // Open: the share of the planned requests that came due and were not lost to a local limit.
  // Closed: the same of those that came due, times the share of the planned time that was run.
  double completeness() const;
  // Closed: the share of the planned requests that nobody made because customers were waiting for
  // answers (or were turned away). No response time shows them.
  double omitted_share() const;
  std::vector<Gate> gates() const;
};

class Generator {
 public:
  explicit Generator(LoadPlan plan) : plan_(std::move(plan)) {}
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Both may be empty. `on_progress` is called each second on the calling thread, and at the end.
  // Errc::config: the plan; Errc::io: no thread or descriptor. A server that refuses or breaks
  // everything is a result, not an error.
  base::Result<LoadResult> run(RequestSink* sink,
                               const std::function<void(const LoadProgress&)>& on_progress);

  void stop_soon() { request_stop(StopRequest::soon); }
  void stop_now() { request_stop(StopRequest::now); }

 private:
  class Run;
  void request_stop(StopRequest request);

  LoadPlan plan_;
  std::atomic<StopRequest> stop_ = StopRequest::none;
};

}  // namespace flow::loadtest
