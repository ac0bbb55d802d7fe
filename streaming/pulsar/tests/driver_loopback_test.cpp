// The whole driver over real sockets against the fake broker.
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "net/http_server.hpp"
#include "streaming/pulsar/driver.hpp"
#include "streaming/pulsar/tests/fake_server.hpp"

namespace flow::streaming::pulsar::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* partition = "persistent://public/default/orders-partition-0";

struct Sink final : DeliverySink {
  std::map<std::uint64_t, Delivery> decided;
  void on_delivery(Ticket ticket, const Delivery& delivery) override {
    EXPECT_TRUE(decided.emplace(static_cast<std::uint64_t>(ticket), delivery).second);
  }
  std::size_t count(Outcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        decided, [&](const auto& one) { return one.second.outcome == outcome; }));
  }
};
struct Reader final : RecordSink {
  std::vector<std::string> payloads;
  std::vector<std::string> errors;
  bool times_are_good = true;
  void on_record(const Record& record) override {
    payloads.emplace_back(base::as_text(record.payload));
    if (record.seen_at > base::now()) times_are_good = false;
  }
  void on_consumer_error(const base::Error& error) override { errors.push_back(error.what); }
};

class PulsarDriverLoopback : public ::testing::Test {
 protected:
  FakeServer server;
  net::IoThread io{"driver"};
  PulsarConfig config;
  std::unique_ptr<Driver> driver;
  Sink sink;
  Reader reader;
  std::unique_ptr<Producer> producer;
  std::unique_ptr<Consumer> consumer;
  std::uint64_t next_ticket = 0;

  void SetUp() override {
    server.with_broker(
        [](FakeBroker& broker) { broker.topics["persistent://public/default/orders"] = 1; });
    config.service_url = server.service_url();
    config.client_id = "test";
  }
  void TearDown() override {
    if (producer) io.run([&] { producer->stop(); });
    producer.reset();
    if (consumer) io.run([&] { consumer->stop(); });
    consumer.reset();
    driver.reset();
    io.stop();
    server.with_broker([](FakeBroker& broker) { EXPECT_THAT(broker.client_errors(), IsEmpty()); });
  }

  base::Result<void> open_producer(base::Nanos limit = 20s) {
    if (!driver) {
      auto made = make_driver(io, config);
      if (!made) return std::unexpected(made.error());
      driver = *std::move(made);
    }
    auto opened = io.run_task(driver->open_producer({"orders"}, sink, base::now() + limit));
    if (!opened) return std::unexpected(opened.error());
    producer = *std::move(opened);
    return {};
  }
  base::Result<void> open_consumer(base::Nanos limit = 20s) {
    auto opened = io.run_task(driver->open_consumer({"orders"}, reader, base::now() + limit));
    if (!opened) return std::unexpected(opened.error());
    consumer = *std::move(opened);
    return {};
  }
  void publish(int count) {
    io.run([&] {
      for (int i = 0; i < count; ++i) {
        const std::string text = std::to_string(next_ticket);
        Message message;
        message.key = "k";
        message.payload = base::as_bytes(text);
        EXPECT_EQ(producer->try_publish(Ticket{next_ticket++}, message), Admission::accepted);
      }
    });
  }
  base::Result<void> drain(base::Nanos limit = 20s) {
    return io.run_task(producer->drain(base::now() + limit));
  }
  std::vector<std::string> stored() {
    std::vector<std::string> payloads;
    server.with_broker([&](FakeBroker& broker) { payloads = broker.payloads(partition); });
    return payloads;
  }
};

TEST_F(PulsarDriverLoopback, PublishesDrainsAndReadsBack) {
  ASSERT_TRUE(open_producer());
  const base::TimePoint before = base::now();
  publish(5000);
  ASSERT_TRUE(drain());
  const base::TimePoint after = base::now();

  EXPECT_EQ(sink.count(Outcome::acked), 5000U);
  for (const auto& [ticket, delivery] : sink.decided) {
    EXPECT_GE(delivery.decided_at, before);
    EXPECT_LE(delivery.decided_at, after);
  }
  ASSERT_TRUE(open_consumer());
  const auto end = io.run_task(consumer->read_to_end(base::now() + 20s));
  ASSERT_TRUE(end);
  EXPECT_TRUE(*end);
  EXPECT_EQ(reader.payloads, stored());
  EXPECT_EQ(consumer->records_seen(), 5000U);
  EXPECT_TRUE(reader.times_are_good);
}

TEST_F(PulsarDriverLoopback, SendsALargeMessageWhole) {
  ASSERT_TRUE(open_producer());
  const std::string large(4'000'000, 'x');
  io.run([&] {
    Message message;
    message.payload = base::as_bytes(large);
    EXPECT_EQ(producer->try_publish(Ticket{0}, message), Admission::accepted);
  });
  ASSERT_TRUE(drain());
  EXPECT_EQ(sink.count(Outcome::acked), 1U);
  EXPECT_THAT(stored(), ElementsAre(large));
}

// The stream to the client ends at byte n, for many n: all is stored in order and acked once.
TEST_F(PulsarDriverLoopback, SurvivesAConnectionThatEndsAtAnyByte) {
  config.producer = {{"send_timeout_ms", "0"}};
  for (std::size_t bytes = 0; bytes < 260; bytes += 13) {
    SCOPED_TRACE(bytes);
    if (producer) io.run([&] { producer->stop(); });
    producer.reset();
    driver.reset();
    server.cut_after(bytes);
    ASSERT_TRUE(open_producer());
    publish(3);
    ASSERT_TRUE(drain());
  }
  EXPECT_EQ(sink.count(Outcome::acked), next_ticket);
  const auto all = stored();
  const std::set<std::string> distinct(all.begin(), all.end());
  EXPECT_EQ(distinct.size(), next_ticket);
}

TEST_F(PulsarDriverLoopback, DrainEndsAtItsDeadlineAndStopLosesTheRest) {
  ASSERT_TRUE(open_producer());
  publish(2);
  ASSERT_TRUE(drain());
  server.stall(true);
  publish(3);
  const base::TimePoint before = base::now();
  const auto drained = drain(200ms);

  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().code, base::Errc::timed_out);
  EXPECT_LT(base::now() - before, 15s);
  EXPECT_EQ(sink.count(Outcome::acked), 2U);
  io.run([&] { producer->stop(); });
  EXPECT_EQ(sink.count(Outcome::lost), 3U);
  server.stall(false);
}

TEST_F(PulsarDriverLoopback, GoesOnAfterAStall) {
  ASSERT_TRUE(open_producer());
  server.stall(true);
  publish(100);
  EXPECT_FALSE(drain(100ms));
  server.stall(false);
  ASSERT_TRUE(drain());
  EXPECT_EQ(sink.count(Outcome::acked), 100U);
}

TEST_F(PulsarDriverLoopback, TimesOutWhatTheBrokerDoesNotAnswer) {
  config.producer = {{"send_timeout_ms", "100"}};
  ASSERT_TRUE(open_producer());
  server.stall(true);
  publish(3);
  ASSERT_TRUE(drain());
  EXPECT_EQ(sink.count(Outcome::timed_out), 3U);
  server.stall(false);
}

TEST_F(PulsarDriverLoopback, ReadsAcrossReconnects) {
  ASSERT_TRUE(open_producer());
  ASSERT_TRUE(open_consumer());
  for (int i = 0; i < 5; ++i) {
    publish(50);
    ASSERT_TRUE(drain());
    server.with_broker(
        [&](FakeBroker& broker) { i % 2 ? broker.hang_up_all() : broker.unload(partition); });
  }
  const auto end = io.run_task(consumer->read_to_end(base::now() + 20s));
  ASSERT_TRUE(end && *end);
  EXPECT_EQ(reader.payloads, stored());
  EXPECT_EQ(sink.count(Outcome::acked), 250U);
}

TEST_F(PulsarDriverLoopback, SaysWhyItCannotOpen) {
  config.service_url = "pulsar://127.0.0.1:1";
  const auto refused = open_producer(3s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::Errc::timed_out);
  EXPECT_THAT(refused.error().what, HasSubstr("127.0.0.1:1: connect"));

  driver.reset();
  config.service_url = server.service_url();
  server.with_broker([](FakeBroker& broker) { broker.topics.clear(); });
  const auto missing = open_producer();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Errc::refused);
  EXPECT_THAT(missing.error().what, HasSubstr("orders"));
}

TEST_F(PulsarDriverLoopback, RefusesWrongSettingsBeforeConnecting) {
  for (auto change : {+[](PulsarConfig& c) { c.service_url = "pulsar+ssl://a:6651"; },
                      +[](PulsarConfig& c) { c.admin_url = "ftp://x"; },
                      +[](PulsarConfig& c) { c.producer = {{"acks", "all"}}; },
                      +[](PulsarConfig& c) { c.consumer = {{"acks", "all"}}; },
                      +[](PulsarConfig& c) { c.topic = {{"acks", "all"}}; }}) {
    PulsarConfig wrong = config;
    change(wrong);
    const auto made = make_driver(io, wrong);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, base::Errc::config);
  }
  auto made = make_driver(io, config);
  ASSERT_TRUE(made);
  EXPECT_FALSE((*made)->open_admin());
  EXPECT_EQ((*made)->platform(), "pulsar");
}

TEST_F(PulsarDriverLoopback, MayBeDestroyedWithEverythingOpen) {
  ASSERT_TRUE(open_producer());
  ASSERT_TRUE(open_consumer());
  server.with_broker([](FakeBroker& broker) { broker.holds_receipts = true; });
  publish(10);
  driver.reset();
  io.run([&] { producer->stop(); });
  EXPECT_EQ(sink.decided.size(), 10U);
  EXPECT_EQ(sink.count(Outcome::lost), 10U);
}

// --- Administration, against a server that answers as Pulsar's REST interface does ---

class PulsarAdminLoopback : public PulsarDriverLoopback {
 protected:
  net::IoThread web_thread{"web"};
  std::unique_ptr<net::HttpServer> web;
  std::vector<std::string> calls;  // Touched on web_thread only.
  std::string ledger =
      "LedgerMetadata{formatVersion=3, ensembleSize=3, writeQuorumSize=2, "
      "ackQuorumSize=2, state=OPEN}";
  bool is_redirected = false;
  int create_status = 204;
  std::unique_ptr<Admin> admin;

  void SetUp() override {
    PulsarDriverLoopback::SetUp();
    web = std::make_unique<net::HttpServer>(
        web_thread, net::HttpServerOptions{},
        [this](net::HttpRequest request) -> net::Task<net::HttpResponse> {
          return answer_of(this, std::move(request));
        });
    ASSERT_TRUE(web->start());
    config.admin_url = web->url();
    config.topic = {{"ensemble", "3"}, {"write_quorum", "2"}, {"ack_quorum", "2"}};
    auto made = make_driver(io, config);
    ASSERT_TRUE(made);
    driver = *std::move(made);
    auto opened = driver->open_admin();
    ASSERT_TRUE(opened);
    admin = *std::move(opened);
  }
  void TearDown() override {
    admin.reset();
    web->stop();
    web_thread.stop();
    PulsarDriverLoopback::TearDown();
  }

  static net::Task<net::HttpResponse> answer_of(PulsarAdminLoopback* self,
                                                net::HttpRequest request) {
    co_return self->answer(request);
  }
  net::HttpResponse answer(const net::HttpRequest& request) {
    calls.push_back(request.method + " " + request.target + " " + request.body);
    net::HttpResponse response;
    const auto path = request.path();
    if (is_redirected && !request.target.starts_with("/owner")) {
      response.status = 307;
      response.headers.add("Location", web->url() + "/owner" + request.target);
    } else if (path.ends_with("/clusters")) {
      response.body = R"(["flow"])";
    } else if (path.ends_with("/brokers/flow")) {
      response.body = R"(["a:1","b:1","c:1"])";
    } else if (path.ends_with("/persistence") && request.method == "GET") {
      response.body =
          R"({"bookkeeperEnsemble":3,"bookkeeperWriteQuorum":2,"bookkeeperAckQuorum":2})";
    } else if (path.ends_with("/partitions") && request.method == "PUT") {
      response.status = create_status;
      response.body = create_status == 409 ? R"({"reason":"already exists"})" : "";
    } else if (path.ends_with("/partitions") && request.method == "GET") {
      response.body = R"({"partitions":1})";
    } else if (path.ends_with("/internalStats")) {
      response.body = R"({"ledgers":[{"ledgerId":5,"metadata":")" + ledger + R"("}]})";
    } else if (request.method == "GET") {
      response.body = "{}";
    } else {
      response.status = 204;
    }
    return response;
  }
  std::vector<std::string> calls_made() {
    return web_thread.run([this] { return calls; });
  }
  auto deadline() const { return base::now() + 20s; }
};

TEST_F(PulsarAdminLoopback, CountsBrokers) {
  const auto count = io.run_task(admin->broker_count(deadline()));
  ASSERT_TRUE(count) << count.error().what;
  EXPECT_EQ(*count, 3);
}

TEST_F(PulsarAdminLoopback, SetsPoliciesThenCreatesThenWaitsForEveryPartition) {
  const auto made = io.run_task(admin->create_topics({{"orders", 1}}, deadline()));
  ASSERT_TRUE(made) << made.error().what;

  const auto all = calls_made();
  const auto index = [&](std::string_view start) {
    const auto found =
        std::ranges::find_if(all, [&](const auto& call) { return call.starts_with(start); });
    EXPECT_NE(found, all.end()) << start;
    return found - all.begin();
  };
  const auto persistence = index(
      "POST /admin/v2/namespaces/public/default/persistence {\"bookkeeperEnsemble\":3,"
      "\"bookkeeperWriteQuorum\":2,\"bookkeeperAckQuorum\":2,");
  const auto retention = index(
      "POST /admin/v2/namespaces/public/default/retention {\"retentionTimeInMinutes\":-1,"
      "\"retentionSizeInMB\":-1}");
  const auto create = index("PUT /admin/v2/persistent/public/default/orders/partitions 1");
  const auto proof = index("GET /admin/v2/persistent/public/default/orders-partition-0/internal");
  EXPECT_LT(persistence, create);
  EXPECT_LT(retention, create);
  EXPECT_LT(create, proof);
  server.with_broker([](FakeBroker& broker) {
    EXPECT_EQ(broker.count_of(command::producer), 1);
    EXPECT_EQ(broker.count_of(command::send), 0);
  });
}

TEST_F(PulsarAdminLoopback, ALedgerWithOtherQuorumsIsAnError) {
  web_thread.run([this] { ledger = "{ensembleSize=2, writeQuorumSize=2, ackQuorumSize=2}"; });
  const auto made = io.run_task(admin->create_topics({{"orders", 1}}, deadline()));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("quorums 2/2/2, not 3/2/2"));
}

TEST_F(PulsarAdminLoopback, AnExistingTopicIsRefused) {
  web_thread.run([this] { create_status = 409; });
  const auto made = io.run_task(admin->create_topics({{"orders", 1}}, deadline()));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, base::Errc::refused);
  EXPECT_THAT(made.error().what, HasSubstr("already exists"));
}

TEST_F(PulsarAdminLoopback, FollowsARedirectWithTheSameMethodAndBody) {
  web_thread.run([this] { is_redirected = true; });
  const auto gone = io.run_task(admin->delete_topics({"orders"}, deadline()));
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_THAT(
      calls_made(),
      ElementsAre(
          "DELETE /admin/v2/persistent/public/default/orders/partitions?force=true ",
          "DELETE /owner/admin/v2/persistent/public/default/orders/partitions?force=true "));
}

TEST_F(PulsarAdminLoopback, DescribesWhatIsInForce) {
  const auto told = io.run_task(admin->describe_topic("orders", deadline()));
  ASSERT_TRUE(told) << told.error().what;
  EXPECT_THAT(*told, ::testing::Contains(std::pair<std::string, std::string>(
                         "partition.0.ledger_quorums", "3/2/2")));
}

}  // namespace
}  // namespace flow::streaming::pulsar::testing
