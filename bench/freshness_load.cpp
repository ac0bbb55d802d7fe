// What bench/peers/freshness.sh asks of a broker and of Pinot: publishes events of the shop's topic
// `products` at their intended times, or as fast as the broker takes them; waits until a table
// holds them; reads back when each became a row. On standard output a JSON object, or a line for
// each row.
//   freshness_load publish (--kafka HOST:PORT | --pulsar URL --pulsar-admin URL) --events N ...
//   freshness_load fill --broker URL --table NAME --rows N
//   freshness_load rows --broker URL --table NAME --records FILE --first N --last N
// Thread: the main thread waits; drivers and SQL have an IoThread each.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "analytics/sql_client.hpp"
#include "apps/driver_choice.hpp"
#include "base/bytes.hpp"
#include "base/json.hpp"
#include "ecommerce/domain/entity_json.hpp"
#include "ecommerce/domain/event.hpp"
#include "lab/trial/clients.hpp"
#include "net/io_thread.hpp"
#include "servers/level.hpp"
#include "streaming/audit/records.hpp"

namespace flow::bench {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Nanos;
using base::Result;
namespace json = base::json;

constexpr std::uint64_t trial = 0xf2e5;
constexpr std::uint64_t products = 1000;  // As keys: enough to fill every partition alike.
constexpr std::uint64_t page_requests = 20'000;

struct Flags {
  std::string kafka, pulsar, pulsar_admin, level = "fsync-1";
  int partitions = 0;
  std::uint64_t first = 1, last = 0, events = 0, per_second = 0;
  std::string broker, table, records;
  std::int64_t rows = 0;
};

// Of rank ceil(q * count), in milliseconds.
double quantile_ms(std::vector<std::int64_t>& values, double q) {
  if (values.empty()) return std::nan("");
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at) * 1e-6;
}

int print(const json::object& line) {
  fmt::print("{}\n", json::serialize(line));
  return 0;
}

// ------------------------------------------------------------------------------ publish

// What the shop publishes when somebody looks at one of its products.
ecommerce::Event event_of(std::uint64_t request, std::optional<base::UnixNanos> intended,
                          std::int64_t unix_ms) {
  const std::uint64_t number = request % products + 1;
  ecommerce::Product product;
  product.id = static_cast<ecommerce::Id>(number);
  product.name = fmt::format("Product {}", number);
  product.price = ecommerce::Money::from_hundredths(static_cast<int>(500 + 100 * number));
  product.currency = "USD";
  product.category = "books";
  product.description = fmt::format("Description of product {}", number);
  product.created_at = product.updated_at = unix_ms;
  std::string body;
  append_json(body, product);
  base::Stamp stamp;
  stamp.trial = trial;
  stamp.request = request;
  stamp.parent = 1;  // Of a hop before; 0 is no stamp.
  stamp.intended = intended;
  auto event =
      ecommerce::make_event(ecommerce::EventName::view_product, product.id, std::move(body), stamp);
  put_stamp_into_body(event);
  return event;
}

struct Deliveries final : streaming::DeliverySink {
  void on_delivery(streaming::Ticket, const streaming::Delivery& delivery) override {
    ++by_outcome[static_cast<std::size_t>(delivery.outcome)];
  }
  std::array<std::uint64_t, 4> by_outcome{};
};

// `per_second` 0: as fast as the queue has room. Returns published - intended of each event.
net::Task<std::vector<std::int64_t>> publish_all(streaming::Producer& producer, Flags flags) {
  const auto anchor = base::ClockAnchor::take();
  const auto start = base::now() + Nanos(100ms);
  const std::int64_t unix_ms = base::count(anchor.to_unix(start)) / 1'000'000;
  std::vector<std::int64_t> start_error;
  for (std::uint64_t i = 0; i < flags.events; ++i) {
    base::TimePoint intended = base::now();
    if (flags.per_second != 0) {
      intended = start + Nanos(static_cast<std::int64_t>(i * 1'000'000'000 / flags.per_second));
    }
    const auto event = event_of(flags.first + i, anchor.to_unix(intended), unix_ms);
    const streaming::Message message{streaming::TopicId{0}, event.key, base::as_bytes(event.value),
                                     event.stamp};
    if (base::now() < intended) co_await net::sleep_until(intended);
    start_error.push_back(Nanos(base::now() - intended).count());
    while (producer.try_publish(streaming::Ticket{i}, message) ==
           streaming::Admission::queue_full) {
      co_await net::sleep_until(base::now() + Nanos(1ms));
    }
  }
  co_return start_error;
}

Result<apps::DriverChoice> choice_of(const Flags& flags) {
  if (flags.kafka.empty() == flags.pulsar.empty()) {
    return fail(Errc::config, "publish: expected one of --kafka HOST:PORT and --pulsar URL");
  }
  auto level = servers::load_level(flags.level);
  if (!level) return std::unexpected(level.error());
  const bool is_kafka = flags.pulsar.empty();
  auto choice = lab::clients_of(is_kafka ? "kafka" : "pulsar", *level);
  choice.service = is_kafka ? flags.kafka : flags.pulsar;
  choice.admin_url = flags.pulsar_admin;
  return choice;
}

Result<int> publish(const Flags& flags) {
  auto choice = choice_of(flags);
  if (!choice) return std::unexpected(choice.error());
  net::IoThread io("load");
  auto driver = apps::make_driver(io, *choice);
  if (!driver) return std::unexpected(driver.error());
  const auto within = base::now() + Nanos(60s);
  if (flags.partitions > 0) {
    auto admin = (*driver)->open_admin();
    if (!admin) return std::unexpected(admin.error());
    auto made = io.run_task((*admin)->create_topics({{"products", flags.partitions}}, within));
    if (!made) return std::unexpected(made.error());
  }
  if (flags.events == 0) return 0;
  Deliveries deliveries;
  auto producer = io.run_task((*driver)->open_producer({"products"}, deliveries, within));
  if (!producer) return std::unexpected(producer.error());
  const auto begun = base::now();
  auto start_error = io.run_task(publish_all(**producer, flags));
  auto drained = io.run_task((*producer)->drain(base::now() + Nanos(60s)));
  const double seconds = std::chrono::duration<double>(base::now() - begun).count();
  io.run([&] { producer->reset(); });
  if (!drained) return std::unexpected(drained.error());
  if (deliveries.by_outcome[0] != flags.events) {
    return fail(Errc::io, "publish: {} of {} events were acked", deliveries.by_outcome[0],
                flags.events);
  }
  return print({{"events", flags.events},
                {"seconds", seconds},
                {"start_error_p99_ms", quantile_ms(start_error, 0.99)}});
}

// ------------------------------------------------------------------------------ Pinot

class Asker {
 public:
  static Result<std::unique_ptr<Asker>> make(const std::string& broker) {
    const auto url = net::parse_http_url(broker);
    if (!url) return base::with_context("--broker", url.error());
    return std::make_unique<Asker>(*url);
  }
  explicit Asker(const net::HttpUrl& url) : client_(io_, url) {}
  Result<json::array> rows(std::string sql) {
    auto answer = io_.run_task(client_.query(std::move(sql), base::now() + Nanos(20s)));
    if (!answer) return std::unexpected(answer.error());
    return std::move(answer->rows);
  }

 private:
  net::IoThread io_{"sql"};
  analytics::SqlClient client_;
};

std::int64_t whole(const json::value& value) {
  return static_cast<std::int64_t>(value.to_number<double>());
}

// Waits until the table has --rows rows: how long that took from this call, and how long from its
// first row to its last by the server's own clock.
Result<int> fill(const Flags& flags) {
  const auto begun = base::now();
  auto asker = Asker::make(flags.broker);
  if (!asker) return std::unexpected(asker.error());
  for (;;) {
    auto rows = (*asker)->rows(fmt::format(
        "SELECT COUNT(*), MIN(flowIngestedMs), MAX(flowIngestedMs) FROM {}", flags.table));
    if (rows && !rows->empty() && whole(rows->front().as_array()[0]) >= flags.rows) {
      const auto& row = rows->front().as_array();
      return print(
          {{"rows", whole(row[0])},
           {"complete_seconds", std::chrono::duration<double>(base::now() - begun).count()},
           {"span_ms", whole(row[2]) - whole(row[1])}});
    }
    if (base::now() - begun > 180s) {
      return fail(Errc::timed_out, "{}: {} rows were not there in 180 s", flags.table, flags.rows);
    }
    std::this_thread::sleep_for(50ms);
  }
}

struct Row {
  std::uint64_t request;
  std::int64_t intended, ingested;  // Unix ns.
};

// Pinot's server writes down whole milliseconds that have passed: half of one is what that leaves
// out on average.
constexpr std::int64_t half_of_a_millisecond = 500'000;

Result<std::vector<Row>> read_rows(Asker& asker, const Flags& flags) {
  std::vector<Row> all;
  for (std::uint64_t from = flags.first; from <= flags.last; from += page_requests) {
    auto rows = asker.rows(fmt::format(
        "SELECT flowEvent, flowIntended, flowIngestedMs FROM {} WHERE flowEvent >= '{}' AND "
        "flowEvent < '{}' LIMIT 1000000",
        flags.table, base::format_trace_id(trial, from),
        base::format_trace_id(trial, std::min(from + page_requests, flags.last + 1))));
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) {
      const std::string event(row.as_array()[0].as_string());
      all.push_back({std::stoull(event.substr(16), nullptr, 16), row.as_array()[1].as_int64(),
                     row.as_array()[2].as_int64() * 1'000'000 + half_of_a_millisecond});
    }
  }
  return all;
}

// "request,intended,seen,ingested" of each event, in Unix ns.
Result<int> rows(const Flags& flags) {
  auto asker = Asker::make(flags.broker);
  if (!asker) return std::unexpected(asker.error());
  auto table = read_rows(**asker, flags);
  if (!table) return std::unexpected(table.error());
  auto reads = streaming::audit::read_records<streaming::audit::ReadRecord>(flags.records);
  if (!reads) return std::unexpected(reads.error());
  std::unordered_map<std::uint64_t, std::int64_t> seen;
  for (const auto& read : *reads) seen.emplace(read.request, read.seen);
  if (table->size() != flags.last - flags.first + 1) {
    return fail(Errc::io, "{}: {} rows of {} events", flags.table, table->size(),
                flags.last - flags.first + 1);
  }
  for (const Row& row : *table) {
    const auto found = seen.find(row.request);
    if (found == seen.end()) return fail(Errc::io, "event {}: in Pinot, and not seen", row.request);
    fmt::print("{},{},{},{}\n", row.request, row.intended, found->second, row.ingested);
  }
  return 0;
}

// ------------------------------------------------------------------------------ flags

using Work = Result<int> (*)(const Flags&);

void finish(CLI::App* command, const std::shared_ptr<Flags>& flags, Work work, int& exit_code) {
  command->callback([flags, work, &exit_code] {
    const auto code = work(*flags);
    if (!code) fmt::print(stderr, "freshness_load: {}\n", code.error().what);
    exit_code = code ? *code : code.error().code == Errc::config ? 2 : 3;
  });
}

void add_commands(CLI::App& app, const std::shared_ptr<Flags>& flags, int& exit_code) {
  auto* publishing = app.add_subcommand("publish", "Events into the topic products");
  publishing->add_option("--kafka", flags->kafka, "Bootstrap servers");
  publishing->add_option("--pulsar", flags->pulsar, "pulsar://HOST:PORT");
  publishing->add_option("--pulsar-admin", flags->pulsar_admin, "http://HOST:PORT");
  publishing->add_option("--level", flags->level, "Client and topic settings");
  publishing->add_option("--partitions", flags->partitions, "Make the topic with so many first");
  publishing->add_option("--events", flags->events, "How many; 0 to make the topic only");
  publishing->add_option("--first", flags->first, "Number of the first");
  publishing->add_option("--per-second", flags->per_second, "Evenly placed; 0: as fast as it goes");
  finish(publishing, flags, publish, exit_code);
  auto* filling = app.add_subcommand("fill", "Waits until a table has its rows");
  auto* reading = app.add_subcommand("rows", "When events became rows");
  for (auto* command : {filling, reading}) {
    command->add_option("--broker", flags->broker, "Pinot's, http://HOST:PORT")->required();
    command->add_option("--table", flags->table)->required();
  }
  filling->add_option("--rows", flags->rows)->required();
  finish(filling, flags, fill, exit_code);
  reading->add_option("--records", flags->records, "Of flow auditor")->required();
  reading->add_option("--first", flags->first, "Number of the first event")->required();
  reading->add_option("--last", flags->last, "Number of the last one")->required();
  finish(reading, flags, rows, exit_code);
}

}  // namespace
}  // namespace flow::bench

int main(int argc, char** argv) {
  CLI::App app("The load of bench/peers/freshness.sh, and what became of it");
  app.require_subcommand(1);
  int exit_code = 0;
  flow::bench::add_commands(app, std::make_shared<flow::bench::Flags>(), exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
