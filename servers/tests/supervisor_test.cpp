// Real processes, small ones.
// SPDX-License-Identifier: Apache-2.0
#include "servers/supervisor.hpp"

#include <filesystem>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/proc.hpp"

namespace flow::servers {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

base::TimePoint soon() { return base::now() + 20s; }

SpawnOptions shell(const std::string& script) {
  SpawnOptions options;
  options.name = "child";
  options.command = {"sh", "-c", script};
  return options;
}

// Lines as the supervisor thread hands them over.
struct Lines {
  std::mutex mutex;
  std::vector<std::string> all;
  std::function<void(std::string_view)> sink() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      all.emplace_back(line);
    };
  }
  // Waits until there are `count`; the caller's test fails when they do not come.
  std::vector<std::string> wait(std::size_t count) {
    for (const auto deadline = soon(); base::now() < deadline; std::this_thread::sleep_for(5ms)) {
      const std::lock_guard lock(mutex);
      if (all.size() >= count) break;
    }
    const std::lock_guard lock(mutex);
    return all;
  }
};

bool gone_soon(pid_t pid, std::uint64_t start_time) {
  for (const auto deadline = soon(); base::now() < deadline; std::this_thread::sleep_for(5ms)) {
    if (!is_same_process(pid, start_time)) return true;
  }
  return false;
}

TEST(Supervisor, TellsHowAChildEnded) {
  auto good = spawn(shell("exit 0"));
  auto bad = spawn(shell("exit 3"));
  auto killed = spawn(shell("kill -9 $$"));
  ASSERT_TRUE(good && bad && killed);
  for (auto* child : {&good, &bad, &killed}) ASSERT_TRUE((**child)->wait_exit(soon()));

  EXPECT_EQ((*good)->exit_code(), 0);
  EXPECT_EQ((*bad)->exit_text(), "exit code 3");
  EXPECT_EQ((*killed)->exit_code(), std::nullopt);
  EXPECT_EQ((*killed)->exit_text(), "ended by SIGKILL");
}

TEST(Supervisor, LearnsThatAProgramCannotBeExecuted) {
  SpawnOptions missing;
  missing.name = "nothing";
  missing.command = {"/no/such/program"};
  SpawnOptions unknown = missing;
  unknown.command = {"flow-no-such-program"};

  const auto first = spawn(missing);
  const auto second = spawn(unknown);

  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().what, HasSubstr("nothing: /no/such/program: No such file"));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("no such program in PATH"));
}

TEST(Supervisor, HandsOverEveryLineOnceTheChildIsGone) {
  Lines lines;
  // More than a pipe holds, and a last line without its newline.
  auto options =
      shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; printf end");
  options.on_line = lines.sink();

  auto child = spawn(std::move(options));
  ASSERT_TRUE(child);
  ASSERT_TRUE((*child)->wait_exit(soon()));

  ASSERT_EQ(lines.all.size(), 20001u);
  EXPECT_EQ(lines.all[12345], "line 12345");
  EXPECT_EQ(lines.all.back(), "end");
}

TEST(Supervisor, KeepsStandardErrorInTheLog) {
  const auto log =
      std::filesystem::temp_directory_path() / ("flow-log-" + std::to_string(::getpid()));
  Lines lines;
  auto options = shell("echo out; for i in 1 2 3 4; do echo err $i >&2; done");
  options.on_line = lines.sink();
  options.log_path = log;

  auto child = spawn(std::move(options));
  ASSERT_TRUE(child);
  ASSERT_TRUE((*child)->wait_exit(soon()));

  EXPECT_THAT(lines.all, ElementsAre("out"));
  EXPECT_EQ((*child)->log_tail(2), "err 3\nerr 4\n");
  EXPECT_EQ((*child)->log_tail(100), "err 1\nerr 2\nerr 3\nerr 4\n");
  EXPECT_EQ((*child)->log_tail(0), "");
  std::filesystem::remove(log);
}

TEST(Supervisor, GivesAChildItsEnvironmentFolderAndNoInput) {
  Lines lines;
  auto options = shell("echo $FLOW_WORD; pwd; if read x; then echo input; else echo none; fi");
  options.environment = {{"FLOW_WORD", "a b=c"}};
  options.working_directory = "/usr";
  options.on_line = lines.sink();

  auto child = spawn(std::move(options));
  ASSERT_TRUE(child);
  ASSERT_TRUE((*child)->wait_exit(soon()));

  EXPECT_THAT(lines.all, ElementsAre("a b=c", "/usr", "none"));
}

TEST(Supervisor, KillsAChildThatIgnoresSigterm) {
  Lines lines;
  auto options = shell("trap '' TERM; echo up; while :; do sleep 0.05; done");
  options.on_line = lines.sink();
  auto child = spawn(std::move(options));
  ASSERT_TRUE(child);
  ASSERT_EQ(lines.wait(1).size(), 1u);

  EXPECT_FALSE((*child)->terminate(100ms));

  EXPECT_EQ((*child)->exit_text(), "ended by SIGKILL");
}

TEST(Supervisor, EndsAFrozenChildInOrder) {
  Lines lines;
  auto options = shell("trap 'exit 5' TERM; echo up; while :; do sleep 0.02; done");
  options.on_line = lines.sink();
  auto child = spawn(std::move(options));
  ASSERT_TRUE(child);
  ASSERT_EQ(lines.wait(1).size(), 1u);
  (*child)->kill(SIGSTOP);

  EXPECT_TRUE((*child)->terminate(20s));

  EXPECT_EQ((*child)->exit_code(), 5);
}

// One grandchild stays in the group, the other one leaves it as PostgreSQL's processes do.
TEST(Supervisor, EndsGrandchildrenToo) {
  Lines lines;
  auto options =
      shell("sleep 1000 & echo $!; setsid sleep 1000 & echo $!; trap '' TERM; wait; wait");
  options.on_line = lines.sink();
  auto child = spawn(std::move(options));
  ASSERT_TRUE(child);
  std::vector<std::pair<pid_t, std::uint64_t>> grandchildren;
  for (const auto& line : lines.wait(2)) {
    const pid_t pid = std::stoi(line);
    const auto stat = read_process_stat(pid);
    ASSERT_TRUE(stat);
    grandchildren.emplace_back(pid, stat->start_time);
  }
  ASSERT_EQ(grandchildren.size(), 2u);

  (*child)->terminate(50ms);

  for (const auto& [pid, start_time] : grandchildren) EXPECT_TRUE(gone_soon(pid, start_time));
}

TEST(Supervisor, EndsAChildWhenItsObjectGoes) {
  auto child = spawn(shell("sleep 1000"));
  ASSERT_TRUE(child);
  const pid_t pid = (*child)->pid();
  const auto start_time = (*child)->start_time();
  ASSERT_TRUE(is_same_process(pid, start_time));

  child->reset();

  EXPECT_FALSE(is_same_process(pid, start_time));
}

}  // namespace
}  // namespace flow::servers
