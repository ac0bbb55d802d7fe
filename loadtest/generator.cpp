// SPDX-License-Identifier: Apache-2.0
#include "loadtest/generator.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <poll.h>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <sys/eventfd.h>

#include "base/check.hpp"
#include "loadtest/thread_control.hpp"

namespace flow::loadtest {

using base::Errc;
using base::fail;
using base::Result;

namespace {

using namespace std::chrono_literals;

constexpr Nanos start_lead = 200ms;
constexpr Nanos look_interval = 100ms;  // Between two looks at logs and stop requests.
constexpr Nanos progress_interval = 1s;

double milliseconds(Nanos span) { return static_cast<double>(span.count()) / 1e6; }

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

Gate at_most(std::string name, double value, double limit, std::string unit) {
  return {std::move(name), value, limit, std::move(unit), false, value <= limit};
}

}  // namespace

// The state of one run(): the shards and their threads.
class Generator::Run {
 public:
  Run(const LoadPlan& plan, const Endpoint& endpoint, TimePoint start)
      : plan_(plan), writer_(plan.base, plan.trial), endpoint_(endpoint), start_(start) {
    const TimePoint deadline = start + plan.duration() + plan.drain;
    for (std::size_t i = 0; i < plan.shards; ++i) {
      shards_.push_back(std::make_unique<Shard>(plan_, writer_, endpoint_, numbers_,
                                                Stripe{i, plan.shards}, start, deadline));
    }
  }
  ~Run() { join(); }

  Result<void> begin() {
    for (const auto& shard : shards_) {
      if (const auto prepared = shard->prepare(); !prepared) return prepared;
    }
    done_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!done_) return fail(Errc::io, "load generator: eventfd: {}", std::strerror(errno));
    for (const auto& shard : shards_) {
      try {
        threads_.emplace_back([this, &shard] {
          shard->run();
          const std::uint64_t one = 1;
          (void)!::write(done_.get(), &one, sizeof one);
        });
      } catch (const std::system_error& error) {
        request_stop(StopRequest::now);
        return fail(Errc::io, "load generator: thread: {}", error.what());
      }
    }
    return {};
  }

  void request_stop(StopRequest request) {
    for (const auto& shard : shards_) shard->request_stop(request);
  }

  // Waits a moment; true once every shard has ended.
  bool is_done_after(Nanos span) {
    (void)wait_for(done_, POLLIN, base::now() + span);
    std::uint64_t count = 0;
    if (::read(done_.get(), &count, sizeof count) == sizeof count) ended_ += count;
    return ended_ == shards_.size();
  }

  void pass_log_on(RequestSink* sink) {
    if (!sink) return;
    for (const auto& shard : shards_) shard->log().take(*sink);
  }

  void report(const std::function<void(const LoadProgress&)>& on_progress) {
    LoadProgress progress;
    measure::Histogram response;
    measure::Histogram start_error;
    measure::Histogram part;
    progress.elapsed = base::now() - start_;
    progress.planned_duration = plan_.duration();
    progress.planned = plan_.planned();
    progress.is_closed = plan_.visits != nullptr;
    std::uint64_t left_flight = 0;
    for (const auto& shard : shards_) {
      LiveCounters& live = shard->live();
      // Read before `sent`: what ends meanwhile is seen as in flight, the difference is never < 0.
      left_flight += live.left_flight.load();
      progress.answered += live.answered.load();
      progress.failed += live.failed.load();
      progress.sent += live.sent.load();
      progress.intended += live.intended.load();
      progress.late += live.late.load();
      const std::uint64_t left = live.left.load();  // Before `arrived`, likewise.
      progress.present += live.arrived.load() - left;
      live.response.take(part);
      response.merge(part);
      live.start_error.take(part);
      start_error.merge(part);
    }
    progress.in_flight = progress.sent - left_flight;
    progress.cpu_share_max = cpu_share_max();
    progress.response = &response;
    progress.start_error = &start_error;
    if (on_progress) on_progress(progress);
  }

  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void collect(LoadResult& result) {
    join();
    for (const auto& shard : shards_) {
      FLOW_CHECK(shard->measurements().conserves());
      result.measured.merge(shard->measurements());
      result.shards.push_back(shard->health());
    }
  }

 private:
  // Since the start; a thread that has ended keeps what was seen of it.
  double cpu_share_max() {
    for (std::thread& thread : threads_) {
      clockid_t clock = 0;
      timespec used{};
      if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0) continue;
      if (::clock_gettime(clock, &used) != 0) continue;
      cpu_max_ = std::max<Nanos>(cpu_max_, std::chrono::seconds(used.tv_sec) + Nanos(used.tv_nsec));
    }
    return share(static_cast<double>(cpu_max_.count()),
                 static_cast<double>((base::now() - start_).count()));
  }

  const LoadPlan& plan_;
  const RequestWriter writer_;
  const Endpoint endpoint_;
  const TimePoint start_;
  std::atomic<std::uint64_t> numbers_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
  Fd done_;
  std::size_t ended_ = 0;
  Nanos cpu_max_{0};
};

Result<LoadResult> Generator::run(RequestSink* sink,
                                  const std::function<void(const LoadProgress&)>& on_progress) {
  if (const auto checked = check_plan(plan_); !checked) return std::unexpected(checked.error());
  const auto endpoint = resolve(plan_.base);
  if (!endpoint) return std::unexpected(endpoint.error());
  raise_descriptor_limit();
  const StealTime steal_before = read_steal_time();
  LoadResult result;
  result.planned = plan_.planned();
  result.is_closed = plan_.visits != nullptr;
  result.planned_duration = plan_.duration();
  result.start = plan_.start.value_or(base::now() + start_lead);
  Run run(plan_, *endpoint, result.start);
  if (const auto begun = run.begin(); !begun) return std::unexpected(begun.error());

  StopRequest obeyed = StopRequest::none;
  TimePoint next_report = result.start + progress_interval;
  for (bool done = false; !done;) {
    done = run.is_done_after(std::clamp(next_report - base::now(), Nanos{0}, look_interval));
    if (const StopRequest asked = stop_.load(); asked != obeyed) {
      run.request_stop(asked);
      obeyed = asked;
      if (!result.stopped_after) result.stopped_after = base::now() - result.start;
    }
    run.pass_log_on(sink);
    if (!done && base::now() < next_report) continue;
    run.report(on_progress);
    next_report += progress_interval;
  }
  run.collect(result);
  result.end = std::max(result.start, base::now());
  const StealTime steal = read_steal_time();
  result.steal_share = share(steal.stolen_ticks - steal_before.stolen_ticks,
                             steal.all_ticks - steal_before.all_ticks);
  result.clock_step = plan_.anchor.step_since();
  return result;
}

void Generator::request_stop(StopRequest request) {
  StopRequest before = stop_.load();
  while (before < request && !stop_.compare_exchange_weak(before, request)) {
  }
}

std::optional<measure::Quantile> LoadResult::response_quantile(double q) const {
  return measure::quantile(measured.response, measured.censored,
                           measured.failed + measured.error_answers(), q);
}

double LoadResult::seconds() const { return std::chrono::duration<double>(end - start).count(); }

double LoadResult::cpu_share_max() const {
  double most = 0;
  for (const ShardHealth& shard : shards) {
    most = std::max(most, share(milliseconds(shard.cpu), milliseconds(shard.wall)));
  }
  return most;
}

double LoadResult::in_flight_mean() const {
  return share(measured.in_flight_integral_ns, seconds() * 1e9);
}

double LoadResult::present_mean() const {
  return share(measured.visits.present_integral_ns, seconds() * 1e9);
}

double LoadResult::littles_law_gap() const {
  const auto gap = [](double n, double sum) { return share(std::abs(n - sum), n); };
  return std::max(gap(measured.in_flight_integral_ns, measured.service_sum_ns),
                  gap(measured.visits.present_integral_ns, measured.visits.present_sum_ns));
}

double LoadResult::late_share() const {
  return share(static_cast<double>(measured.late), static_cast<double>(measured.sent));
}

double LoadResult::completeness() const {
  const auto lost = measured.by_cause[static_cast<std::size_t>(FailureCause::local)];
  const auto tried = static_cast<double>(measured.intended - lost);
  if (!is_closed) return planned == 0 ? 1 : share(tried, static_cast<double>(planned));
  double run = 1;
  if (stopped_after && *stopped_after < planned_duration) {
    run = share(milliseconds(std::max(Nanos{0}, *stopped_after)), milliseconds(planned_duration));
  }
  return measured.intended == 0 ? run : run * share(tried, static_cast<double>(measured.intended));
}

double LoadResult::omitted_share() const {
  if (!is_closed || planned == 0) return 0;
  return 1 - static_cast<double>(measured.intended) / static_cast<double>(planned);
}

std::vector<Gate> LoadResult::gates() const {
  const auto p50 = response_quantile(0.5);
  const double p50_ms = p50 ? milliseconds(p50->value) : 0;
  const double start_p99 = milliseconds(measured.start_error.quantile(0.99));
  std::vector<Gate> gates;
  gates.push_back(at_most("start error p99", start_p99, std::max(1.0, 0.02 * p50_ms), "ms"));
  if (measured.sent > 0 && measured.start_error.count() == 0) gates.back().passed = false;
  gates.push_back(at_most("late by more than 5 ms", 100 * late_share(), 0.1, "%"));
  gates.push_back(
      {"came due and was tried", 100 * completeness(), 99.9, "%", true, completeness() >= 0.999});
  gates.push_back(at_most("gap in Little's law", 100 * littles_law_gap(), 2, "%"));
  gates.push_back(at_most("CPU of the busiest shard", 100 * cpu_share_max(), 70, "%"));
  gates.push_back(at_most("stolen processor time", 100 * steal_share, 1, "%"));
  // NTP slews by up to 500 ppm; 1 ms more than that is a step.
  gates.push_back(at_most("clock step", std::abs(milliseconds(clock_step)),
                          1 + 0.0005 * seconds() * 1e3, "ms"));
  return gates;
}

}  // namespace flow::loadtest
