// SPDX-License-Identifier: Apache-2.0
#include "loadtest/measurements.hpp"

#include <numeric>

namespace flow::loadtest {

std::string_view name_of(FailureCause cause) {
  switch (cause) {
    case FailureCause::connect:
      return "connect";
    case FailureCause::local:
      return "local";
    case FailureCause::closed:
      return "closed";
    case FailureCause::protocol:
      return "protocol";
  }
  return "?";
}

bool Measurements::conserves() const {
  const auto sum = [](const auto& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  return intended == answered + failed + unanswered && answered == sum(by_status) &&
         failed == sum(by_cause) && answered == response.count() + error_response.count() &&
         answered == service.count() && unanswered == censored.count() && sent <= intended &&
         sent == start_error.count() + blocked.count() &&
         visits.arrived == visits.completed + visits.cut + visits.turned_away;
}

void VisitCounts::merge(const VisitCounts& other) {
  arrived += other.arrived;
  completed += other.completed;
  cut += other.cut;
  turned_away += other.turned_away;
  present_max += other.present_max;
  present_integral_ns += other.present_integral_ns;
  present_sum_ns += other.present_sum_ns;
}

void Measurements::merge(const Measurements& other) {
  response.merge(other.response);
  error_response.merge(other.error_response);
  service.merge(other.service);
  start_error.merge(other.start_error);
  blocked.merge(other.blocked);
  censored.merge(other.censored);
  intended += other.intended;
  sent += other.sent;
  answered += other.answered;
  failed += other.failed;
  unanswered += other.unanswered;
  late += other.late;
  for (std::size_t i = 0; i < by_status.size(); ++i) by_status[i] += other.by_status[i];
  for (std::size_t i = 0; i < by_cause.size(); ++i) by_cause[i] += other.by_cause[i];
  connections_opened += other.connections_opened;
  connections_dropped += other.connections_dropped;
  in_flight_max += other.in_flight_max;
  in_flight_integral_ns += other.in_flight_integral_ns;
  service_sum_ns += other.service_sum_ns;
  visits.merge(other.visits);
}

}  // namespace flow::loadtest
