// SPDX-License-Identifier: Apache-2.0
#include "loadtest/tests/scripted_server.hpp"

#include <poll.h>
#include <stdexcept>

#include <fmt/format.h>

namespace flow::loadtest::testing {

using namespace std::chrono_literals;

std::optional<std::string> Peer::read_request() {
  const auto deadline = base::now() + 10s;
  for (;;) {
    const std::size_t end = unread_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string length = header(unread_, "content-length");
      const std::size_t bytes = end + 4 + (length.empty() ? 0 : std::stoul(length));
      if (unread_.size() >= bytes) {
        std::string request = unread_.substr(0, bytes);
        unread_.erase(0, bytes);
        return request;
      }
    }
    if (!wait_for(fd_, POLLIN, deadline)) return std::nullopt;
    char buffer[4096];
    const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count <= 0) return std::nullopt;
    unread_.append(buffer, static_cast<std::size_t>(count));
  }
}

void Peer::write(std::string_view bytes) {
  const auto deadline = base::now() + 10s;
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN || !wait_for(fd_, POLLOUT, deadline)) {
      return;
    }
  }
}

void Peer::cut() const { ::shutdown(fd_.get(), SHUT_RDWR); }

ScriptedServer::ScriptedServer(std::function<void(Peer&)> serve) : serve_(std::move(serve)) {
  auto listener = listen_on_loopback(port_);
  if (!listener) throw std::runtime_error(listener.error().what);
  listener_ = std::move(*listener);
  acceptor_ = std::jthread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  stopped_.store(true);
  acceptor_.join();
  for (const auto& peer : peers_) peer->cut();
  threads_.clear();  // Joins.
}

void ScriptedServer::accept_all() {
  while (!stopped_.load()) {
    if (!wait_for(listener_, POLLIN, base::now() + 20ms)) continue;
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) continue;
    auto peer = std::make_shared<Peer>(std::move(fd));
    const std::scoped_lock lock(mutex_);
    peers_.push_back(peer);
    threads_.emplace_back([this, peer] {
      serve_(*peer);
      peer->cut();
    });
  }
}

std::string ok(std::string_view body, int status) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

std::string first_line(std::string_view request) {
  return std::string(request.substr(0, request.find("\r\n")));
}

std::string header(std::string_view request, std::string_view name) {
  const std::string field = fmt::format("\r\n{}: ", name);
  const std::size_t begin = request.find(field);
  if (begin == std::string_view::npos || begin > request.find("\r\n\r\n")) return {};
  const std::size_t value = begin + field.size();
  return std::string(request.substr(value, request.find("\r\n", value) - value));
}

std::string body_of(std::string_view request) {
  return std::string(request.substr(request.find("\r\n\r\n") + 4));
}

bool eventually(const std::function<bool()>& condition) {
  for (const auto deadline = base::now() + 20s; base::now() < deadline;) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

net::HttpUrl closed_url() {
  std::uint16_t port = 0;
  const auto listener = listen_on_loopback(port);  // Closed again on return.
  return {.host = "127.0.0.1", .port = port, .path = ""};
}

}  // namespace flow::loadtest::testing
