// SPDX-License-Identifier: Apache-2.0
#include "servers/ports.hpp"

#include <cerrno>
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

// A socket bound to a port of the kernel's choice; -1 on failure.
int bind_any(std::uint16_t& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
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
  for (int i = 0; i < count; ++i) {
    std::uint16_t port = 0;
    const int socket = bind_any(port);
    if (socket < 0) break;
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
