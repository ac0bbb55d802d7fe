// SPDX-License-Identifier: Apache-2.0
#include "apps/load_report.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "measure/hdr_codec.hpp"
#include "measure/quantiles.hpp"

namespace flow::apps {
namespace {

namespace json = base::json;
using loadtest::LoadResult;

std::string row(std::string_view name, const measure::Histogram& histogram) {
  std::string text = fmt::format("{:<13}", name);
  for (const double q : {0.5, 0.9, 0.99, 0.999}) {
    text += fmt::format(
        "{:>10}", histogram.count() == 0 ? "-" : measure::format_duration(histogram.quantile(q)));
  }
  const auto max = histogram.count() == 0 ? "-" : measure::format_duration(histogram.max());
  return text + fmt::format("{:>10}{:>10}\n", max, histogram.count());
}

std::string table_text(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  std::string text = fmt::format("{:<13}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", "p50", "p90",
                                 "p99", "p99.9", "max", "requests");
  text += fmt::format("{:<13}", "response");
  for (const double q : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    text += fmt::format("{:>10}", measure::format_quantile(result.response_quantile(q)));
  }
  text += fmt::format("{:>10}\n", measured.intended);
  text += row("service", measured.service);
  text += row("start error", measured.start_error);
  if (measured.blocked.count() > 0) text += row("blocked", measured.blocked);
  if (measured.error_answers() > 0) text += row("error answers", measured.error_response);
  return text;
}

std::string outcomes_text(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  const std::string of = result.is_closed ? fmt::format("{} if nobody waited", result.planned)
                                          : fmt::format("{} planned", result.planned);
  std::string text =
      fmt::format("intended {} of {} = answered {}", measured.intended, of, measured.answered);
  std::string separator = " (";
  for (std::size_t status = 0; status < measured.by_status.size(); ++status) {
    if (measured.by_status[status] == 0) continue;
    text += fmt::format("{}{}: {}", separator, status, measured.by_status[status]);
    separator = ", ";
  }
  if (measured.answered > 0) text += ")";
  text += fmt::format(" + failed {}", measured.failed);
  separator = " (";
  for (std::size_t cause = 0; cause < measured.by_cause.size(); ++cause) {
    if (measured.by_cause[cause] == 0) continue;
    text += fmt::format("{}{}: {}", separator, name_of(loadtest::FailureCause(cause)),
                        measured.by_cause[cause]);
    separator = ", ";
  }
  if (measured.failed > 0) text += ")";
  return text + fmt::format(" + unanswered {}\n", measured.unanswered);
}

std::string health_text(const LoadResult& result) {
  std::string text = fmt::format(
      "generator    {} connections opened, {} in flight at most, {:.2f} on average; priority {}\n",
      result.measured.connections_opened, result.measured.in_flight_max, result.in_flight_mean(),
      result.shards.front().priority);
  for (const loadtest::Gate& gate : result.gates()) {
    text += fmt::format("  {}  {:<26} {:.4g} {} (at {} {:.4g} {})\n", gate.passed ? "pass" : "FAIL",
                        gate.name, gate.value, gate.unit, gate.is_minimum ? "least" : "most",
                        gate.limit, gate.unit);
  }
  return text;
}

// What the closed modes have beside requests.
std::string visits_text(const LoadResult& result) {
  if (!result.is_closed) return "";
  const loadtest::VisitCounts& visits = result.measured.visits;
  return fmt::format(
      "customers    {} came = {} did what they came for + {} cut off by the end + {} turned away; "
      "{:.1f} present on average, {} at most\n"
      "omitted      {:.2f} % of the requests of the plan were never made, because customers were "
      "waiting; no response time above shows them\n",
      visits.arrived, visits.completed, visits.cut, visits.turned_away, result.present_mean(),
      visits.present_max, 100 * result.omitted_share());
}

json::object outcomes_json(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  json::object by_status;
  for (std::size_t status = 0; status < measured.by_status.size(); ++status) {
    if (measured.by_status[status] > 0) {
      by_status[std::to_string(status)] = measured.by_status[status];
    }
  }
  json::object by_cause;
  for (std::size_t cause = 0; cause < measured.by_cause.size(); ++cause) {
    by_cause[name_of(loadtest::FailureCause(cause))] = measured.by_cause[cause];
  }
  return {{"planned", result.planned},       {"intended", measured.intended},
          {"sent", measured.sent},           {"answered", measured.answered},
          {"answered_by_status", by_status}, {"failed", measured.failed},
          {"failed_by_cause", by_cause},     {"unanswered", measured.unanswered}};
}

json::object response_json(const LoadResult& result) {
  json::object quantiles;
  for (const auto& [name, q] :
       {std::pair{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}, {"p99_9_ns", 0.999}}) {
    const auto quantile = result.response_quantile(q);
    if (!quantile) continue;
    quantiles[name] = quantile->value.count();
    if (quantile->is_beyond) quantiles[std::string(name) + "_is_lower_bound"] = true;
  }
  return quantiles;
}

json::object health_json(const LoadResult& result) {
  json::array gates;
  for (const loadtest::Gate& gate : result.gates()) {
    gates.push_back({{"name", gate.name},
                     {"value", gate.value},
                     {"limit", gate.limit},
                     {"unit", gate.unit},
                     {"limit_is", gate.is_minimum ? "minimum" : "maximum"},
                     {"passed", gate.passed}});
  }
  json::array shards;
  for (const loadtest::ShardHealth& shard : result.shards) {
    shards.push_back({{"cpu_ns", shard.cpu.count()},
                      {"wall_ns", shard.wall.count()},
                      {"priority", shard.priority}});
  }
  return {{"gates", gates},
          {"shards", shards},
          {"in_flight_mean", result.in_flight_mean()},
          {"in_flight_max", result.measured.in_flight_max},
          {"connections_opened", result.measured.connections_opened},
          {"connections_dropped", result.measured.connections_dropped},
          {"steal_share", result.steal_share},
          {"clock_step_ns", result.clock_step.count()}};
}

json::object visits_json(const LoadResult& result) {
  const loadtest::VisitCounts& visits = result.measured.visits;
  return {{"arrived", visits.arrived},
          {"completed", visits.completed},
          {"cut", visits.cut},
          {"turned_away", visits.turned_away},
          {"present_mean", result.present_mean()},
          {"present_max", visits.present_max},
          {"omitted_share", result.omitted_share()}};
}

}  // namespace

std::string result_text(const LoadResult& result) {
  return fmt::format("{}\n{}{}{}", table_text(result), outcomes_text(result), visits_text(result),
                     health_text(result));
}

json::object describe(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  json::object object{
      {"seconds", result.seconds()},
      {"outcomes", outcomes_json(result)},
      {"response_quantiles", response_json(result)},
      {"histograms", json::object{{"response", measure::to_json(measured.response)},
                                  {"error_response", measure::to_json(measured.error_response)},
                                  {"service", measure::to_json(measured.service)},
                                  {"start_error", measure::to_json(measured.start_error)},
                                  {"blocked", measure::to_json(measured.blocked)},
                                  {"censored", measure::to_json(measured.censored)}}},
      {"health", health_json(result)}};
  if (result.is_closed) object["visits"] = visits_json(result);
  return object;
}

}  // namespace flow::apps
