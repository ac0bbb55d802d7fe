// flow pinot: the shop's tables on Pinot made, dropped and looked at, and SQL on them.
// Thread: this one waits; the clients' calls run on an IoThread.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analytics/answer_table.hpp"
#include "analytics/controller.hpp"
#include "analytics/sql_client.hpp"
#include "analytics/table_status.hpp"
#include "analytics/tables.hpp"
#include "apps/command.hpp"
#include "servers/registry.hpp"

namespace flow::apps {
namespace {

using base::Errc;
using base::fail;
using base::Result;
namespace json = base::json;

struct PinotFlags {
  std::string controller;
  std::string broker;
  std::string authorization;
  int seconds = 60;
  bool as_json = false;
  std::string kafka;
  std::string pulsar;
  std::string version;
  std::string prefix;
  bool has_prefix = false;
  bool is_dry_run = false;
  std::vector<std::string> stream_settings;
  std::vector<std::string> names;  // Of tables.
  std::string statement;
  analytics::TableOptions tables;
};

// ------------------------------------------------------------------------------ which Pinot

// The one that `flow up pinot` started, when there is exactly one.
Result<std::string> controller_that_is_up() {
  std::vector<servers::UpEntry> found;
  std::vector<std::string> names;
  for (auto& entry : servers::Registry().list()) {
    if (entry.platform != "pinot" || !entry.is_ready) continue;
    names.push_back(entry.name);
    found.push_back(std::move(entry));
  }
  if (found.empty()) {
    return fail(Errc::config,
                "--pinot: expected a controller's URL, for 'flow up pinot' has none up");
  }
  if (found.size() > 1) {
    return fail(Errc::config, "--pinot: expected a controller's URL, for several are up: {}",
                fmt::join(names, ", "));
  }
  return found.front().admin;
}

// The clients with their thread.
class Pinot {
 public:
  explicit Pinot(const PinotFlags& flags) : flags_(flags) {}
  ~Pinot() {
    sql_.reset();
    controller_.reset();
    io_.stop();
  }

  base::TimePoint deadline() const { return base::now() + std::chrono::seconds(flags_.seconds); }

  template <class T>
  T wait(net::Task<T> task) {
    return io_.run_task(std::move(task));
  }

  // --pinot, or the controller that is up.
  Result<analytics::Controller*> controller() {
    if (controller_) return controller_.get();
    auto text = flags_.controller.empty() ? controller_that_is_up() : flags_.controller;
    if (!text) return std::unexpected(text.error());
    const auto url = net::parse_http_url(*text);
    if (!url) return base::with_context("--pinot", url.error());
    controller_ = std::make_unique<analytics::Controller>(io_, *url, flags_.authorization);
    return controller_.get();
  }

  // --broker, or the one that the controller names.
  Result<analytics::SqlClient*> sql() {
    const auto url = broker_url();
    if (!url) return std::unexpected(url.error());
    sql_ = std::make_unique<analytics::SqlClient>(
        io_, *url, analytics::SqlOptions{.authorization = flags_.authorization});
    return sql_.get();
  }

 private:
  Result<net::HttpUrl> broker_url() {
    if (!flags_.broker.empty()) {
      auto url = net::parse_http_url(flags_.broker);
      if (!url) return base::with_context("--broker", url.error());
      return url;
    }
    const auto at = controller();
    if (!at) return std::unexpected(at.error());
    return wait((*at)->broker_url(deadline()));
  }

  const PinotFlags& flags_;
  net::IoThread io_{"pinot"};
  std::unique_ptr<analytics::Controller> controller_;
  std::unique_ptr<analytics::SqlClient> sql_;
};

// ------------------------------------------------------------------------------ create

Result<analytics::TableOptions> options_of(const PinotFlags& flags) {
  if (flags.kafka.empty() == flags.pulsar.empty()) {
    return fail(Errc::config,
                "pinot create: expected exactly one of --kafka HOST:PORT and --pulsar URL");
  }
  analytics::TableOptions options = flags.tables;
  options.platform = flags.pulsar.empty() ? "kafka" : "pulsar";
  options.service = flags.pulsar.empty() ? flags.kafka : flags.pulsar;
  if (flags.has_prefix) options.prefix = flags.prefix;
  for (const std::string& text : flags.stream_settings) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Errc::config, "--stream-setting {}: expected key=value", text);
    }
    options.stream_settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (!flags.version.empty()) {
    auto version = analytics::parse_pinot_version(flags.version);
    if (!version) return base::with_context("--pinot-version", version.error());
    options.version = *version;
  }
  return options;
}

// A dry run for a named version needs no Pinot.
Result<std::vector<analytics::TableDefinition>> plan_tables(Pinot& pinot, const PinotFlags& flags,
                                                            analytics::TableOptions& options) {
  if (flags.version.empty()) {
    const auto controller = pinot.controller();
    if (!controller) return std::unexpected(controller.error());
    const auto version = pinot.wait((*controller)->version(pinot.deadline()));
    if (!version) return std::unexpected(version.error());
    options.version = *version;
  }
  auto tables = analytics::make_tables(options);
  if (!tables) return base::with_context("pinot create", tables.error());
  return tables;
}

Result<int> create(const PinotFlags& flags) {
  auto options = options_of(flags);
  if (!options) return std::unexpected(options.error());
  Pinot pinot(flags);
  const auto tables = plan_tables(pinot, flags, *options);
  if (!tables) return std::unexpected(tables.error());
  if (flags.is_dry_run) {
    fmt::print("{}", base::pretty_json(analytics::to_json(*tables)));
    return 0;
  }
  const auto controller = pinot.controller();
  if (!controller) return std::unexpected(controller.error());
  for (const auto& table : *tables) {
    const auto created = pinot.wait((*controller)->create(table, pinot.deadline()));
    if (!created) return std::unexpected(created.error());
    if (!flags.as_json) fmt::print("{} reads topic {}\n", table.name, table.topic);
  }
  if (flags.as_json) {
    fmt::print("{}", base::pretty_json(analytics::to_json(*tables)));
  } else {
    fmt::print("Stream: {}, Pinot {}\nTry:  flow pinot sql 'SELECT COUNT(*) FROM {}'\n",
               analytics::stream_words(options->platform, options->version),
               options->version.text(), tables->front().name);
  }
  return 0;
}

// ------------------------------------------------------------------------------ drop

// The tables named, or all with the prefix.
Result<std::vector<std::string>> chosen_tables(Pinot& pinot, const PinotFlags& flags) {
  const auto controller = pinot.controller();
  if (!controller) return std::unexpected(controller.error());
  auto tables = pinot.wait((*controller)->tables(pinot.deadline()));
  if (!tables) return tables;
  for (const auto& name : flags.names) {
    if (std::ranges::find(*tables, name) != tables->end()) continue;
    return fail(Errc::config, "pinot table {}: expected one of what is there: {}", name,
                tables->empty() ? "nothing" : fmt::format("{}", fmt::join(*tables, ", ")));
  }
  if (!flags.names.empty()) return flags.names;
  if (flags.has_prefix) {
    std::erase_if(*tables, [&](const auto& name) { return !name.starts_with(flags.prefix); });
  }
  return tables;
}

Result<int> drop(const PinotFlags& flags) {
  if (flags.names.empty() != flags.has_prefix) {
    return fail(Errc::config, "pinot drop: expected names of tables, or --prefix for all with it");
  }
  if (flags.has_prefix && flags.prefix.empty()) {
    return fail(Errc::config, "--prefix '': expected a letter or more; it would drop every table");
  }
  Pinot pinot(flags);
  const auto tables = chosen_tables(pinot, flags);
  if (!tables) return std::unexpected(tables.error());
  const auto controller = pinot.controller();
  if (!controller) return std::unexpected(controller.error());
  json::array dropped;
  for (const auto& table : *tables) {
    const auto gone = pinot.wait((*controller)->drop(table, pinot.deadline()));
    if (!gone) return std::unexpected(gone.error());
    dropped.emplace_back(table);
    if (!flags.as_json) fmt::print("{} is gone\n", table);
  }
  if (flags.as_json) {
    fmt::print("{}", base::pretty_json(json::object{{"dropped", std::move(dropped)}}));
  } else if (dropped.empty()) {
    fmt::print("No table begins with '{}'.\n", flags.prefix);
  }
  return 0;
}

// ------------------------------------------------------------------------------ status

void print_partitions(const analytics::TableStatus& status) {
  const std::vector<analytics::TextColumn> columns = {
      {"partition", true},     {"server"},         {"state"},
      {"offset", true},        {"segments", true}, {"commits", true},
      {"rows committed", true}};
  std::vector<std::vector<std::string>> rows;
  for (const auto& partition : status.partitions) {
    auto replicas = partition.replicas;
    if (replicas.empty()) replicas.emplace_back().state = "nothing consumes";
    for (const auto& replica : replicas) {
      rows.push_back({fmt::to_string(partition.partition), replica.server, replica.state,
                      replica.offset, fmt::to_string(partition.segments),
                      fmt::to_string(partition.commits), fmt::to_string(partition.rows_committed)});
    }
  }
  fmt::print("{}", analytics::text_table(columns, rows));
}

void print_table_status(const analytics::TableStatus& status) {
  fmt::print("\n{}: {}, {} rows", status.table,
             status.is_healthy() ? "consumes" : "DOES NOT CONSUME", status.rows);
  if (status.events && status.dropped) {
    fmt::print(" of {} events read, {}{} dropped", *status.events,
               status.is_moving ? "at least " : "", *status.dropped);
  } else {
    fmt::print(", events dropped not known (these offsets do not count)");
  }
  fmt::print(", {} commits, {} bytes committed\n", status.commits.size(), status.size.bytes);
  print_partitions(status);
  for (const auto& complaint : status.complaints) {
    fmt::print("  last error of {} ({}): {}\n", complaint.segment, complaint.at, complaint.words);
  }
}

struct PinotStatus {
  net::HttpUrl controller;
  analytics::PinotVersion version;
  std::vector<analytics::Instance> instances;
  std::vector<analytics::TableStatus> tables;
};

void print_instances(const PinotStatus& status) {
  fmt::print("Pinot {} at http://{}{}\n", status.version.text(), status.controller.authority(),
             status.controller.path);
  for (const auto& instance : status.instances) {
    fmt::print("  {:<11}{}{}\n", instance.role, instance.name, instance.is_live ? "" : "  IS GONE");
  }
}

Result<PinotStatus> read_status(Pinot& pinot, const PinotFlags& flags) {
  const auto controller = pinot.controller();
  if (!controller) return std::unexpected(controller.error());
  PinotStatus status;
  status.controller = (*controller)->url();
  auto version = pinot.wait((*controller)->version(pinot.deadline()));
  if (!version) return std::unexpected(version.error());
  status.version = *version;
  auto instances = pinot.wait((*controller)->instances(pinot.deadline()));
  if (!instances) return std::unexpected(instances.error());
  status.instances = std::move(*instances);
  const auto names = chosen_tables(pinot, flags);
  if (!names) return std::unexpected(names.error());
  if (names->empty()) return status;
  const auto sql = pinot.sql();
  if (!sql) return std::unexpected(sql.error());
  for (const auto& name : *names) {
    auto table =
        pinot.wait(analytics::read_table_status(*controller, *sql, name, pinot.deadline()));
    if (!table) return std::unexpected(table.error());
    status.tables.push_back(std::move(*table));
  }
  return status;
}

json::object to_json(const PinotStatus& status) {
  json::array instances, tables;
  for (const auto& each : status.instances) {
    instances.push_back({{"name", each.name}, {"role", each.role}, {"live", each.is_live}});
  }
  for (const auto& table : status.tables) tables.push_back(analytics::to_json(table));
  return {{"version", status.version.text()},
          {"instances", std::move(instances)},
          {"tables", std::move(tables)}};
}

Result<int> status(const PinotFlags& flags) {
  Pinot pinot(flags);
  const auto status = read_status(pinot, flags);
  if (!status) return std::unexpected(status.error());
  if (flags.as_json) {
    fmt::print("{}", base::pretty_json(to_json(*status)));
  } else {
    print_instances(*status);
    for (const auto& table : status->tables) print_table_status(table);
    if (status->tables.empty()) fmt::print("No tables. 'flow pinot create' makes them.\n");
  }
  const bool is_well = std::ranges::all_of(status->tables, &analytics::TableStatus::is_healthy) &&
                       std::ranges::all_of(status->instances, &analytics::Instance::is_live);
  return is_well ? 0 : 1;
}

// ------------------------------------------------------------------------------ sql

// Pinot's own: a statement without LIMIT gets ten rows.
constexpr std::size_t silent_limit = 10;

bool has_limit(std::string statement) {
  std::ranges::transform(statement, statement.begin(),
                         [](unsigned char c) { return std::toupper(c); });
  return statement.find("LIMIT") != std::string::npos;
}

void print_answer(const PinotFlags& flags, const analytics::SqlAnswer& answer, base::Nanos took) {
  const double took_ms = static_cast<double>(took.count()) * 1e-6;
  if (flags.as_json) {
    json::array columns(answer.columns.begin(), answer.columns.end());
    json::array types(answer.types.begin(), answer.types.end());
    json::object object{{"columns", std::move(columns)},
                        {"types", std::move(types)},
                        {"rows", answer.rows},
                        {"time_used_ms", answer.time_used_ms},
                        {"answered_ms", took_ms},
                        {"rows_looked_at", answer.docs_scanned},
                        {"rows_total", answer.total_docs},
                        {"groups_left_out", answer.is_groups_limit_reached}};
    if (answer.min_consuming_freshness_unix_ms) {
      object["min_consuming_freshness_unix_ms"] = *answer.min_consuming_freshness_unix_ms;
    }
    fmt::print("{}", base::pretty_json(object));
    return;
  }
  fmt::print("{}", analytics::text_table(answer));
  fmt::print("{} rows; {:.1f} ms, {} ms of it in Pinot; {} of {} rows looked at\n",
             answer.rows.size(), took_ms, answer.time_used_ms, answer.docs_scanned,
             answer.total_docs);
  if (answer.is_groups_limit_reached) {
    fmt::print("Not exact: Pinot left groups out, for there were too many.\n");
  }
  if (answer.rows.size() == silent_limit && !has_limit(flags.statement)) {
    fmt::print("Pinot gives {} rows to a statement without LIMIT; there may be more.\n",
               silent_limit);
  }
}

Result<int> sql(const PinotFlags& flags) {
  Pinot pinot(flags);
  const auto client = pinot.sql();
  if (!client) return std::unexpected(client.error());
  const auto begun = base::now();
  const auto answer = pinot.wait((*client)->query(flags.statement, pinot.deadline()));
  if (!answer) return std::unexpected(answer.error());
  print_answer(flags, *answer, base::now() - begun);
  return 0;
}

// ------------------------------------------------------------------------------ flags

using Work = Result<int> (*)(const PinotFlags&);

void finish(CLI::App* command, const std::shared_ptr<PinotFlags>& flags, Work work,
            int& exit_code) {
  command->add_option("--pinot", flags->controller,
                      "The controller, http://HOST:PORT (the one that 'flow up pinot' started)");
  command
      ->add_option("--authorization", flags->authorization,
                   "Value of the header Authorization; better in the environment")
      ->envname("FLOW_PINOT_AUTHORIZATION");
  command->add_option("--seconds", flags->seconds, "How long each step may take")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_flag("--json", flags->as_json, "Print JSON");
  auto* prefix = command->get_option_no_throw("--prefix");
  command->callback([flags, work, prefix, &exit_code] {
    flags->has_prefix = prefix && prefix->count() > 0;
    const auto code = work(*flags);
    exit_code = code ? *code : report_error(code.error());
  });
}

void add_create(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<PinotFlags>();
  auto* command = parent.add_subcommand("create", "Make tables that read the shop's topics");
  auto& tables = flags->tables;
  command->add_option("--kafka", flags->kafka, "Kafka's bootstrap servers as Pinot reaches them");
  command->add_option("--pulsar", flags->pulsar, "Pulsar's service URL as Pinot reaches it");
  command->add_option("--topics", tables.topics, "users, products, orders (all)")->delimiter(',');
  command->add_option("--prefix", flags->prefix, "Of the tables' names (kafka_ or pulsar_)");
  command->add_option("--replicas", tables.replicas, "Servers that consume each partition")
      ->capture_default_str();
  command
      ->add_option("--flush-rows", tables.flush_rows,
                   "Rows of a table on a server at which it commits its segments")
      ->capture_default_str();
  command->add_option("--stream-setting", flags->stream_settings,
                      "key=value for the table's stream configuration (repeatable)");
  command->add_option("--pinot-version", flags->version,
                      "Make the tables for this version instead of the controller's");
  command->add_flag("--dry-run", flags->is_dry_run, "Print schemas and tables; create nothing");
  command->footer(
      "Example: flow pinot create --kafka 127.0.0.1:9092\n"
      "         flow pinot create --pulsar pulsar://127.0.0.1:6650 --dry-run "
      "--pinot-version 1.3.0");
  finish(command, flags, create, exit_code);
}

void add_drop(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<PinotFlags>();
  auto* command = parent.add_subcommand("drop", "Drop tables with all their rows");
  command->add_option("tables", flags->names, "Names of tables");
  command->add_option("--prefix", flags->prefix, "All tables whose names begin with this");
  command->footer("Example: flow pinot drop --prefix kafka_");
  finish(command, flags, drop, exit_code);
}

void add_status(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<PinotFlags>();
  auto* command = parent.add_subcommand(
      "status",
      "Rows, partitions, offsets and commits; exit code 1 when something is not consumed");
  command->add_option("tables", flags->names, "Names of tables (all)");
  command->add_option("--prefix", flags->prefix, "Tables whose names begin with this");
  command->add_option("--broker", flags->broker,
                      "For SQL, http://HOST:PORT (the controller knows)");
  command->footer("Example: flow pinot status kafka_orders");
  finish(command, flags, status, exit_code);
}

void add_sql(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<PinotFlags>();
  auto* command = parent.add_subcommand("sql", "Run one statement");
  command->add_option("statement", flags->statement, "SQL as Pinot takes it")->required();
  command->add_option("--broker", flags->broker, "http://HOST:PORT (the controller knows)");
  command->footer("Example: flow pinot sql 'SELECT COUNT(*) FROM kafka_orders'");
  finish(command, flags, sql, exit_code);
}

}  // namespace

void add_pinot(CLI::App& root, int& exit_code) {
  auto* command = root.add_subcommand("pinot", "The shop's tables on Pinot, and SQL on them");
  command->require_subcommand(1);
  command->footer(
      "Example: flow pinot create --kafka 127.0.0.1:9092\n"
      "Each subcommand has --help with an example.");
  add_create(*command, exit_code);
  add_drop(*command, exit_code);
  add_status(*command, exit_code);
  add_sql(*command, exit_code);
}

}  // namespace flow::apps
