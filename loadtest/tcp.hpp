// TCP sockets of the generator: raw and non-blocking, because a generator that measures
// microseconds wants to see each system call.
// Thread: any; an Fd belongs to its owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/url.hpp"

namespace flow::loadtest {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct Endpoint {
  sockaddr_storage address{};
  socklen_t bytes = 0;
};

// The first address of the host. Errc::config when the name is unknown.
base::Result<Endpoint> resolve(const net::HttpUrl& url);

// A non-blocking socket with TCP_NODELAY that has begun to connect; errno's value when that failed.
struct Connecting {
  Fd fd;
  int error = 0;  // 0: under way or done.
};
Connecting begin_connect(const Endpoint& endpoint);

// The outcome of begin_connect() once the socket is writable: 0 or errno's value.
int connect_error(const Fd& fd);

// Waits for the connection. Errc::io or Errc::timed_out names the URL.
base::Result<Fd> connect(const net::HttpUrl& url, base::TimePoint deadline);

// Waits until `fd` is ready for `events` (POLLIN, POLLOUT); false at the deadline.
bool wait_for(const Fd& fd, short events, base::TimePoint deadline);

// A listening socket on 127.0.0.1; the kernel picks the port, `port` tells it.
base::Result<Fd> listen_on_loopback(std::uint16_t& port);

// Lets the process open as many descriptors as the system permits it; returns how many.
std::size_t raise_descriptor_limit();

}  // namespace flow::loadtest
