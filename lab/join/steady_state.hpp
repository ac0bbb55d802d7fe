// Whether a warm-up has settled: the mean logarithm of response time in each intended second, at a
// constant rate, must have a constant level (KPSS) and no drift that matters (Theil-Sen). A cold
// JVM drifts for a minute or more; a schedule that begins then measures the warming.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "loadtest/request_log.hpp"

namespace flow::lab {

// Fewer seconds are not judged; of more, the last ones are.
inline constexpr std::size_t steady_seconds_min = 30;
inline constexpr std::size_t steady_seconds_max = 60;
inline constexpr double drift_allowed_per_minute = 0.05;  // Of the mean log: about 5 % a minute.

struct Steadiness {
  std::size_t seconds = 0;  // Judged.
  std::optional<double> kpss;
  std::optional<double> drift_per_minute;  // Of the log of response time.
  std::optional<bool> is_steady;           // None: too few seconds.
  std::string words;
};

// `log_response`: one value for each second, in order.
Steadiness steadiness_of(std::span<const double> log_response);

base::json::object describe(const Steadiness& steadiness);

// Hands requests on and keeps the mean log response time of those that were answered below 400.
class SecondsOfResponse final : public loadtest::RequestSink {
 public:
  explicit SecondsOfResponse(loadtest::RequestSink& next) : next_(next) {}
  void on_request(const loadtest::RequestEntry& entry) override;

  // By intended second; one without an answer is left out, and so are the first and the last one,
  // which may be cut.
  std::vector<double> values() const;

 private:
  struct Second {
    double sum = 0;
    std::uint64_t count = 0;
  };
  loadtest::RequestSink& next_;
  std::map<std::int64_t, Second> seconds_;  // By Unix second.
};

}  // namespace flow::lab
