// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/client.hpp"

#include "base/check.hpp"
#include "streaming/pulsar/config.hpp"

namespace flow::streaming::pulsar {

using base::Errc;

namespace {

std::string text_of(const net::HostPort& at) { return fmt::format("{}:{}", at.host, at.port); }

std::unexpected<Failure> failed(Errc code, std::string what, bool is_final = false) {
  return std::unexpected(
      Failure{.error = {code, std::move(what)}, .server_error = -1, .is_final = is_final});
}

}  // namespace

class Client::Event {
 public:
  explicit Event(Client& client) : client_(client) { ++client_.event_depth_; }
  ~Event() {
    if (client_.event_depth_ == 1) client_.run_deferred();
    --client_.event_depth_;
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

 private:
  Client& client_;
};

Client::Client(Host& host, ClientOptions options)
    : host_(host),
      options_(std::move(options)),
      timers_([this](base::TimePoint at) { host_.wake_at(at); }),
      random_(options_.seed) {
  FLOW_CHECK(!options_.service.empty());
}

Client::~Client() = default;

std::shared_ptr<Connection> Client::find(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second;
}

void Client::on_open(ConnectionId id) {
  const Event event(*this);
  if (const auto connection = find(id)) connection->on_open();
}

std::span<std::byte> Client::read_buffer(ConnectionId id) {
  const auto connection = find(id);
  return connection ? connection->read_buffer() : std::span<std::byte>{};
}

void Client::on_read(ConnectionId id, std::size_t bytes, base::TimePoint at) {
  const Event event(*this);
  if (const auto connection = find(id)) connection->on_read(bytes, at);
}

void Client::on_lost(ConnectionId id, const std::string& reason) {
  const Event event(*this);
  if (const auto connection = find(id)) {
    connection->close({.error = {Errc::io, reason}});
  }
}

void Client::on_timer() {
  const Event event(*this);
  timers_.run(host_.now());
}

void Client::on_turn() { const Event event(*this); }

void Client::close_all() {
  const Event event(*this);
  while (!connections_.empty()) {
    connections_.begin()->second->close({.error = {Errc::cancelled, "the client was stopped"},
                                         .server_error = -1,
                                         .is_final = true});
  }
}

void Client::defer(std::weak_ptr<Deferred> work) {
  deferred_.push_back(std::move(work));
  if (event_depth_ == 0 && deferred_.size() == 1) host_.wake_soon();
}

void Client::run_deferred() {
  // What runs may defer more; bounded by what the application does in its callbacks.
  while (!deferred_.empty()) {
    for (const auto& weak : std::exchange(deferred_, {})) {
      if (const auto work = weak.lock()) work->run_deferred();
    }
  }
}

std::shared_ptr<Connection> Client::open(const Address& address, const PoolKey& key) {
  const ConnectionId id{next_connection_++};
  const std::string proxy_to =
      address.logical == address.physical ? std::string{} : text_of(address.logical);
  auto connection = std::make_shared<Connection>(
      id, host_, timers_, counters_,
      ConnectionOptions{.client_version = options_.client_version,
                        .token = options_.token,
                        .proxy_to = proxy_to,
                        .subject = fmt::format("pulsar {}", text_of(address.logical))},
      [this, id, key] { forget(id, key); });
  connections_[id] = connection;
  pool_[key] = connection;
  host_.open(id, address.physical);
  return connection;
}

void Client::forget(ConnectionId id, const PoolKey& key) {
  connections_.erase(id);
  const auto pooled = pool_.find(key);
  if (pooled != pool_.end() && pooled->second->id() == id) pool_.erase(pooled);
}

void Client::connect(const Address& address, std::uint32_t index, ConnectionHandler handler) {
  const PoolKey key{text_of(address.logical) + " " + text_of(address.physical), index};
  const auto pooled = pool_.find(key);
  const auto connection = pooled != pool_.end() ? pooled->second : open(address, key);
  connection->when_ready([weak = std::weak_ptr(connection),
                          handler = std::move(handler)](const std::optional<Failure>& failure) {
    if (failure) return handler(std::unexpected(*failure));
    handler(weak.lock());
  });
}

Client::Answer<Address> Client::address_of(std::string_view broker_url,
                                           const std::optional<net::HostPort>& physical) const {
  const auto hosts = parse_service_url(broker_url);
  if (!hosts) {
    return failed(Errc::protocol, fmt::format("a broker's address: {}", hosts.error().what));
  }
  return Address{.logical = hosts->front(), .physical = physical.value_or(hosts->front())};
}

// A lookup on its way from broker to broker.
struct Client::LookupStep {
  std::string topic;
  AddressHandler handler;
  Address at;
  bool authoritative = false;
  int redirects = 0;
};

void Client::lookup(const std::string& topic, AddressHandler handler) {
  const net::HostPort& service = options_.service[service_index_ % options_.service.size()];
  lookup_at(std::make_shared<LookupStep>(
      LookupStep{.topic = topic, .handler = std::move(handler), .at = {service, service}}));
}

void Client::lookup_at(const std::shared_ptr<LookupStep>& step) {
  connect(step->at, 0, [this, step](const Answer<std::shared_ptr<Connection>>& connection) {
    if (!connection) {
      ++service_index_;  // Perhaps another host of the service URL lives.
      return step->handler(std::unexpected(connection.error()));
    }
    const std::uint64_t id = next_id();
    (*connection)
        ->request(id, encode_lookup(step->topic, id, step->authoritative),
                  [this, step](const Connection::Reply& reply) {
                    if (!reply) return step->handler(std::unexpected(reply.error()));
                    on_lookup_reply(step, *reply);
                  });
  });
}

void Client::on_lookup_reply(const std::shared_ptr<LookupStep>& step, const Command& command) {
  const auto reply =
      command.type == command::lookup_response ? LookupReply::decode(command.body) : std::nullopt;
  if (!reply) return step->handler(failed(Errc::protocol, "a wrong answer to LOOKUP"));
  const std::string subject = fmt::format("pulsar lookup of {}", step->topic);
  if (reply->response != LookupReply::connect && reply->response != LookupReply::redirect) {
    return step->handler(std::unexpected(failure_of(subject, reply->error, reply->text)));
  }
  std::optional<net::HostPort> proxy;
  if (reply->through_proxy) proxy = step->at.physical;
  const auto address = address_of(reply->broker_url, proxy);
  if (!address || reply->response == LookupReply::connect) return step->handler(address);
  if (step->redirects == redirects_max) {
    return step->handler(
        failed(Errc::protocol, fmt::format("{}: more than {} redirects", subject, redirects_max)));
  }
  ++step->redirects;
  step->at = *address;
  step->authoritative = reply->authoritative;
  lookup_at(step);
}

void Client::count_partitions(const std::string& topic, CountHandler handler) {
  const net::HostPort& service = options_.service[service_index_ % options_.service.size()];
  const Address at{service, service};
  const auto on_reply = [topic, handler](const Connection::Reply& reply) {
    if (!reply) return handler(std::unexpected(reply.error()));
    const auto decoded = reply->type == command::partitioned_metadata_response
                             ? PartitionsReply::decode(reply->body)
                             : std::nullopt;
    if (!decoded) return handler(failed(Errc::protocol, "a wrong answer to PARTITIONED_METADATA"));
    if (decoded->is_failure) {
      return handler(std::unexpected(
          failure_of(fmt::format("pulsar topic {}", topic), decoded->error, decoded->text)));
    }
    constexpr std::uint32_t partitions_max = 10'000;
    if (decoded->partitions > partitions_max) {
      return handler(failed(Errc::protocol,
                            fmt::format("topic {} with {} partitions", topic, decoded->partitions),
                            true));
    }
    handler(static_cast<int>(decoded->partitions));
  };
  connect(at, 0,
          [this, topic, handler, on_reply](const Answer<std::shared_ptr<Connection>>& connection) {
            if (!connection) {
              ++service_index_;
              return handler(std::unexpected(connection.error()));
            }
            const std::uint64_t id = next_id();
            (*connection)->request(id, encode_partitioned_metadata(topic, id), on_reply);
          });
}

}  // namespace flow::streaming::pulsar
