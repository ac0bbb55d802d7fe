// flow auditor: reads topics from their first record while a trial runs, writes one record per
// event to a file, says each second what it saw, and reads to the end before it stops.
// SPDX-License-Identifier: Apache-2.0
#include "streaming/audit/auditor.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/driver_choice.hpp"
#include "base/json.hpp"
#include "net/io_thread.hpp"
#include "net/signals.hpp"

namespace flow::apps {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Nanos;
using base::Result;
namespace json = boost::json;
using streaming::audit::Auditor;

struct AuditorFlags {
  std::string kafka;
  std::string pulsar;
  std::string pulsar_admin;
  std::vector<std::string> topics = {"users", "products", "orders"};
  std::string records = "reads.records";
  std::optional<std::int64_t> clock_anchor_ns;
  std::uint64_t trial = 0;
  std::vector<std::string> consumer_settings;
  unsigned drain_seconds = 30;
  unsigned connect_seconds = 30;
  bool as_json = false;
};

Result<DriverChoice> choice_of(const AuditorFlags& flags) {
  if (flags.kafka.empty() == flags.pulsar.empty()) {
    return fail(Errc::config, "auditor: expected one of --kafka HOST:PORT and --pulsar URL");
  }
  DriverChoice choice;
  choice.platform = flags.kafka.empty() ? "pulsar" : "kafka";
  choice.service = flags.kafka.empty() ? flags.pulsar : flags.kafka;
  choice.admin_url = flags.pulsar_admin;
  choice.client_id = "flow-auditor";
  for (const std::string& setting : flags.consumer_settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Errc::config, "--consumer-setting {}: expected key=value", setting);
    }
    choice.consumer.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return choice;
}

void say(const json::object& line) {
  std::printf("%s\n", json::serialize(line).c_str());
  std::fflush(stdout);
}

json::value quantile_ns(const measure::Histogram& histogram, double q) {
  if (histogram.count() == 0 || histogram.quantile(q) == Nanos::max()) return nullptr;
  return histogram.quantile(q).count();
}

double milliseconds(Nanos span) { return static_cast<double>(span.count()) / 1e6; }

// The lines of the program, for a person or for a program that reads them.
class Voice {
 public:
  explicit Voice(bool as_json) : as_json_(as_json) {}

  void ready(const streaming::Driver& driver, const AuditorFlags& flags) const {
    if (!as_json_) {
      fmt::print("reading {} into {}; Ctrl-C reads to the end and stops\n",
                 fmt::join(flags.topics, ", "), flags.records);
      std::fflush(stdout);
      return;
    }
    json::object settings;
    constexpr std::string_view prefix = "consumer.";
    for (const auto& [key, value] : driver.effective_settings()) {
      if (key.starts_with(prefix)) settings[key.substr(prefix.size())] = value;
    }
    say({{"event", "ready"},
         {"platform", driver.platform()},
         {"client", driver.client_version()},
         {"settings", std::move(settings)}});
  }

  void second(std::int64_t unix_s, const Auditor::Second& second) const {
    const measure::Histogram& end_to_end = second.end_to_end;
    if (!as_json_) {
      if (second.seen == 0) return;
      fmt::print("{:>8} events/s   end to end p50 {:9.3f} ms   p99 {:9.3f} ms\n", second.seen,
                 milliseconds(end_to_end.quantile(0.5)), milliseconds(end_to_end.quantile(0.99)));
      std::fflush(stdout);
      return;
    }
    say({{"event", "second"},
         {"unix_s", unix_s},
         {"seen", second.seen},
         {"end_to_end_p50_ns", quantile_ns(end_to_end, 0.5)},
         {"end_to_end_p99_ns", quantile_ns(end_to_end, 0.99)},
         {"end_to_end_max_ns",
          end_to_end.count() == 0 ? json::value(nullptr) : json::value(end_to_end.max().count())}});
  }

  void stopped(const Auditor& auditor, bool is_complete, const std::string& error) const {
    if (as_json_) {
      json::object line = {
          {"event", "stopped"}, {"records", auditor.records_written()}, {"complete", is_complete}};
      if (!error.empty()) line["error"] = error;
      return say(line);
    }
    fmt::print("{} records, {}\n", auditor.records_written(),
               is_complete ? "every partition read to its end" : "not complete: " + error);
  }

 private:
  bool as_json_;
};

// One run, from the first connection to the last line. Main thread; the driver's work is on `io_`.
class AuditorRun {
 public:
  explicit AuditorRun(const AuditorFlags& flags)
      : flags_(flags),
        voice_(flags.as_json),
        anchor_(flags.clock_anchor_ns
                    ? base::ClockAnchor::from_offset(Nanos{*flags.clock_anchor_ns})
                    : base::ClockAnchor::take()) {}
  ~AuditorRun() {
    signals_.reset();
    io_.run([this] { consumer_.reset(); });
    driver_.reset();
  }

  Result<int> run() {
    if (auto started = start(); !started) return std::unexpected(started.error());
    voice_.ready(*driver_, flags_);
    auto stop = stop_.get_future();
    while (stop.wait_until(next_second()) == std::future_status::timeout) tell_second();
    return finish();
  }

 private:
  Result<void> start() {
    auto choice = choice_of(flags_);
    if (!choice) return std::unexpected(choice.error());
    auto driver = make_driver(io_, *choice);
    if (!driver) return std::unexpected(driver.error());
    driver_ = std::move(*driver);
    auto auditor = Auditor::create({flags_.trial, anchor_, flags_.records});
    if (!auditor) return std::unexpected(auditor.error());
    auditor_ = std::move(*auditor);
    const auto deadline = base::now() + std::chrono::seconds(flags_.connect_seconds);
    auto consumer = io_.run_task(driver_->open_consumer(flags_.topics, *auditor_, deadline));
    if (!consumer) return std::unexpected(consumer.error());
    consumer_ = std::move(*consumer);
    signals_ = std::make_unique<net::StopSignals>(io_, [this](int n) { on_signal(n); });
    return {};
  }

  // The first asks to read to the end, the second to stop where it is. On io_.
  void on_signal(int n) {
    if (n == 1) stop_.set_value();
    if (n == 2) {
      is_hurried_ = true;
      consumer_->stop();
    }
  }

  // Just after a whole second of the trial's clock, so that a line is about that second.
  base::TimePoint next_second() {
    const std::int64_t unix_ns = base::count(anchor_.to_unix(base::now()));
    telling_s_ = unix_ns / 1'000'000'000;
    return anchor_.from_unix(base::UnixNanos{(telling_s_ + 1) * 1'000'000'000}) + 5ms;
  }

  void tell_second() {
    auto second = auditor_->write_second(io_);
    if (second) return voice_.second(telling_s_, *second);
    if (!disk_error_) std::fprintf(stderr, "flow: %s\n", second.error().what.c_str());
    disk_error_ = second.error();
  }

  Result<int> finish() {
    const auto deadline = base::now() + std::chrono::seconds(flags_.drain_seconds);
    auto reading = boost::asio::co_spawn(io_.context(), consumer_->read_to_end(deadline),
                                         boost::asio::use_future);
    while (reading.wait_until(next_second()) == std::future_status::timeout) tell_second();
    const Result<bool> is_at_end = reading.get();
    tell_second();
    const std::string error = words_for(is_at_end);
    voice_.stopped(*auditor_, error.empty(), error);
    std::fflush(stdout);
    if (io_.run([this] { return is_hurried_; })) std::_Exit(3);  // Waits for no broker.
    return error.empty() ? 0 : 3;
  }

  // Why the file does not hold every record; empty when it does.
  std::string words_for(const Result<bool>& is_at_end) {
    if (disk_error_) return disk_error_->what;
    if (auto error = auditor_->consumer_error(io_)) return error->what;
    if (!is_at_end) return is_at_end.error().what;
    if (*is_at_end) return {};
    return fmt::format("not every partition was read to its end within {} s", flags_.drain_seconds);
  }

  AuditorFlags flags_;
  Voice voice_;
  base::ClockAnchor anchor_;
  net::IoThread io_{"auditor"};
  std::promise<void> stop_;
  std::unique_ptr<streaming::Driver> driver_;
  std::unique_ptr<Auditor> auditor_;
  std::unique_ptr<streaming::Consumer> consumer_;
  std::unique_ptr<net::StopSignals> signals_;
  std::int64_t telling_s_ = 0;
  bool is_hurried_ = false;  // io_'s.
  std::optional<base::Error> disk_error_;
};

}  // namespace

void add_auditor(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<AuditorFlags>();
  CLI::App* command = root.add_subcommand(
      "auditor", "Read topics back and record what arrived, while a trial runs");
  auto* kafka = command->add_option("--kafka", flags->kafka, "Bootstrap servers: HOST:PORT,...");
  auto* pulsar = command->add_option("--pulsar", flags->pulsar, "pulsar://HOST:PORT");
  kafka->excludes(pulsar);
  command->add_option("--pulsar-admin", flags->pulsar_admin, "http://HOST:PORT")->needs(pulsar);
  command->add_option("--topics", flags->topics, "Topics, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--records", flags->records, "The file to write")->capture_default_str();
  command->add_option("--clock-anchor", flags->clock_anchor_ns,
                      "Wall clock minus monotonic clock of the trial, in ns (default: taken now)");
  command->add_option("--trial", flags->trial,
                      "Only this trial's events enter the latencies "
                      "(0: every event with a stamp)");
  command->add_option("--consumer-setting", flags->consumer_settings, "key=value, repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--drain-seconds", flags->drain_seconds, "How long to read for the end")
      ->check(CLI::Range(1U, 3600U))
      ->capture_default_str();
  command->add_flag("--json", flags->as_json, "One JSON object per line, for a program");
  command->footer("Example: flow auditor --kafka 127.0.0.1:9092 --topics orders --records r.bin");
  command->callback([flags, &exit_code] {
    const auto code = AuditorRun(*flags).run();
    exit_code = code ? *code : report_error(code.error());
  });
}

}  // namespace flow::apps
