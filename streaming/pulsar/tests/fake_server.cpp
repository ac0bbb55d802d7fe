// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/tests/fake_server.hpp"

#include <array>
#include <map>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace flow::streaming::pulsar::testing {

namespace asio = net::asio;
using asio::ip::tcp;
using boost::system::error_code;

class FakeServer::Impl : public std::enable_shared_from_this<FakeServer::Impl> {
 public:
  explicit Impl(net::IoThread& io)
      : io_(io), acceptor_(io.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    broker.url = fmt::format("pulsar://127.0.0.1:{}", port());
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      if (error) return;
      const int id = self->broker.accept();
      self->sockets_[id] = std::make_shared<tcp::socket>(std::move(socket));
      self->read(id);
      self->accept();
    });
  }

  void read(int id) {
    const auto socket = sockets_.at(id);
    const auto buffer = std::make_shared<std::array<std::byte, 65536>>();
    socket->async_read_some(
        asio::buffer(buffer->data(), buffer->size()),
        [self = shared_from_this(), id, socket, buffer](error_code error, std::size_t bytes) {
          if (error) {
            self->broker.disconnect(id);
            return;
          }
          self->inbox_[id].insert(self->inbox_[id].end(), buffer->begin(),
                                  buffer->begin() + static_cast<std::ptrdiff_t>(bytes));
          if (self->is_stalled) return;  // Read on when the stall is over.
          self->take(id);
          self->read(id);
        });
  }

  void take(int id) {
    const Bytes bytes = std::exchange(inbox_[id], {});
    if (!bytes.empty()) broker.receive(id, bytes);
    write_all();
  }

  void write_all() {
    if (is_stalled) return;
    for (auto& [id, socket] : sockets_) {
      while (socket->is_open()) {
        const auto frame = broker.next_output(id);
        if (!frame) break;
        if (!write(id, *socket, *frame)) break;
      }
      error_code ignored;
      if (broker.is_hung_up(id) && socket->is_open()) socket->close(ignored);
    }
  }

  // Blocking: a test's client reads all the time.
  bool write(int id, tcp::socket& socket, const Bytes& frame) {
    error_code error;
    std::size_t size = frame.size();
    const bool is_cut = cut_after && *cut_after < size;
    if (is_cut) size = *cut_after;
    asio::write(socket, asio::buffer(frame.data(), size), error);
    if (cut_after) *cut_after -= size;
    if (is_cut) {
      cut_after.reset();
      broker.disconnect(id);
    }
    return !error && !is_cut;
  }

  void resume() {
    for (const auto& [id, socket] : sockets_) {
      if (!socket->is_open() || broker.is_hung_up(id)) continue;
      take(id);
      read(id);
    }
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    for (auto& [id, socket] : sockets_) socket->close(ignored);
  }

  FakeBroker broker;
  std::optional<std::size_t> cut_after;
  bool is_stalled = false;

 private:
  net::IoThread& io_;
  tcp::acceptor acceptor_;
  std::map<int, std::shared_ptr<tcp::socket>> sockets_;
  std::map<int, Bytes> inbox_;
};

FakeServer::FakeServer() {
  impl_ = io_.run([this] { return std::make_shared<Impl>(io_); });
  io_.run([this] { impl_->accept(); });
}

FakeServer::~FakeServer() {
  io_.run([this] {
    impl_->close();
    impl_.reset();
  });
  io_.stop();
}

std::string FakeServer::service_url() const {
  return fmt::format("pulsar://127.0.0.1:{}", impl_->port());
}

void FakeServer::with_broker(std::function<void(FakeBroker&)> work) {
  io_.run([this, &work] {
    work(impl_->broker);
    impl_->write_all();
  });
}

void FakeServer::cut_after(std::size_t bytes) {
  io_.run([&] { impl_->cut_after = bytes; });
}

void FakeServer::stall(bool is_stalled) {
  io_.run([&] {
    impl_->is_stalled = is_stalled;
    if (!is_stalled) impl_->resume();
  });
}

}  // namespace flow::streaming::pulsar::testing
