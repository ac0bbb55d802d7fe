// SPDX-License-Identifier: Apache-2.0
#include "loadtest/tcp.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

namespace flow::loadtest {

using base::Errc;
using base::fail;
using base::Result;

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Endpoint> resolve(const net::HttpUrl& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(url.port);
  const int error = ::getaddrinfo(url.host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return fail(Errc::config, "host '{}': {}", url.host, ::gai_strerror(error));
  Endpoint endpoint;
  endpoint.bytes = found->ai_addrlen;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return endpoint;
}

Connecting begin_connect(const Endpoint& endpoint) {
  Fd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {std::move(fd), errno};
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address);
  const int status = ::connect(fd.get(), address, endpoint.bytes);
  const int error = status == 0 || errno == EINPROGRESS ? 0 : errno;
  return {std::move(fd), error};
}

int connect_error(const Fd& fd) {
  int error = 0;
  socklen_t bytes = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return errno;
  return error;
}

bool wait_for(const Fd& fd, short events, base::TimePoint deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::now()).count();
    pollfd polled{.fd = fd.get(), .events = events, .revents = 0};
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    const int ready = ::poll(&polled, 1, timeout);
    if (ready > 0) return true;
    if (base::now() >= deadline) return false;
  }
}

Result<Fd> connect(const net::HttpUrl& url, base::TimePoint deadline) {
  const auto endpoint = resolve(url);
  if (!endpoint) return std::unexpected(endpoint.error());
  Connecting attempt = begin_connect(*endpoint);
  if (attempt.error == 0) {
    if (!wait_for(attempt.fd, POLLOUT, deadline)) {
      return fail(Errc::timed_out, "http://{}: no connection in time", url.authority());
    }
    attempt.error = connect_error(attempt.fd);
  }
  if (attempt.error != 0) {
    return fail(Errc::io, "http://{}: {}", url.authority(), std::strerror(attempt.error));
  }
  return std::move(attempt.fd);
}

Result<Fd> listen_on_loopback(std::uint16_t& port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!fd || ::bind(fd.get(), generic, bytes) != 0 || ::listen(fd.get(), 4096) != 0 ||
      ::getsockname(fd.get(), generic, &bytes) != 0) {
    return fail(Errc::io, "listening on 127.0.0.1: {}", std::strerror(errno));
  }
  port = ntohs(address.sin_port);
  return fd;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<std::size_t>::max() : limit.rlim_cur;
}

}  // namespace flow::loadtest
