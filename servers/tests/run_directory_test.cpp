// What is left of a run that was killed, and who cleans it up.
// SPDX-License-Identifier: Apache-2.0
#include "servers/run_directory.hpp"

#include <fstream>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/proc.hpp"
#include "servers/registry.hpp"

namespace flow::servers {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class RunDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static int number = 0;
    cache_ = fs::temp_directory_path() /
             ("flow-cache-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
  }
  void TearDown() override { fs::remove_all(cache_); }

  // Run directories that there are.
  std::size_t count() const {
    std::error_code error;
    const fs::directory_iterator entries(cache_ / "run", error);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }

  fs::path cache_;
};

bool wait_for(const std::function<bool()>& is_true) {
  for (const auto deadline = base::now() + 20s; base::now() < deadline;
       std::this_thread::sleep_for(5ms)) {
    if (is_true()) return true;
  }
  return false;
}

SpawnOptions sleeper() {
  SpawnOptions options;
  options.name = "sleeper";
  options.command = {"sleep", "1000"};
  return options;
}

TEST_F(RunDirectoryTest, IsRemovedWithItsObject) {
  {
    auto run = RunDirectory::create(cache_);
    ASSERT_TRUE(run) << run.error().what;
    std::ofstream((*run)->path() / "file") << "x";
    ASSERT_EQ(count(), 1u);
  }

  EXPECT_EQ(count(), 0u);
}

TEST_F(RunDirectoryTest, IsLeftAloneWhileItsOwnerLives) {
  auto run = RunDirectory::create(cache_);
  ASSERT_TRUE(run);
  auto child = (*run)->spawn(sleeper());
  ASSERT_TRUE(child);

  const auto report = sweep_leftovers(cache_);

  EXPECT_EQ(report.text(), "");
  EXPECT_EQ(count(), 1u);
  EXPECT_FALSE((*child)->exited());
}

// The real thing: the parent gets SIGKILL. Its child goes at once (death signal), its grandchild at
// the latest with the next command of Flow, and so does the directory.
TEST_F(RunDirectoryTest, NothingIsLeftOfARunThatWasKilled) {
  std::mutex mutex;
  std::vector<std::pair<pid_t, std::uint64_t>> started;
  std::pair<pid_t, std::uint64_t> child;  // The direct one.
  bool is_ready = false;
  SpawnOptions options;
  options.name = "parent";
  options.command = {SERVERS_TEST_PARENT, "sleepers", cache_.string()};
  options.on_line = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    if (line == "ready") is_ready = true;
    if (!line.starts_with("pid ") && !line.starts_with("child ")) return;
    const pid_t pid = std::stoi(std::string(line.substr(line.find(' ') + 1)));
    const auto stat = read_process_stat(pid);
    if (stat) started.emplace_back(pid, stat->start_time);
    if (stat && line.starts_with("child ")) child = {pid, stat->start_time};
  };
  auto parent = spawn(std::move(options));
  ASSERT_TRUE(parent) << parent.error().what;
  ASSERT_TRUE(wait_for([&] {
    const std::lock_guard lock(mutex);
    return is_ready && started.size() == 2;
  }));
  ASSERT_EQ(count(), 1u);

  (*parent)->kill(SIGKILL);
  ASSERT_TRUE((*parent)->wait_exit(base::now() + 20s));
  EXPECT_TRUE(wait_for([&] { return !is_same_process(child.first, child.second); }));
  const auto report = sweep_leftovers(cache_);

  EXPECT_EQ(report.directories, 1);
  EXPECT_EQ(count(), 0u);
  for (const auto& [pid, start_time] : started) {
    EXPECT_TRUE(wait_for([&, pid = pid, at = start_time] { return !is_same_process(pid, at); }))
        << pid;
  }
}

// A pid comes round again; the process that has it now is not ours.
TEST_F(RunDirectoryTest, SweepSparesAProcessThatHasOnlyThePid) {
  auto innocent = spawn(sleeper());
  auto guilty = spawn(sleeper());
  ASSERT_TRUE(innocent && guilty);
  const fs::path left = cache_ / "run" / "1-0123abcd";
  fs::create_directories(left);
  std::ofstream(left / "started") << "process " << (*innocent)->pid() << " "
                                  << (*innocent)->start_time() + 1 << " kafka-1\n"
                                  << "process " << (*guilty)->pid() << " "
                                  << (*guilty)->start_time() << " kafka-2\n"
                                  << "process nonsense\n"
                                  << "outside /etc\n";

  const auto report = sweep_leftovers(cache_);

  EXPECT_EQ(report.text(),
            "cleaned up after a run that ended early: 1 process ended, 1 directory removed");
  EXPECT_TRUE((*guilty)->wait_exit(base::now() + 20s));
  EXPECT_FALSE((*innocent)->exited());
  EXPECT_TRUE(fs::exists("/etc/passwd"));
}

TEST_F(RunDirectoryTest, SweepTouchesNothingThatIsNoRunDirectory) {
  for (const char* name : {"notes", "12-xyz", "-0123abcd", "12-0123abcd-more"}) {
    fs::create_directories(cache_ / "run" / name);
  }

  EXPECT_EQ(sweep_leftovers(cache_).directories, 0);
  EXPECT_EQ(count(), 4u);
}

TEST_F(RunDirectoryTest, GivesAnotherUserADirectoryItCanReach) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  fs::create_directories(cache_);
  fs::permissions(cache_, fs::perms::owner_all);  // As /root is.
  fs::path given;
  {
    auto run = RunDirectory::create(cache_);
    ASSERT_TRUE(run);
    auto directory = (*run)->directory_for("data", "nobody");
    ASSERT_TRUE(directory) << directory.error().what;
    given = *directory;
    SpawnOptions options;
    options.name = "writer";
    options.command = {"touch", (given / "file").string()};
    options.user = "nobody";
    auto child = (*run)->spawn(std::move(options));
    ASSERT_TRUE(child) << child.error().what;
    ASSERT_TRUE((*child)->wait_exit(base::now() + 20s));
    EXPECT_EQ((*child)->exit_code(), 0);
    EXPECT_TRUE(fs::exists(given / "file"));
  }

  EXPECT_FALSE(fs::exists(given));
}

TEST_F(RunDirectoryTest, ANameIsKeptByOneKeeperAndForgottenWithIt) {
  const Registry registry(cache_);
  UpEntry entry;
  entry.name = "mine";
  entry.platform = "kafka";
  entry.keeper.pid = ::getpid();
  auto claim = registry.claim("mine");
  ASSERT_TRUE(claim) << claim.error().what;
  ASSERT_TRUE((*claim)->write(entry));

  EXPECT_EQ(registry.claim("mine").error().code, base::Errc::config);
  ASSERT_EQ(registry.list().size(), 1u);
  EXPECT_EQ(registry.list()[0].platform, "kafka");

  claim->reset();
  EXPECT_TRUE(registry.list().empty());
  EXPECT_TRUE(registry.claim("mine"));
}

}  // namespace
}  // namespace flow::servers
