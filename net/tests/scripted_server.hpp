// An HTTP server that says and does exactly what a test wants, on plain blocking sockets: what is
// tested shares no code with it. One thread for each connection.
// Thread: the test's; `reply` is called on the threads of the connections.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace flow::net::test {

struct Reply {
  std::string bytes;     // Sent as they are.
  bool is_last = false;  // Then the connection is closed.
};

// "HTTP/1.1 200 OK" with this body.
Reply ok(std::string_view body, std::string_view more_headers = "");

class ScriptedServer {
 public:
  struct Request {
    int connection = 0;  // From 1, in the order in which they were accepted.
    int number = 0;      // On this connection, from 1.
    std::string text;    // Head and body.
  };
  explicit ScriptedServer(std::function<Reply(const Request&)> reply);
  ~ScriptedServer();  // Ends every connection.
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }  // Accepted so far.
  int ended() const { return ended_; }              // Of these, those that are over.
  int requests() const { return requests_; }        // Read so far.
  int open_max() const { return open_max_; }        // Most connections at the same time.

 private:
  void accept_all();
  void serve(int descriptor, int connection);

  std::function<Reply(const Request&)> reply_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0, ended_ = 0, requests_ = 0, open_ = 0, open_max_ = 0;
  std::mutex mutex_;  // Of the two below.
  std::vector<int> descriptors_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace flow::net::test
