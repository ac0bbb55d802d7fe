// A whole shop for a test: a fresh database, a fake broker with a scripted fate, HTTP over
// loopback.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "ecommerce/shop.hpp"
#include "ecommerce/tests/support/private_postgres.hpp"
#include "net/http.hpp"
#include "streaming/fake/driver.hpp"

namespace flow::ecommerce::testing {

struct SeenRecord {
  std::string topic;
  std::string key;
  std::string value;
  std::optional<base::Stamp> stamp;
};

class TestShop {
 public:
  struct Setup {
    streaming::fake::FakeConfig broker;
    ShopOptions options;
    bool has_broker = true;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Starts with an administrator and two connections to the database; `change` alters that.
  explicit TestShop(const std::function<void(Setup&)>& change = {});
  ~TestShop();

  net::HttpResponse send(std::string_view method, std::string_view path, std::string_view token,
                         std::string_view body = {}, const Headers& headers = {});
  net::HttpResponse get(std::string_view path, std::string_view token = {}) {
    return send("GET", path, token);
  }
  net::HttpResponse admin_get(std::string_view path);

  // Registers (or, the administrator, only signs in) and returns a token.
  std::string sign_up(const std::string& email);
  std::string sign_in(const std::string& email, const std::string& password);
  std::string admin_token();
  // Creates a product as the administrator and returns its id.
  std::int64_t create_product(std::string_view price, std::string_view currency = "USD");
  std::int64_t place_order(std::string_view token, std::int64_t product, int quantity);

  std::string query(const std::string& sql) const;  // One value from the shop's database.

  // Every record that the broker holds, once `count` are there (or 5 s have passed).
  std::vector<SeenRecord> records(std::size_t count);

  Shop& shop() { return *shop_; }
  const std::string& conninfo() const { return conninfo_; }
  const std::string& secret() const { return secret_; }
  const std::vector<std::string>& logged() const { return logged_; }

 private:
  class Reader;
  std::string conninfo_;
  std::string secret_;
  std::unique_ptr<net::IoThread> driver_io_;
  std::unique_ptr<streaming::Driver> driver_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<streaming::Consumer> consumer_;
  std::unique_ptr<Shop> shop_;
  std::vector<std::string> logged_;
};

// The body as JSON, and a member of it by a path like "order.totalAmount".
base::json::value json_of(const net::HttpResponse& response);
std::string title_of(const net::HttpResponse& response);
std::string detail_of(const net::HttpResponse& response);
// "price: must not be negative; name: must not be blank"
std::string errors_of(const net::HttpResponse& response);
std::int64_t number_at(const net::HttpResponse& response, std::string_view first,
                       std::string_view second = {});

}  // namespace flow::ecommerce::testing
