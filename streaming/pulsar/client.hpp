// The client without its sockets: a pool of connections, lookups through them, and what producers
// and consumers share. Sans-I/O: the shell brings events in, Host takes wishes out.
// Thread: one. The Host must outlive the client; producers and consumers of it must be stopped
// before it goes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "streaming/pulsar/connection.hpp"
#include "streaming/pulsar/host.hpp"
#include "streaming/pulsar/timers.hpp"

namespace flow::streaming::pulsar {

struct ClientOptions {
  std::vector<net::HostPort> service;  // Not empty.
  std::string client_version;
  std::string client_id;
  std::string token;
  std::uint64_t seed = 0;  // For jitter and subscription names: different in every process.
};

// Something whose calls to the application wait for the end of an event, so that the application
// may do what it likes in them.
class Deferred {
 public:
  virtual void run_deferred() = 0;

 protected:
  ~Deferred() = default;
};

class Client {
 public:
  static constexpr int redirects_max = 20;

  template <class T>
  using Answer = std::expected<T, Failure>;
  using ConnectionHandler = std::function<void(const Answer<std::shared_ptr<Connection>>&)>;
  using AddressHandler = std::function<void(const Answer<Address>&)>;
  using CountHandler = std::function<void(const Answer<int>&)>;

  Client(Host& host, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // --- Events, from the shell ---
  void on_open(ConnectionId id);
  std::span<std::byte> read_buffer(ConnectionId id);  // Empty: no such connection any more.
  void on_read(ConnectionId id, std::size_t bytes, base::TimePoint at);
  void on_lost(ConnectionId id, const std::string& reason);
  void on_timer();
  void on_turn();
  void close_all();

  // --- One attempt each; the handler may be called at once ---
  void connect(const Address& address, std::uint32_t index, ConnectionHandler handler);
  // The broker that serves `topic` (full name, of one partition).
  void lookup(const std::string& topic, AddressHandler handler);
  // 0: the topic is not partitioned.
  void count_partitions(const std::string& topic, CountHandler handler);
  // The address in a URL that a broker gave; `physical`: the proxy to go through.
  Answer<Address> address_of(std::string_view broker_url,
                             const std::optional<net::HostPort>& physical) const;

  // --- What producers and consumers share ---
  Host& host() { return host_; }
  TimerQueue& timers() { return timers_; }
  Counters& counters() { return counters_; }
  base::SplitMix64& random() { return random_; }
  const ClientOptions& options() const { return options_; }
  std::uint64_t next_id() { return next_id_++; }  // Producers, consumers and requests.
  void defer(std::weak_ptr<Deferred> work);

 private:
  using PoolKey = std::pair<std::string, std::uint32_t>;

  class Event;  // Runs what was deferred when it ends.
  std::shared_ptr<Connection> find(ConnectionId id) const;
  std::shared_ptr<Connection> open(const Address& address, const PoolKey& key);
  void forget(ConnectionId id, const PoolKey& key);
  void run_deferred();
  struct LookupStep;
  void lookup_at(const std::shared_ptr<LookupStep>& step);
  void on_lookup_reply(const std::shared_ptr<LookupStep>& step, const Command& command);

  Host& host_;
  ClientOptions options_;
  TimerQueue timers_;
  Counters counters_;
  base::SplitMix64 random_;
  std::uint64_t next_id_ = 0;
  std::uint64_t next_connection_ = 1;
  std::size_t service_index_ = 0;
  std::map<ConnectionId, std::shared_ptr<Connection>> connections_;
  std::map<PoolKey, std::shared_ptr<Connection>> pool_;
  std::vector<std::weak_ptr<Deferred>> deferred_;
  int event_depth_ = 0;
};

}  // namespace flow::streaming::pulsar
