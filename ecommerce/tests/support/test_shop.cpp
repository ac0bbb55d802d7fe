// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/tests/support/test_shop.hpp"

#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "ecommerce/auth/token.hpp"
#include "ecommerce/domain/event.hpp"
#include "net/http_client.hpp"

namespace flow::ecommerce::testing {
namespace {

using namespace std::chrono_literals;

constexpr const char* admin_email = "admin@example.test";
constexpr const char* admin_password = "correct horse";

net::HttpResponse exchange(std::uint16_t port, net::HttpRequest request) {
  auto response = net::http_request_blocking({.host = "127.0.0.1", .port = port, .path = ""},
                                             std::move(request), base::now() + 20s);
  if (!response) throw std::runtime_error("no answer: " + response.error().what);
  return std::move(*response);
}

}  // namespace

class TestShop::Reader final : public streaming::RecordSink {
 public:
  void on_record(const streaming::Record& record) override {
    records.push_back({.topic = std::string(topic_names[static_cast<std::size_t>(record.topic)]),
                       .key = std::string(record.key),
                       .value = std::string(base::as_text(record.payload)),
                       .stamp = record.stamp});
  }
  void on_consumer_error(const base::Error& error) override {
    throw std::runtime_error(error.what);
  }
  std::vector<SeenRecord> records;
};

TestShop::TestShop(const std::function<void(Setup&)>& change) {
  conninfo_ = shared_postgres().create_database();
  secret_ = TokenSigner::random_secret_base64();
  Setup setup;
  for (const std::string_view name : topic_names) {
    setup.broker.topics.push_back({std::string(name), 6});
  }
  setup.options.postgres = conninfo_;
  setup.options.port = setup.options.admin_port = 0;
  setup.options.bcrypt_cost = 4;
  setup.options.jwt_secret_base64 = secret_;
  setup.options.admin_email = admin_email;
  setup.options.admin_password = admin_password;
  setup.options.connections_min = 2;
  setup.options.connections_max = 8;
  if (change) change(setup);
  if (setup.has_broker) {
    driver_io_ = std::make_unique<net::IoThread>("test-driver");
    driver_ = streaming::fake::make_driver(*driver_io_, setup.broker);
    reader_ = std::make_unique<Reader>();
    std::vector<std::string> topics(topic_names.begin(), topic_names.end());
    auto consumer =
        driver_io_->run_task(driver_->open_consumer(std::move(topics), *reader_, base::now() + 5s));
    consumer_ = std::move(consumer.value());
  }
  auto shop = Shop::start(setup.options, driver_.get(), {},
                          [this](const std::string& line) { logged_.push_back(line); });
  if (!shop) throw std::runtime_error(shop.error().what);
  shop_ = std::move(*shop);
}

TestShop::~TestShop() {
  shop_.reset();
  if (!driver_io_) return;
  driver_io_->run([this] {
    consumer_->stop();
    consumer_.reset();
    driver_.reset();
  });
  driver_io_->stop();
}

net::HttpResponse TestShop::send(std::string_view method, std::string_view path,
                                 std::string_view token, std::string_view body,
                                 const Headers& headers) {
  net::HttpRequest request;
  request.method = method;
  request.target = path;
  request.body = body;
  bool has_type = false;
  for (const auto& [name, value] : headers) {
    has_type = has_type || name == "Content-Type";
    if (!value.empty()) request.headers.add(name, value);
  }
  if (!has_type && !body.empty()) request.headers.add("Content-Type", "application/json");
  if (!token.empty()) request.headers.add("Authorization", "Bearer " + std::string(token));
  return exchange(shop_->port(), std::move(request));
}

net::HttpResponse TestShop::admin_get(std::string_view path) {
  net::HttpRequest request;
  request.method = "GET";
  request.target = path;
  return exchange(shop_->admin_port(), std::move(request));
}

std::string TestShop::sign_in(const std::string& email, const std::string& password) {
  const auto response = send("POST", "/api/v1/auth/signin", "",
                             fmt::format(R"({{"email":"{}","password":"{}"}})", email, password));
  if (response.status != 200) throw std::runtime_error("sign-in: " + response.body);
  return std::string(json_of(response).at("token").as_string());
}

std::string TestShop::sign_up(const std::string& email) {
  const auto response =
      send("POST", "/api/v1/auth/register", "",
           fmt::format(R"({{"email":"{}","password":"pass","firstName":"Ada"}})", email));
  if (response.status != 200) throw std::runtime_error("register: " + response.body);
  return sign_in(email, "pass");
}

std::string TestShop::admin_token() { return sign_in(admin_email, admin_password); }

std::int64_t TestShop::create_product(std::string_view price, std::string_view currency) {
  const auto response =
      send("POST", "/api/v1/products", admin_token(),
           fmt::format(R"({{"name":"Nib","price":{},"currency":"{}"}})", price, currency));
  if (response.status != 201) throw std::runtime_error("create product: " + response.body);
  return number_at(response, "id");
}

std::int64_t TestShop::place_order(std::string_view token, std::int64_t product, int quantity) {
  const auto response = send(
      "POST", "/api/v1/orders", token,
      fmt::format(R"({{"orderItems":[{{"productId":{},"quantity":{}}}]}})", product, quantity));
  if (response.status != 201) throw std::runtime_error("place order: " + response.body);
  return number_at(response, "order", "id");
}

std::string TestShop::query(const std::string& sql) const {
  return shared_postgres().query(conninfo_, sql);
}

std::vector<SeenRecord> TestShop::records(std::size_t count) {
  const auto deadline = base::now() + 20s;
  for (;;) {
    auto seen = driver_io_->run([this] { return reader_->records; });
    if (seen.size() >= count || base::now() > deadline) return seen;
    std::this_thread::sleep_for(1ms);
  }
}

base::json::value json_of(const net::HttpResponse& response) {
  auto value = base::parse_json(response.body, "answer");
  if (!value) throw std::runtime_error(value.error().what + ": " + response.body);
  return std::move(*value);
}

std::string title_of(const net::HttpResponse& response) {
  return std::string(json_of(response).at("title").as_string());
}

std::string detail_of(const net::HttpResponse& response) {
  return std::string(json_of(response).at("detail").as_string());
}

std::string errors_of(const net::HttpResponse& response) {
  const auto body = json_of(response);
  const auto* errors = body.as_object().if_contains("errors");
  std::string text;
  if (errors == nullptr) return text;
  for (const auto& error : errors->as_array()) {
    if (!text.empty()) text += "; ";
    text += std::string(error.at("field").as_string()) + ": " +
            std::string(error.at("message").as_string());
  }
  return text;
}

std::int64_t number_at(const net::HttpResponse& response, std::string_view first,
                       std::string_view second) {
  auto body = json_of(response);
  const auto& outer = body.at(base::json::string_view(first.data(), first.size()));
  if (second.empty()) return outer.as_int64();
  return outer.at(base::json::string_view(second.data(), second.size())).as_int64();
}

}  // namespace flow::ecommerce::testing
