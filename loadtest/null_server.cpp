// SPDX-License-Identifier: Apache-2.0
#include "loadtest/null_server.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <pthread.h>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <unordered_map>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "loadtest/live.hpp"
#include "loadtest/tcp.hpp"

namespace flow::loadtest {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
constexpr std::size_t request_bytes_max = 64 * 1024;

// The length of the first whole request in `bytes`, 0 when it is not all there yet. Enough for
// requests of our own: a length is found in lower case or as commonly written.
std::size_t request_length(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view head = bytes.substr(0, end);
  std::size_t body = 0;
  if (!head.starts_with("GET ")) {
    for (const std::string_view name : {"\r\ncontent-length:", "\r\nContent-Length:"}) {
      const std::size_t field = head.find(name);
      if (field == std::string_view::npos) continue;
      for (const char c : head.substr(field + name.size())) {
        if (c == '\r' || body > request_bytes_max) break;
        if (c >= '0' && c <= '9') body = body * 10 + static_cast<std::size_t>(c - '0');
      }
    }
  }
  const std::size_t length = end + 4 + body;
  return bytes.size() >= length ? length : 0;
}

class EpollNullServer final : public NullServer {
 public:
  ~EpollNullServer() override {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
  }

  Result<void> listen() {
    auto listener = listen_on_loopback(port_);
    if (!listener) return std::unexpected(listener.error());
    listener_ = std::move(*listener);
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll_ || !stop_ || !watch(listener_.get()) || !watch(stop_.get())) {
      return fail(Errc::io, "null server: {}", std::strerror(errno));
    }
    thread_ = std::thread([this] { serve(); });
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::uint64_t requests() const override { return requests_.load(); }

 private:
  struct Client {
    Fd fd;
    std::string partial;
  };

  bool watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  void serve() {
    ::pthread_setname_np(::pthread_self(), "null-server");
    // Where it is permitted: ahead of the machine's other work, but behind the generator's shards.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -10);
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == stop_.get()) return;
        if (fd == listener_.get()) {
          accept_all();
        } else if (!read_from(clients_.at(fd))) {
          clients_.erase(fd);
        }
      }
    }
  }

  void accept_all() {
    for (;;) {
      Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) return;
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const int number = fd.get();
      if (watch(number)) clients_[number].fd = std::move(fd);
    }
  }

  // False when the connection is over.
  bool read_from(Client& client) {
    const ssize_t count = ::recv(client.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return count < 0 && (errno == EAGAIN || errno == EINTR);
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
    if (!client.partial.empty()) {
      client.partial.append(bytes);
      bytes = client.partial;
    }
    std::size_t done = 0;
    while (const std::size_t length = request_length(bytes.substr(done))) {
      requests_.add();  // Before the answer, so that who has all answers sees all requests.
      const ssize_t sent = ::send(client.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      if (sent != static_cast<ssize_t>(answer.size()))
        return false;  // A client that does not read.
      done += length;
    }
    if (bytes.size() - done > request_bytes_max) return false;
    client.partial = std::string(bytes.substr(done));
    return true;
  }

  Fd listener_;
  Fd epoll_;
  Fd stop_;
  std::uint16_t port_ = 0;
  LiveCount requests_;
  std::array<char, 64 * 1024> buffer_;
  std::unordered_map<int, Client> clients_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<NullServer>> NullServer::start() {
  auto server = std::make_unique<EpollNullServer>();
  if (const auto listening = server->listen(); !listening) {
    return std::unexpected(listening.error());
  }
  return server;
}

}  // namespace flow::loadtest
