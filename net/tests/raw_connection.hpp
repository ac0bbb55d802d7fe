// A TCP connection that says exactly the bytes a test wants, and waits with a deadline. Plain
// blocking sockets: what is tested shares no code with it.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace flow::net::test {

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);  // To 127.0.0.1; a failure shows in is_open().
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  void send(std::string_view bytes);
  void finish_sending();  // Half-close.

  // One HTTP answer by its Content-Length; `has_body` false for an answer to HEAD. What arrived
  // until the connection ended or 10 s passed when there is no whole one.
  std::string read_answer(bool has_body = true);

  // What arrived up to and with `text`; all of it when the connection ended or 10 s passed before.
  std::string read_until(std::string_view text);

  // True when the peer closes (or resets) within `limit`; what it says until then is dropped.
  bool is_closed_within(std::chrono::milliseconds limit);

 private:
  bool receive(std::chrono::milliseconds limit);  // False: closed, reset, or nothing came.

  int descriptor_ = -1;
  bool is_ended_ = false;
  std::string received_;
};

// A server socket that accepts into its backlog and never answers.
class SilentServer {
 public:
  SilentServer();
  ~SilentServer();
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace flow::net::test
