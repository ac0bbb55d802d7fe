// SPDX-License-Identifier: Apache-2.0
#include "servers/zookeeper_probe.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace flow::servers {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t answer_bytes_max = 1 << 20;

// On loopback a connect is decided at once.
int connect_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return socket;
  }
  ::close(socket);
  return -1;
}

Result<std::string> read_to_end(int socket, std::uint16_t port, base::TimePoint deadline) {
  std::string answer;
  char buffer[8192];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - base::now()).count();
    pollfd waiting = {socket, POLLIN, 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) {
      return fail(Errc::timed_out, "ZooKeeper at 127.0.0.1:{}: no whole answer", port);
    }
    const ssize_t got = ::read(socket, buffer, sizeof buffer);
    if (got == 0) return answer;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || answer.size() > answer_bytes_max) {
      return fail(Errc::io, "ZooKeeper at 127.0.0.1:{}: {}", port,
                  got < 0 ? std::strerror(errno) : "the answer is longer than 1 MiB");
    }
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> ask_zookeeper(std::uint16_t port, std::string_view word, base::Nanos within) {
  const auto deadline = base::now() + within;
  const int socket = connect_to(port);
  if (socket < 0 || ::send(socket, word.data(), word.size(), MSG_NOSIGNAL) < 0) {
    const int error = errno;
    if (socket >= 0) ::close(socket);
    return fail(Errc::io, "ZooKeeper at 127.0.0.1:{}: {}", port, std::strerror(error));
  }
  auto answer = read_to_end(socket, port, deadline);
  ::close(socket);
  if (answer && answer->empty()) {
    return fail(Errc::io, "ZooKeeper at 127.0.0.1:{}: no answer to {}", port, word);
  }
  return answer;
}

bool lists_ephemeral(std::string_view dump, std::string_view path) {
  for (std::size_t at = 0; (at = dump.find(path, at)) != std::string_view::npos; ++at) {
    const std::size_t end = at + path.size();
    const bool is_whole =
        at > 0 && dump[at - 1] == '\t' && (end == dump.size() || dump[end] == '\n');
    if (is_whole) return true;
  }
  return false;
}

}  // namespace flow::servers
