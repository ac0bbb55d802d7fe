// SPDX-License-Identifier: Apache-2.0
#include "loadtest/tally.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace flow::loadtest {
namespace {

constexpr Nanos late_limit = std::chrono::milliseconds(5);
constexpr int error_status_min = 400;

double ns(Nanos span) { return static_cast<double>(span.count()); }

}  // namespace

void Tally::on_due() {
  ++measured_.intended;
  live_.intended.add();
}

void Tally::on_sent(const DueRequest& request, TimePoint connection_free, TimePoint now) {
  advance_integral(now);
  ++in_flight_;
  measured_.in_flight_max = std::max<std::uint64_t>(measured_.in_flight_max, in_flight_);
  ++measured_.sent;
  live_.sent.add();
  if (connection_free > request.intended) {
    measured_.blocked.record(connection_free - request.intended);
  } else {
    measured_.start_error.record(now - request.intended);
    live_.start_error.record(now - request.intended);
  }
  if (now - connection_free > late_limit) {
    ++measured_.late;
    live_.late.add();
  }
}

void Tally::on_answered(const DueRequest& request, TimePoint sent, TimePoint connection_free,
                        TimePoint now, int status) {
  FLOW_CHECK(status >= 100 && status < 600);
  (status < error_status_min ? measured_.response : measured_.error_response)
      .record(now - request.intended);
  live_.response.record(now - request.intended);
  measured_.service.record(now - sent);
  leave_flight(sent, now);
  ++measured_.answered;
  ++measured_.by_status[static_cast<std::size_t>(status)];
  live_.answered.add();
  sink_.on_finished({request, sent, now, connection_free, status, RequestEnd::answered});
}

void Tally::on_failed(const DueRequest& request, TimePoint sent, TimePoint connection_free,
                      TimePoint now, FailureCause cause) {
  leave_flight(sent, now);
  ++measured_.failed;
  ++measured_.by_cause[static_cast<std::size_t>(cause)];
  live_.failed.add();
  sink_.on_finished({request, sent, now, connection_free, 0, RequestEnd::failed});
}

void Tally::on_unanswered(const DueRequest& request, TimePoint sent, TimePoint connection_free,
                          TimePoint deadline) {
  leave_flight(sent, deadline);
  ++measured_.unanswered;
  measured_.censored.record(deadline - request.intended);
  sink_.on_finished({request, sent, deadline, connection_free, 0, RequestEnd::unanswered});
}

void Tally::leave_flight(TimePoint sent, TimePoint now) {
  if (sent == TimePoint{}) return;
  advance_integral(now);
  --in_flight_;
  live_.left_flight.add();
  measured_.service_sum_ns += ns(std::max(Nanos{0}, now - sent));
}

// Called with times that may stand still but never go back.
void Tally::advance_integral(TimePoint now) {
  if (now <= integral_at_) return;
  measured_.in_flight_integral_ns += static_cast<double>(in_flight_) * ns(now - integral_at_);
  integral_at_ = now;
}

}  // namespace flow::loadtest
