// From a topic into a table, each row once: numbered events with known amounts go to Pulsar (read
// by Flow's plugin) and to Kafka (read by Pinot's own) while segments are committed and servers
// die, stop or stall. Afterwards rows, distinct events and the sum of cents in Pinot are what the
// topic holds. It is compared with the topic and not with what was sent: a producer sends again
// what a broker took with it into its death.
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <set>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analytics/controller.hpp"
#include "analytics/sql_client.hpp"
#include "ecommerce/domain/entity_json.hpp"
#include "ecommerce/domain/event.hpp"
#include "net/http_client.hpp"
#include "servers/kafka.hpp"
#include "servers/pinot.hpp"
#include "servers/pulsar.hpp"
#include "streaming/audit/auditor.hpp"
#include "streaming/kafka/driver.hpp"
#include "streaming/pulsar/driver.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow {
namespace {

using namespace std::chrono_literals;
using analytics::Segment;
using streaming::testing::in;
using streaming::testing::OnThread;
namespace fs = std::filesystem;

constexpr std::uint64_t trial = 0xe4ac7;
constexpr int partitions = 4;  // Two on each of Pinot's servers, four where there are two replicas.

// A different amount for each of the first 99,991 events.
std::int64_t cents_of(std::uint64_t request) {
  return 100 + static_cast<std::int64_t>(request * 7 % 99'991);
}

// What the shop publishes when somebody looks at a product.
ecommerce::Event event_of(std::uint64_t request) {
  ecommerce::Product product;
  product.id = static_cast<ecommerce::Id>(request);
  product.name = "Product " + std::to_string(request);
  product.price = ecommerce::Money::from_hundredths(cents_of(request));
  product.currency = "EUR";
  product.created_at = product.updated_at = 1'790'000'000'000;
  std::string json;
  append_json(json, product);
  base::Stamp stamp;
  stamp.trial = trial;
  stamp.request = request;
  stamp.parent = 1;  // Of a hop before; 0 is no stamp.
  auto event =
      ecommerce::make_event(ecommerce::EventName::view_product, product.id, std::move(json), stamp);
  put_stamp_into_body(event);
  return event;
}

struct Sum {
  std::int64_t rows = 0, events = 0, cents = 0;
  bool operator==(const Sum&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Sum& sum) {
    return out << sum.rows << " rows of " << sum.events << " events, " << sum.cents << " cents";
  }
};

// ------------------------------------------------------------------------------ Pinot

// Two servers, started once, while Pulsar starts: the tests of both platforms share it.
class PinotEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    starting_ = std::async(std::launch::async, [] {
      servers::PinotOptions options;
      options.servers = 2;
      options.level.server_heap_mb = 512;
      options.level.server_direct_mb = 256;
      return servers::Pinot::start(std::move(options));
    });
  }
  void wait_until_started() {
    if (!starting_.valid()) return;
    auto started = starting_.get();
    ASSERT_TRUE(started) << started.error().what;
    pinot = std::move(*started);
    const auto url = net::parse_http_url(pinot->controller_url());
    controller = std::make_unique<analytics::Controller>(io, *url);
    sql = std::make_unique<analytics::SqlClient>(io, *net::parse_http_url(pinot->broker_url()));
  }
  void TearDown() override {
    sql.reset();
    controller.reset();
    pinot.reset();
  }

  net::IoThread io{"test-pinot"};
  std::unique_ptr<servers::Pinot> pinot;
  std::unique_ptr<analytics::Controller> controller;
  std::unique_ptr<analytics::SqlClient> sql;

 private:
  std::future<base::Result<std::unique_ptr<servers::Pinot>>> starting_;
};
PinotEnvironment* const shared =
    static_cast<PinotEnvironment*>(::testing::AddGlobalTestEnvironment(new PinotEnvironment));

std::int64_t whole(const base::json::value& value) {
  return static_cast<std::int64_t>(value.to_number<double>());  // Sums come as doubles.
}

// ------------------------------------------------------------------------------ one topic

struct TableSettings {
  std::int64_t flush_rows = 3'000;
  std::chrono::seconds flush_after = 1h;
  int replicas = 1;
};

// A topic with a table over it, and a thread that publishes until it is told to end.
class Pipeline {
 public:
  Pipeline(std::string platform, std::string service, const OnThread::Make& make)
      : platform_(std::move(platform)), service_(std::move(service)), driver_(make) {
    const std::string number = std::to_string(++count_);
    topic_ = "exactly-once-" + number;
    table_ = platform_ + number + "_products";
  }
  ~Pipeline() {
    publishing_ = {};
    EXPECT_TRUE(shared->io.run_task(shared->controller->drop(table_, in(90s))));
  }

  const std::string& topic() const { return topic_; }

  void open(const TableSettings& settings) {
    auto admin = driver_.driver().open_admin();
    ASSERT_TRUE(driver_.io().run_task((*admin)->create_topics({{topic_, partitions}}, in(60s))));
    const auto opened = driver_.open_producer({topic_}, 60s);
    ASSERT_TRUE(opened) << opened.error().what;
    const bool is_pulsar = platform_ == "pulsar";
    analytics::TableOptions options{.platform = platform_, .service = service_};
    options.version = shared->io.run_task(shared->controller->version(in(10s))).value();
    options.topics = {"products"};
    options.prefix = table_.substr(0, table_.rfind("products"));
    options.replicas = settings.replicas;
    options.flush_rows = settings.flush_rows;
    options.flush_after = settings.flush_after;
    options.stream_settings = {{"stream." + platform_ + ".topic.name",
                                (is_pulsar ? "persistent://public/default/" : "") + topic_}};
    auto tables = analytics::make_tables(options);
    ASSERT_TRUE(tables) << tables.error().what;
    const auto made =
        shared->io.run_task(shared->controller->create(std::move(tables->front()), in(60s)));
    ASSERT_TRUE(made) << made.error().what;
  }

  // Begins to publish at this rate; what the broker does not take at once waits.
  void publish(int per_second) {
    publishing_ = std::jthread([this, per_second](const std::stop_token& stop) {
      const auto start = base::now();
      while (!stop.stop_requested()) {
        const auto event = event_of(++sent_);
        while (driver_.publish(sent_, event.key, event.value, event.stamp) ==
               streaming::Admission::queue_full) {
          std::this_thread::sleep_for(1ms);
        }
        std::this_thread::sleep_until(start + sent_ * base::Nanos(1s) / per_second);
      }
    });
  }

  // Until so many segments were committed, for at most 60 s.
  bool wait_for_commits(std::size_t count) {
    for (const auto deadline = in(60s); committed().size() < count;) {
      if (base::now() > deadline) return false;
      std::this_thread::sleep_for(500ms);
    }
    return true;
  }

  // Until no segment was committed for 10 s, for at most 60 s. A server of Pinot 0.11 that starts
  // while one is may open a partition's next segment first: on a topic at rest that one gets no
  // row, is not committed, and the server waits for it and is not ready.
  void wait_for_last_commit() {
    const auto deadline = in(60s);
    std::size_t seen = committed().size();
    for (auto rest = in(10s); base::now() < rest && base::now() < deadline;) {
      std::this_thread::sleep_for(1s);
      const std::size_t now = committed().size();
      if (now != seen) rest = in(10s);
      seen = now;
    }
  }

  // Publishes for this much longer, then waits until the broker has decided every event.
  void end_publishing_after(base::Nanos span) {
    std::this_thread::sleep_for(span);
    publishing_ = {};
    const auto drained = driver_.drain(60s);
    ASSERT_TRUE(drained) << drained.error().what;
    std::cout << "  " << sent_ << " events published" << std::endl;
  }

  // Read back by the auditor: every record of the topic, also those that were sent twice.
  Sum in_topic() {
    Sum sum;
    const std::string path =
        fs::temp_directory_path() / ("flow-exactly-once-" + std::to_string(::getpid()));
    auto auditor = streaming::audit::Auditor::create({trial, base::ClockAnchor::take(), path});
    FLOW_CHECK(auditor);
    auto consumer =
        driver_.io().run_task(driver_.driver().open_consumer({topic_}, **auditor, in(60s)));
    if (!consumer) {
      ADD_FAILURE() << consumer.error().what;
      return sum;
    }
    EXPECT_TRUE(driver_.io().run_task((*consumer)->read_to_end(in(60s))).value_or(false));
    EXPECT_TRUE((*auditor)->write_second(driver_.io()));
    driver_.io().run([&] { consumer->reset(); });
    const auto reads = streaming::audit::read_records<streaming::audit::ReadRecord>(path);
    EXPECT_TRUE(reads);
    std::set<std::uint64_t> events;
    for (const auto& read : *reads) {
      ++sum.rows;
      sum.cents += cents_of(read.request);
      events.insert(read.request);
    }
    sum.events = static_cast<std::int64_t>(events.size());
    fs::remove(path);
    EXPECT_GE(sum.events, 1'000);
    return sum;
  }

  base::Result<Sum> in_table() {
    auto answer = shared->io.run_task(shared->sql->query(
        "SELECT COUNT(*), DISTINCTCOUNT(flowEvent), SUM(priceCents) FROM " + table_, in(10s)));
    if (!answer) return std::unexpected(answer.error());
    const auto& row = answer->rows.at(0).as_array();
    return Sum{whole(row[0]), whole(row[1]), whole(row[2])};
  }

  // Waits until the table holds what the topic does, and then whether it stays so. The broker of
  // Pinot asks the replicas in turn: four answers in a row say what both of two hold.
  void expect_table_equals_topic() {
    const Sum wanted = in_topic();
    std::cout << "  in the topic: " << wanted << ", committed: " << committed().size()
              << " segments" << std::endl;
    int agreeing = 0;
    std::string last;
    for (const auto deadline = in(120s); agreeing < 4 && base::now() < deadline;) {
      const auto got = in_table();
      last = got ? ::testing::PrintToString(*got) : got.error().what;
      agreeing = got && *got == wanted ? agreeing + 1 : 0;
      std::this_thread::sleep_for(100ms);
    }
    EXPECT_EQ(agreeing, 4) << table_ << ": " << last << "; in the topic: " << wanted;
    const auto complaints = shared->io.run_task(shared->controller->complaints(table_, in(10s)));
    ASSERT_TRUE(complaints) << complaints.error().what;
    for (const auto& one : *complaints) ADD_FAILURE() << one.segment << ": " << one.words;
  }

  std::vector<Segment> committed() {
    auto segments = shared->io.run_task(shared->controller->segments(table_, in(20s)));
    EXPECT_TRUE(segments) << segments.error().what;
    std::erase_if(*segments, [](const Segment& one) { return !one.is_committed; });
    return *segments;
  }

 private:
  static inline int count_ = 0;
  std::string platform_, service_, topic_, table_;
  OnThread driver_;
  std::uint64_t sent_ = 0;  // The thread's, until it has ended.
  std::jthread publishing_;
};

// Kills, does something meanwhile, and starts again.
void die_and_return(servers::Server& server, const std::string& role, base::Nanos down) {
  ASSERT_TRUE(server.kill(role));
  const auto killed = base::now();
  std::this_thread::sleep_for(down);
  const auto again = server.restart(role, 90s);
  ASSERT_TRUE(again) << again.error().what;
  std::cout << "  " << role << " was back "
            << std::chrono::duration<double>(base::now() - killed).count() << " s after its death"
            << std::endl;
}

void freeze_for(servers::Server& server, const std::string& role, base::Nanos span) {
  ASSERT_TRUE(server.freeze(role));
  std::this_thread::sleep_for(span);
  ASSERT_TRUE(server.thaw(role));
}

// ------------------------------------------------------------------------------ Pulsar

class PinotOverPulsar : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    servers::PulsarOptions options;
    options.level = level().pulsar;
    auto started = servers::Pulsar::start(std::move(options));
    ASSERT_TRUE(started) << started.error().what;
    pulsar = std::move(*started);
    shared->wait_until_started();
  }
  static void TearDownTestSuite() { pulsar.reset(); }
  void SetUp() override {
    ASSERT_TRUE(pulsar && shared->pinot);
    ASSERT_FALSE(shared->pinot->facts().at("pulsar_plugin").as_string().empty())
        << servers::pinot_plugin_jar() << ": there is no such file; tools/build-plugin makes it";
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << pulsar->log_tail(10) << shared->pinot->log_tail(20);
  }

  static servers::Level level() { return servers::load_level("fsync-1").value(); }

  // Batches as large as they get, for commits in the middle of one.
  static Pipeline pipeline() {
    auto settings = level().pulsar.producer;
    for (auto& [key, value] : settings) {
      if (key == "linger_ms") value = "20";
    }
    return {"pulsar", pulsar->service_url(), [settings](net::IoThread& io) {
              auto made = streaming::pulsar::make_driver(io, {.service_url = pulsar->service_url(),
                                                              .admin_url = pulsar->admin_url(),
                                                              .producer = settings,
                                                              .consumer = level().pulsar.consumer,
                                                              .topic = level().pulsar.topic,
                                                              .client_id = "flow-test",
                                                              .token = {}});
              FLOW_CHECK(made);
              return std::move(*made);
            }};
  }

  static void unload(const std::string& topic) {
    net::HttpRequest request;
    request.method = "PUT";
    request.target = "/admin/v2/persistent/public/default/" + topic + "/unload";
    const auto answer = net::http_request_blocking(*net::parse_http_url(pulsar->admin_url()),
                                                   std::move(request), in(30s));
    ASSERT_TRUE(answer) << answer.error().what;
    ASSERT_EQ(answer->status, 204) << answer->body;
  }

  static inline std::unique_ptr<servers::Pulsar> pulsar;
};

// "ledger:entry:index/size" with a message after it in the same batch.
bool is_inside_batch(const std::string& offset) {
  int index = -1, size = 0;
  const int read = std::sscanf(offset.c_str(), "%*d:%*d:%d/%d", &index, &size);
  return read == 2 && index >= 0 && index < size - 1;
}

TEST_F(PinotOverPulsar, RowsAreThereOnceAcrossCommitsInTheMiddleOfBatches) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({.flush_rows = 4'000}));

  pipe.publish(5'000);
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(5s));

  pipe.expect_table_equals_topic();
  pipe.wait_for_commits(6);
  const auto commits = pipe.committed();
  EXPECT_GE(commits.size(), 6u);
  EXPECT_GE(std::ranges::count_if(commits, is_inside_batch, &Segment::end_offset), 1);
}

TEST_F(PinotOverPulsar, RowsAreThereOnceAfterTheDeathOfAPinotServer) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(4s);
  ASSERT_NO_FATAL_FAILURE(die_and_return(*shared->pinot, "pinot-server", 0s));
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(1s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(4));
}

TEST_F(PinotOverPulsar, RowsAreThereOnceAfterAPinotServerWasStopped) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(4s);
  ASSERT_TRUE(shared->pinot->terminate("pinot-server", 90s));
  const auto again = shared->pinot->restart("pinot-server", 90s);
  ASSERT_TRUE(again) << again.error().what;
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(1s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(4));
}

TEST_F(PinotOverPulsar, RowsAreThereOnceAfterTheDeathOfTheController) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(2s);
  ASSERT_NO_FATAL_FAILURE(
      die_and_return(*shared->pinot, "pinot-controller", 1s));  // Commits are due meanwhile.
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(6s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(4));
}

TEST_F(PinotOverPulsar, RowsAreThereOnceAfterABrokerStoodStillAndTheTopicMoved) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(2'000);
  std::this_thread::sleep_for(1s);
  ASSERT_NO_FATAL_FAILURE(freeze_for(*pulsar, "pulsar-broker-1", 2s));
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(500ms);
    unload(pipe.topic());
  }
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(1s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(4));
}

TEST_F(PinotOverPulsar, RowsAreThereOnceAfterTheDeathOfTheBroker) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(2s);
  ASSERT_NO_FATAL_FAILURE(die_and_return(*pulsar, "pulsar-broker-1", 0s));
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(3s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(4));
}

// Replicas that commit by time end at different rows: one must catch up or throw rows away.
TEST_F(PinotOverPulsar, BothReplicasHoldRowsOnceAfterTheDeathOfOne) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({.flush_rows = 1'000'000, .flush_after = 4s, .replicas = 2}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(6s);
  ASSERT_NO_FATAL_FAILURE(die_and_return(*shared->pinot, "pinot-server-2", 0s));
  EXPECT_TRUE(pipe.wait_for_commits(8));
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(5s));

  pipe.expect_table_equals_topic();
  pipe.wait_for_last_commit();
  ASSERT_TRUE(shared->pinot->terminate("pinot-server", 90s));
  pipe.expect_table_equals_topic();  // By the one that had died, alone.
  const auto again = shared->pinot->restart("pinot-server", 90s);
  ASSERT_TRUE(again) << again.error().what;
  pipe.expect_table_equals_topic();
}

// ------------------------------------------------------------------------------ Kafka

class PinotOverKafka : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    servers::KafkaOptions options;
    options.level = level().kafka;
    auto started = servers::Kafka::start(std::move(options));
    ASSERT_TRUE(started) << started.error().what;
    kafka = std::move(*started);
    shared->wait_until_started();
  }
  static void TearDownTestSuite() { kafka.reset(); }
  void SetUp() override { ASSERT_TRUE(kafka && shared->pinot); }
  void TearDown() override {
    if (HasFailure()) std::cerr << kafka->log_tail(10) << shared->pinot->log_tail(20);
  }

  static servers::Level level() { return servers::load_level("fsync-1").value(); }

  static Pipeline pipeline() {
    return {"kafka", kafka->bootstrap(), [](net::IoThread& io) {
              auto made = streaming::kafka::make_driver(io, {.bootstrap = kafka->bootstrap(),
                                                             .producer = level().kafka.producer,
                                                             .consumer = level().kafka.consumer,
                                                             .topic = level().kafka.topic,
                                                             .client_id = "flow-test"});
              FLOW_CHECK(made);
              return std::move(*made);
            }};
  }

  static inline std::unique_ptr<servers::Kafka> kafka;
};

TEST_F(PinotOverKafka, RowsAreThereOnceAfterABrokerStoodStillAndDied) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(1s);
  ASSERT_NO_FATAL_FAILURE(freeze_for(*kafka, "kafka-1", 2s));
  std::this_thread::sleep_for(1s);
  ASSERT_NO_FATAL_FAILURE(die_and_return(*kafka, "kafka-1", 0s));
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(3s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(2));
}

TEST_F(PinotOverKafka, RowsAreThereOnceAfterTheDeathOfAPinotServer) {
  auto pipe = pipeline();
  ASSERT_NO_FATAL_FAILURE(pipe.open({}));

  pipe.publish(1'000);
  std::this_thread::sleep_for(4s);
  ASSERT_NO_FATAL_FAILURE(die_and_return(*shared->pinot, "pinot-server", 0s));
  ASSERT_NO_FATAL_FAILURE(pipe.end_publishing_after(1s));

  pipe.expect_table_equals_topic();
  EXPECT_TRUE(pipe.wait_for_commits(4));
}

}  // namespace
}  // namespace flow
