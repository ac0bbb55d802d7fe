// One connection to a broker, without its socket: handshake, keep-alive, the table of requests,
// and which producer or consumer a frame is for.
//   opening -> handshaking (CONNECT sent) -> ready -> closed
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <functional>
#include <unordered_map>
#include <vector>

#include "streaming/pulsar/commands.hpp"
#include "streaming/pulsar/frame_reader.hpp"
#include "streaming/pulsar/host.hpp"
#include "streaming/pulsar/timers.hpp"

namespace flow::streaming::pulsar {

class ProducerEvents {
 public:
  virtual void on_receipt(const Receipt& receipt, base::TimePoint at) = 0;
  virtual void on_send_failure(const SendFailure& failure, base::TimePoint at) = 0;
  virtual void on_closed_by_broker(std::string_view assigned_url) = 0;
  virtual void on_connection_lost(const Failure& failure) = 0;

 protected:
  ~ProducerEvents() = default;
};

class ConsumerEvents {
 public:
  virtual void on_message(const MessageHeader& header, ByteView rest, base::TimePoint at) = 0;
  virtual void on_closed_by_broker(std::string_view assigned_url) = 0;
  virtual void on_connection_lost(const Failure& failure) = 0;

 protected:
  ~ConsumerEvents() = default;
};

struct ConnectionOptions {
  std::string client_version;
  std::string token;
  std::string proxy_to;  // host:port of the broker behind a proxy; empty: none.
  std::string subject;   // For errors: "pulsar 127.0.0.1:6650".
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr base::Nanos connect_timeout = std::chrono::seconds(10);
  static constexpr base::Nanos request_timeout = std::chrono::seconds(30);
  static constexpr base::Nanos keep_alive = std::chrono::seconds(30);

  using Reply = std::expected<Command, Failure>;
  using ReplyHandler = std::function<void(const Reply&)>;
  using ReadyHandler = std::function<void(const std::optional<Failure>&)>;

  // `on_gone` is called once, before everybody else hears that the connection is lost.
  Connection(ConnectionId id, Host& host, TimerQueue& timers, Counters& counters,
             ConnectionOptions options, std::function<void()> on_gone);

  ConnectionId id() const { return id_; }
  bool is_ready() const { return state_ == State::ready; }
  bool is_closed() const { return state_ == State::closed; }
  std::uint32_t message_bytes_max() const { return message_bytes_max_; }

  // At once when it is decided already.
  void when_ready(ReadyHandler handler);

  // The rest only while ready. A request is answered once: by the broker, by its deadline
  // (Errc::timed_out) or by the loss of the connection.
  void send(FrameRef frame) { host_.write(id_, std::move(frame)); }
  void send(Bytes frame) { send(std::make_shared<const Bytes>(std::move(frame))); }
  void request(std::uint64_t request_id, Bytes frame, ReplyHandler handler);

  // Who is told about an id; attach before the id is sent to the broker.
  void attach(std::uint64_t producer_id, ProducerEvents& events) {
    producers_[producer_id] = &events;
  }
  void attach(std::uint64_t consumer_id, ConsumerEvents& events) {
    consumers_[consumer_id] = &events;
  }
  void detach_producer(std::uint64_t producer_id) { producers_.erase(producer_id); }
  void detach_consumer(std::uint64_t consumer_id) { consumers_.erase(consumer_id); }

  void close(Failure failure);
  void close_for_protocol(const std::string& what);

  // From the socket.
  void on_open();
  std::span<std::byte> read_buffer() { return reader_.prepare(); }
  void on_read(std::size_t bytes, base::TimePoint at);

 private:
  enum class State : std::uint8_t { opening, handshaking, ready, closed };
  struct Request {
    ReplyHandler handler;
    std::unique_ptr<Timer> deadline;
  };

  void on_frame(const Frame& frame, base::TimePoint at);
  void on_handshake(const Command& command);
  void on_command(const Command& command, const Frame& frame, base::TimePoint at);
  bool on_producer_command(const Command& command, base::TimePoint at);
  bool on_consumer_command(const Command& command, const Frame& frame, base::TimePoint at);
  bool on_reply(const Command& command);
  void on_connected(const Command& command);
  void on_handshake_error(const Command& command);
  void on_keep_alive(base::TimePoint now);
  void answer(std::uint64_t request_id, const Reply& reply);
  void malformed(const Command& command);
  Failure failure(base::Errc code, std::string_view what) const;

  ConnectionId id_;
  Host& host_;
  TimerQueue& timers_;
  Counters& counters_;
  ConnectionOptions options_;
  std::function<void()> on_gone_;
  State state_ = State::opening;
  std::optional<Failure> lost_;
  FrameReader reader_;
  std::uint32_t message_bytes_max_ = message_bytes_max_default;
  bool is_probing_ = false;  // A PING of ours is unanswered.
  Timer connect_timer_;
  Timer keep_alive_timer_;
  std::vector<ReadyHandler> waiting_;
  std::unordered_map<std::uint64_t, Request> requests_;
  std::unordered_map<std::uint64_t, ProducerEvents*> producers_;
  std::unordered_map<std::uint64_t, ConsumerEvents*> consumers_;
};

// The failure that an ERROR, or another answer with an error in it, means.
Failure failure_of(std::string_view subject, int server_error, std::string_view text);

}  // namespace flow::streaming::pulsar
