// Keeps the books: the attempt records of a trial, the metrics that Prometheus reads, and what the
// shop prints each second. It gets batches from the HTTP thread, so that none of this costs a
// request anything.
// Thread: constructed and destroyed anywhere, everything else on one IoThread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ecommerce/domain/event.hpp"
#include "ecommerce/events/observations.hpp"
#include "measure/histogram.hpp"

namespace flow::ecommerce {

// How attempts ended. attempts = acked + rejected + timed_out + lost + queue_full.
struct AttemptTotals {
  std::uint64_t attempts = 0;
  std::uint64_t acked = 0;
  std::uint64_t rejected = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t lost = 0;
  std::uint64_t queue_full = 0;

  void add(streaming::audit::AttemptEnd end);
};

// One second, by the moment in which a request was answered or an attempt decided.
struct SecondRow {
  std::int64_t unix_s = 0;
  std::uint64_t requests = 0;
  AttemptTotals attempts;
  std::size_t queued = 0;               // Places in use when the second was closed.
  measure::Histogram publish_latency;   // Acked attempts: decided - published.
  measure::Histogram publish_response;  // Of those, the ones with an intended time: - intended.
};

class Recorder {
 public:
  struct Options {
    std::string records_path;  // Empty: none are written.
    base::ClockAnchor anchor = base::ClockAnchor::take();
    std::uint64_t trial = 0;            // Not 0: only stamps of this trial are in publish_response.
    std::string strategy;               // "KafkaPublishingStrategy"
    std::array<std::string, 3> topics;  // As metrics name them.
    std::function<void(const SecondRow&)> on_second;
  };

  static base::Result<std::unique_ptr<Recorder>> create(Options options);
  ~Recorder();

  void add(const Observations& batch);

  // Closes every second that ended before `now` - grace and flushes the records. An error is a full
  // disk; it is told once per call.
  base::Result<void> tick(base::TimePoint now);
  // Closes all seconds: the end.
  base::Result<void> finish();

  const AttemptTotals& totals() const { return totals_; }
  std::string prometheus_text();

 private:
  struct Metrics;
  struct Records;
  explicit Recorder(Options options);
  SecondRow& row_at(std::int64_t unix_s);
  void add_attempt(const streaming::audit::AttemptRecord& record);
  void add_request(const RequestObservation& request);
  base::Result<void> close_seconds_before(std::int64_t unix_s);

  Options options_;
  AttemptTotals totals_;
  std::unique_ptr<Records> records_;
  std::unique_ptr<Metrics> metrics_;
  std::map<std::int64_t, SecondRow> open_;
  std::int64_t closed_until_ = 0;  // Unix seconds: everything before is printed.
  std::size_t queued_ = 0;
};

}  // namespace flow::ecommerce
