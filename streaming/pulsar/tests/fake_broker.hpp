// A Pulsar broker for tests: strict where the real one is strict, and able to misbehave on demand.
// Sans-I/O: a test moves the bytes (virtual_world.hpp), or FakeServer (fake_server.hpp) does over
// real sockets. It keeps what was published in memory.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "streaming/pulsar/commands.hpp"
#include "streaming/pulsar/frame_reader.hpp"

namespace flow::streaming::pulsar::testing {

struct StoredMessage {
  std::string key;
  std::string payload;
  std::uint64_t sequence_id = 0;
  bool operator==(const StoredMessage&) const = default;
};

struct StoredEntry {
  std::uint64_t ledger = 0;
  std::uint64_t entry = 0;
  Bytes rest;  // Magic, checksum, metadata and payload, as they came.
  std::vector<StoredMessage> messages;
};

class FakeBroker {
 public:
  // --- What it is ---
  std::string url = "pulsar://broker:6650";  // Told in lookups.
  std::map<std::string, int> topics;         // Full name -> partitions; 0: not partitioned.
  std::uint32_t message_bytes_max = message_bytes_max_default;
  std::string token;  // Not empty: demanded in CONNECT.

  // --- Faults. Each is asked when its moment comes; empty: never. ---
  enum class Verdict : std::uint8_t { proceed, swallow, hang_up };
  std::function<Verdict(int connection, int type)> on_command;  // Before a command is handled.
  std::function<int(const std::string& topic)> lookup_error;    // A ServerError, or -1.
  std::function<std::optional<std::string>(const std::string& topic)> redirect;  // To a URL.
  std::function<int(const std::string& topic)> producer_error;
  std::function<int(const std::string& topic)> subscribe_error;
  std::function<int(const StoredEntry& entry)> send_error;
  std::function<bool(const StoredEntry& entry)> lose_receipt;  // Stored, never answered.
  std::function<void(Bytes& rest)> damage;                     // Of an entry on its way out.
  bool holds_receipts = false;
  bool producer_is_ready_later = false;  // PRODUCER_SUCCESS(ready = false) first.

  // --- Transport ---
  int accept();
  void receive(int connection, ByteView bytes);
  void disconnect(int connection);  // The client went.
  bool is_hung_up(int connection) const { return connections_.at(connection).is_hung_up; }
  std::optional<Bytes> next_output(int connection);  // A frame, in order.

  // --- Actions ---
  void send(int connection, Bytes frame);
  void send_all(const Bytes& frame);
  void hang_up(int connection);
  void hang_up_all();
  void unload(const std::string& partition, std::string_view assigned_url = {});
  void release_receipts();
  void make_producers_ready();
  void append(const std::string& partition, Bytes rest);  // As if somebody had published it.

  // --- What it saw ---
  const std::vector<StoredEntry>& log(const std::string& partition) { return logs_[partition]; }
  std::vector<std::string> payloads(const std::string& partition);
  const std::vector<std::string>& client_errors() const { return client_errors_; }
  int count_of(int type) const { return counts_.contains(type) ? counts_.at(type) : 0; }
  std::int64_t permits(const std::string& partition) const;  // Of its live consumers, in all.
  std::size_t live_producers() const;
  std::size_t live_consumers() const;
  int connections_accepted() const { return static_cast<int>(connections_.size()); }
  std::vector<Bytes> send_frames;  // Every SEND as it came, for comparing bytes.
  std::vector<bool> authoritative_seen;
  std::vector<std::uint64_t> epochs_seen;
  std::vector<std::string> names_seen;

 private:
  struct ProducerState {
    std::string topic, name;
    std::uint64_t epoch = 0;
    bool is_confirmed = true;
    std::uint64_t request_id = 0;
  };
  struct ConsumerState {
    std::string topic;
    std::size_t next = 0;  // In the log.
    std::int64_t permits = 0;
  };
  struct ConnectionState {
    FrameReader reader{message_bytes_max_default + frame_slack_bytes};
    std::deque<Bytes> output;
    bool is_connected = false;
    bool is_hung_up = false;
    std::map<std::uint64_t, ProducerState> producers;
    std::set<std::uint64_t> closed_producers;       // By the broker: their SENDs are ignored.
    std::map<std::uint64_t, int> fenced_producers;  // After an error: no later SEND is stored.
    std::map<std::uint64_t, ConsumerState> consumers;
  };
  struct HeldReceipt {
    int connection;
    Bytes frame;
  };

  void handle(int connection, const Frame& frame);
  void dispatch(int connection, const Command& command, const Frame& frame);
  void handle_connect(int connection, ByteView body);
  void handle_partitions(int connection, ByteView body);
  void handle_lookup(int connection, ByteView body);
  void handle_producer(int connection, ByteView body);
  void handle_send(int connection, ByteView body, const Frame& frame);
  void handle_subscribe(int connection, ByteView body);
  void handle_flow(int connection, ByteView body);
  void handle_close(int connection, int type, ByteView body);
  void handle_last_message_id(int connection, ByteView body);
  std::optional<StoredEntry> parse_entry(ByteView rest, std::uint64_t first, std::uint64_t highest,
                                         std::int64_t count);
  void pump();  // Sends what permits allow.
  void blame(int connection, const std::string& what);
  void reply_error(int connection, std::uint64_t request_id, int error);
  bool topic_exists(const std::string& partition) const;

  std::map<int, ConnectionState> connections_;
  std::map<std::string, std::vector<StoredEntry>> logs_;
  std::map<std::string, std::uint64_t> ledgers_;
  std::vector<std::string> client_errors_;
  std::map<int, int> counts_;
  std::deque<HeldReceipt> held_;
  int next_connection_ = 0;
  int next_name_ = 0;
};

// Frames that only a broker sends.
Bytes receipt_frame(std::uint64_t producer_id, std::uint64_t sequence_id, std::uint64_t highest,
                    std::uint64_t ledger = 1, std::uint64_t entry = 1);
Bytes send_error_frame(std::uint64_t producer_id, std::uint64_t sequence_id, int error);
Bytes message_frame(std::uint64_t consumer_id, std::uint64_t ledger, std::uint64_t entry,
                    ByteView rest);

}  // namespace flow::streaming::pulsar::testing
