// SPDX-License-Identifier: Apache-2.0
#include "lab/join/volume_classes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "measure/quantiles.hpp"
#include "traffic/cascade.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;

std::size_t index_of(ClassHop hop) { return static_cast<std::size_t>(hop); }

value quantile_ns(const Hop& hop, double q) {
  const auto samples = static_cast<double>(hop.values.count() + hop.censored);
  if (samples * (1 - q) < 1 - 1e-9) return nullptr;
  const auto quantile = measure::quantile(hop.values, hop.censored, q);
  if (!quantile || quantile->is_beyond) return nullptr;
  return quantile->value.count();
}

object describe_quantiles(const Hop& hop) {
  return {{"count", hop.values.count()},
          {"censored", hop.censored},
          {"p50_ns", quantile_ns(hop, 0.5)},
          {"p99_ns", quantile_ns(hop, 0.99)}};
}

}  // namespace

std::string_view name_of(ClassHop hop) {
  constexpr std::array<std::string_view, class_hops> names = {"response_time", "publish_response",
                                                              "queryable"};
  return names.at(index_of(hop));
}

Ticks ticks_of(const traffic::ScheduleSpec& spec, std::span<const std::uint64_t> requests) {
  if (requests.size() != spec.ticks || spec.ticks == 0) return {};
  Ticks ticks{.length = spec.tick, .classes = {}, .requests = {requests.begin(), requests.end()}};
  // A tick that was in the heavier half j times of n holds b^j (1 - b)^(n - j) of all.
  const int levels = std::bit_width(spec.ticks - 1);
  const auto shares = traffic::cascade(spec.bias, levels, 1, spec.seed);
  const double light = std::log(1 - spec.bias), step = std::log(spec.bias) - light;
  for (std::uint32_t tick = 0; tick < spec.ticks; ++tick) {
    const double heavier = step > 0 ? (std::log(shares[tick]) - levels * light) / step : 0;
    ticks.classes.push_back(static_cast<std::size_t>(std::lround(heavier)));
  }
  return ticks;
}

TickTally::TickTally(Ticks ticks, base::UnixNanos from)
    : ticks_(std::move(ticks)), from_(base::count(from)) {
  std::map<std::size_t, std::size_t> indexes;
  for (const std::size_t number : ticks_.classes) indexes[number];
  for (auto& [number, index] : indexes) {
    index = classes_.size();
    classes_.emplace_back().number = number;
  }
  for (std::size_t tick = 0; tick < ticks_.classes.size(); ++tick) {
    index_.push_back(indexes.at(ticks_.classes[tick]));
    ++classes_[index_.back()].ticks;
    classes_[index_.back()].requests += ticks_.requests[tick];
  }
  for (auto& logs : logs_) logs.resize(index_.size());
}

void TickTally::add(ClassHop hop, std::int64_t intended_unix_ns, std::optional<base::Nanos> took) {
  const std::int64_t since = intended_unix_ns - from_;
  if (since < 0 || index_.empty()) return;
  const auto tick = static_cast<std::size_t>(since / ticks_.length.count());
  if (tick >= index_.size()) return;
  Hop& into = classes_[index_[tick]].hops[index_of(hop)];
  if (!took) {
    ++into.censored;
    return;
  }
  into.values.record(*took);
  Logs& logs = logs_[index_of(hop)][tick];
  // Two hosts' clocks may make a time that is not above 0.
  logs.sum += std::log(static_cast<double>(std::max<std::int64_t>(took->count(), 1)));
  ++logs.count;
}

double TickTally::requests_per_second(const VolumeClass& one) const {
  const double seconds = std::chrono::duration<double>(ticks_.length).count();
  return static_cast<double>(one.requests) / (static_cast<double>(one.ticks) * seconds);
}

std::vector<double> TickTally::mean_logs(ClassHop hop) const {
  std::vector<double> means;
  for (const Logs& logs : logs_[index_of(hop)]) {
    means.push_back(logs.count > 0 ? logs.sum / static_cast<double>(logs.count)
                                   : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

array describe(const TickTally& tally, bool has_analytics) {
  array rows;
  for (const VolumeClass& one : tally.classes()) {
    object row{{"class", one.number},
               {"requests_per_second", tally.requests_per_second(one)},
               {"ticks", one.ticks},
               {"requests", one.requests}};
    for (const auto hop :
         {ClassHop::response_time, ClassHop::publish_response, ClassHop::queryable}) {
      if (hop == ClassHop::queryable && !has_analytics) continue;
      row[name_of(hop)] = describe_quantiles(one.hops[index_of(hop)]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace flow::lab
