// The real servers, started and ended, one after the other: PostgreSQL, Kafka, Pulsar.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.hpp"
#include "servers/kafka.hpp"
#include "servers/postgres.hpp"
#include "servers/proc.hpp"
#include "servers/pulsar.hpp"
#include "servers/resources.hpp"

namespace flow::servers {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// What a program prints; a foreign client's view of a server.
std::string output_of(const std::string& command) {
  std::string text;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      ::popen((command + " 2>&1").c_str(), "r"), &::pclose);
  char buffer[4096];
  while (pipe && std::fgets(buffer, sizeof buffer, pipe.get())) text += buffer;
  return text;
}

// librdkafka's own tool counts the brokers.
base::Result<int> brokers_by_kcat(const std::string& bootstrap) {
  const std::string listing = output_of("kcat -L -m 2 -b " + bootstrap);
  int count = 0;
  for (std::size_t at = 0; (at = listing.find("\n  broker ", at)) != std::string::npos; ++at)
    ++count;
  return count;
}

// Asks until there are `count`, for at most 30 s: a broker that was frozen may need more than the 2
// s of one question. The last answer.
int brokers_at_last(const std::string& bootstrap, int count) {
  int seen = -1;
  for (const auto deadline = base::now() + 30s; seen != count && base::now() < deadline;)
    seen = brokers_by_kcat(bootstrap).value();
  return seen;
}

void print_progress(std::string_view text) { std::cout << "  " << text << std::endl; }

Level level(const std::string& name) {
  auto loaded = load_level(name);
  EXPECT_TRUE(loaded) << loaded.error().what;
  return loaded ? *loaded : Level{};
}

std::map<pid_t, std::uint64_t> start_times(const std::vector<ProcessInfo>& processes) {
  std::map<pid_t, std::uint64_t> times;
  for (const auto& process : processes) {
    const auto stat = read_process_stat(process.pid);
    EXPECT_TRUE(stat) << process.role;
    if (stat) times.emplace(process.pid, stat->start_time);
  }
  return times;
}

bool all_gone(const std::map<pid_t, std::uint64_t>& processes, base::Nanos within) {
  for (const auto deadline = base::now() + within; base::now() < deadline;) {
    const bool is_any_left = std::ranges::any_of(
        processes, [](const auto& one) { return is_same_process(one.first, one.second); });
    if (!is_any_left) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

std::string text_at(const base::json::object& object, std::initializer_list<const char*> path) {
  const base::json::value* at = nullptr;
  for (const char* key : path) {
    at = at ? at->as_object().if_contains(key) : object.if_contains(key);
    if (!at) return "nothing";
  }
  return at->is_string() ? std::string(at->get_string()) : base::json::serialize(*at);
}

TEST(Postgres, IsDurableReachableAndGoneAfterwards) {
  auto started = Postgres::start({.progress = print_progress, .ready_within = 120s});
  ASSERT_TRUE(started) << started.error().what;
  Postgres& postgres = **started;
  const auto processes = start_times(postgres.processes());
  ASSERT_EQ(processes.size(), 1u);
  const fs::path directory = postgres.directory();

  for (const auto& conninfo : {postgres.conninfo(), postgres.socket_conninfo()}) {
    const std::string answer = output_of(
        "psql -X -A -t -c 'show fsync; show synchronous_commit; select 40 + 2' '" + conninfo + "'");
    EXPECT_EQ(answer, "on\non\n42\n") << conninfo;
  }
  EXPECT_EQ(text_at(postgres.facts(), {"settings_effective", "fsync"}), "on");
  EXPECT_THAT(text_at(postgres.facts(), {"version"}), HasSubstr("15"));
  EXPECT_TRUE(postgres.check_alive());

  started->reset();
  EXPECT_TRUE(all_gone(processes, 30s));
  EXPECT_FALSE(fs::exists(directory));
}

TEST(Postgres, ThatDiesEarlyShowsTheEndOfItsLog) {
  const auto started = Postgres::start({.settings = {{"no_such_setting", "1"}}});

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::io);
  EXPECT_THAT(started.error().what, HasSubstr("postgres has ended by itself (exit code 1)"));
  EXPECT_THAT(started.error().what, HasSubstr("unrecognized configuration parameter"));
}

TEST(Kafka, OneNodeRunsAtItsLevelAndTakesFaults) {
  const Level fsync = level("fsync-1");
  auto started = Kafka::start({.level = fsync.kafka,
                               .broker_count = brokers_by_kcat,
                               .progress = print_progress,
                               .ready_within = 180s});
  ASSERT_TRUE(started) << started.error().what;
  Kafka& kafka = **started;
  const auto processes = start_times(kafka.processes());
  ASSERT_EQ(processes.size(), 1u);

  EXPECT_EQ(text_at(kafka.facts(), {"version"}), "4.3.1");
  EXPECT_EQ(text_at(kafka.facts(), {"settings_effective", "kafka-1", "min.insync.replicas"}), "1");
  EXPECT_EQ(text_at(kafka.facts(), {"settings_effective", "kafka-1", "auto.create.topics.enable"}),
            "false");

  ASSERT_TRUE(kafka.freeze("kafka-1"));
  EXPECT_EQ(brokers_by_kcat(kafka.bootstrap()).value(), 0);
  ASSERT_TRUE(kafka.thaw("kafka-1"));
  EXPECT_EQ(brokers_at_last(kafka.bootstrap(), 1), 1);
  EXPECT_EQ(kafka.freeze("kafka-2").error().code, base::Errc::config);

  ResourceSampler sampler;
  sampler.start(kafka.processes(), 100ms);
  EXPECT_EQ(brokers_at_last(kafka.bootstrap(), 1), 1);
  const auto use = sampler.stop();
  ASSERT_EQ(use.roles.size(), 1u);
  EXPECT_GT(use.roles[0].rss_bytes_max, 100'000'000u);

  ASSERT_TRUE(kafka.kill("kafka-1"));
  EXPECT_TRUE(kafka.check_alive());  // We did it ourselves.
  EXPECT_TRUE(kafka.processes().empty());
  EXPECT_EQ(kafka.kill("kafka-1").error().code, base::Errc::io);

  const fs::path logs = fs::path(::testing::TempDir()) / "flow-kafka-logs";
  ASSERT_TRUE(kafka.copy_logs_to(logs));
  EXPECT_TRUE(fs::exists(logs / "kafka-1.log"));
  EXPECT_TRUE(fs::exists(logs / "kafka-1.properties"));
  fs::remove_all(logs);
  EXPECT_TRUE(all_gone(processes, 30s));
}

TEST(Kafka, ThatDiesEarlyShowsTheEndOfItsLog) {
  Level broken = level("fsync-1");
  broken.kafka.broker.emplace_back("num.partitions", "many");

  const auto started = Kafka::start({.level = broken.kafka, .ready_within = 120s});

  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().what,
              HasSubstr("Invalid value many for configuration num.partitions"));
}

TEST(Kafka, ASettingThatItDoesNotKnowIsNotCalledInForce) {
  Level wrong = level("fsync-1");
  wrong.kafka.broker.emplace_back("flush.every.message", "true");

  const auto started = Kafka::start({.level = wrong.kafka, .ready_within = 180s});

  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().what,
              HasSubstr("flush.every.message=true, the server reports no such setting"));
}

TEST(Pulsar, OneNodeRunsAtItsLevelAndIsGoneAfterwards) {
  const Level fsync = level("fsync-1");
  auto started =
      Pulsar::start({.level = fsync.pulsar, .progress = print_progress, .ready_within = 240s});
  ASSERT_TRUE(started) << started.error().what;
  Pulsar& pulsar = **started;
  const auto processes = start_times(pulsar.processes());
  ASSERT_EQ(processes.size(), 3u);

  const auto& facts = pulsar.facts();
  EXPECT_EQ(text_at(facts, {"version"}), "4.0.8");
  EXPECT_EQ(text_at(facts, {"settings_effective", "pulsar-bookie-1", "journalSyncData"}), "true");
  EXPECT_EQ(text_at(facts, {"settings_effective", "pulsar-bookie-1", "journalWriteData"}), "true");
  EXPECT_EQ(
      text_at(facts, {"settings_effective", "pulsar-broker-1", "managedLedgerDefaultAckQuorum"}),
      "1");
  const std::string clusters =
      output_of("curl -fsS -m 20 " + pulsar.admin_url() + "/admin/v2/clusters/flow");
  EXPECT_THAT(clusters, HasSubstr(pulsar.admin_url()));
  EXPECT_THAT(clusters, HasSubstr(pulsar.service_url()));

  const fs::path directory = pulsar.directory();
  pulsar.stop();
  EXPECT_TRUE(pulsar.processes().empty());
  EXPECT_TRUE(pulsar.check_alive());
  started->reset();
  EXPECT_TRUE(all_gone(processes, 30s));
  EXPECT_FALSE(fs::exists(directory));
}

// kill -9 of the program: PostgreSQL, which changed its user, and a JVM, which ignores a closed
// standard input, die with it; their directories go with the next command of Flow.
TEST(Servers, NothingIsLeftOfAProgramThatWasKilled) {
  const fs::path cache =
      fs::path(::testing::TempDir()) / ("flow-killed-" + std::to_string(::getpid()));
  fs::create_directories(cache);
  for (const auto& entry : fs::directory_iterator(cache_directory())) {  // What was fetched.
    const std::string name = entry.path().filename().string();
    if (name.starts_with("kafka-")) fs::create_symlink(entry.path(), cache / name);
  }
  std::mutex mutex;
  std::map<pid_t, std::uint64_t> started;
  std::string error;
  bool is_ready = false;
  SpawnOptions options;
  options.name = "parent";
  options.command = {SERVERS_TEST_PARENT, "servers", cache.string()};
  options.environment = {{"FLOW_CACHE", cache.string()}};
  options.on_line = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    if (line == "ready") is_ready = true;
    if (line.starts_with("error")) error = line;
    if (!line.starts_with("pid ")) return;
    const pid_t pid = std::stoi(std::string(line.substr(4)));
    if (const auto stat = read_process_stat(pid)) started.emplace(pid, stat->start_time);
    for (const pid_t below : ProcessTree::read().descendants_of(pid)) {
      if (const auto stat = read_process_stat(below)) started.emplace(below, stat->start_time);
    }
  };
  auto parent = spawn(std::move(options));
  ASSERT_TRUE(parent) << parent.error().what;
  for (const auto deadline = base::now() + 200s; base::now() < deadline;
       std::this_thread::sleep_for(50ms)) {
    const std::lock_guard lock(mutex);
    if (is_ready || !error.empty()) break;
  }
  ASSERT_EQ(error, "");
  ASSERT_TRUE(is_ready);
  ASSERT_GE(started.size(), 5u);  // Kafka, the postmaster and its own processes.

  (*parent)->kill(SIGKILL);
  ASSERT_TRUE((*parent)->wait_exit(base::now() + 20s));

  EXPECT_TRUE(all_gone(started, 30s));
  EXPECT_EQ(sweep_leftovers(cache).directories, 2);
  EXPECT_TRUE(fs::is_empty(cache / "run"));
  fs::remove_all(cache);
}

}  // namespace
}  // namespace flow::servers
