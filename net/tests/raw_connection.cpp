// SPDX-License-Identifier: Apache-2.0
#include "net/tests/raw_connection.hpp"

#include <algorithm>
#include <charconv>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace flow::net::test {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_limit = 10s;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  std::size_t length = 0;
  if (at == std::string_view::npos) return length;
  const char* begin = head.data() + at + name.size();
  std::from_chars(begin, head.data() + head.size(), length);
  return length;
}

}  // namespace

RawConnection::RawConnection(std::uint16_t port)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = loopback(port);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

RawConnection::~RawConnection() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // The peer closed; what it said can still be read.
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawConnection::finish_sending() { ::shutdown(descriptor_, SHUT_WR); }

bool RawConnection::receive(std::chrono::milliseconds limit) {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(std::max(limit, 0ms).count())) != 1) return false;
  char bytes[65536];
  const auto got = ::recv(descriptor_, bytes, sizeof bytes, 0);
  if (got > 0) received_.append(bytes, static_cast<std::size_t>(got));
  is_ended_ = got <= 0;
  return got > 0;
}

std::string RawConnection::read_answer(bool has_body) {
  const auto deadline = std::chrono::steady_clock::now() + answer_limit;
  while (true) {
    const auto head_end = received_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::string_view head = std::string_view(received_).substr(0, head_end);
      const std::size_t size = head_end + 4 + (has_body ? content_length(head) : 0);
      if (received_.size() >= size) {
        const std::string answer = received_.substr(0, size);
        received_.erase(0, size);
        return answer;
      }
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (!receive(left)) return std::exchange(received_, {});
  }
}

std::string RawConnection::read_until(std::string_view text) {
  const auto deadline = std::chrono::steady_clock::now() + answer_limit;
  while (true) {
    if (const auto at = received_.find(text); at != std::string::npos) {
      const std::string all = received_.substr(0, at + text.size());
      received_.erase(0, all.size());
      return all;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (!receive(left)) return std::exchange(received_, {});
  }
}

bool RawConnection::is_closed_within(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!is_ended_ && std::chrono::steady_clock::now() < deadline) {
    receive(std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now()));
  }
  return is_ended_;
}

SilentServer::SilentServer() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size);
  ::listen(descriptor_, 16);
  ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

SilentServer::~SilentServer() { ::close(descriptor_); }

}  // namespace flow::net::test
