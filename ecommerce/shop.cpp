// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/shop.hpp"

#include <optional>

#include "ecommerce/auth/password.hpp"
#include "ecommerce/auth/password_pool.hpp"
#include "ecommerce/auth/token.hpp"
#include "ecommerce/events/outlet.hpp"
#include "ecommerce/http/admin.hpp"
#include "ecommerce/http/service.hpp"
#include "ecommerce/store/schema.hpp"
#include "ecommerce/store/store.hpp"
#include "net/http_server.hpp"

namespace flow::ecommerce {
namespace {

namespace asio = net::asio;
namespace json = base::json;
using base::Errc;
using base::fail;
using base::Result;
using base::TimePoint;

constexpr std::chrono::milliseconds batch_every{100};
constexpr std::size_t batch_max = 4096;
constexpr std::chrono::seconds health_timeout{2};
constexpr std::size_t body_bytes_max = 256 * 1024;

std::unexpected<base::Error> failed(const DbError& error) {
  switch (error.kind) {
    case DbError::Kind::timed_out:
      return std::unexpected(base::Error{Errc::timed_out, error.what});
    case DbError::Kind::statement:
      return std::unexpected(base::Error{Errc::refused, error.what});
    case DbError::Kind::unavailable:
      break;
  }
  return std::unexpected(base::Error{Errc::io, error.what});
}

std::string strategy_of(const streaming::Driver* driver) {
  if (driver == nullptr) return "none";
  std::string name(driver->platform());
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
  return name + "PublishingStrategy";
}

// As clients of the platform write topics: it is what metrics of the study call them.
std::array<std::string, 3> topics_of(const streaming::Driver* driver) {
  const bool is_pulsar = driver != nullptr && driver->platform() == "pulsar";
  std::array<std::string, 3> topics;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    topics[i] = (is_pulsar ? "persistent://public/default/" : "") + std::string(topic_names[i]);
  }
  return topics;
}

Result<void> check(const ShopOptions& options) {
  if (auto checked = check_conninfo(options.postgres); !checked) return checked;
  if (options.bcrypt_cost < bcrypt_cost_min || options.bcrypt_cost > bcrypt_cost_max) {
    return fail(Errc::config, "bcrypt cost {}: expected {} to {}", options.bcrypt_cost,
                bcrypt_cost_min, bcrypt_cost_max);
  }
  if (options.connections_min < 1 || options.connections_max < options.connections_min) {
    return fail(Errc::config, "database connections {} to {}: expected 1 ≤ least ≤ most",
                options.connections_min, options.connections_max);
  }
  if (options.admin_email.empty() != options.admin_password.empty()) {
    return fail(Errc::config, "administrator: expected both an email and a password");
  }
  if (options.admin_email.empty()) return {};
  if (auto wrong = check_email(options.admin_email)) {
    return fail(Errc::config, "administrator's email: {}", wrong->message);
  }
  if (auto wrong = check_password(options.admin_password)) {
    return fail(Errc::config, "administrator's password: {}", wrong->message);
  }
  return {};
}

}  // namespace

class Shop::Impl {
 public:
  Impl(ShopOptions options, streaming::Driver* driver, Log log)
      : options_(std::move(options)), driver_(driver), log_(std::move(log)) {}
  ~Impl() { shut_down(base::now()); }

  Result<void> start(OnSecond on_second);
  Result<void> drain(TimePoint deadline);

  std::uint16_t port() const { return server_->port(); }
  std::uint16_t admin_port() const { return admin_server_->port(); }
  std::string url() const { return server_->url(); }
  std::string admin_url() const { return admin_server_->url(); }
  json::object effective() const;
  const AttemptTotals& totals() const { return totals_; }

 private:
  Result<void> open_database();
  net::Task<DbResult<void>> make_admin(std::string email, std::string password);
  Result<void> open_events();
  Result<void> open_servers();
  std::vector<AdminService::Check> checks();
  net::Task<ComponentHealth> database_health();
  net::Task<ComponentHealth> broker_health();
  net::Task<Result<int>> count_brokers();
  net::Task<void> pump();
  net::Task<void> tick();
  net::Task<void> wait_for_requests(TimePoint deadline);
  void hand_over();
  void shut_down(TimePoint deadline);

  ShopOptions options_;
  streaming::Driver* driver_;
  Log log_;
  net::IoThread http_{"shop-http"};
  net::IoThread admin_{"shop-admin"};

  // On `shop-http`.
  std::optional<TokenSigner> tokens_;
  std::unique_ptr<PasswordPool> passwords_;
  std::unique_ptr<PgPool> pool_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<EventOutlet> events_;
  std::unique_ptr<ShopService> service_;
  std::unique_ptr<net::HttpServer> server_;
  Observations pending_;
  bool is_pumping_ = false;
  bool is_stopping_ = false;

  // On `shop-admin`.
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<net::HttpServer> admin_server_;
  bool is_ticking_ = false;
  bool stop_ticking_ = false;
  bool has_told_disk_ = false;

  std::unique_ptr<streaming::Admin> broker_admin_;  // On the driver's thread; may be null.

  int server_version_ = 0;
  bool is_down_ = false;
  Result<void> outcome_;
  AttemptTotals totals_;
};

Result<void> Shop::Impl::start(OnSecond on_second) {
  if (auto checked = check(options_); !checked) return checked;
  if (options_.jwt_secret_base64.empty()) {
    options_.jwt_secret_base64 = TokenSigner::random_secret_base64();
    log_("no token secret given: a random one is used, tokens end with this process");
  }
  auto tokens = TokenSigner::create(options_.jwt_secret_base64);
  if (!tokens) return std::unexpected(tokens.error());
  tokens_ = std::move(*tokens);
  passwords_ = std::make_unique<PasswordPool>(
      PasswordPool::Options{.cost = options_.bcrypt_cost, .threads = options_.bcrypt_threads});

  Recorder::Options recording;
  recording.records_path = options_.records_path;
  recording.anchor = options_.anchor;
  recording.trial = options_.trial;
  recording.strategy = strategy_of(driver_);
  recording.topics = topics_of(driver_);
  recording.on_second = std::move(on_second);
  auto recorder = Recorder::create(std::move(recording));
  if (!recorder) return std::unexpected(recorder.error());
  recorder_ = std::move(*recorder);

  if (auto opened = open_database(); !opened) return opened;
  if (auto opened = open_events(); !opened) return opened;
  return open_servers();
}

Result<void> Shop::Impl::open_database() {
  if (options_.create_tables) {
    auto created = http_.run_task(
        create_tables(http_.context(), options_.postgres, base::now() + std::chrono::seconds(30)));
    if (!created) return failed(created.error());
  }
  PgPool::Options pool;
  pool.conninfo = options_.postgres;
  pool.connections_min = options_.connections_min;
  pool.connections_max = options_.connections_max;
  pool.query_timeout = options_.query_timeout;
  pool_ = std::make_unique<PgPool>(http_.context(), std::move(pool), shop_statements());
  store_ = std::make_unique<Store>(*pool_);
  auto started = http_.run_task(pool_->start());
  if (started && !options_.admin_email.empty()) {
    started = http_.run_task(make_admin(options_.admin_email, options_.admin_password));
  }
  if (!started) return failed(started.error());
  server_version_ = http_.run([this] { return pool_->server_version(); });
  return {};
}

net::Task<DbResult<void>> Shop::Impl::make_admin(std::string email, std::string password) {
  auto hash = co_await passwords_->hash(std::move(password));
  FLOW_CHECK(hash.has_value());
  auto made = co_await store_->upsert_admin(std::move(email), std::move(*hash));
  co_return made;
}

Result<void> Shop::Impl::open_events() {
  EventOutlet::Options events;
  events.anchor = options_.anchor;
  events.places_max = options_.events_queued_max;
  events_ = std::make_unique<EventOutlet>(http_, driver_, events,
                                          [this](const streaming::audit::AttemptRecord& record) {
                                            pending_.attempts.push_back(record);
                                            if (pending_.attempts.size() >= batch_max) hand_over();
                                          });
  if (auto opened = events_->open(base::now() + options_.broker_timeout); !opened) return opened;
  if (driver_ == nullptr) return {};
  auto admin = driver_->io().run([&] { return driver_->open_admin(); });
  if (admin) broker_admin_ = std::move(*admin);
  return {};
}

Result<void> Shop::Impl::open_servers() {
  ShopService::Parts parts{.store = *store_,
                           .tokens = *tokens_,
                           .passwords = *passwords_,
                           .events = *events_,
                           .observed =
                               [this](const RequestObservation& request) {
                                 pending_.requests.push_back(request);
                                 if (pending_.requests.size() >= batch_max) hand_over();
                               },
                           .log = log_};
  ShopService::Options serving{.ack_before_answer = options_.ack_before_answer,
                               .stamp_in_body = options_.stamp_in_body,
                               .ack_timeout = options_.ack_timeout,
                               .cors_origins = options_.cors_origins};
  service_ = std::make_unique<ShopService>(std::move(parts), std::move(serving));
  net::HttpServerOptions listening;
  listening.address = options_.address;
  listening.port = options_.port;
  listening.body_bytes_max = body_bytes_max;
  server_ = std::make_unique<net::HttpServer>(
      http_, listening,
      [this](net::HttpRequest request) { return service_->handle(std::move(request)); },
      &ShopService::violation);

  admin_service_ =
      std::make_unique<AdminService>(checks(), [this] { return recorder_->prometheus_text(); });
  listening.port = options_.admin_port;
  listening.connections_max = 100;
  admin_server_ = std::make_unique<net::HttpServer>(
      admin_, listening,
      [this](net::HttpRequest request) { return admin_service_->handle(std::move(request)); });
  is_pumping_ = is_ticking_ = true;
  http_.spawn(pump());
  admin_.spawn(tick());
  if (auto started = admin_server_->start(); !started) return started;
  return server_->start();
}

std::vector<AdminService::Check> Shop::Impl::checks() {
  std::vector<AdminService::Check> all;
  if (driver_ != nullptr) {
    all.push_back({"broker", [this] { return broker_health(); }});
  }
  all.push_back({"db", [this] { return database_health(); }});
  all.push_back({"diskSpace", []() -> net::Task<ComponentHealth> { co_return disk_health(); }});
  all.push_back({"ping", []() -> net::Task<ComponentHealth> {
                   ComponentHealth up;
                   up.is_up = true;
                   co_return up;
                 }});
  return all;
}

net::Task<ComponentHealth> Shop::Impl::database_health() {
  auto answered = co_await asio::co_spawn(http_.executor(), store_->ping(), asio::use_awaitable);
  ComponentHealth health;
  health.is_up = answered.has_value();
  health.details["database"] = "PostgreSQL";
  health.details["validationQuery"] = "SELECT 1";
  if (!answered) health.details["error"] = answered.error().what;
  co_return health;
}

net::Task<Result<int>> Shop::Impl::count_brokers() {
  auto count = co_await broker_admin_->broker_count(base::now() + health_timeout);
  co_return count;
}

// By the cluster's own metadata where the driver can ask; else by what became of the last events.
net::Task<ComponentHealth> Shop::Impl::broker_health() {
  ComponentHealth health;
  health.details["platform"] = std::string(driver_->platform());
  if (broker_admin_) {
    auto brokers =
        co_await asio::co_spawn(driver_->io().executor(), count_brokers(), asio::use_awaitable);
    health.is_up = brokers && *brokers > 0;
    if (brokers) health.details["brokers"] = *brokers;
    if (!brokers) health.details["error"] = brokers.error().what;
    co_return health;
  }
  const auto ask = [](EventOutlet* events) -> net::Task<std::uint64_t> {
    co_return events->failures_in_a_row();
  };
  const std::uint64_t failures =
      co_await asio::co_spawn(http_.executor(), ask(events_.get()), asio::use_awaitable);
  health.is_up = failures == 0;
  health.details["failuresInARow"] = failures;
  co_return health;
}

void Shop::Impl::hand_over() {
  pending_.places_used = events_->places_used();
  pending_.places = events_->places();
  const PgPool::Counts counts = pool_->counts();
  pending_.connections_open = counts.open;
  pending_.connections_idle = counts.idle;
  pending_.connections_waiting = counts.waiting;
  pending_.passwords_queued = passwords_->queued();
  admin_.post([this, batch = std::exchange(pending_, {})] { recorder_->add(batch); });
}

net::Task<void> Shop::Impl::pump() {
  while (!is_stopping_) {
    co_await net::sleep_until(base::now() + batch_every);
    hand_over();
  }
  is_pumping_ = false;
}

net::Task<void> Shop::Impl::tick() {
  while (!stop_ticking_) {
    co_await net::sleep_until(base::now() + batch_every);
    if (stop_ticking_) break;
    auto written = recorder_->tick(base::now());
    if (written || has_told_disk_) continue;
    has_told_disk_ = true;
    log_("attempt records are incomplete: " + written.error().what);
  }
  is_ticking_ = false;
}

net::Task<void> Shop::Impl::wait_for_requests(TimePoint deadline) {
  while (service_->running() > 0 && base::now() < deadline) {
    co_await net::sleep_until(base::now() + std::chrono::milliseconds(1));
  }
}

Result<void> Shop::Impl::drain(TimePoint deadline) {
  shut_down(deadline);
  return outcome_;
}

void Shop::Impl::shut_down(TimePoint deadline) {
  if (std::exchange(is_down_, true)) return;
  if (server_) http_.run_task(server_->drain(deadline));
  if (events_) outcome_ = events_->close(deadline);
  // What still runs now is past the deadline: its queries end as failed, its events as lost.
  if (pool_) http_.run_task(pool_->stop());
  const TimePoint limit = std::max(deadline, base::now() + std::chrono::seconds(10));
  if (service_) http_.run_task(wait_for_requests(limit));
  server_.reset();
  admin_server_.reset();
  http_.run([this] {
    is_stopping_ = true;
    if (is_pumping_) hand_over();
  });
  auto written = admin_.run([this]() -> Result<void> {
    stop_ticking_ = true;
    if (!recorder_) return {};
    auto finished = recorder_->finish();
    totals_ = recorder_->totals();
    return finished;
  });
  if (!written && outcome_) outcome_ = written;
  admin_.stop();  // First: a health check that is under way asks the other threads.
  http_.stop();
  if (broker_admin_) driver_->io().run([this] { broker_admin_.reset(); });
}

json::object Shop::Impl::effective() const {
  json::object all;
  all["address"] = options_.address;
  all["bcrypt_cost"] = options_.bcrypt_cost;
  all["bcrypt_threads"] = options_.bcrypt_threads;
  all["database_connections_min"] = options_.connections_min;
  all["database_connections_max"] = options_.connections_max;
  all["database_query_timeout_ms"] = options_.query_timeout.count();
  all["database_server_version"] = server_version_;
  all["events_queued_max"] = events_->places();
  all["ack_before_answer"] = options_.ack_before_answer;
  all["stamp_in_body"] = options_.stamp_in_body;
  all["ack_timeout_ms"] = options_.ack_timeout.count();
  all["create_tables"] = options_.create_tables;
  all["cors_origins"] = json::array(options_.cors_origins.begin(), options_.cors_origins.end());
  all["records"] = options_.records_path;
  all["trial"] = options_.trial;
  all["clock_anchor_ns"] = options_.anchor.offset().count();
  all["platform"] = driver_ == nullptr ? std::string("none") : std::string(driver_->platform());
  if (driver_ == nullptr) return all;
  all["client"] = driver_->client_version();
  json::object producer;
  for (const auto& [key, value] : driver_->effective_settings()) producer[key] = value;
  all["producer"] = std::move(producer);
  return all;
}

Result<std::unique_ptr<Shop>> Shop::start(ShopOptions options, streaming::Driver* driver,
                                          OnSecond on_second, Log log) {
  auto impl = std::make_unique<Impl>(std::move(options), driver, std::move(log));
  if (auto started = impl->start(std::move(on_second)); !started) {
    return std::unexpected(started.error());
  }
  return std::unique_ptr<Shop>(new Shop(std::move(impl)));
}

Shop::Shop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Shop::~Shop() = default;

std::uint16_t Shop::port() const { return impl_->port(); }
std::uint16_t Shop::admin_port() const { return impl_->admin_port(); }
std::string Shop::url() const { return impl_->url(); }
std::string Shop::admin_url() const { return impl_->admin_url(); }
json::object Shop::effective() const { return impl_->effective(); }
Result<void> Shop::drain(TimePoint deadline) { return impl_->drain(deadline); }
const AttemptTotals& Shop::totals() const { return impl_->totals(); }

}  // namespace flow::ecommerce
