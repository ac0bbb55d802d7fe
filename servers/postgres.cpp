// SPDX-License-Identifier: Apache-2.0
#include "servers/postgres.hpp"

#include <algorithm>
#include <fstream>
#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "servers/ports.hpp"
#include "servers/wait.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr int attempts = 3;  // When another process takes the port first.

// Durability is PostgreSQL's own default and stays: a commit that was answered is on disk. The rest
// keeps rare large events out of a short measurement and leaves no trace outside the directory.
Settings own_settings() {
  return {
      {"fsync", "on"},
      {"synchronous_commit", "on"},
      {"full_page_writes", "on"},
      {"shared_buffers", "256MB"},
      {"max_connections", "200"},
      {"wal_buffers", "16MB"},
      {"max_wal_size", "4GB"},
      {"min_wal_size", "256MB"},
      {"checkpoint_timeout", "30min"},
      {"checkpoint_completion_target", "0.9"},
      {"random_page_cost", "1.1"},
      {"effective_io_concurrency", "64"},
      {"jit", "off"},
      {"max_parallel_workers_per_gather", "0"},
      // No files in /dev/shm, which would outlive a kill.
      {"dynamic_shared_memory_type", "mmap"},
      {"min_dynamic_shared_memory", "16MB"},
      {"log_checkpoints", "on"},
      {"log_line_prefix", "%m [%p] "},
      {"log_destination", "stderr"},
      {"logging_collector", "off"},
  };
}

std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += c;
    text += c;
  }
  return text + "'";
}

// The user that PostgreSQL runs as; empty for ourselves.
Result<std::string> choose_user() {
  if (::geteuid() != 0) return std::string();
  for (const char* name : {"postgres", "nobody"}) {
    if (::getpwnam(name)) return std::string(name);
  }
  return fail(Errc::io,
              "postgres: refuses to run as root, and this machine has neither a user "
              "postgres nor nobody");
}

Result<fs::path> find_binaries(const fs::path& chosen) {
  if (!chosen.empty()) {
    if (fs::exists(chosen / "postgres")) return chosen;
    return fail(Errc::config, "{}: there is no program postgres in it", chosen.string());
  }
  std::vector<std::pair<int, fs::path>> found;
  std::error_code error;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const fs::path bin = version.path() / "bin";
    if (!fs::exists(bin / "postgres")) continue;
    found.emplace_back(std::atoi(version.path().filename().c_str()), bin);
  }
  if (found.empty()) {
    return fail(
        Errc::config,
        "postgres: not installed in /usr/lib/postgresql; Debian's package is postgresql-15");
  }
  return std::ranges::max(found).second;
}

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, ConnectionCloser>;
using Rows = std::unique_ptr<PGresult, ResultCloser>;

Result<Connection> connect(const std::string& conninfo) {
  Connection connection(PQconnectdb(fmt::format("{}?connect_timeout=5", conninfo).c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    return fail(Errc::io, "postgres: {}", PQerrorMessage(connection.get()));
  }
  return connection;
}

Result<Rows> query(PGconn* connection, const std::string& sql) {
  Rows rows(PQexec(connection, sql.c_str()));
  const auto status = PQresultStatus(rows.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    return fail(Errc::io, "postgres: {}: {}", sql, PQerrorMessage(connection));
  }
  return rows;
}

Result<void> read_facts(PGconn* connection, base::json::object& facts) {
  auto version = query(connection, "SHOW server_version");
  if (!version) return std::unexpected(version.error());
  facts["version"] = PQgetvalue(version->get(), 0, 0);
  auto rows = query(connection,
                    "SELECT name, setting || coalesce(' x ' || unit, '') FROM pg_settings WHERE "
                    "source <> 'default' OR name IN ('fsync', 'synchronous_commit', "
                    "'wal_sync_method', 'commit_delay') ORDER BY name");
  if (!rows) return std::unexpected(rows.error());
  base::json::object effective;
  for (int row = 0; row < PQntuples(rows->get()); ++row) {
    effective[PQgetvalue(rows->get(), row, 0)] = PQgetvalue(rows->get(), row, 1);
  }
  facts["settings_effective"] = std::move(effective);
  return {};
}

// What its configuration file and command line set, as PostgreSQL itself compares it. A value that
// it finds out by itself is nobody's setting. Permissions are left out: their default is told in
// decimal and their value in octal, and 0777 is the default.
Result<void> read_differences(PGconn* connection, base::json::object& facts) {
  auto rows = query(connection,
                    "SELECT name, boot_val || coalesce(' x ' || unit, ''), "
                    "setting || coalesce(' x ' || unit, '') FROM pg_settings WHERE source IN "
                    "('configuration file', 'command line') AND setting IS DISTINCT FROM boot_val "
                    "AND name <> 'unix_socket_permissions' ORDER BY name");
  if (!rows) return std::unexpected(rows.error());
  base::json::array differences;
  for (int row = 0; row < PQntuples(rows->get()); ++row) {
    const auto text = [&](int column) -> base::json::value {
      if (PQgetisnull(rows->get(), row, column) != 0) return nullptr;
      return PQgetvalue(rows->get(), row, column);
    };
    differences.push_back({{"key", text(0)}, {"default", text(1)}, {"value", text(2)}});
  }
  facts["differs_from_default"] = base::json::object{{"postgres", std::move(differences)}};
  facts["defaults_from"] = "boot_val of pg_settings";
  return {};
}

Result<void> write_settings(const fs::path& file, const Settings& settings) {
  std::ofstream out(file, std::ios::app);
  out << "\n# Set by Flow.\n";
  for (const auto& [key, value] : settings) out << key << " = " << quoted(value) << '\n';
  out.close();
  if (!out) return fail(Errc::io, "{}: cannot be written", file.string());
  return {};
}

}  // namespace

Postgres::~Postgres() { stop(); }

void Postgres::stop() {
  // Immediate shutdown: the data is thrown away, so no checkpoint is waited for.
  stop_processes("postgres", std::chrono::seconds(10), SIGQUIT);
}

Result<std::unique_ptr<Postgres>> Postgres::start(PostgresOptions options) {
  Wait wait("postgres", options.progress, options.ready_within);
  auto user = choose_user();
  if (!user) return std::unexpected(user.error());
  auto bin = find_binaries(options.bin_directory);
  if (!bin) return std::unexpected(bin.error());
  auto run = RunDirectory::create();
  if (!run) return std::unexpected(run.error());
  std::unique_ptr<Postgres> postgres(new Postgres(*run));
  if (auto made = postgres->initialize(*bin, *user, wait); !made) {
    return std::unexpected(made.error());
  }
  for (int attempt = 1;; ++attempt) {
    auto ready = postgres->start_once(options, *bin, *user, wait);
    if (ready) break;
    const bool try_again = attempt < attempts && says_port_is_taken(ready.error().what);
    if (!try_again) return std::unexpected(postgres->explained(ready.error()));
    postgres->discard_processes();
  }
  if (auto opened = postgres->open_database(options, wait); !opened) {
    return std::unexpected(opened.error());
  }
  return postgres;
}

Result<void> Postgres::initialize(const fs::path& bin, const std::string& user, Wait& wait) {
  auto home = run_->directory_for("postgres", user);
  if (!home) return std::unexpected(home.error());
  home_ = *home;
  SpawnOptions options{
      .name = "initdb",
      .command = {(bin / "initdb").string(), "-D", (home_ / "data").string(), "-U", "flow", "-A",
                  "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"},
      .environment = {},
      .working_directory = "/",
      .log_path = run_->path() / "initdb.log",
      .user = user,
      .on_line = {}};
  auto child = run_->spawn(std::move(options));
  if (!child) return std::unexpected(child.error());
  auto done = wait.until(
      "making a data directory", [&] { return (*child)->exited(); }, [] { return Result<void>(); });
  if (!done) return done;
  if ((*child)->exit_code() == 0) return {};
  return fail(Errc::io, "initdb: {}:\n{}", (*child)->exit_text(), (*child)->log_tail(20));
}

Result<void> Postgres::start_once(const PostgresOptions& options, const fs::path& bin,
                                  const std::string& user, Wait& wait) {
  auto ports = pick_ports(1);
  if (!ports) return std::unexpected(ports.error());
  const std::string port = fmt::format("{}", ports->front());
  Settings settings = own_settings();
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  settings.insert(settings.end(), {{"listen_addresses", "127.0.0.1"},
                                   {"port", port},
                                   {"unix_socket_directories", home_.string()},
                                   {"unix_socket_permissions", "0777"}});
  if (auto ok = write_settings(home_ / "data" / "postgresql.conf", settings); !ok) return ok;
  base::json::object set;
  for (const auto& [key, value] : settings) set[key] = value;
  facts_["settings_set"] = std::move(set);
  conninfo_ = fmt::format("postgresql://flow@127.0.0.1:{}/{}", port, options.database);
  SpawnOptions spawn{.name = "postgres",
                     .command = {(bin / "postgres").string(), "-D", (home_ / "data").string()},
                     .working_directory = "/",
                     .user = user,
                     // It ends its children and removes what it shares.
                     .death_signal = SIGQUIT};
  auto started = start_process(std::move(spawn));
  if (!started) return std::unexpected(started.error());
  const std::string probe = fmt::format("postgresql://flow@127.0.0.1:{}/postgres", port);
  return wait.until(
      "waiting until it takes connections", [&] { return PQping(probe.c_str()) == PQPING_OK; },
      [this] { return check_alive(); });
}

Result<void> Postgres::open_database(const PostgresOptions& options, const Wait& wait) {
  const std::string base = conninfo_.substr(0, conninfo_.rfind('/'));
  auto connection = connect(base + "/postgres");
  if (!connection) return std::unexpected(connection.error());
  if (options.database != "postgres") {
    std::unique_ptr<char, void (*)(void*)> name(
        PQescapeIdentifier(connection->get(), options.database.data(), options.database.size()),
        &PQfreemem);
    auto made = query(connection->get(), fmt::format("CREATE DATABASE {}", name.get()));
    if (!made) return std::unexpected(made.error());
  }
  if (auto read = read_facts(connection->get(), facts_); !read) return read;
  if (auto read = read_differences(connection->get(), facts_); !read) return read;
  const std::string port = conninfo_.substr(base.rfind(':') + 1, base.size() - base.rfind(':') - 1);
  socket_conninfo_ =
      fmt::format("host={} port={} user=flow dbname={}", home_.string(), port, options.database);
  facts_["platform"] = "postgres";
  facts_["service"] = conninfo_;
  facts_["data_directory"] = (home_ / "data").string();
  facts_["durability"] =
      "fsync and synchronous_commit are on: a commit is on disk before it is answered";
  facts_["seconds_until_ready"] = wait.seconds();
  return {};
}

}  // namespace flow::servers
