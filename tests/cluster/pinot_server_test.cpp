// Pinot, the real one: started, asked, killed in part, started again, ended; and what its start
// says when something is in its way.
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/local_http.hpp"
#include "servers/pinot.hpp"
#include "servers/proc.hpp"
#include "servers/resources.hpp"

namespace flow::servers {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

void print_progress(std::string_view text) { std::cout << "  " << text << std::endl; }

// The shipped memory of a one-node level, with a setting of Pinot's own for the server.
PinotLevel level() {
  auto loaded = load_level("fsync-1");
  EXPECT_TRUE(loaded) << loaded.error().what;
  PinotLevel pinot = loaded ? loaded->pinot : PinotLevel{};
  pinot.server.emplace_back("pinot.server.query.executor.timeout", "14000");
  return pinot;
}

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

// The body, or the error's words.
std::string post(const std::string& url, std::string target, std::string body) {
  net::HttpRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  const auto answer =
      net::http_request_blocking(local_url(port_of(url)), std::move(request), base::now() + 20s);
  return answer ? answer->body : answer.error().what;
}

// Asks until the answer has `words` in it, for at most 30 s: a ZooKeeper that was away is found
// again by one role after the other.
void expect_at_last(const std::function<std::string()>& ask, const std::string& words) {
  std::string answer = ask();
  for (const auto deadline = base::now() + 30s;
       answer.find(words) == std::string::npos && base::now() < deadline; answer = ask()) {
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_THAT(answer, HasSubstr(words));
}

std::string text_at(const base::json::object& object, std::initializer_list<const char*> path) {
  const base::json::value* at = nullptr;
  for (const char* key : path) {
    at = at ? at->as_object().if_contains(key) : object.if_contains(key);
    if (!at) return "nothing";
  }
  return at->is_string() ? std::string(at->get_string()) : base::json::serialize(*at);
}

std::map<std::string, pid_t> pids(const Server& server) {
  std::map<std::string, pid_t> all;
  for (const auto& process : server.processes()) all.emplace(process.role, process.pid);
  return all;
}

// Started once for the tests of this suite: it takes a dozen seconds.
class RunningPinot : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = Pinot::start({.level = level(), .progress = print_progress});
    ASSERT_TRUE(started) << started.error().what;
    pinot = std::move(*started);
    std::cout << "  ready after " << text_at(pinot->facts(), {"seconds_until_ready"}) << " s\n";
  }
  static void TearDownTestSuite() { pinot.reset(); }
  void SetUp() override { ASSERT_TRUE(pinot); }

  static inline std::unique_ptr<Pinot> pinot;
};

TEST_F(RunningPinot, AnswersAQueryAboutNoTableSanely) {
  EXPECT_THAT(post(pinot->broker_url(), "/query/sql", R"({"sql": "select count(*) from nothing"})"),
              HasSubstr("TableDoesNotExistError"));
}

TEST_F(RunningPinot, CanBeGivenATableAtOnce) {
  const char* schema = R"({"schemaName": "t", "dimensionFieldSpecs": [
      {"name": "id", "dataType": "LONG"}]})";
  const char* table = R"({"tableName": "t", "tableType": "OFFLINE", "tenants": {}, "metadata": {},
      "segmentsConfig": {"schemaName": "t", "replication": "1"},
      "tableIndexConfig": {"loadMode": "MMAP"}})";

  EXPECT_THAT(post(pinot->controller_url(), "/schemas", schema), HasSubstr("successfully added"));
  EXPECT_THAT(post(pinot->controller_url(), "/tables", table), HasSubstr("successfully added"));
}

TEST_F(RunningPinot, SaysWhatItRunsWith) {
  const auto& facts = pinot->facts();

  EXPECT_EQ(text_at(facts, {"version"}), "0.11.0");
  EXPECT_EQ(text_at(facts, {"service"}), pinot->broker_url());
  EXPECT_EQ(text_at(facts, {"admin"}), pinot->controller_url());
  EXPECT_THAT(text_at(facts, {"commands", "pinot-server"}), HasSubstr("-Xmx1024m"));
  EXPECT_EQ(text_at(facts, {"settings_set", "pinot-broker", "pinot.broker.delayShutdownTimeMs"}),
            "0");
  // As the server itself reports it: what the level asked for, and what Flow asks for.
  EXPECT_EQ(
      text_at(facts, {"settings_effective", "pinot-server", "pinot.server.query.executor.timeout"}),
      "14000");
  EXPECT_EQ(text_at(facts, {"settings_effective", "pinot-server",
                            "pinot.server.instance.enablethreadcputimemeasurement"}),
            "true");
  EXPECT_GT(facts.at("seconds_until_ready").as_double(), 1);
}

TEST_F(RunningPinot, EachRoleIsAProcessWhoseUseIsMeasured) {
  ResourceSampler sampler;
  sampler.start(pinot->processes(), 100ms);
  post(pinot->broker_url(), "/query/sql", R"({"sql": "select count(*) from nothing"})");
  const auto use = sampler.stop();

  std::vector<std::string> roles;
  for (const auto& role : use.roles) {
    roles.push_back(role.role);
    EXPECT_GT(role.rss_bytes_max, 30'000'000u) << role.role;
    std::cout << "  " << role.role << ": " << role.rss_bytes_max / (1 << 20) << " MiB resident\n";
  }
  EXPECT_THAT(roles,
              ElementsAre("pinot-zookeeper", "pinot-controller", "pinot-broker", "pinot-server"));
}

// Also with Flow's plugin behind the fetched jars on the class path.
TEST_F(RunningPinot, EveryJvmMapsTheClassesOfAnEarlierStart) {
  for (const auto& process : pinot->processes()) {
    const auto maps = read_text_file("/proc/" + std::to_string(process.pid) + "/maps");
    EXPECT_THAT(maps, HasSubstr("/" + process.role + ".jsa")) << process.role;
  }
}

TEST_F(RunningPinot, AKilledServerComesBackOnItsPorts) {
  const auto before = pids(*pinot);
  ASSERT_TRUE(pinot->kill("pinot-server"));
  EXPECT_TRUE(pinot->check_alive());  // We did it ourselves.

  const auto killed_at = base::now();
  const auto again = pinot->restart("pinot-server", 120s);

  ASSERT_TRUE(again) << again.error().what;
  const double seconds = std::chrono::duration<double>(base::now() - killed_at).count();
  std::cout << "  ready again after " << seconds << " s\n";
  const auto after = pids(*pinot);
  EXPECT_EQ(after.size(), 4u);
  EXPECT_NE(after.at("pinot-server"), before.at("pinot-server"));
  EXPECT_EQ(after.at("pinot-broker"), before.at("pinot-broker"));
  // The same instance as before: one on other ports would be a fourth.
  const auto instances = http_get_object(port_of(pinot->controller_url()), "/instances");
  ASSERT_TRUE(instances) << instances.error().what;
  EXPECT_EQ(instances->at("instances").as_array().size(), 3u);
  EXPECT_TRUE(pinot->check_alive());
}

TEST_F(RunningPinot, ComesBackWhenEverythingElseWasKilledToo) {
  const auto before = pids(*pinot);
  for (const char* role : {"pinot-broker", "pinot-controller"}) ASSERT_TRUE(pinot->kill(role));
  for (const char* role : {"pinot-controller", "pinot-broker"}) {
    const auto again = pinot->restart(role, 120s);
    ASSERT_TRUE(again) << again.error().what;
  }
  ASSERT_TRUE(pinot->kill("pinot-zookeeper"));
  const auto again = pinot->restart("pinot-zookeeper", 120s);
  ASSERT_TRUE(again) << again.error().what;

  EXPECT_EQ(pids(*pinot).at("pinot-server"), before.at("pinot-server"));
  EXPECT_TRUE(pinot->check_alive());
  // The table that was made first is still there, for the controller and for the broker.
  const auto tables = [] {
    const auto answer = http_get_object(port_of(pinot->controller_url()), "/tables");
    return answer ? base::json::serialize(*answer) : answer.error().what;
  };
  const auto count = [] {
    return post(pinot->broker_url(), "/query/sql", R"({"sql": "select count(*) from t"})");
  };
  expect_at_last(tables, R"("tables":["t"])");
  expect_at_last(count, R"("exceptions":[])");
}

TEST_F(RunningPinot, RefusesToRestartWhatRunsOrIsNotThere) {
  EXPECT_EQ(pinot->restart("pinot-broker", 10s).error().code, base::Errc::io);
  const auto unknown = pinot->restart("pinot-minion", 10s);
  EXPECT_EQ(unknown.error().code, base::Errc::config);
  EXPECT_THAT(unknown.error().what, HasSubstr("pinot-controller, pinot-broker"));
}

TEST_F(RunningPinot, LeavesNothing) {
  std::map<pid_t, std::uint64_t> running;
  for (const auto& process : pinot->processes()) {
    const auto stat = read_process_stat(process.pid);
    ASSERT_TRUE(stat);
    running.emplace(process.pid, stat->start_time);
  }
  ASSERT_EQ(running.size(), 4u);
  const fs::path directory = pinot->directory();

  const auto started_at = base::now();
  pinot->stop();
  EXPECT_LT(base::now() - started_at, 60s);
  EXPECT_TRUE(pinot->processes().empty());
  EXPECT_TRUE(pinot->check_alive());
  pinot.reset();

  for (const auto& [pid, start_time] : running) EXPECT_FALSE(is_same_process(pid, start_time));
  EXPECT_FALSE(fs::exists(directory));
}

TEST(Pinot, ThatDiesEarlyShowsTheEndOfItsLog) {
  PinotLevel broken = level();
  broken.controller.emplace_back("controller.admin.access.control.factory.class", "no.such.Class");

  const auto started = Pinot::start({.level = broken, .progress = print_progress});

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::io);
  EXPECT_THAT(started.error().what, HasSubstr("pinot-controller"));
  EXPECT_THAT(started.error().what, HasSubstr("no.such.Class"));
}

// Below `pid`, of a process whose command line has `words` in it; 0 while there is none.
pid_t find_below(pid_t pid, std::string_view words) {
  for (const pid_t below : ProcessTree::read().descendants_of(pid)) {
    const auto command = read_text_file("/proc/" + std::to_string(below) + "/cmdline");
    if (command.find(words) != std::string::npos) return below;
  }
  return 0;
}

// kill -9 of the program that starts it: a JVM of Pinot dies with it.
TEST(Pinot, DiesWithTheProgramThatStartedIt) {
  const fs::path cache =
      fs::path(::testing::TempDir()) / ("flow-pinot-killed-" + std::to_string(::getpid()));
  fs::create_directories(cache);
  for (const auto& entry : fs::directory_iterator(cache_directory())) {  // What was fetched.
    const std::string name = entry.path().filename().string();
    if (name.starts_with("pinot-")) fs::create_symlink(entry.path(), cache / name);
  }
  SpawnOptions options;
  options.name = "parent";
  options.command = {SERVERS_TEST_PARENT, "pinot", cache.string()};
  options.environment = {{"FLOW_CACHE", cache.string()}};
  auto parent = spawn(std::move(options));
  ASSERT_TRUE(parent) << parent.error().what;
  pid_t controller = 0;
  for (const auto deadline = base::now() + 120s; controller == 0 && base::now() < deadline;
       std::this_thread::sleep_for(20ms)) {
    controller = find_below((*parent)->pid(), "StartController");
  }
  const auto stat = read_process_stat(controller);
  ASSERT_TRUE(stat);

  (*parent)->kill(SIGKILL);  // The program alone, not what it started.
  ASSERT_TRUE((*parent)->wait_exit(base::now() + 20s));

  for (const auto deadline = base::now() + 30s;
       base::now() < deadline && is_same_process(controller, stat->start_time);) {
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_FALSE(is_same_process(controller, stat->start_time));
  sweep_leftovers(cache);
  fs::remove_all(cache);
}

}  // namespace
}  // namespace flow::servers
