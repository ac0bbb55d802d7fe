// The shop's events in Pinot: a real Kafka filled with events of every kind, tables made by the
// generator, and what SQL then says. The truth is kept beside the events as they are published.
// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <iostream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analytics/controller.hpp"
#include "analytics/query_set.hpp"
#include "analytics/sql_client.hpp"
#include "analytics/table_status.hpp"
#include "analytics/tables.hpp"
#include "ecommerce/domain/entity_json.hpp"
#include "servers/kafka.hpp"
#include "servers/pinot.hpp"
#include "streaming/kafka/driver.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using ecommerce::Money;
using ecommerce::Order;
using ecommerce::OrderStatus;
using streaming::Admission;
using streaming::Outcome;
using streaming::testing::in;
using streaming::testing::OnThread;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
namespace json = base::json;

constexpr std::int64_t created_ms = 1'764'000'000'000;
const std::vector<std::string> topics = {"users", "products", "orders"};

// The members that the shop appends in analytics trials.
std::string stamped(std::string body, std::uint64_t request, std::int64_t intended_ns) {
  body.pop_back();
  return fmt::format("{},\"flowEvent\":\"{:016x}{:016x}\",\"flowIntended\":{}}}", body, 7, request,
                     intended_ns);
}

Order order_of(std::int64_t id, OrderStatus status = OrderStatus::placed) {
  Order order;
  order.id = id;
  order.user_id = id % 20 + 1;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i <= id % 4; ++i) {
    const std::int64_t cents = 29 + 997 * id + i;  // 0.29 and others that a double has not.
    const auto quantity = static_cast<std::int32_t>(1 + (id + i) % 9);
    order.items.push_back({.id = 10 * id + i,
                           .product_id = 1 + (id * 7 + i) % 10,
                           .quantity = quantity,
                           .price_per_unit = Money::from_hundredths(cents),
                           .currency = "IDR",
                           .created_at = created_ms + id,
                           .updated_at = created_ms + id});
    total += quantity * cents;
  }
  order.total_amount = Money::from_hundredths(total);
  order.currency = "IDR";
  order.status = status;
  order.created_at = created_ms + id;
  order.updated_at = created_ms + id + (status == OrderStatus::placed ? 0 : 5'000);
  return order;
}

std::int64_t cents_of(const Order& order) {
  return static_cast<std::int64_t>(order.total_amount.hundredths());
}

// What Pinot drops: no JSON object, or a value that does not fit its column.
const std::vector<std::string> without_a_row = {
    "this is not json",
    "",
    "[1,2]",
    "\"text\"",
    "{\"id\":1",
    R"({"id":900001,"totalAmount":"many","createdAt":1764000000000,"updatedAt":1764000000000})",
    R"({"id":900002,"totalAmount":1,"createdAt":"yesterday","updatedAt":1764000000000})",
    R"({"id":900003,"totalAmount":1,"createdAt":0,"updatedAt":1764000000000})"};

// What it keeps, with defaults for what is missing.
const std::vector<std::string> with_gaps = {
    R"({"id":800001,"totalAmount":0.29,"createdAt":1764000000000,"updatedAt":1764000000000})",
    R"({"id":800002,"orderItems":null,"totalAmount":null,"currency":null,"currentStatus":null,"createdAt":null,"updatedAt":null})",
    R"({"id":800003,"orderItems":[],"totalAmount":1.15,"unknown":{"deep":[1]},"createdAt":1764000000000,"updatedAt":1764000000000})",
    R"({})"};

class Analytics : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto pinot = std::async(std::launch::async, [] {
      servers::PinotOptions options;
      options.ready_within = 240s;
      return servers::Pinot::start(std::move(options));
    });
    auto level = servers::load_level("fsync-1");
    ASSERT_TRUE(level) << level.error().what;
    servers::KafkaOptions options;
    options.level = level->kafka;
    auto kafka = servers::Kafka::start(std::move(options));
    auto started = pinot.get();
    ASSERT_TRUE(kafka) << kafka.error().what;
    ASSERT_TRUE(started) << started.error().what;
    kafka_ = std::move(*kafka);
    pinot_ = std::move(*started);
    io_ = std::make_unique<net::IoThread>("analytics");
    controller_ = std::make_unique<analytics::Controller>(
        *io_, net::parse_http_url(pinot_->controller_url()).value());
    sql_ = std::make_unique<analytics::SqlClient>(
        *io_, net::parse_http_url(pinot_->broker_url()).value());
    publish_all();
    create_all();
  }
  static void TearDownTestSuite() {
    sql_.reset();
    controller_.reset();
    io_.reset();
    pinot_.reset();
    kafka_.reset();
  }
  void SetUp() override { ASSERT_TRUE(pinot_ && controller_ && sql_); }
  void TearDown() override {
    if (HasFailure() && pinot_) std::cerr << pinot_->log_tail(15);
  }

  static analytics::TableOptions table_options() {
    analytics::TableOptions options;
    options.platform = "kafka";
    options.service = kafka_->bootstrap();
    return options;
  }

  // One batch for each topic, through Flow's own driver.
  static void publish(const std::string& topic, const std::vector<std::string>& bodies) {
    OnThread driver([](net::IoThread& io) {
      auto made = streaming::kafka::make_driver(io, {.bootstrap = kafka_->bootstrap(),
                                                     .producer = {},
                                                     .consumer = {},
                                                     .topic = {},
                                                     .client_id = "flow-test"});
      FLOW_CHECK(made);
      return std::move(*made);
    });
    auto opened = driver.open_producer({topic});
    ASSERT_TRUE(opened) << opened.error().what;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      ASSERT_EQ(driver.publish(i, std::to_string(i), bodies[i]), Admission::accepted);
    }
    ASSERT_TRUE(driver.drain(30s));
    ASSERT_EQ(driver.decisions.count(Outcome::acked), bodies.size());
  }

  static void publish_all() {
    create_topics(topics);
    std::vector<std::string> orders;
    for (std::int64_t id = 1; id <= 400; ++id) {
      orders_.push_back(order_of(id));
      if (id % 3 == 0) orders_.push_back(order_of(id, OrderStatus::paid));
      if (id % 7 == 1) orders_.push_back(order_of(id, OrderStatus::cancelled));
    }
    orders_.push_back(order_of(1'000'003));  // Four items and a large amount.
    for (std::size_t i = 0; i < orders_.size(); ++i) {
      orders.push_back(stamped(ecommerce::to_json(orders_[i]), i + 1,
                               created_ms * 1'000'000 + static_cast<std::int64_t>(i) * 1'000'003));
    }
    orders.insert(orders.end(), with_gaps.begin(), with_gaps.end());
    orders.insert(orders.end(), without_a_row.begin(), without_a_row.end());
    order_events_ = static_cast<std::int64_t>(orders.size());
    publish("orders", orders);
    publish_products_and_users();
  }

  static void publish_products_and_users() {
    std::vector<std::string> products, users;
    for (std::int64_t view = 0; view < 250; ++view) {
      ecommerce::Product product{
          .id = 1 + view % 10,
          .name = "Kopi „Tubruk“ 漢字 ☕",
          .price = Money::from_hundredths(115 + view % 10),
          .currency = "IDR",
          .category = view % 2 ? std::optional<std::string>("it's") : std::nullopt,
          .description = std::string(700, 'x') + "\n\"\\",
          .created_at = created_ms,
          .updated_at = created_ms};
      products.push_back(ecommerce::to_json(product));
    }
    for (std::int64_t id = 1; id <= 30; ++id) {
      ecommerce::User user{.id = id,
                           .email = fmt::format("u{}@example.com", id),
                           .first_name = "Ærøskøbing",
                           .last_name = id % 3 ? std::optional<std::string>("null") : std::nullopt,
                           .created_at = created_ms + id,
                           .updated_at = created_ms + id,
                           .password_hash = {}};
      users.push_back(stamped(ecommerce::to_json(user), static_cast<std::uint64_t>(id), 1));
    }
    publish("products", products);
    publish("users", users);
  }

  static void create_topics(const std::vector<std::string>& names) {
    OnThread driver([](net::IoThread& io) {
      return std::move(*streaming::kafka::make_driver(io, {.bootstrap = kafka_->bootstrap(),
                                                           .producer = {},
                                                           .consumer = {},
                                                           .topic = {},
                                                           .client_id = "flow-test"}));
    });
    auto admin = driver.driver().open_admin();
    ASSERT_TRUE(admin) << admin.error().what;
    std::vector<streaming::TopicSpec> specs;
    for (const auto& name : names) specs.push_back({name, 3});
    const auto made = driver.io().run_task((*admin)->create_topics(specs, in(60s)));
    ASSERT_TRUE(made) << made.error().what;
    driver.io().run([&] { admin->reset(); });
  }

  static void create_all() {
    const auto tables = analytics::make_tables(table_options()).value();
    for (const auto& table : tables) {
      const auto created = io_->run_task(controller_->create(table, in(60s)));
      ASSERT_TRUE(created) << created.error().what;
    }
    const auto kept = static_cast<std::int64_t>(orders_.size() + with_gaps.size());
    wait_for_rows("kafka_orders", kept);
    wait_for_rows("kafka_products", 250);
    wait_for_rows("kafka_users", 30);
  }

  static void wait_for_rows(const std::string& table, std::int64_t wanted) {
    std::int64_t rows = -1;
    for (const auto deadline = in(90s); base::now() < deadline;) {
      const auto count = io_->run_task(analytics::count_rows(sql_.get(), table, in(10s)));
      if (count) rows = *count;
      if (rows >= wanted) break;
      std::this_thread::sleep_for(50ms);
    }
    EXPECT_EQ(rows, wanted) << table;
  }

  // Asked until every order's event was read, for at most 30 s: the last ones give no row.
  static base::Result<analytics::TableStatus> status_with_all_orders(const std::string& table) {
    for (const auto deadline = in(30s);;) {
      auto status = io_->run_task(
          analytics::read_table_status(controller_.get(), sql_.get(), table, in(30s)));
      const bool is_all = status && !status->is_moving && status->events == order_events_;
      if (is_all || base::now() > deadline) return status;
      std::this_thread::sleep_for(100ms);
    }
  }

  static json::array rows_of(const std::string& statement) {
    const auto answer = io_->run_task(sql_->query(statement, in(20s)));
    EXPECT_TRUE(answer) << statement << ": " << answer.error().what;
    return answer ? answer->rows : json::array{};
  }
  // The single value of a statement, whether Pinot wrote 5 or 5.0.
  static std::int64_t number_of(const std::string& statement) {
    const auto rows = rows_of(statement);
    if (rows.empty()) return -1;
    const auto number = base::JsonView(rows[0].at(0), statement).number();
    EXPECT_TRUE(number);
    return number ? static_cast<std::int64_t>(*number) : -1;
  }

  static inline std::unique_ptr<servers::Kafka> kafka_;
  static inline std::unique_ptr<servers::Pinot> pinot_;
  static inline std::unique_ptr<net::IoThread> io_;
  static inline std::unique_ptr<analytics::Controller> controller_;
  static inline std::unique_ptr<analytics::SqlClient> sql_;
  static inline std::int64_t order_events_ = 0;  // In the topic.
  static inline std::vector<Order> orders_;      // As published, whole ones.
};

TEST_F(Analytics, HasEveryOrderOnceWithExactSums) {
  std::int64_t cents = 0, units = 0;
  std::set<std::int64_t> ids;
  for (const Order& order : orders_) {
    cents += cents_of(order);
    ids.insert(order.id);
    for (const auto& item : order.items) units += item.quantity;
  }

  const std::string whole = " FROM kafka_orders WHERE flowEvent <> ''";

  EXPECT_EQ(number_of("SELECT COUNT(*)" + whole), static_cast<std::int64_t>(orders_.size()));
  EXPECT_EQ(number_of("SELECT DISTINCTCOUNT(id)" + whole), static_cast<std::int64_t>(ids.size()));
  EXPECT_EQ(number_of("SELECT DISTINCTCOUNT(flowEvent)" + whole),
            static_cast<std::int64_t>(orders_.size()));
  EXPECT_EQ(number_of("SELECT SUM(totalAmountCents)" + whole), cents);
  EXPECT_EQ(number_of("SELECT SUMMV(itemQuantities)" + whole), units);
}

TEST_F(Analytics, HasTheColumnsOfAnOrder) {
  const Order& order = orders_.back();
  const auto rows = rows_of(
      "SELECT id, userId, currency, currentStatus, totalAmount, totalAmountCents, itemProductIds, "
      "itemQuantities, orderItems, CAST(createdAt AS LONG), flowEvent, flowIntended, "
      "flowIngestedMs "
      "FROM kafka_orders WHERE id = 1000003 LIMIT 10");

  ASSERT_THAT(rows, SizeIs(1));
  const auto& row = rows[0].get_array();
  EXPECT_EQ(row[0], 1'000'003);
  EXPECT_EQ(row[1], order.user_id);
  EXPECT_EQ(row[2].as_string(), "IDR");
  EXPECT_EQ(row[3], 0);
  EXPECT_EQ(row[4].to_number<double>(), static_cast<double>(cents_of(order)) / 100);
  EXPECT_EQ(row[5], cents_of(order));
  json::array ids, quantities;
  for (const auto& item : order.items) {
    ids.emplace_back(item.product_id);
    quantities.emplace_back(item.quantity);
  }
  EXPECT_EQ(row[6].as_array(), ids);
  EXPECT_EQ(row[7].as_array(), quantities);
  const auto items = base::parse_json(row[8].get_string(), "orderItems");
  ASSERT_TRUE(items) << items.error().what;
  ASSERT_THAT(items->get_array(), SizeIs(4));
  EXPECT_EQ(items->at(3).at("productId"), order.items[3].product_id);
  EXPECT_EQ(row[9], order.created_at);
  EXPECT_EQ(row[10].as_string(), fmt::format("0000000000000007{:016x}", orders_.size()));
  // As a whole number, and not by way of a double.
  EXPECT_EQ(row[11],
            created_ms * 1'000'000 + static_cast<std::int64_t>(orders_.size() - 1) * 1'000'003);
  EXPECT_GT(row[12].to_number<std::int64_t>(), created_ms);
}

TEST_F(Analytics, FindsTheEventsOfOneTrialByARangeOfTexts) {
  const std::string range =
      "SELECT COUNT(*) FROM kafka_orders WHERE flowEvent >= '{:016x}' AND flowEvent < '{:016x}'";

  EXPECT_EQ(number_of(fmt::format(fmt::runtime(range), 7, 8)),
            static_cast<std::int64_t>(orders_.size()));
  EXPECT_EQ(number_of(fmt::format(fmt::runtime(range), 8, 9)), 0);
}

TEST_F(Analytics, FillsWhatAnEventLeavesOut) {
  const auto rows = rows_of(
      "SELECT id, userId, currency, currentStatus, totalAmount, totalAmountCents, itemProductIds, "
      "orderItems, flowEvent, flowIntended FROM kafka_orders WHERE id = 800002 LIMIT 10");

  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(json::serialize(rows[0]),
            "[800002,-9223372036854775808,\"\",-2147483648,0E0,0,[-9223372036854775808],\"null\","
            "\"\",0]");
  EXPECT_EQ(number_of("SELECT COUNT(*) FROM kafka_orders WHERE currentStatus IS NULL"), 3 + 1);
  EXPECT_EQ(number_of("SELECT SUM(totalAmountCents) FROM kafka_orders WHERE flowEvent = ''"),
            29 + 115);
}

TEST_F(Analytics, CountsEventsThatGaveNoRow) {
  const auto status = status_with_all_orders("kafka_orders");

  ASSERT_TRUE(status) << status.error().what;
  EXPECT_TRUE(status->is_healthy());
  EXPECT_FALSE(status->is_moving);
  EXPECT_THAT(status->partitions, SizeIs(3));
  EXPECT_EQ(status->rows, static_cast<std::int64_t>(orders_.size() + with_gaps.size()));
  EXPECT_EQ(status->events, order_events_);
  EXPECT_EQ(status->dropped, static_cast<std::int64_t>(without_a_row.size()));
  EXPECT_FALSE(status->complaints.empty());
}

TEST_F(Analytics, KeepsTextsAsTheyAre) {
  const auto rows = rows_of(
      "SELECT name, description, priceCents, COUNT(*) FROM kafka_products WHERE id = 10 AND "
      "category = 'it''s' GROUP BY name, description, priceCents LIMIT 10");

  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].at(0).as_string(), "Kopi „Tubruk“ 漢字 ☕");
  EXPECT_EQ(rows[0].at(1).as_string(), std::string(700, 'x') + "\n\"\\");
  EXPECT_EQ(rows[0].at(2), 124);
  EXPECT_EQ(rows[0].at(3), 25);
}

TEST_F(Analytics, TellsNullFromTheTextNull) {
  EXPECT_EQ(number_of("SELECT COUNT(*) FROM kafka_users WHERE lastName IS NULL"), 10);
  EXPECT_EQ(number_of("SELECT COUNT(*) FROM kafka_users WHERE lastName = 'null'"), 20);
  EXPECT_EQ(number_of("SELECT COUNT(*) FROM kafka_users WHERE firstName = 'Ærøskøbing'"), 30);
}

// The rows of a statement of the dashboard.
class Dashboard : public Analytics {
 protected:
  json::array rows_of_query(const std::string& name) {
    const auto set =
        analytics::load_query_set(FLOW_SOURCE_DIR "/experiments/queries/dashboard.yaml");
    EXPECT_TRUE(set);
    for (const auto& query : set->queries) {
      if (query.name != name) continue;
      return rows_of(analytics::fill_in(query.sql, "kafka_", created_ms + 1'800'000));
    }
    ADD_FAILURE() << name;
    return {};
  }
};

TEST_F(Dashboard, ShowsRevenueOfEveryMinute) {
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> minutes;
  for (const Order& order : orders_) {
    if (order.status != OrderStatus::placed) continue;
    auto& [count, cents] = minutes[order.created_at / 60'000 * 60'000];
    ++count;
    cents += cents_of(order);
  }

  const auto rows = rows_of_query("revenue_per_minute");

  // Those without items or amount have no state: they are not among the placed ones.
  ASSERT_EQ(rows.size(), minutes.size());
  auto expected = minutes.rbegin();
  for (const auto& row : rows) {
    EXPECT_EQ(row.at(0).to_number<std::int64_t>(), expected->first);
    EXPECT_EQ(row.at(1).to_number<std::int64_t>(), expected->second.first);
    EXPECT_EQ(row.at(2).to_number<double>(), static_cast<double>(expected->second.second));
    ++expected;
  }
}

TEST_F(Dashboard, ShowsTopProductsByOrderLines) {
  std::map<std::int64_t, std::int64_t> lines;
  for (const Order& order : orders_) {
    if (order.status != OrderStatus::placed) continue;
    for (const auto& item : order.items) ++lines[item.product_id];
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> expected;
  for (const auto& [product, count] : lines) expected.emplace_back(-count, product);
  std::ranges::sort(expected);

  const auto rows = rows_of_query("top_products");

  ASSERT_THAT(rows, SizeIs(10));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at(0), expected[i].second) << i;
    EXPECT_EQ(rows[i].at(1), -expected[i].first) << i;
  }
}

TEST_F(Dashboard, ShowsStatesFunnelAndUsers) {
  std::map<OrderStatus, std::int64_t> count, cents;
  std::set<std::int64_t> users;
  for (const Order& order : orders_) {
    ++count[order.status];
    cents[order.status] += cents_of(order);
    if (order.status == OrderStatus::placed) users.insert(order.user_id);
  }

  const auto states = rows_of_query("orders_by_status");
  const auto viewed = rows_of_query("funnel_viewed");
  const auto funnel = rows_of_query("funnel_orders");
  const auto distinct = rows_of_query("distinct_users");

  ASSERT_THAT(states, SizeIs(4));  // The first is of those without a state.
  EXPECT_EQ(states[0].at(0), INT32_MIN);
  std::size_t i = 1;
  for (const auto& [status, n] : count) {
    EXPECT_EQ(states[i].at(0), static_cast<std::int32_t>(status));
    EXPECT_EQ(states[i].at(1), n);
    EXPECT_EQ(states[i++].at(2).to_number<double>(), static_cast<double>(cents[status]));
  }
  EXPECT_EQ(json::serialize(viewed), "[[250,10]]");
  ASSERT_THAT(funnel, SizeIs(1));
  EXPECT_EQ(funnel[0].at(0).to_number<double>(), count[OrderStatus::placed]);
  EXPECT_EQ(funnel[0].at(1).to_number<double>(), count[OrderStatus::paid]);
  EXPECT_EQ(funnel[0].at(2).to_number<double>(), count[OrderStatus::cancelled]);
  EXPECT_EQ(distinct[0].at(0), static_cast<std::int64_t>(users.size()));
}

TEST_F(Analytics, CommitsLoseNothing) {
  auto options = table_options();
  options.prefix = "small_";
  options.topics = {"orders"};
  options.flush_rows = 90;  // 30 in each of 3 partitions.
  const auto table = analytics::make_tables(options).value().front();
  ASSERT_TRUE(io_->run_task(controller_->create(table, in(60s))));
  const auto kept = static_cast<std::int64_t>(orders_.size() + with_gaps.size());
  wait_for_rows("small_orders", kept);

  const auto status = status_with_all_orders("small_orders");

  ASSERT_TRUE(status) << status.error().what;
  EXPECT_GE(status->commits.size(), 12U);
  std::int64_t committed = 0;
  for (const auto& commit : status->commits) {
    EXPECT_GE(commit.rows, 30);
    EXPECT_GT(commit.unix_ms, created_ms);
    committed += commit.rows;
  }
  EXPECT_LE(committed, kept);
  EXPECT_EQ(status->dropped, static_cast<std::int64_t>(without_a_row.size()));
  std::int64_t cents = 0;
  for (const Order& order : orders_) cents += cents_of(order);
  EXPECT_EQ(number_of("SELECT SUM(totalAmountCents) FROM small_orders WHERE flowEvent <> ''"),
            cents);
  EXPECT_EQ(number_of("SELECT COUNT(*) FROM small_orders WHERE currentStatus IS NULL"), 3 + 1);
}

TEST_F(Analytics, DroppedTablesAreGoneAndCanBeMadeAgain) {
  auto options = table_options();
  options.prefix = "again_";
  options.topics = {"users"};
  const auto table = analytics::make_tables(options).value().front();
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(io_->run_task(controller_->create(table, in(60s))));
    wait_for_rows("again_users", 30);
    const auto twice = io_->run_task(controller_->create(table, in(60s)));
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, Errc::refused);

    const auto dropped = io_->run_task(controller_->drop("again_users", in(60s)));
    const auto dropped_again = io_->run_task(controller_->drop("again_users", in(60s)));

    ASSERT_TRUE(dropped) << dropped.error().what;
    EXPECT_TRUE(*dropped);
    ASSERT_TRUE(dropped_again) << dropped_again.error().what;
    EXPECT_FALSE(*dropped_again);
    const auto tables = io_->run_task(controller_->tables(in(10s)));
    EXPECT_THAT(tables.value(), ::testing::Not(::testing::Contains("again_users")));
    EXPECT_FALSE(io_->run_task(controller_->table_config("again_users", in(10s))));
  }
}

TEST_F(Analytics, ATopicThatIsNotThereLeavesNothingBehind) {
  auto options = table_options();
  options.prefix = "none_";
  options.topics = {"users"};
  options.stream_settings = {{"stream.kafka.topic.name", "no-such-topic"}};
  const auto table = analytics::make_tables(options).value().front();

  const auto created = io_->run_task(controller_->create(table, in(60s)));

  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::refused);
  EXPECT_THAT(created.error().what, HasSubstr("none_users"));
  EXPECT_THAT(io_->run_task(controller_->tables(in(10s))).value(),
              ::testing::Not(::testing::Contains("none_users")));
}

TEST_F(Analytics, TellsAWrongStatementFromAFailure) {
  for (const char* statement :
       {"selec", "SELECT * FROM no_such_table", "SELECT nope FROM kafka_users"}) {
    const auto answer = io_->run_task(sql_->query(statement, in(20s)));
    ASSERT_FALSE(answer) << statement;
    EXPECT_EQ(answer.error().code, Errc::config) << statement << ": " << answer.error().what;
  }
  const auto late =
      io_->run_task(sql_->query("SELECT COUNT(*) FROM kafka_users", base::now() - 1s));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timed_out);
}

// More than Pinot's HTTP server answers on one connection (256), and more at a time than there are.
TEST_F(Analytics, AnswersManyStatementsOverFewConnections) {
  analytics::SqlClient client(*io_, net::parse_http_url(pinot_->broker_url()).value(),
                              {.connections_max = 2, .authorization = {}});
  std::vector<std::future<base::Result<analytics::SqlAnswer>>> answers;
  for (int i = 0; i < 700; ++i) {
    answers.push_back(net::asio::co_spawn(io_->context(),
                                          client.query("SELECT COUNT(*) FROM kafka_users", in(60s)),
                                          net::asio::use_future));
  }

  for (auto& each : answers) {
    const auto answer = each.get();
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->rows.at(0).at(0), 30);
    EXPECT_TRUE(answer->min_consuming_freshness_unix_ms);
  }
}

TEST_F(Analytics, KnowsVersionBrokerAndInstances) {
  const auto version = io_->run_task(controller_->version(in(10s)));
  const auto broker = io_->run_task(controller_->broker_url(in(10s)));
  const auto instances = io_->run_task(controller_->instances(in(10s)));

  ASSERT_TRUE(version) << version.error().what;
  EXPECT_EQ(version->text(), "0.11.0");
  ASSERT_TRUE(broker) << broker.error().what;
  EXPECT_EQ("http://" + broker->authority(), pinot_->broker_url());
  ASSERT_TRUE(instances) << instances.error().what;
  std::vector<std::string> roles;
  for (const auto& instance : *instances) {
    EXPECT_TRUE(instance.is_live) << instance.name;
    roles.push_back(instance.role);
  }
  EXPECT_THAT(roles, ElementsAre("broker", "controller", "server"));
}

}  // namespace
}  // namespace flow
