// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/faults.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::Nanos;

Nanos seconds(double value) { return Nanos{static_cast<std::int64_t>(value * 1e9)}; }
double seconds(Nanos span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

FaultInjector::FaultInjector(std::vector<Fault> faults, Hands hands)
    : faults_(std::move(faults)), hands_(std::move(hands)) {
  std::ranges::stable_sort(faults_, {}, &Fault::at_seconds);
  results_.resize(faults_.size());
}

FaultInjector::~FaultInjector() { finish(); }

void FaultInjector::begin_due(Nanos since_start) {
  if (is_running() || next_ == faults_.size()) return;
  const Fault& fault = faults_[next_];
  if (since_start < seconds(fault.at_seconds)) return;
  results_[next_].is_begun = true;
  results_[next_].began_seconds = seconds(since_start);
  running_ = std::async(std::launch::async, [this, &fault] { return run(fault); });
}

bool FaultInjector::is_running() {
  if (!running_.valid()) return false;
  if (running_.wait_for(0s) != std::future_status::ready) return true;
  collect();
  return false;
}

void FaultInjector::finish() {
  if (running_.valid()) collect();
}

void FaultInjector::collect() {
  results_[next_].words = running_.get();
  ++next_;
}

// One fault from its begin to its end; the words say how it went.
std::string FaultInjector::run(const Fault& fault) const {
  const bool is_kill = fault.what == "kill";
  if (auto done = is_kill ? hands_.kill(fault.role) : hands_.freeze(fault.role); !done) {
    return fmt::format("not done: {}", done.error().what);
  }
  const auto began = base::now();
  std::this_thread::sleep_for(seconds(fault.for_seconds));
  if (auto undone = is_kill ? hands_.restart(fault.role) : hands_.thaw(fault.role); !undone) {
    return fmt::format("{}, and not back: {}", is_kill ? "killed" : "frozen", undone.error().what);
  }
  const double took = seconds(base::now() - began);
  return is_kill ? fmt::format("killed; ready again {:.1f} s after that", took)
                 : fmt::format("frozen for {:.2f} s", took);
}

base::json::array FaultInjector::describe() const {
  base::json::array rows;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    base::json::object row = lab::describe(faults_[i]);
    row["began_seconds"] =
        results_[i].is_begun ? base::json::value(results_[i].began_seconds) : nullptr;
    row["words"] = results_[i].words;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace flow::lab
