// flow shop: the e-commerce service on PostgreSQL, with its events on Kafka or Pulsar.
// Threads: this one starts, waits for a signal and drains; the rest is in ecommerce/shop.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/shop.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/driver_choice.hpp"
#include "ecommerce/domain/event.hpp"
#include "loadtest/tcp.hpp"
#include "net/signals.hpp"

namespace flow::apps {
namespace {

using base::Errc;
using base::Result;
namespace json = base::json;

struct ShopFlags {
  std::string kafka;
  std::string pulsar;
  std::string pulsar_admin;
  bool fake = false;
  bool no_broker = false;
  std::vector<std::string> producer_settings;
  bool create_topics = false;
  int partitions = 6;
  std::int64_t clock_anchor_ns = 0;
  int drain_seconds = 30;
  int ack_seconds = 10;
  int broker_seconds = 30;
  bool as_json = false;
  ecommerce::ShopOptions shop;
};

// One line at a time from any thread: stdio locks the stream per call.
void print_line(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void print_line(const json::object& object) { print_line(json::serialize(object)); }

void log(const std::string& line) { std::fprintf(stderr, "flow shop: %s\n", line.c_str()); }

Result<streaming::Settings> parse_settings(const std::vector<std::string>& texts) {
  streaming::Settings settings;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return base::fail(Errc::config, "--producer-setting {}: expected key=value", text);
    }
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return settings;
}

// nullopt: --no-broker.
Result<std::optional<DriverChoice>> choice_of(const ShopFlags& flags) {
  const int chosen = (flags.kafka.empty() ? 0 : 1) + (flags.pulsar.empty() ? 0 : 1) +
                     (flags.fake ? 1 : 0) + (flags.no_broker ? 1 : 0);
  if (chosen != 1) {
    return base::fail(Errc::config,
                      "shop: expected exactly one of --kafka HOST:PORT, --pulsar URL, --fake and "
                      "--no-broker");
  }
  if (!flags.pulsar_admin.empty() && flags.pulsar.empty()) {
    return base::fail(Errc::config, "--pulsar-admin {}: only with --pulsar", flags.pulsar_admin);
  }
  if (flags.no_broker) return std::optional<DriverChoice>();
  auto settings = parse_settings(flags.producer_settings);
  if (!settings) return std::unexpected(settings.error());
  DriverChoice choice;
  choice.platform = flags.fake ? "fake" : flags.kafka.empty() ? "pulsar" : "kafka";
  choice.service = flags.kafka.empty() ? flags.pulsar : flags.kafka;
  choice.admin_url = flags.pulsar_admin;
  choice.producer = std::move(*settings);
  choice.client_id = "flow-shop";
  return std::optional<DriverChoice>(std::move(choice));
}

// A driver with its thread; destroyed on that thread.
class DriverHost {
 public:
  static Result<std::unique_ptr<DriverHost>> create(const DriverChoice& choice) {
    auto host = std::make_unique<DriverHost>();
    auto driver = host->io_.run([&] { return make_driver(host->io_, choice); });
    if (!driver) return std::unexpected(driver.error());
    host->driver_ = std::move(*driver);
    return host;
  }
  ~DriverHost() {
    io_.run([this] { driver_.reset(); });
    io_.stop();
  }

  streaming::Driver* driver() { return driver_.get(); }

  // A topic that is there already is left as it is.
  Result<void> create_topics(int partitions, base::TimePoint deadline) {
    auto admin = io_.run([this] { return driver_->open_admin(); });
    if (!admin) return std::unexpected(admin.error());
    Result<void> outcome;
    for (const std::string_view name : ecommerce::topic_names) {
      std::vector<streaming::TopicSpec> topics = {{std::string(name), partitions}};
      auto created = io_.run_task((*admin)->create_topics(std::move(topics), deadline));
      if (!created && created.error().code != Errc::refused) outcome = created;
    }
    io_.run([&] { admin->reset(); });
    return outcome;
  }

 private:
  net::IoThread io_{"shop-driver"};
  std::unique_ptr<streaming::Driver> driver_;
};

std::int64_t quantile_ns(const measure::Histogram& histogram, double q) {
  return histogram.quantile(q).count();
}

void print_second_json(const ecommerce::SecondRow& row) {
  const auto& attempts = row.attempts;
  json::object line;
  line["event"] = "second";
  line["unix_s"] = row.unix_s;
  line["requests"] = row.requests;
  line["attempts"] = attempts.attempts;
  line["acked"] = attempts.acked;
  line["not_acked"] = attempts.attempts - attempts.acked;
  line["queued"] = row.queued;
  line["publish_latency_p50_ns"] = quantile_ns(row.publish_latency, 0.5);
  line["publish_latency_p99_ns"] = quantile_ns(row.publish_latency, 0.99);
  line["publish_response_p50_ns"] = quantile_ns(row.publish_response, 0.5);
  line["publish_response_p99_ns"] = quantile_ns(row.publish_response, 0.99);
  line["publish_response_max_ns"] = row.publish_response.max().count();
  print_line(line);
}

// A quiet second needs no line for people.
void print_second_text(const ecommerce::SecondRow& row) {
  if (row.requests == 0 && row.attempts.attempts == 0) return;
  const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) / 1e6; };
  print_line(fmt::format(
      "{}  {:>6} requests  {:>6} events acked  {:>4} not  {:>5} queued  "
      "publish p50 {:.2f} ms, p99 {:.2f} ms",
      row.unix_s, row.requests, row.attempts.acked, row.attempts.attempts - row.attempts.acked,
      row.queued, ms(quantile_ns(row.publish_latency, 0.5)),
      ms(quantile_ns(row.publish_latency, 0.99))));
}

void print_ready(const ecommerce::Shop& shop, const ShopFlags& flags) {
  if (!flags.as_json) {
    print_line(
        fmt::format("shop      {}/api/v1\nmetrics   {}/actuator/prometheus\n"
                    "Ctrl-C drains and stops, twice stops now.",
                    shop.url(), shop.admin_url()));
    return;
  }
  json::object ready;
  ready["event"] = "ready";
  ready["port"] = shop.port();
  ready["admin_port"] = shop.admin_port();
  ready["pid"] = getpid();
  ready["effective"] = shop.effective();
  print_line(ready);
}

void print_stopped(const ecommerce::AttemptTotals& totals, bool as_json) {
  if (!as_json) {
    print_line(
        fmt::format("stopped: {} events, {} acked, {} rejected, {} timed out, {} lost, {} "
                    "refused by a full queue",
                    totals.attempts, totals.acked, totals.rejected, totals.timed_out, totals.lost,
                    totals.queue_full));
    return;
  }
  json::object stopped;
  stopped["event"] = "stopped";
  stopped["attempts"] = totals.attempts;
  stopped["acked"] = totals.acked;
  stopped["rejected"] = totals.rejected;
  stopped["timed_out"] = totals.timed_out;
  stopped["lost"] = totals.lost;
  stopped["queue_full"] = totals.queue_full;
  print_line(stopped);
}

Result<void> serve(ShopFlags flags) {
  auto choice = choice_of(flags);
  if (!choice) return std::unexpected(choice.error());
  std::promise<void> stop;
  net::IoThread signal_thread("shop-signals");
  const net::StopSignals signals(signal_thread, [&stop](int received) {
    if (received == 1) stop.set_value();
    if (received == 2) {
      log("stopped by a second signal, events that were not acknowledged may be lost");
      std::_Exit(130);
    }
  });

  std::unique_ptr<DriverHost> host;
  if (*choice) {
    auto made = DriverHost::create(**choice);
    if (!made) return std::unexpected(made.error());
    host = std::move(*made);
    if (flags.create_topics || flags.fake) {
      const auto deadline = base::now() + std::chrono::seconds(flags.broker_seconds);
      auto created = host->create_topics(flags.partitions, deadline);
      if (!created) return base::with_context("shop: topics", created.error());
    }
  }
  loadtest::raise_descriptor_limit();  // A connection for every customer; shells allow 1024.
  auto shop = ecommerce::Shop::start(flags.shop, host ? host->driver() : nullptr,
                                     flags.as_json ? print_second_json : print_second_text, log);
  if (!shop) return base::with_context("shop", shop.error());
  print_ready(**shop, flags);
  stop.get_future().wait();
  if (!flags.as_json) print_line("draining: running requests, then events that are under way");
  auto drained = (*shop)->drain(base::now() + std::chrono::seconds(flags.drain_seconds));
  print_stopped((*shop)->totals(), flags.as_json);
  if (!drained) return base::with_context("shop: drain", drained.error());
  return {};
}

void add_broker_flags(CLI::App& command, ShopFlags& flags) {
  command.add_option("--kafka", flags.kafka, "Kafka's bootstrap servers, HOST:PORT[,…]");
  command.add_option("--pulsar", flags.pulsar, "Pulsar's service URL, pulsar://HOST:PORT");
  command.add_option("--pulsar-admin", flags.pulsar_admin,
                     "Pulsar's admin URL, http://HOST:PORT, for health and --create-topics");
  command.add_flag("--fake", flags.fake, "events go to a broker inside this process");
  command.add_flag("--no-broker", flags.no_broker, "no events");
  command.add_option("--producer-setting", flags.producer_settings,
                     "key=value for the driver's producer; repeatable");
  command.add_flag("--create-topics", flags.create_topics,
                   "create users, products and orders where they are missing");
  command.add_option("--partitions", flags.partitions, "of the topics that are created")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--broker-seconds", flags.broker_seconds, "for the first connection")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command
      .add_option("--events-queued-max", flags.shop.events_queued_max,
                  "events that may be under way; beyond it the answer is 503")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command.add_flag("--ack-before-answer", flags.shop.ack_before_answer,
                   "answer after the broker has acknowledged the event");
  command.add_flag("--stamp-in-body", flags.shop.stamp_in_body,
                   "events carry trace id and intended time in their JSON body too, for analytics");
  command.add_option("--ack-seconds", flags.ack_seconds, "how long that may take")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
}

void add_http_flags(CLI::App& command, ShopFlags& flags) {
  auto& shop = flags.shop;
  command.add_option("--address", shop.address, "to listen on")->capture_default_str();
  command.add_option("--port", shop.port, "of the service; 0: any free one")->capture_default_str();
  command.add_option("--admin-port", shop.admin_port, "of /actuator; 0: any free one")
      ->capture_default_str();
  command.add_option("--cors-origin", shop.cors_origins,
                     "a browser origin that may use the service, or *; repeatable");
  command.add_option("--bcrypt-cost", shop.bcrypt_cost, "of new passwords, 4 to 16")
      ->capture_default_str();
  command.add_option("--bcrypt-threads", shop.bcrypt_threads, "threads that compute bcrypt")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--admin-email", shop.admin_email, "creates or promotes an administrator")
      ->envname("FLOW_ADMIN_EMAIL");
  command
      .add_option("--admin-password", shop.admin_password,
                  "of that administrator; better in the environment")
      ->envname("FLOW_ADMIN_PASSWORD");
  command
      .add_option("--jwt-secret", shop.jwt_secret_base64,
                  "key of the tokens in base64, 32 bytes or more; better in the environment")
      ->envname("FLOW_JWT_SECRET");
}

void add_other_flags(CLI::App& command, ShopFlags& flags) {
  auto& shop = flags.shop;
  command.add_option("--postgres", shop.postgres, "connection string or URL, as libpq takes it")
      ->required();
  command.add_flag("--create-tables,!--no-create-tables", shop.create_tables,
                   "create tables and indexes where they are missing (default)");
  command.add_option("--records", shop.records_path, "file for one record per event");
  command.add_option("--clock-anchor", flags.clock_anchor_ns,
                     "CLOCK_REALTIME - CLOCK_MONOTONIC in ns, as the coordinator took it");
  command.add_option("--trial", shop.trial, "the trial whose response times are measured");
  command.add_option("--drain-seconds", flags.drain_seconds, "for requests and events at the end")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command.add_flag("--json", flags.as_json, "one JSON object per line on standard output");
}

}  // namespace

void add_shop(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<ShopFlags>();
  flags->shop.bcrypt_threads =
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 8);
  CLI::App* command = root.add_subcommand(
      "shop", "The e-commerce service on PostgreSQL, with its events on Kafka or Pulsar");
  command->footer(
      "Example: flow shop --kafka 127.0.0.1:9092 --postgres postgresql:///shop\n"
      "         flow shop --no-broker --postgres 'host=/run/postgresql dbname=shop'");
  add_broker_flags(*command, *flags);
  add_http_flags(*command, *flags);
  add_other_flags(*command, *flags);
  command->callback([flags, &exit_code] {
    if (flags->clock_anchor_ns != 0) {
      flags->shop.anchor = base::ClockAnchor::from_offset(base::Nanos{flags->clock_anchor_ns});
    }
    flags->shop.ack_timeout = std::chrono::seconds(flags->ack_seconds);
    flags->shop.broker_timeout = std::chrono::seconds(flags->broker_seconds);
    auto served = serve(*flags);
    exit_code = served ? 0 : report_error(served.error());
  });
}

}  // namespace flow::apps
