// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/events/recorder.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <tuple>
#include <unistd.h>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>

namespace flow::ecommerce {
namespace {

using streaming::audit::AttemptEnd;
using streaming::audit::AttemptRecord;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr base::Nanos grace = std::chrono::milliseconds(300);  // For batches that are on their way.

// The study's boundaries from 1 ms on, and finer ones below.
const prometheus::Histogram::BucketBoundaries publish_buckets = {
    0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.005, 0.01,
    0.025,   0.05,   0.1,    0.25,   0.5,    1.0,     2.5,   5.0};
const prometheus::Histogram::BucketBoundaries request_buckets = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0};

double seconds(std::int64_t nanos) { return static_cast<double>(nanos) / 1e9; }

std::string_view outcome_of(std::uint16_t status) {
  if (status < 400) return status < 300 ? "SUCCESS" : "REDIRECTION";
  return status < 500 ? "CLIENT_ERROR" : "SERVER_ERROR";
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& at) {
    return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// The largest value of the last one to two minutes.
class RecentMax {
 public:
  void add(std::int64_t unix_s, double value) {
    roll(unix_s / 60);
    current_ = std::max(current_, value);
  }
  double value(std::int64_t unix_s) {
    roll(unix_s / 60);
    return std::max(current_, before_);
  }

 private:
  void roll(std::int64_t minute) {
    if (minute == minute_) return;
    before_ = minute == minute_ + 1 ? current_ : 0;
    current_ = 0;
    minute_ = minute;
  }
  std::int64_t minute_ = 0;
  double current_ = 0;
  double before_ = 0;
};

}  // namespace

void AttemptTotals::add(AttemptEnd end) {
  ++attempts;
  switch (end) {
    case AttemptEnd::acked:
      ++acked;
      return;
    case AttemptEnd::rejected:
      ++rejected;
      return;
    case AttemptEnd::timed_out:
      ++timed_out;
      return;
    case AttemptEnd::lost:
      ++lost;
      return;
    case AttemptEnd::queue_full:
      ++queue_full;
      return;
  }
}

struct Recorder::Records {
  streaming::audit::RecordWriter<AttemptRecord> writer;
};

// Prometheus's families and, so that an observation is no look-up by labels, pointers into them.
struct Recorder::Metrics {
  struct Publish {
    prometheus::Histogram* latency = nullptr;
    prometheus::Gauge* max = nullptr;
    RecentMax recent;
  };

  prometheus::Registry registry;
  prometheus::Family<prometheus::Histogram>& publish_latency =
      prometheus::BuildHistogram()
          .Name("messaging_publish_latency_seconds")
          .Help("From handing an event to the driver to the broker's answer")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& publish_max =
      prometheus::BuildGauge()
          .Name("messaging_publish_latency_seconds_max")
          .Help("Largest publish latency of the last one to two minutes")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& publish_refused =
      prometheus::BuildCounter()
          .Name("messaging_publish_refused_total")
          .Help("Events that found the driver's queue full: nothing was stored or sent")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& requests =
      prometheus::BuildHistogram()
          .Name("http_server_requests_seconds")
          .Help("From a whole request to its whole answer")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& pool =
      prometheus::BuildGauge()
          .Name("database_connections")
          .Help("PostgreSQL connections by state; waiting: requests without one")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& queue =
      prometheus::BuildGauge()
          .Name("messaging_queue_places")
          .Help("Places of the driver's queue: in use, and all")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& passwords =
      prometheus::BuildGauge()
          .Name("password_queue_length")
          .Help("bcrypt computations that run or wait")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& process_memory = prometheus::BuildGauge()
                                                              .Name("process_resident_memory_bytes")
                                                              .Help("Resident set size")
                                                              .Register(registry);
  prometheus::Family<prometheus::Gauge>& process_cpu = prometheus::BuildGauge()
                                                           .Name("process_cpu_seconds_total")
                                                           .Help("User and system CPU time")
                                                           .Register(registry);

  prometheus::Gauge& open = pool.Add({{"state", "open"}});
  prometheus::Gauge& idle = pool.Add({{"state", "idle"}});
  prometheus::Gauge& waiting = pool.Add({{"state", "waiting"}});
  prometheus::Gauge& places_used = queue.Add({{"state", "used"}});
  prometheus::Gauge& places = queue.Add({{"state", "all"}});
  prometheus::Gauge& passwords_queued = passwords.Add({});
  prometheus::Gauge& memory = process_memory.Add({});
  prometheus::Gauge& cpu = process_cpu.Add({});

  std::array<std::array<Publish, 2>, event_names> publish{};  // [event][is success]
  std::map<std::tuple<std::string_view, std::string_view, std::uint16_t>, prometheus::Histogram*>
      by_request;
};

Recorder::Recorder(Options options)
    : options_(std::move(options)), metrics_(std::make_unique<Metrics>()) {}

Recorder::~Recorder() = default;

base::Result<std::unique_ptr<Recorder>> Recorder::create(Options options) {
  std::unique_ptr<Recorder> recorder(new Recorder(std::move(options)));
  if (!recorder->options_.records_path.empty()) {
    auto writer =
        streaming::audit::RecordWriter<AttemptRecord>::create(recorder->options_.records_path);
    if (!writer) return base::with_context("--records", writer.error());
    recorder->records_ = std::make_unique<Records>(Records{std::move(*writer)});
  }
  return recorder;
}

SecondRow& Recorder::row_at(std::int64_t unix_s) {
  // What comes after its second was printed counts in the next one that is not: never lost.
  const std::int64_t second = std::max(unix_s, closed_until_);
  SecondRow& row = open_[second];
  row.unix_s = second;
  return row;
}

void Recorder::add_attempt(const AttemptRecord& record) {
  if (records_) records_->writer.append(record);
  totals_.add(record.end);
  const std::int64_t second = record.decided / second_ns;
  SecondRow& row = row_at(second);
  row.attempts.add(record.end);
  const auto event = static_cast<EventName>(record.event);
  const std::string& topic = options_.topics[record.topic];
  if (record.end == AttemptEnd::queue_full) {
    metrics_->publish_refused.Add({{"eventName", std::string(name_of(event))}, {"topic", topic}})
        .Increment();
    return;
  }
  const bool is_acked = record.end == AttemptEnd::acked;
  const std::int64_t latency = record.decided - record.published;
  auto& publish = metrics_->publish[record.event][is_acked ? 1 : 0];
  if (publish.latency == nullptr) {
    const std::map<std::string, std::string> labels = {
        {"eventName", std::string(name_of(event))},
        {"outcome", is_acked ? "success" : "failure"},
        {"strategy", options_.strategy},
        {"topic", topic}};
    publish.latency = &metrics_->publish_latency.Add(labels, publish_buckets);
    publish.max = &metrics_->publish_max.Add(labels);
  }
  publish.latency->Observe(seconds(latency));
  publish.recent.add(second, seconds(latency));
  if (!is_acked) return;
  row.publish_latency.record(base::Nanos{latency});
  const bool is_of_trial = options_.trial == 0 || record.trial == options_.trial;
  if (record.intended != 0 && is_of_trial) {
    row.publish_response.record(base::Nanos{record.decided - record.intended});
  }
}

void Recorder::add_request(const RequestObservation& request) {
  ++row_at(base::count(options_.anchor.to_unix(request.answered)) / second_ns).requests;
  auto& histogram = metrics_->by_request[{request.method, request.uri, request.status}];
  if (histogram == nullptr) {
    histogram = &metrics_->requests.Add({{"error", "none"},
                                         {"exception", "none"},
                                         {"method", std::string(request.method)},
                                         {"outcome", std::string(outcome_of(request.status))},
                                         {"status", std::to_string(request.status)},
                                         {"uri", std::string(request.uri)}},
                                        request_buckets);
  }
  histogram->Observe(seconds(request.service.count()));
}

void Recorder::add(const Observations& batch) {
  for (const AttemptRecord& record : batch.attempts) add_attempt(record);
  for (const RequestObservation& request : batch.requests) add_request(request);
  queued_ = batch.places_used;
  metrics_->open.Set(static_cast<double>(batch.connections_open));
  metrics_->idle.Set(static_cast<double>(batch.connections_idle));
  metrics_->waiting.Set(static_cast<double>(batch.connections_waiting));
  metrics_->places_used.Set(static_cast<double>(batch.places_used));
  metrics_->places.Set(static_cast<double>(batch.places));
  metrics_->passwords_queued.Set(static_cast<double>(batch.passwords_queued));
}

base::Result<void> Recorder::close_seconds_before(std::int64_t unix_s) {
  // A second in which nothing happened is a row too.
  if (closed_until_ == 0) closed_until_ = open_.empty() ? unix_s : open_.begin()->first;
  for (; closed_until_ < unix_s; ++closed_until_) {
    SecondRow& row = row_at(closed_until_);
    row.queued = queued_;
    if (options_.on_second) options_.on_second(row);
    open_.erase(open_.begin());
  }
  if (records_) return records_->writer.flush();
  return {};
}

base::Result<void> Recorder::tick(base::TimePoint now) {
  return close_seconds_before(base::count(options_.anchor.to_unix(now - grace)) / second_ns);
}

base::Result<void> Recorder::finish() {
  const std::int64_t last = open_.empty() ? closed_until_ : open_.rbegin()->first + 1;
  return close_seconds_before(last);
}

std::string Recorder::prometheus_text() {
  metrics_->memory.Set(resident_bytes());
  metrics_->cpu.Set(cpu_seconds());
  const std::int64_t now_s = base::count(options_.anchor.to_unix(base::now())) / second_ns;
  for (auto& event : metrics_->publish) {
    for (auto& publish : event) {
      if (publish.max != nullptr) publish.max->Set(publish.recent.value(now_s));
    }
  }
  return prometheus::TextSerializer().Serialize(metrics_->registry.Collect());
}

}  // namespace flow::ecommerce
