// An HTTP server that does to each connection what a test says: answers late, in pieces, never,
// wrongly, or closes. A thread per connection, so that a script reads like a dialogue.
// Owns: its threads and sockets; the destructor ends them all.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "loadtest/tcp.hpp"

namespace flow::loadtest::testing {

class Peer {
 public:
  explicit Peer(Fd fd) : fd_(std::move(fd)) {}

  // Header and body of the next request; nullopt when the client is gone or 10 s have passed.
  std::optional<std::string> read_request();
  void write(std::string_view bytes);  // A client that is gone is no error.
  void cut() const;                    // Ends reading and writing from another thread.

 private:
  Fd fd_;
  std::string unread_;
};

class ScriptedServer {
 public:
  // `serve` is called for every connection, on a thread of its own; the connection closes when it
  // returns.
  explicit ScriptedServer(std::function<void(Peer&)> serve);
  ~ScriptedServer();

  net::HttpUrl url() const { return {.host = "127.0.0.1", .port = port_, .path = ""}; }

 private:
  void accept_all();

  std::function<void(Peer&)> serve_;
  std::uint16_t port_ = 0;
  Fd listener_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;  // Guards peers_ and threads_.
  std::vector<std::shared_ptr<Peer>> peers_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

std::string ok(std::string_view body, int status = 200);              // With a length.
std::string first_line(std::string_view request);                     // "GET /x HTTP/1.1"
std::string header(std::string_view request, std::string_view name);  // Name in lower case.
std::string body_of(std::string_view request);

// Looks every few milliseconds; false when `condition` does not hold within 20 s.
bool eventually(const std::function<bool()>& condition);

// A URL at which nothing listens.
net::HttpUrl closed_url();

}  // namespace flow::loadtest::testing
