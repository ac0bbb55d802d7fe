// The whole shop under trouble: a full queue, a broker that refuses, a database that goes away,
// hostile clients, and the end.
// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/shop.hpp"

#include <filesystem>
#include <thread>
#include <unistd.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "ecommerce/tests/support/test_shop.hpp"
#include "streaming/audit/records.hpp"

namespace flow::ecommerce {
namespace {

using namespace std::chrono_literals;
using streaming::Outcome;
using streaming::audit::AttemptEnd;
using streaming::audit::AttemptRecord;
using streaming::fake::Fate;
using testing::detail_of;
using testing::errors_of;
using ::testing::HasSubstr;
using testing::json_of;
using testing::number_at;
using testing::TestShop;
using testing::title_of;

constexpr const char* order_body = R"({"orderItems":[{"productId":1,"quantity":1}]})";

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/flow-shop-test-XXXXXX";
};

bool eventually(const std::function<bool()>& condition) {
  for (const auto deadline = base::now() + 30s; base::now() < deadline;) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// Sends bytes as they are; returns what comes back until the connection ends or 20 s have passed.
std::string send_raw(std::uint16_t port, std::string_view bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    shutdown(fd, SHUT_WR);
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }
  close(fd);
  return answer;
}

// One place in the driver's queue, taken by an event whose outcome takes long.
TEST(Shop, RefusesAndStoresNothingWhenTheQueueIsFull) {
  const TemporaryDirectory directory;
  const std::string records = directory.file("attempts.records");
  {
    TestShop shop([&](TestShop::Setup& setup) {
      setup.broker.queue_messages_max = 1;
      setup.broker.fate = [](std::uint64_t n) {
        return Fate{.outcome = Outcome::acked, .delay = n == 2 ? 5s : 0ms, .copies = 1};
      };
      setup.options.records_path = records;
    });
    // The outcome's metric is written after its place came back.
    const auto acked = [&](const char* event) {
      return eventually([&] {
        return shop.admin_get("/actuator/prometheus")
            .body.contains(fmt::format(
                "messaging_publish_latency_seconds_count{{eventName=\"{}\",outcome=\"success\"",
                event));
      });
    };
    const std::string token = shop.sign_up("full@example.test");  // Event 0.
    ASSERT_TRUE(acked("UserRegister"));
    shop.create_product("1");  // Event 1.
    ASSERT_TRUE(acked("CreateProduct"));
    shop.send("GET", "/api/v1/products/1", token);  // Event 2: holds the place for a while.
    const std::string before = shop.query("SELECT count(*) FROM orders");

    const auto refused = shop.send("POST", "/api/v1/orders", token, order_body);
    const auto view = shop.get("/api/v1/products/1", token);

    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.get("Retry-After"), "1");
    EXPECT_EQ(title_of(refused), "Service Unavailable");
    EXPECT_EQ(view.status, 503);
    EXPECT_EQ(shop.query("SELECT count(*) FROM orders"), before);
    EXPECT_EQ(shop.get("/api/v1/products", token).status, 200);  // Has no event.
    ASSERT_TRUE(acked("ViewProduct"));
    EXPECT_EQ(shop.send("POST", "/api/v1/orders", token, order_body).status, 201);
    ASSERT_TRUE(shop.shop().drain(base::now() + 10s));
    EXPECT_EQ(shop.shop().totals().queue_full, 2U);
    EXPECT_EQ(shop.shop().totals().acked, 4U);
  }
  const auto attempts = streaming::audit::read_records<AttemptRecord>(records);
  ASSERT_TRUE(attempts) << attempts.error().what;
  EXPECT_EQ(attempts->size(), 6U);
  EXPECT_EQ(std::ranges::count(*attempts, AttemptEnd::queue_full, &AttemptRecord::end), 2);
}

// Business failures after the place was taken give it back: with one place, hundreds of them would
// otherwise end in 503.
TEST(Shop, GivesPlacesBackWhenNothingIsPublished) {
  TestShop shop([](TestShop::Setup& setup) { setup.broker.queue_messages_max = 1; });
  const std::string token = shop.sign_up("back@example.test");
  const auto is_free = [&] {
    return shop.admin_get("/actuator/prometheus")
        .body.contains("messaging_queue_places{state=\"used\"} 0");
  };
  ASSERT_TRUE(eventually(is_free));

  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(shop.get("/api/v1/products/999", token).status, 404);
    EXPECT_EQ(shop.send("POST", "/api/v1/orders", token, order_body).status, 404);
    EXPECT_EQ(shop.send("POST", "/api/v1/orders/999/pay", token).status, 404);
    EXPECT_EQ(shop.send("POST", "/api/v1/auth/register", "",
                        R"({"email":"back@example.test","password":"p","firstName":"A"})")
                  .status,
              409);
  }
}

TEST(Shop, DrainWaitsForEveryPublishedEvent) {
  const TemporaryDirectory directory;
  const std::string records = directory.file("attempts.records");
  TestShop shop([&](TestShop::Setup& setup) {
    setup.broker.fate = [](std::uint64_t) {
      return Fate{.outcome = Outcome::acked, .delay = 300ms, .copies = 1};
    };
    setup.options.records_path = records;
  });
  const std::string token = shop.sign_up("drain@example.test");
  shop.create_product("1");
  for (int i = 0; i < 50; ++i) ASSERT_EQ(shop.get("/api/v1/products/1", token).status, 200);

  const auto drained = shop.shop().drain(base::now() + 10s);

  ASSERT_TRUE(drained) << drained.error().what;
  EXPECT_EQ(shop.shop().totals().attempts, 52U);
  EXPECT_EQ(shop.shop().totals().acked, 52U);
  EXPECT_EQ(shop.records(52).size(), 52U);
  const auto attempts = streaming::audit::read_records<AttemptRecord>(records);
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), 52U);
  for (const AttemptRecord& attempt : *attempts) {
    EXPECT_GE(attempt.decided - attempt.published, 300'000'000);
    EXPECT_GE(attempt.partition, 0);
  }
}

TEST(Shop, DrainCallsOpenEventsLostAfterItsDeadline) {
  TestShop shop([&](TestShop::Setup& setup) {
    setup.broker.fate = [](std::uint64_t) {
      return Fate{.outcome = Outcome::acked, .delay = 1h, .copies = 1};
    };
  });
  shop.sign_up("lost@example.test");

  const auto drained = shop.shop().drain(base::now() + 200ms);

  EXPECT_FALSE(drained);
  EXPECT_EQ(shop.shop().totals().attempts, 1U);
  EXPECT_EQ(shop.shop().totals().lost, 1U);
}

TEST(Shop, CarriesTheStampOn) {
  const TemporaryDirectory directory;
  const std::string records = directory.file("attempts.records");
  TestShop shop([&](TestShop::Setup& setup) {
    setup.options.records_path = records;
    setup.options.anchor = base::ClockAnchor::from_offset(base::Nanos{0});
  });
  const std::string token = shop.sign_up("stamp@example.test");
  shop.create_product("1");

  shop.send("GET", "/api/v1/products/1", token, "",
            {{"traceparent", "00-00000000000000070000000000000009-00000000000000ff-01"},
             {"tracestate", "flow=123456789,other=x"}});
  shop.send("GET", "/api/v1/products/1", token, "", {{"traceparent", "rubbish"}});
  const auto seen = shop.records(4);
  ASSERT_TRUE(shop.shop().drain(base::now() + 5s));
  const auto attempts = streaming::audit::read_records<AttemptRecord>(records);

  std::vector<base::Stamp> views;
  for (const auto& record : seen) {
    ASSERT_TRUE(record.stamp);
    if (record.topic == "products") views.push_back(*record.stamp);
  }
  ASSERT_EQ(views.size(), 3U);
  std::ranges::sort(views, {}, &base::Stamp::trial);
  EXPECT_EQ(views[0].trial, 7U);
  EXPECT_EQ(views[0].request, 9U);
  EXPECT_NE(views[0].parent, 0xffU);
  EXPECT_NE(views[0].parent, 0U);
  EXPECT_EQ(views[0].intended, base::UnixNanos{123456789});
  EXPECT_EQ(views[0].other_state, "other=x");
  // Without a stamp: one trace of this process, numbered, without an intended time.
  EXPECT_NE(views[1].trial, 0U);
  EXPECT_EQ(views[1].trial, views[2].trial);
  EXPECT_NE(views[1].request, views[2].request);
  EXPECT_EQ(views[1].intended, std::nullopt);
  // The ledger joins by trial and request: attempts name what the messages carry.
  ASSERT_TRUE(attempts);
  for (const auto& record : seen) {
    EXPECT_EQ(std::ranges::count_if(*attempts,
                                    [&](const AttemptRecord& attempt) {
                                      return attempt.trial == record.stamp->trial &&
                                             attempt.request == record.stamp->request &&
                                             attempt.key_hash ==
                                                 streaming::audit::key_hash(record.key);
                                    }),
              1);
  }
}

TEST(Shop, AnswersAfterTheBrokerWhenAsked) {
  TestShop shop([](TestShop::Setup& setup) {
    setup.options.ack_before_answer = true;
    setup.options.ack_timeout = 5s;
    setup.broker.fate = [](std::uint64_t n) {
      switch (n) {
        case 2:
          return Fate{.outcome = Outcome::acked, .delay = 200ms, .copies = 1};
        case 3:
          return Fate{.outcome = Outcome::rejected, .delay = 0ms, .copies = 0};
        case 4:
          return Fate{.outcome = Outcome::timed_out, .delay = 0ms, .copies = 0};
        case 5:
          return Fate{.outcome = Outcome::acked, .delay = 1h, .copies = 1};
        default:
          return Fate{};
      }
    };
  });
  const std::string token = shop.sign_up("ack@example.test");
  shop.create_product("1");

  const auto started = base::now();
  const auto slow = shop.get("/api/v1/products/1", token);
  const auto took = base::now() - started;
  const auto rejected = shop.send("POST", "/api/v1/orders", token, order_body);
  const auto timed_out = shop.get("/api/v1/products/1", token);
  const auto too_slow = shop.get("/api/v1/products/1", token);

  EXPECT_EQ(slow.status, 200);
  EXPECT_GE(took, 200ms);
  EXPECT_EQ(rejected.status, 502);
  EXPECT_EQ(timed_out.status, 504);
  EXPECT_EQ(too_slow.status, 504);
  EXPECT_EQ(shop.query("SELECT count(*) FROM orders"), "1");  // Committed before it was published.
}

TEST(Shop, PutsTheStampIntoEventBodiesWhenAsked) {
  TestShop shop([](TestShop::Setup& setup) { setup.options.stamp_in_body = true; });

  shop.sign_up("body@example.test");

  const auto seen = shop.records(1);
  ASSERT_EQ(seen.size(), 1U);
  const auto& record = seen.front();
  const std::string member = "\"flowEvent\":\"" +
                             base::format_trace_id(record.stamp->trial, record.stamp->request) +
                             "\"}";
  EXPECT_TRUE(record.value.ends_with(member)) << record.value;
}

TEST(Shop, KeepsConnectionsAfterErrors) {
  TestShop shop;
  const std::string request =
      "POST /api/v1/auth/signin HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
      "Content-Length: 1\r\n\r\n{";

  const auto answers = send_raw(shop.shop().port(), request + request);

  const auto second = answers.find("HTTP/1.1 400", 1);
  EXPECT_NE(second, std::string::npos) << answers;
}

TEST(Shop, WorksWithoutABroker) {
  TestShop shop([](TestShop::Setup& setup) { setup.has_broker = false; });
  const std::string token = shop.sign_up("alone@example.test");
  shop.create_product("1");

  EXPECT_EQ(shop.get("/api/v1/products/1", token).status, 200);
  EXPECT_EQ(shop.send("POST", "/api/v1/orders", token, order_body).status, 201);
  ASSERT_TRUE(shop.shop().drain(base::now() + 5s));
  EXPECT_EQ(shop.shop().totals().attempts, 0U);
}

TEST(Shop, TellsHealthAndMetricsOnTheAdministrationPort) {
  TestShop shop;
  const std::string token = shop.sign_up("health@example.test");
  shop.create_product("1");
  shop.get("/api/v1/products/1", token);

  const auto health = shop.admin_get("/actuator/health");

  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.headers.get("Content-Type"), "application/vnd.spring-boot.actuator.v3+json");
  const auto body = json_of(health);
  EXPECT_EQ(body.at("status").as_string(), "UP");
  EXPECT_EQ(body.at("components").at("db").at("details").at("database").as_string(), "PostgreSQL");
  EXPECT_EQ(body.at("components").at("broker").at("status").as_string(), "UP");
  EXPECT_TRUE(eventually([&] {
    const auto metrics = shop.admin_get("/actuator/prometheus");
    return metrics.body.contains(
        "messaging_publish_latency_seconds_count{eventName=\"ViewProduct\",outcome=\"success\","
        "strategy=\"FakePublishingStrategy\",topic=\"products\"} 1");
  }));
  EXPECT_EQ(shop.admin_get("/actuator/prometheus").headers.get("Content-Type"),
            "text/plain;version=0.0.4;charset=utf-8");
  EXPECT_EQ(shop.admin_get("/actuator").status, 200);
  EXPECT_EQ(shop.admin_get("/actuator/env").status, 404);
  EXPECT_EQ(shop.admin_get("/").status, 404);
}

TEST(Shop, AnswersBrowsersOnlyFromConfiguredOrigins) {
  TestShop shop([](TestShop::Setup& setup) { setup.options.cors_origins = {"http://a.test"}; });
  const std::string token = shop.sign_up("cors@example.test");
  const auto preflight = [&](const char* origin) {
    return shop.send("OPTIONS", "/api/v1/products", "", "",
                     {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}});
  };

  EXPECT_EQ(preflight("http://a.test").status, 200);
  EXPECT_EQ(preflight("http://a.test").headers.get("Access-Control-Allow-Origin"), "http://a.test");
  EXPECT_EQ(preflight("http://b.test").status, 403);
  EXPECT_FALSE(preflight("http://b.test").headers.has("Access-Control-Allow-Origin"));
  const auto simple =
      shop.send("GET", "/api/v1/products", token, "", {{"Origin", "http://a.test"}});
  EXPECT_EQ(simple.headers.get("Access-Control-Allow-Origin"), "http://a.test");
}

TEST(Shop, SurvivesHostileRequests) {
  TestShop shop;
  const std::string token = shop.sign_up("hostile@example.test");
  const auto admin = shop.admin_token();
  const std::string huge = R"({"name":")" + std::string(300 * 1024, 'x') + "\"}";
  const std::string deep = std::string(5000, '[');

  EXPECT_EQ(shop.send("POST", "/api/v1/products", admin, huge).status, 413);
  EXPECT_EQ(shop.send("POST", "/api/v1/products", admin, deep).status, 400);
  EXPECT_EQ(shop.send("POST", "/api/v1/products", admin,
                      R"({"name":"a\u0000b","price":1,"currency":"USD"})")
                .status,
            400);
  EXPECT_EQ(shop.get("/api/v1/products/" + std::string(8000, '9'), token).status, 400);
  EXPECT_EQ(shop.get("/api/v1/products", std::string(9000, 'a')).status, 401);
  EXPECT_EQ(
      shop.send("GET", "/api/v1/products", token, "", {{"X", std::string(20'000, 'x')}}).status,
      431);
  const auto raw = send_raw(shop.shop().port(), "GET / HTTP/1.1\r\nbroken\r\n\r\n");
  EXPECT_THAT(raw, HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(raw, HasSubstr("application/problem+json"));
  send_raw(shop.shop().port(), std::string("\x16\x03\x01\x00\xff\x00garbage", 13));
  send_raw(shop.shop().port(), "POST /api/v1/orders HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(shop.get("/api/v1/products", token).status, 200);
}

TEST(Shop, SaysWhatIsWrongWithItsOptions) {
  const auto refusal = [](const std::function<void(ShopOptions&)>& change) {
    ShopOptions options;
    options.postgres = testing::shared_postgres().conninfo();
    options.port = options.admin_port = 0;
    change(options);
    auto shop = Shop::start(options, nullptr, {}, [](const std::string&) {});
    return shop ? base::Error{base::Errc::cancelled, "started"} : shop.error();
  };

  EXPECT_EQ(refusal([](auto& o) { o.bcrypt_cost = 3; }).what, "bcrypt cost 3: expected 4 to 16");
  EXPECT_EQ(refusal([](auto& o) { o.postgres = "host=x nonsense=1"; }).code, base::Errc::config);
  EXPECT_EQ(refusal([](auto& o) { o.jwt_secret_base64 = "c2VjcmV0"; }).code, base::Errc::config);
  EXPECT_EQ(refusal([](auto& o) { o.admin_email = "a"; }).code, base::Errc::config);
  const auto away = refusal([](auto& o) { o.postgres = "host=/nowhere user=x"; });
  EXPECT_EQ(away.code, base::Errc::io);
  EXPECT_THAT(away.what, HasSubstr("PostgreSQL: "));
  const auto no_tables = refusal([](auto& o) { o.create_tables = false; });
  EXPECT_EQ(no_tables.code, base::Errc::refused);
  EXPECT_THAT(no_tables.what, HasSubstr("users"));
}

TEST(Shop, StartsOnTablesThatAreThere) {
  TestShop first;
  ShopOptions options;
  options.postgres = first.conninfo();
  options.port = options.admin_port = 0;
  options.bcrypt_cost = 4;
  options.admin_email = "second@example.test";
  options.admin_password = "x";
  auto second = Shop::start(options, nullptr, {}, [](const std::string&) {});

  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(first.query("SELECT count(*) FROM users WHERE is_admin"), "2");
  EXPECT_EQ(first.query("SELECT count(*) FROM pg_indexes WHERE indexname IN "
                        "('orders_user_id_index', 'order_items_order_id_index')"),
            "2");
}

// The last tests of this program: they stop the server that all share.
TEST(ShopZDatabase, Answers503WhileTheDatabaseIsAwayAndRecovers) {
  TestShop shop;
  const std::string token = shop.sign_up("db@example.test");
  shop.create_product("1");
  auto& postgres = testing::shared_postgres();

  postgres.crash();
  const auto away = shop.get("/api/v1/products/1", token);
  const auto placed = shop.send("POST", "/api/v1/orders", token, order_body);
  const auto health = shop.admin_get("/actuator/health");
  postgres.start();

  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.headers.get("Retry-After"), "1");
  EXPECT_EQ(detail_of(away), "The database is not available.");
  EXPECT_EQ(placed.status, 503);
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(json_of(health).at("components").at("db").at("status").as_string(), "DOWN");
  EXPECT_TRUE(eventually([&] { return shop.get("/api/v1/products/1", token).status == 200; }));
  EXPECT_TRUE(eventually([&] { return shop.admin_get("/actuator/health").status == 200; }));
  EXPECT_EQ(shop.send("POST", "/api/v1/orders", token, order_body).status, 201);
}

TEST(ShopZDatabase, GivesUpOnADatabaseThatDoesNotAnswer) {
  TestShop shop([](TestShop::Setup& setup) { setup.options.query_timeout = 300ms; });
  const std::string token = shop.sign_up("frozen@example.test");
  auto& postgres = testing::shared_postgres();

  postgres.freeze();
  const auto started = base::now();
  const auto frozen = shop.get("/api/v1/products", token);
  const auto took = base::now() - started;
  postgres.thaw();

  EXPECT_EQ(frozen.status, 503);
  EXPECT_EQ(detail_of(frozen), "The database did not answer in time.");
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 10s);
  EXPECT_TRUE(eventually([&] { return shop.get("/api/v1/products", token).status == 200; }));
}

}  // namespace
}  // namespace flow::ecommerce
