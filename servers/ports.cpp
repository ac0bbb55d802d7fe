// SPDX-License-Identifier: Apache-2.0
#include "servers/ports.hpp"

#include <atomic>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace flow::servers {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

constexpr std::uint32_t lowest_port = 10'240;
constexpr std::uint32_t ports_min = 2'048;  // In the range; fewer are not worth it.

// How many ports from lowest_port on are never given to outgoing connections; 0 where that cannot
// be told or is too few.
std::uint32_t reserved_ports() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::uint32_t first = 0;
  if (!(file >> first) || first < lowest_port + ports_min) return 0;
  return first - lowest_port;
}

// The next one that this process looks at; 0, the kernel's choice, where there is no such range.
std::uint16_t next_candidate() {
  static const std::uint32_t range = reserved_ports();
  // Processes that start at the same time have pids beside each other: 61 ports lie between them.
  static std::atomic<std::uint32_t> next = static_cast<std::uint32_t>(::getpid()) * 61;
  if (range == 0) return 0;
  return static_cast<std::uint16_t>(lowest_port + next++ % range);
}

// A socket bound to `port`, or to the kernel's choice for 0; -1 on failure.
int bind_to(std::uint16_t& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  socklen_t size = sizeof address;
  if (socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
    return socket;
  }
  if (socket >= 0) ::close(socket);
  return -1;
}

}  // namespace

base::Result<std::vector<std::uint16_t>> pick_ports(int count) {
  std::vector<int> sockets;
  std::vector<std::uint16_t> ports;
  const int attempts_max = count + 1'000;
  for (int i = 0; i < attempts_max && static_cast<int>(ports.size()) < count; ++i) {
    std::uint16_t port = next_candidate();
    const int socket = bind_to(port);
    if (socket < 0) continue;
    sockets.push_back(socket);
    ports.push_back(port);
  }
  const int error = errno;
  for (const int socket : sockets) ::close(socket);
  if (static_cast<int>(ports.size()) < count) {
    return base::fail(base::Errc::io, "no free port on 127.0.0.1: {}",
                      std::generic_category().message(error));
  }
  return ports;
}

bool accepts_connections(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  const sockaddr_in address = loopback(port);
  // On loopback a connect is decided at once.
  bool is_open =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  // The kernel may give the socket the very port that it connects to: then it talks to itself.
  sockaddr_in own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
      own.sin_port == address.sin_port) {
    is_open = false;
  }
  ::close(socket);
  return is_open;
}

}  // namespace flow::servers
