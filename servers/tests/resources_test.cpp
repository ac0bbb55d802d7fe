// SPDX-License-Identifier: Apache-2.0
#include "servers/resources.hpp"

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace flow::servers {
namespace {

using namespace std::chrono_literals;

// The samples that a sampler told, for a test that waits for them.
class Samples {
 public:
  struct Told {
    ResourceSample sample;
    base::TimePoint at;
  };

  ResourceSampler::OnSample sink() {
    return [this](const ResourceSample& sample) {
      const std::lock_guard lock(mutex_);
      all_.push_back({sample, base::now()});
      told_.notify_all();
    };
  }
  // All, when so many more were told.
  std::vector<Told> wait_for(std::size_t more) {
    std::unique_lock lock(mutex_);
    const std::size_t count = all_.size() + more;
    EXPECT_TRUE(told_.wait_for(lock, 30s, [&] { return all_.size() >= count; }));
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<Told> all_;
};

TEST(ResourceSampler, TellsEachSampleWhileItRuns) {
  Samples samples;
  ResourceSampler sampler;

  sampler.start({{"test", ::getpid()}, {"nobody", 0x7ffffff0}}, 20ms, samples.sink());
  const auto sample = samples.wait_for(3).back().sample;
  const auto use = sampler.stop();

  ASSERT_EQ(sample.roles.size(), 2u);
  EXPECT_EQ(sample.roles[0].role, "test");
  EXPECT_GT(sample.roles[0].rss_bytes, 100'000u);
  EXPECT_LE(sample.roles[0].rss_bytes, use.roles[0].rss_bytes_max);
  EXPECT_EQ(sample.roles[1].rss_bytes, 0u);  // It is not there.
  EXPECT_EQ(sample.roles[1].cpu_share, 0);
}

// A share is of the time since the sample before: what was used once is told once.
TEST(ResourceSampler, TellsUsedTimeOnce) {
  Samples samples;
  ResourceSampler sampler;
  auto told = base::now();
  sampler.start({{"test", ::getpid()}}, 50ms, samples.sink());

  const auto from = std::clock();
  while (std::clock() - from < CLOCKS_PER_SEC / 5) {
  }
  double seconds = 0;
  for (const auto& [sample, at] : samples.wait_for(10)) {
    seconds += sample.roles[0].cpu_share * std::chrono::duration<double>(at - told).count();
    told = at;
  }
  const auto use = sampler.stop();

  EXPECT_GT(seconds, 0.1);
  EXPECT_LE(seconds, use.roles[0].cpu_seconds + 0.05);
}

TEST(ResourceSampler, DoesNotKnowTheDeviceOfAFolderInMemory) {
  ResourceSampler nowhere, memory("/proc");
  nowhere.start({});
  memory.start({});

  EXPECT_FALSE(nowhere.stop().machine.device_write_bytes);
  EXPECT_FALSE(memory.stop().machine.device_write_bytes);
}

// What was synced is on the device: at least that much was written to it meanwhile.
TEST(ResourceSampler, CountsWhatReachesTheDeviceOfAFolder) {
  const std::string file = fmt::format("/var/tmp/flow-resources-test-{}", ::getpid());
  ResourceSampler sampler("/var/tmp");
  sampler.start({});

  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  ::unlink(file.c_str());
  const std::string block(1 << 20, 'f');
  ASSERT_EQ(::write(fd, block.data(), block.size()), static_cast<ssize_t>(block.size()));
  const bool is_synced = ::fsync(fd) == 0;
  ::close(fd);
  const auto written = sampler.stop().machine.device_write_bytes;

  if (!written || !is_synced) GTEST_SKIP() << "/var/tmp has no device in /proc/diskstats";
  EXPECT_GE(*written, block.size());
}

}  // namespace
}  // namespace flow::servers
