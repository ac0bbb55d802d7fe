// The Pulsar client against three real brokers and three bookies; what it writes is read by
// Pulsar's own client, and what that one writes is read back.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "net/http_client.hpp"
#include "servers/pulsar.hpp"
#include "servers/run_directory.hpp"
#include "servers/wait.hpp"
#include "streaming/partitioner.hpp"
#include "streaming/pulsar/driver.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow {
namespace {

using streaming::Admission;
using streaming::Outcome;
using streaming::Settings;
using streaming::testing::Copy;
using streaming::testing::in;
using streaming::testing::OnThread;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  char chunk[4096];
  while (const std::size_t got = std::fread(chunk, 1, sizeof chunk, pipe)) text.append(chunk, got);
  ::pclose(pipe);
  return text;
}

// Every text once, in the order of its first appearance.
std::vector<std::string> first_appearances(const std::vector<Copy>& records, int partition) {
  std::vector<std::string> firsts;
  std::set<std::string> known;
  for (const Copy& record : records) {
    if (record.partition == partition && known.insert(record.payload).second) {
      firsts.push_back(record.payload);
    }
  }
  return firsts;
}

base::Stamp stamp_of(std::uint64_t request) {
  return {.trial = 7,
          .request = request,
          .parent = 11,
          .intended = base::UnixNanos{1'500'000'000},
          .other_state = ""};
}

class PulsarDriverCluster : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto level = servers::load_level("strong");
    ASSERT_TRUE(level) << level.error().what;
    level_ = level->pulsar;
    servers::PulsarOptions options;
    options.level = level->pulsar;
    options.ready_within = 240s;
    auto started = servers::Pulsar::start(std::move(options));
    ASSERT_TRUE(started) << started.error().what;
    cluster_ = std::move(*started);
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  void SetUp() override { ASSERT_TRUE(cluster_); }
  void TearDown() override {
    if (HasFailure() && cluster_) std::cerr << cluster_->log_tail(15);
  }

  // With the level's own settings, changed by `producer` where it names one.
  static OnThread::Make with(Settings producer = {}) {
    Settings all = level_.producer;
    for (const auto& [key, value] : producer) {
      std::erase_if(all, [&](const auto& one) { return one.first == key; });
      all.emplace_back(key, value);
    }
    return [=](net::IoThread& io) {
      auto made = streaming::pulsar::make_driver(io, {.service_url = cluster_->service_url(),
                                                      .admin_url = cluster_->admin_url(),
                                                      .producer = all,
                                                      .consumer = level_.consumer,
                                                      .topic = level_.topic,
                                                      .client_id = "flow-test",
                                                      .token = {}});
      FLOW_CHECK(made);
      return std::move(*made);
    };
  }

  // A topic of its own for each test.
  static std::string create_topic(OnThread& pulsar, int partitions = 6) {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = std::string("t-") + info->name();
    auto admin = pulsar.driver().open_admin();
    const auto made = pulsar.io().run_task((*admin)->create_topics({{name, partitions}}, in(60s)));
    EXPECT_TRUE(made) << made.error().what;
    return name;
  }

  // The status of an administrative call, made at the broker that a redirect names.
  static int call_rest(const std::string& method, const std::string& target) {
    auto url = net::parse_http_url(cluster_->admin_url());
    net::HttpRequest request{.method = method, .target = target, .headers = {}, .body = {}};
    for (int hop = 0; url && hop < 5; ++hop) {
      const auto response = net::http_request_blocking(*url, request, in(30s));
      if (!response) return 0;
      if (response->status != 307) return response->status;
      const std::string location(response->headers.get("Location"));
      const std::size_t query = location.find('?');
      url = net::parse_http_url(location.substr(0, query));
      if (!url) return 0;
      request.target = std::exchange(url->path, "");
      if (query != std::string::npos) request.target += location.substr(query);
    }
    return 307;
  }

  // Pulsar's own command line client.
  static std::string pulsar_client(const std::string& arguments) {
    const auto java = servers::find_java();
    const auto home = std::filesystem::path(*java).parent_path().parent_path();
    const auto client = servers::cache_directory() / "apache-pulsar-4.0.8/bin/pulsar-client";
    return output_of("JAVA_HOME=" + home.string() + " timeout 120 " + client.string() + " --url " +
                     cluster_->service_url() + " " + arguments + " 2>&1");
  }

  static inline std::unique_ptr<servers::Pulsar> cluster_;
  static inline servers::PulsarLevel level_;
};

TEST_F(PulsarDriverCluster, CreatesTopicsAsTheLevelAsksAndTellsWhatIsInForce) {
  OnThread pulsar(with());
  auto admin = pulsar.driver().open_admin();
  ASSERT_TRUE(admin) << admin.error().what;

  const auto brokers = pulsar.io().run_task((*admin)->broker_count(in(30s)));
  const std::string topic = create_topic(pulsar);
  const auto settings = pulsar.io().run_task((*admin)->describe_topic(topic, in(30s)));
  const auto again = pulsar.io().run_task((*admin)->create_topics({{topic, 6}}, in(30s)));

  ASSERT_TRUE(brokers) << brokers.error().what;
  EXPECT_EQ(*brokers, 3);
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_THAT(*settings, Contains(Pair("partitions", "6")));
  EXPECT_THAT(*settings, Contains(Pair("ensemble", "3")));
  EXPECT_THAT(*settings, Contains(Pair("write_quorum", "3")));
  EXPECT_THAT(*settings, Contains(Pair("ack_quorum", "2")));
  for (int i = 0; i < 6; ++i) {
    const std::string key = "partition." + std::to_string(i) + ".ledger_quorums";
    EXPECT_THAT(*settings, Contains(Pair(key, "3/3/2")));
  }
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, base::Errc::refused);
  EXPECT_THAT(again.error().what, HasSubstr(topic));

  const auto gone = pulsar.io().run_task((*admin)->delete_topics({topic}, in(30s)));
  ASSERT_TRUE(gone) << gone.error().what;
  const auto missing = pulsar.io().run_task((*admin)->delete_topics({"never-made"}, in(30s)));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Errc::refused);
  const auto opened = pulsar.open_producer({"never-made"}, 30s);
  ASSERT_FALSE(opened);  // And was not made by asking.
  EXPECT_THAT(opened.error().what, HasSubstr("TopicNotFound"));
}

TEST_F(PulsarDriverCluster, PulsarsOwnClientReadsTheSameKeyPropertiesAndPayload) {
  OnThread pulsar(with({{"compression", "lz4"}}));
  const std::string topic = create_topic(pulsar, 2);
  ASSERT_TRUE(pulsar.open_producer({topic}, 30s));
  for (std::uint64_t i = 1; i <= 5; ++i) {
    ASSERT_EQ(pulsar.publish(i - 1, std::to_string(i), "value " + std::to_string(i), stamp_of(i)),
              Admission::accepted);
  }
  ASSERT_TRUE(pulsar.drain(30s));

  const std::string text = pulsar_client("consume -s test -n 5 -p Earliest " + topic);
  for (int i = 1; i <= 5; ++i) {
    const auto expected = "key:[" + std::to_string(i) +
                          "], properties:[traceparent=00-0000000000000007000000000000000" +
                          std::to_string(i) +
                          "-000000000000000b-01, tracestate=flow=1500000000], content:value " +
                          std::to_string(i) + "\n";
    EXPECT_THAT(text, HasSubstr(expected));
  }
}

TEST_F(PulsarDriverCluster, ReadsWhatPulsarsOwnClientWrote) {
  OnThread pulsar(with());
  const std::string topic = create_topic(pulsar, 1);
  const std::string text = pulsar_client(
      "produce -m from-java -n 3 -k the-key "
      "-p traceparent=00-00000000000000070000000000000004-0000000000000009-01 " +
      topic);
  ASSERT_THAT(text, HasSubstr("3 messages successfully produced"));

  ASSERT_TRUE(pulsar.open_consumer({topic}, 30s));
  const auto end = pulsar.read_to_end(30s);
  ASSERT_TRUE(end && *end);
  ASSERT_EQ(pulsar.seen.records.size(), 3U);
  EXPECT_EQ(pulsar.seen.records[0].key, "the-key");
  EXPECT_EQ(pulsar.seen.records[0].payload, "from-java");
  ASSERT_TRUE(pulsar.seen.records[0].stamp);
  EXPECT_EQ(pulsar.seen.records[0].stamp->request, 4U);
}

TEST_F(PulsarDriverCluster, EveryRecordComesBackOnceOnItsPartitionInItsOrder) {
  for (const auto* codec : {"lz4", "zstd", "none"}) {
    SCOPED_TRACE(codec);
    OnThread pulsar(with({{"compression", codec}}));
    auto admin = pulsar.driver().open_admin();
    const std::string topic = std::string("t-roundtrip-") + codec;
    ASSERT_TRUE(pulsar.io().run_task((*admin)->create_topics({{topic, 6}}, in(60s))));
    ASSERT_TRUE(pulsar.open_producer({topic}, 30s));
    constexpr std::uint64_t count = 3000;
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_EQ(pulsar.publish(i, std::to_string(i % 20), std::to_string(i), stamp_of(i + 1)),
                Admission::accepted);
    }
    ASSERT_TRUE(pulsar.drain(60s));
    EXPECT_TRUE(pulsar.decisions.is_exactly_once(count));
    EXPECT_EQ(pulsar.decisions.count(Outcome::acked), count);

    ASSERT_TRUE(pulsar.open_consumer({topic}, 30s));
    const auto end = pulsar.read_to_end(60s);
    ASSERT_TRUE(end && *end);
    ASSERT_EQ(pulsar.seen.records.size(), count);
    std::map<std::int32_t, std::uint64_t> last;
    for (const Copy& record : pulsar.seen.records) {
      EXPECT_EQ(record.partition, streaming::partition_of(record.key, 6));
      const std::uint64_t number = std::stoull(record.payload);
      EXPECT_TRUE(!last.contains(record.partition) || number > last[record.partition]);
      last[record.partition] = number;
      EXPECT_EQ(record.stamp, stamp_of(number + 1));
    }
  }
}

TEST_F(PulsarDriverCluster, UnloadsLoseNothingAndKeepTheOrder) {
  OnThread pulsar(with());
  const std::string topic = create_topic(pulsar, 3);
  ASSERT_TRUE(pulsar.open_producer({topic}, 30s));
  ASSERT_TRUE(pulsar.open_consumer({topic}, 30s));
  std::uint64_t sent = 0;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 300; ++i, ++sent) {
      const auto key = std::to_string(sent % 9);
      ASSERT_EQ(pulsar.publish(sent, key, std::to_string(sent)), Admission::accepted);
      if (i % 50 == 0) std::this_thread::sleep_for(5ms);
    }
    const std::string partition = topic + "-partition-" + std::to_string(round % 3);
    EXPECT_EQ(call_rest("PUT", "/admin/v2/persistent/public/default/" + partition + "/unload"),
              204);
  }
  ASSERT_TRUE(pulsar.drain(60s));
  EXPECT_TRUE(pulsar.decisions.is_exactly_once(sent));
  EXPECT_EQ(pulsar.decisions.count(Outcome::acked), sent);

  const auto end = pulsar.read_to_end(60s);
  ASSERT_TRUE(end && *end);
  std::size_t distinct = 0;
  for (int p = 0; p < 3; ++p) {
    const auto texts = first_appearances(pulsar.seen.records, p);
    distinct += texts.size();
    EXPECT_TRUE(std::ranges::is_sorted(texts, {}, [](const auto& t) { return std::stoull(t); }));
  }
  EXPECT_EQ(distinct, sent);
  std::set<std::pair<int, streaming::Position>> positions;
  for (const Copy& record : pulsar.seen.records) {
    EXPECT_TRUE(positions.emplace(record.partition, record.position).second);
  }
}

// Last, since it takes a broker away. (No bookie: three of three must live to open a new ledger of
// ensemble 3, which the brokers that take over have to do.)
TEST_F(PulsarDriverCluster, ZzKeepsEveryAckedRecordWhenABrokerDies) {
  OnThread pulsar(with({{"send_timeout_ms", "0"}}));
  const std::string topic = create_topic(pulsar, 6);
  ASSERT_TRUE(pulsar.open_producer({topic}, 30s));
  std::uint64_t sent = 0;
  const auto publish_some = [&](int count) {
    for (int i = 0; i < count; ++i, ++sent) {
      ASSERT_EQ(pulsar.publish(sent, std::to_string(sent % 30), std::to_string(sent)),
                Admission::accepted);
    }
  };
  publish_some(500);
  ASSERT_TRUE(cluster_->kill("pulsar-broker-3"));
  publish_some(500);
  const auto drained = pulsar.drain(150s);
  ASSERT_TRUE(drained) << drained.error().what;
  EXPECT_TRUE(pulsar.decisions.is_exactly_once(sent));
  EXPECT_EQ(pulsar.decisions.count(Outcome::acked), sent);

  ASSERT_TRUE(pulsar.open_consumer({topic}, 60s));
  const auto end = pulsar.read_to_end(60s);
  ASSERT_TRUE(end && *end);
  std::set<std::string> found;
  for (const Copy& record : pulsar.seen.records) found.insert(record.payload);
  EXPECT_EQ(found.size(), sent);
}

}  // namespace
}  // namespace flow
