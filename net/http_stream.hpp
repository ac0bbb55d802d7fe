// The body of an answer that goes on after its head was sent, such as server-sent events. A handler
// returns it in HttpResponse::stream, keeps it too, and offers pieces as they come. A client that
// takes them slower than they come is dropped when the bound of its queue is passed; it may come
// again and ask for what it missed.
// Thread: the server's IoThread.
// Invariant: at most queue_bytes_max bytes wait, and one piece of that size is being written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace flow::net {

struct HttpStreamOptions {
  std::size_t queue_bytes_max = 1024 * 1024;
  // Sent when nothing else was for this long, so that both sides notice a dead connection. Empty:
  // nothing.
  std::string keep_alive = {};
  std::chrono::milliseconds keep_alive_every{10'000};
};

class HttpStream {
 public:
  explicit HttpStream(HttpStreamOptions options = {}) : options_(std::move(options)) {}
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  // False: nobody takes it any more. The client has left, finish() was called, or this piece passed
  // the bound, which drops the client.
  bool offer(std::string_view piece);
  // Ends the answer in order, behind what was offered.
  void finish();
  // True until finish(), a drop, or the end of the connection.
  bool is_open() const { return state_ == State::open; }

  // For the server that writes it.

  const HttpStreamOptions& options() const { return options_; }
  std::string take();  // What waits; empty when nothing does.
  bool is_finished() const { return state_ == State::finished; }
  bool is_dropped() const { return state_ == State::dropped; }
  // The connection is gone; also when it never was told to the client.
  void drop();
  // Called at each offer(), finish() and drop(); an empty function takes it back.
  void set_on_change(std::function<void()> on_change) { on_change_ = std::move(on_change); }

 private:
  enum class State : std::uint8_t { open, finished, dropped };
  void become(State next);
  void tell() const;

  HttpStreamOptions options_;
  State state_ = State::open;
  std::string waiting_;
  std::function<void()> on_change_;
};

}  // namespace flow::net
