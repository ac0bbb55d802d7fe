// One thread of the generator: sockets, epoll and clock around a Sender. Open: it sends every slot
// i of the schedule with i mod shards = index; closed: the visits whose lane mod shards = index. So
// what is sent does not depend on the number of shards.
// Thread: constructed and read by the owner; run() on a thread of its own; request_stop() from any.
// Owns: its connections, histograms and log.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/epoll.h>

#include "loadtest/dispatcher.hpp"
#include "loadtest/entry_log.hpp"
#include "loadtest/plan.hpp"
#include "loadtest/request_writer.hpp"
#include "loadtest/response_parser.hpp"
#include "loadtest/sender.hpp"
#include "loadtest/tcp.hpp"

namespace flow::loadtest {

std::vector<Nanos> stripe_of(std::span<const Nanos> schedule, Stripe stripe);

enum class StopRequest : std::uint8_t {
  none,
  soon,  // Release nothing more, wait for what is under way.
  now,   // What is under way is unanswered.
};

// What the shard's thread cost and was given.
struct ShardHealth {
  Nanos cpu{0};
  Nanos wall{0};
  std::string priority;
};

class Shard final : private Wire, private FinishedSink {
 public:
  // `plan` was checked and outlives the shard, like all that is borrowed. `deadline` ends the
  // drain. `numbers`: the next number of a request that comes due, for all shards; closed modes.
  Shard(const LoadPlan& plan, const RequestWriter& writer, const Endpoint& endpoint,
        std::atomic<std::uint64_t>& numbers, Stripe stripe, TimePoint start, TimePoint deadline);

  base::Result<void> prepare();  // Errc::io: no epoll or event descriptor.
  void run();
  void request_stop(StopRequest request);

  LiveCounters& live() { return live_; }
  EntryLog& log() { return log_; }
  const Measurements& measurements() const { return sender_->measurements(); }  // After run().
  const ShardHealth& health() const { return health_; }                         // After run().

 private:
  enum class Phase : std::uint8_t { closed, connecting, idle, writing, awaiting };
  struct Socket {
    Fd fd;
    std::uint32_t generation = 0;  // Tells events of an earlier socket under this id.
    Phase phase = Phase::closed;
    std::size_t out_done = 0;
    std::string out;
    ResponseParser parser;
    bool is_sign_in = false;  // The request under way: its answer has the customer's token.
    std::string token;        // Of a customer who signed in during the run.
    std::string body;         // Of the answer to a sign-in.
  };
  // An outcome that came up inside a call of the Wire and is told afterwards.
  struct Deferred {
    ConnectionId id;
    std::uint32_t generation;  // Of the socket: told only if it is still the same.
    TimePoint at;
    bool is_open_failure;
    int error;
  };

  void open(ConnectionId id) override;
  void send(ConnectionId id, const DueRequest& request) override;
  void close(ConnectionId id) override;
  void on_finished(const Finished& finished) override;

  std::unique_ptr<Sender> make_sender(std::atomic<std::uint64_t>& numbers);
  void loop();
  void obey_stop(TimePoint now);
  void report_deferred();
  int wait(TimePoint now);
  void on_event(const epoll_event& event);
  void finish_connect(ConnectionId id, Socket& socket);
  void write_rest(ConnectionId id, Socket& socket);
  void read(ConnectionId id, Socket& socket, bool peer_closed);
  bool on_bytes(ConnectionId id, Socket& socket, std::string_view bytes, bool peer_closed);
  void on_end(ConnectionId id, Socket& socket, bool is_orderly);
  void on_answer(ConnectionId id, Socket& socket, TimePoint now, bool keeps_alive);
  void render(const DueRequest& request, Socket& socket) const;
  void render_action(const traffic::Action& action, RequestStamp stamp, Socket& socket) const;
  Socket& socket_of(ConnectionId id) { return sockets_[static_cast<std::size_t>(id)]; }

  const LoadPlan& plan_;
  const RequestWriter& writer_;
  const Endpoint& endpoint_;
  const Stripe stripe_;
  const std::vector<Nanos> schedule_;
  const TimePoint start_;
  TimePoint deadline_;
  LiveCounters live_;
  std::size_t requests_max_ = 0;
  std::unique_ptr<Sender> sender_;
  EntryLog log_;
  std::vector<Socket> sockets_;
  std::vector<Deferred> deferred_;
  std::vector<char> buffer_;
  std::array<epoll_event, 256> events_;
  Fd epoll_;
  Fd wake_;
  std::atomic<StopRequest> stop_ = StopRequest::none;
  StopRequest obeyed_ = StopRequest::none;
  ShardHealth health_;
};

}  // namespace flow::loadtest
