// Keeps the books of a sender: every request that comes due is counted once in, once out, and its
// times go to the histograms that they belong to.
// Thread: one owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "loadtest/live.hpp"
#include "loadtest/measurements.hpp"
#include "loadtest/sender.hpp"

namespace flow::loadtest {

class Tally {
 public:
  // Borrowed; both outlive the tally. Moments are from `start` on and never go back.
  Tally(TimePoint start, FinishedSink& sink, LiveCounters& live)
      : sink_(sink), live_(live), integral_at_(start) {}

  void on_due();
  // `connection_free`: the later of intended time and the moment at which a connection was ready.
  void on_sent(const DueRequest& request, TimePoint connection_free, TimePoint now);

  // Exactly one of these for each request that came due. `sent`, `connection_free`: TimePoint{} for
  // never.
  void on_answered(const DueRequest& request, TimePoint sent, TimePoint connection_free,
                   TimePoint now, int status);
  void on_failed(const DueRequest& request, TimePoint sent, TimePoint connection_free,
                 TimePoint now, FailureCause cause);
  void on_unanswered(const DueRequest& request, TimePoint sent, TimePoint connection_free,
                     TimePoint deadline);

  Measurements& measured() { return measured_; }
  const Measurements& measured() const { return measured_; }

 private:
  void leave_flight(TimePoint sent, TimePoint now);
  void advance_integral(TimePoint now);

  FinishedSink& sink_;
  LiveCounters& live_;
  Measurements measured_;
  std::size_t in_flight_ = 0;
  TimePoint integral_at_;
};

}  // namespace flow::loadtest
