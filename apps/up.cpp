// flow up, flow status, flow down: real servers that stay until they are told to go. `up` starts a
// keeper, a detached process that owns the servers as any run of Flow owns its own; when the keeper
// dies, they die.
//   operator's `flow up` --(a pipe: one JSON object a line)-- keeper --children-- servers
// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <memory>
#include <poll.h>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>

#include "apps/command.hpp"
#include "apps/driver_choice.hpp"
#include "base/json.hpp"
#include "servers/kafka.hpp"
#include "servers/level.hpp"
#include "servers/pinot.hpp"
#include "servers/postgres.hpp"
#include "servers/proc.hpp"
#include "servers/pulsar.hpp"
#include "servers/registry.hpp"

namespace flow::apps {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Result;
using servers::UpEntry;
namespace json = base::json;

struct UpFlags {
  std::string platform;
  std::string level;       // As given: a name or a path.
  std::string level_name;  // Its own name.
  std::string name;
  std::string home;
  std::string pulsar_plugin;
  int nodes = 0;  // 0: as many as the level has.
  bool is_json = false;
  int keeper_pipe = -1;  // Set in the keeper only.
};

// ------------------------------------------------------------------------------ what to start

Result<servers::Level> choose_level(const UpFlags& flags) {
  const std::string name = !flags.level.empty() ? flags.level
                           : flags.nodes >= 3   ? "strong"
                                                : "fsync-1";
  auto level = servers::load_level(name);
  if (!level || flags.nodes == 0) return level;
  const int copies = std::max(level->kafka.nodes, level->pulsar.bookies);
  if (flags.nodes < copies) {
    return fail(Errc::config, "--nodes {}: level {} needs at least {}", flags.nodes, name, copies);
  }
  level->kafka.nodes = flags.nodes;
  level->pulsar.bookies = flags.nodes;
  level->pulsar.brokers = flags.nodes;
  return level;
}

// Whatever can be known to be wrong before anything starts.
Result<UpFlags> check_flags(UpFlags flags) {
  if (flags.name.empty()) flags.name = flags.platform;
  if (!flags.pulsar_plugin.empty() && flags.platform != "pinot") {
    return fail(Errc::config, "flow up {}: --pulsar-plugin is for pinot", flags.platform);
  }
  if (flags.platform == "pinot" && flags.nodes > 1) {
    return fail(Errc::config, "flow up pinot: takes no --nodes; it has one process of each role");
  }
  if (auto ok = servers::check_name(flags.name); !ok) return std::unexpected(ok.error());
  if (flags.platform == "postgres") {
    if (flags.level.empty() && flags.nodes <= 1) return flags;
    return fail(Errc::config, "flow up postgres: takes neither --level nor --nodes");
  }
  auto level = choose_level(flags);
  if (!level) return std::unexpected(level.error());
  flags.level_name = level->name;
  return flags;
}

Result<int> count_brokers(const std::string& bootstrap) {
  DriverChoice choice;
  choice.platform = "kafka";
  choice.service = bootstrap;
  return streaming::count_brokers(make_driver, choice, base::now() + 2s);
}

template <class Made>
Result<std::unique_ptr<servers::Server>> as_server(Result<std::unique_ptr<Made>> made,
                                                   const auto& describe) {
  if (!made) return std::unexpected(made.error());
  describe(**made);
  return std::unique_ptr<servers::Server>(std::move(*made));
}

Result<std::unique_ptr<servers::Server>> start_servers(const UpFlags& flags, UpEntry& entry,
                                                       const servers::ProgressText& progress) {
  if (flags.platform == "postgres") {
    return as_server(servers::Postgres::start(
                         {.progress = progress, .settings = {}, .bin_directory = flags.home}),
                     [&](servers::Postgres& postgres) { entry.service = postgres.conninfo(); });
  }
  auto level = choose_level(flags);
  if (!level) return std::unexpected(level.error());
  if (flags.platform == "kafka") {
    servers::KafkaOptions options;
    options.level = level->kafka;
    options.broker_count = count_brokers;
    options.progress = progress;
    options.home = flags.home;
    return as_server(servers::Kafka::start(std::move(options)),
                     [&](servers::Kafka& kafka) { entry.service = kafka.bootstrap(); });
  }
  if (flags.platform == "pinot") {
    servers::PinotOptions options;
    options.level = level->pinot;
    options.progress = progress;
    options.home = flags.home;
    options.pulsar_plugin = flags.pulsar_plugin;
    return as_server(servers::Pinot::start(std::move(options)), [&](servers::Pinot& pinot) {
      entry.service = pinot.broker_url();
      entry.admin = pinot.controller_url();
    });
  }
  servers::PulsarOptions options;
  options.level = level->pulsar;
  options.progress = progress;
  options.home = flags.home;
  return as_server(servers::Pulsar::start(std::move(options)), [&](servers::Pulsar& pulsar) {
    entry.service = pulsar.service_url();
    entry.admin = pulsar.admin_url();
  });
}

// ------------------------------------------------------------------------------ the keeper

// Tells the operator's `flow up`, which may be gone.
void tell(int pipe, const json::object& words) {
  const std::string line = json::serialize(words) + "\n";
  [[maybe_unused]] const auto ignored = ::write(pipe, line.data(), line.size());
}

servers::KeptProcess process_of(std::string role, pid_t pid) {
  const auto stat = servers::read_process_stat(pid);
  return {std::move(role), pid, stat ? stat->start_time : 0};
}

// Sleeps until SIGTERM or SIGINT; says once on standard error (its log) when a server has died.
void keep_until_told(const servers::Server& server, const sigset_t& stop_signals) {
  bool is_said = false;
  for (;;) {
    const timespec second = {1, 0};
    if (::sigtimedwait(&stop_signals, nullptr, &second) > 0) return;
    const auto alive = server.check_alive();
    if (!alive && !is_said) std::fprintf(stderr, "flow: %s\n", alive.error().what.c_str());
    is_said = !alive;
  }
}

int fail_keeper(int pipe, const base::Error& error) {
  tell(pipe, {{"error", error.what}, {"exit_code", base::exit_code_of(error.code)}});
  return base::exit_code_of(error.code);
}

int keep(const UpFlags& flags) {
  sigset_t stop_signals;
  ::sigemptyset(&stop_signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&stop_signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);  // Before the first thread.
  const int pipe = flags.keeper_pipe;
  ::fcntl(pipe, F_SETFD, FD_CLOEXEC);
  auto claim = servers::Registry().claim(flags.name);
  if (!claim) return fail_keeper(pipe, claim.error());
  UpEntry entry;
  entry.name = flags.name;
  entry.platform = flags.platform;
  entry.level = flags.level_name;
  entry.keeper = process_of("keeper", ::getpid());
  entry.started_unix_ns = base::count(base::ClockAnchor::take().to_unix(base::now()));
  if (auto ok = (*claim)->write(entry); !ok) return fail_keeper(pipe, ok.error());
  auto server = start_servers(flags, entry, [pipe, &stop_signals](std::string_view text) {
    tell(pipe, {{"progress", text}});
    // The operator changed their mind: nothing has been promised yet, and the children die with us.
    const timespec now = {0, 0};
    if (::sigtimedwait(&stop_signals, nullptr, &now) > 0) std::_Exit(130);
  });
  if (!server) return fail_keeper(pipe, server.error());
  entry.directory = (*server)->directory().string();
  for (const auto& info : (*server)->processes()) {
    entry.processes.push_back(process_of(info.role, info.pid));
  }
  entry.is_ready = true;
  if (auto ok = (*claim)->write(entry); !ok) return fail_keeper(pipe, ok.error());
  tell(pipe, {{"ready", servers::to_json(entry)}});
  ::close(pipe);
  keep_until_told(**server, stop_signals);
  (*server)->stop();
  return 0;
}

// ------------------------------------------------------------------------------ up

// The keeper's own command line.
std::vector<std::string> keeper_command(const UpFlags& flags, int pipe) {
  std::vector<std::string> words = {
      "/proc/self/exe",        "up",     flags.platform, "--keeper-pipe",
      fmt::format("{}", pipe), "--name", flags.name};
  const auto add = [&](const char* flag, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {flag, value});
  };
  add("--level", flags.level);
  add("--home", flags.home);
  add("--pulsar-plugin", flags.pulsar_plugin);
  if (flags.nodes > 0) add("--nodes", fmt::format("{}", flags.nodes));
  return words;
}

// Forks while this process has one thread; the keeper leaves session and terminal behind.
Result<pid_t> start_keeper(const UpFlags& flags, int& read_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::io, "pipe: {}", std::strerror(errno));
  const servers::Registry registry;
  const std::string log = registry.log_of(flags.name).string();
  std::error_code ignored;
  std::filesystem::create_directories(registry.log_of(flags.name).parent_path(), ignored);
  std::vector<std::string> words = keeper_command(flags, ends[1]);
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setsid();
    const int null_input = ::open("/dev/null", O_RDONLY);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(null_input, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::fcntl(ends[1], F_SETFD, 0);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  read_end = ends[0];
  if (pid < 0) return fail(Errc::io, "fork: {}", std::strerror(errno));
  return pid;
}

// The example is what a person would try first.
std::string example_for(const UpEntry& entry) {
  if (entry.platform == "kafka") return fmt::format("kcat -L -b {}", entry.service);
  if (entry.platform == "pulsar") return fmt::format("curl {}/admin/v2/clusters", entry.admin);
  if (entry.platform == "pinot") return fmt::format("curl {}/tables", entry.admin);
  return fmt::format("psql {} -c 'select version()'", entry.service);
}

int report_ready(const UpFlags& flags, const json::value& value) {
  auto entry = servers::up_entry_from(value, "keeper");
  if (!entry) return report_error(entry.error());
  if (flags.is_json) {
    fmt::print("{}", base::pretty_json(value));
    return 0;
  }
  fmt::print("{} is up{}\n  service  {}\n", entry->name,
             entry->level.empty() ? "" : fmt::format(" at level {}", entry->level), entry->service);
  if (!entry->admin.empty()) fmt::print("  admin    {}\n", entry->admin);
  for (const auto& process : entry->processes) {
    fmt::print("  process  {} (pid {})\n", process.role, process.pid);
  }
  fmt::print("Try:  {}\nEnd:  flow down {}\n", example_for(*entry), entry->name);
  return 0;
}

volatile sig_atomic_t interrupted = 0;

// Reads what the keeper says until it is ready, fails or is gone.
class KeeperTalk {
 public:
  KeeperTalk(const UpFlags& flags, pid_t keeper) : flags_(flags), keeper_(keeper) {}

  int follow(int fd) {
    std::string text;
    char buffer[16 * 1024];
    for (;;) {
      pollfd waiting = {fd, POLLIN, 0};
      ::poll(&waiting, 1, 500);
      if (interrupted) return interrupt();
      if (waiting.revents == 0) continue;
      const ssize_t got = ::read(fd, buffer, sizeof buffer);
      if (got <= 0) return silent_end();
      text.append(buffer, static_cast<std::size_t>(got));
      for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
        if (const auto code = take(text.substr(0, end))) return *code;
      }
    }
  }

 private:
  std::optional<int> take(const std::string& line) {
    auto words = base::parse_json(line, "keeper");
    if (!words || !words->is_object()) return std::nullopt;
    const auto& object = words->get_object();
    if (const auto* progress = object.if_contains("progress")) {
      std::fprintf(stderr, "  %s\n", progress->get_string().c_str());
      return std::nullopt;
    }
    if (const auto* error = object.if_contains("error")) {
      std::fprintf(stderr, "flow: %s\n", error->get_string().c_str());
      ::waitpid(keeper_, nullptr, 0);
      return static_cast<int>(object.at("exit_code").to_number<int>());
    }
    return report_ready(flags_, object.at("ready"));
  }

  int interrupt() {
    std::fprintf(stderr, "flow: interrupted; ending what was started\n");
    ::kill(keeper_, SIGTERM);
    ::waitpid(keeper_, nullptr, 0);
    servers::sweep_leftovers();
    (void)servers::Registry().list();  // Removes the entry of a keeper that is gone.
    return 130;
  }

  int silent_end() {
    int status = 0;
    ::waitpid(keeper_, &status, 0);
    std::fprintf(stderr, "flow: the keeper of '%s' ended early: %s\n", flags_.name.c_str(),
                 servers::exit_text_of(status).c_str());
    return 3;
  }

  const UpFlags& flags_;
  pid_t keeper_;
};

int up(UpFlags given) {
  auto flags = check_flags(std::move(given));
  if (!flags) return report_error(flags.error());
  if (flags->keeper_pipe >= 0) return keep(*flags);
  int read_end = -1;
  auto keeper = start_keeper(*flags, read_end);
  if (!keeper) return report_error(keeper.error());
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return KeeperTalk(*flags, *keeper).follow(read_end);
}

// ------------------------------------------------------------------------------ status, down

std::string uptime_text(const UpEntry& entry) {
  const auto now = base::count(base::ClockAnchor::take().to_unix(base::now()));
  const auto seconds = std::max<std::int64_t>(0, (now - entry.started_unix_ns) / 1'000'000'000);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h", seconds / 3600);
}

int status(bool is_json) {
  const auto entries = servers::Registry().list();
  if (is_json) {
    json::array all;
    for (const auto& entry : entries) {
      auto object = servers::to_json(entry);
      object["health"] = servers::health_of(entry);
      all.push_back(std::move(object));
    }
    fmt::print("{}", base::pretty_json(json::object{{"up", std::move(all)}}));
    return 0;
  }
  if (entries.empty()) fmt::print("Nothing is up. 'flow up kafka' starts a broker.\n");
  for (const auto& entry : entries) {
    fmt::print("{}: {}, up for {}{}\n  service  {}\n", entry.name, servers::health_of(entry),
               uptime_text(entry),
               entry.level.empty() ? "" : fmt::format(", level {}", entry.level), entry.service);
    if (!entry.admin.empty()) fmt::print("  admin    {}\n", entry.admin);
    for (const auto& process : entry.processes) {
      fmt::print("  process  {} (pid {})\n", process.role, process.pid);
    }
  }
  return 0;
}

// What the operator means. Several at once only when they say so.
Result<std::vector<UpEntry>> choose_ending(std::vector<UpEntry> entries, const std::string& name,
                                           bool is_all) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  if (!name.empty() && is_all) {
    return fail(Errc::config, "flow down {} --all: expected a name or --all, not both", name);
  }
  if (name.empty()) {
    if (is_all || entries.size() <= 1) return entries;
    return fail(Errc::config, "flow down: several are up; expected one of {}, or --all",
                fmt::join(names, ", "));
  }
  std::erase_if(entries, [&](const auto& entry) { return entry.name != name; });
  if (!entries.empty()) return entries;
  return fail(Errc::config, "flow down {}: expected one of what is up: {}", name,
              names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", ")));
}

int down(const std::string& name, bool is_all) {
  const auto entries = choose_ending(servers::Registry().list(), name, is_all);
  if (!entries) return report_error(entries.error());
  int exit_code = 0;
  for (const auto& entry : *entries) {
    auto ended = servers::end_kept(
        entry,
        [](std::string_view text) {
          std::fprintf(stderr, "  %.*s\n", static_cast<int>(text.size()), text.data());
        },
        60s);
    if (!ended) {
      exit_code = report_error(ended.error());
    } else {
      fmt::print("{} is down\n", entry.name);
    }
  }
  (void)servers::Registry().list();  // Removes the entries of keepers that were killed.
  if (entries->empty()) fmt::print("Nothing is up.\n");
  return exit_code;
}

void add_up(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<UpFlags>();
  auto* command = root.add_subcommand("up", "Start real servers that stay until 'flow down'");
  command->add_option("platform", flags->platform, "kafka, pulsar, pinot or postgres")
      ->required()
      ->check(CLI::IsMember({"kafka", "pulsar", "pinot", "postgres"}));
  command->add_option("--level", flags->level,
                      "Durability level (fsync-1, or strong with --nodes 3)");
  command->add_option("--nodes", flags->nodes, "Kafka nodes; Pulsar bookies and brokers")
      ->check(CLI::Range(1, 9));
  command->add_option("--name", flags->name, "Name of what is started (the platform's)");
  command->add_option("--home", flags->home,
                      "A Kafka, Pulsar or Pinot of your own instead of the fetched one");
  command->add_option("--pulsar-plugin", flags->pulsar_plugin,
                      "Jar that lets Pinot read Pulsar, instead of Flow's own");
  command->add_flag("--json", flags->is_json, "Print service, processes and pids as JSON");
  command->add_option("--keeper-pipe", flags->keeper_pipe)->group("");
  command->footer("Example: flow up kafka --nodes 3 --level strong");
  command->callback([flags, &exit_code] { exit_code = up(*flags); });
}

}  // namespace

void add_servers(CLI::App& root, int& exit_code) {
  add_up(root, exit_code);
  auto is_json = std::make_shared<bool>(false);
  auto* status_command = root.add_subcommand("status", "List the servers that 'flow up' started");
  status_command->add_flag("--json", *is_json, "Print as JSON");
  status_command->footer("Example: flow status --json");
  status_command->callback([is_json, &exit_code] { exit_code = status(*is_json); });

  auto name = std::make_shared<std::string>();
  auto is_all = std::make_shared<bool>(false);
  auto* down_command = root.add_subcommand("down", "End servers that 'flow up' started");
  down_command->add_option("name", *name,
                           "As 'flow status' lists it; not needed when only one is up");
  down_command->add_flag("--all", *is_all, "End all of them");
  down_command->footer("Example: flow down kafka");
  down_command->callback([name, is_all, &exit_code] { exit_code = down(*name, *is_all); });
}

}  // namespace flow::apps
