// SPDX-License-Identifier: Apache-2.0
#include "net/tests/scripted_server.hpp"

#include <charconv>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace flow::net::test {
namespace {

std::size_t body_size(std::string_view head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  std::size_t size = 0;
  if (at != std::string_view::npos) {
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), size);
  }
  return size;
}

// The next whole request out of `received` and the socket; empty at the end of the connection.
std::string read_request(int descriptor, std::string& received) {
  for (;;) {
    const auto head_end = received.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::size_t size = head_end + 4 + body_size(received.substr(0, head_end));
      if (received.size() >= size) {
        std::string request = received.substr(0, size);
        received.erase(0, size);
        return request;
      }
    }
    char bytes[4096];
    const auto got = ::recv(descriptor, bytes, sizeof bytes, 0);
    if (got <= 0) return "";
    received.append(bytes, static_cast<std::size_t>(got));
  }
}

}  // namespace

Reply ok(std::string_view body, std::string_view more_headers) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
              std::string(more_headers) + "\r\n" + std::string(body),
          false};
}

ScriptedServer::ScriptedServer(std::function<Reply(const Request&)> reply)
    : reply_(std::move(reply)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int descriptor : descriptors_) ::shutdown(descriptor, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  for (const int descriptor : descriptors_) ::close(descriptor);
}

void ScriptedServer::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int connection = ++connections_;
    const std::lock_guard lock(mutex_);
    descriptors_.push_back(descriptor);
    threads_.emplace_back([this, descriptor, connection] { serve(descriptor, connection); });
  }
}

void ScriptedServer::serve(int descriptor, int connection) {
  const int open = ++open_;
  for (int seen = open_max_; open > seen && !open_max_.compare_exchange_weak(seen, open);) {
  }
  std::string received;
  for (int number = 1;; ++number) {
    std::string text = read_request(descriptor, received);
    if (text.empty()) break;
    ++requests_;
    const Reply reply = reply_({connection, number, std::move(text)});
    ::send(descriptor, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
    if (reply.is_last) break;
  }
  --open_;
  ::shutdown(descriptor, SHUT_RDWR);  // Closed in the destructor, so that its number stays taken.
  ++ended_;
}

}  // namespace flow::net::test
