// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/shell.hpp"

#include <deque>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "base/check.hpp"

namespace flow::streaming::pulsar {

namespace asio = net::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t buffers_max = 64;  // What one writev of Asio takes.
constexpr std::size_t write_bytes_max = 1024 * 1024;

}  // namespace

// Every handler holds the socket and the shell, and looks whether the socket was closed meanwhile.
class Shell::Socket : public std::enable_shared_from_this<Shell::Socket> {
 public:
  Socket(Shell& shell, ConnectionId id, const net::HostPort& address)
      : shell_(shell.shared_from_this()),
        id_(id),
        address_(address),
        resolver_(shell.io_.context()),
        socket_(shell.io_.context()) {}

  void start() {
    resolver_.async_resolve(address_.host, std::to_string(address_.port),
                            [self = shared_from_this()](error_code error, const auto& results) {
                              if (self->is_closed_) return;
                              if (error) return self->lose("resolve", error);
                              self->connect(results);
                            });
  }

  void write(FrameRef frame) {
    outbox_bytes_ += frame->size();
    outbox_.push_back(std::move(frame));
    if (outbox_bytes_ > shell_->outbox_bytes_max_) is_overfull_ = true;
    if (is_writing_ || is_flush_posted_) return;
    // Whatever else this event writes goes into the same system call.
    is_flush_posted_ = true;
    asio::post(shell_->io_.context(), [self = shared_from_this()] {
      self->is_flush_posted_ = false;
      self->flush();
    });
  }

  void close() {
    is_closed_ = true;
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void connect(const tcp::resolver::results_type& results) {
    asio::async_connect(socket_, results,
                        [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                          if (self->is_closed_) return;
                          if (error) return self->lose("connect", error);
                          error_code ignored;
                          self->socket_.set_option(tcp::no_delay(true), ignored);
                          self->shell_->client_.on_open(self->id_);
                          self->read();
                        });
  }

  void read() {
    if (is_closed_) return;
    const auto room = shell_->client_.read_buffer(id_);
    socket_.async_read_some(asio::buffer(room.data(), room.size()),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                              const base::TimePoint at = base::now();
                              if (self->is_closed_) return;
                              if (error) return self->lose("read", error);
                              self->shell_->client_.on_read(self->id_, bytes, at);
                              self->read();
                            });
  }

  void flush() {
    if (is_closed_ || is_writing_ || outbox_.empty()) return;
    if (is_overfull_) return lose("the broker does not take what is sent to it", {});
    buffers_.clear();
    std::size_t bytes = 0;
    while (buffers_.size() < outbox_.size() && buffers_.size() < buffers_max &&
           bytes < write_bytes_max) {
      const Bytes& frame = *outbox_[buffers_.size()];
      buffers_.emplace_back(frame.data(), frame.size());
      bytes += frame.size();
    }
    is_writing_ = true;
    asio::async_write(socket_, buffers_,
                      [self = shared_from_this()](error_code error, std::size_t) {
                        self->is_writing_ = false;
                        if (self->is_closed_) return;
                        if (error) return self->lose("write", error);
                        self->drop_written();
                        self->flush();
                      });
  }

  void drop_written() {
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
      outbox_bytes_ -= outbox_.front()->size();
      outbox_.pop_front();
    }
  }

  void lose(std::string_view what, error_code error) {
    const std::string reason =
        error ? fmt::format("pulsar {}:{}: {}: {}", address_.host, address_.port, what,
                            error.message())
              : fmt::format("pulsar {}:{}: {}", address_.host, address_.port, what);
    shell_->client_.on_lost(id_, reason);  // Closes this socket.
  }

  std::shared_ptr<Shell> shell_;
  ConnectionId id_;
  net::HostPort address_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::deque<FrameRef> outbox_;  // From the front: what is being written, then what waits.
  std::size_t outbox_bytes_ = 0;
  std::vector<asio::const_buffer> buffers_;
  bool is_writing_ = false;
  bool is_flush_posted_ = false;
  bool is_overfull_ = false;
  bool is_closed_ = false;
};

Shell::Shell(net::IoThread& io, ClientOptions options, std::size_t outbox_bytes_max)
    : io_(io),
      outbox_bytes_max_(outbox_bytes_max),
      timer_(io.context()),
      client_(*this, std::move(options)) {}

Shell::~Shell() = default;

void Shell::shut_down() {
  if (is_shut_down_) return;
  client_.close_all();
  is_shut_down_ = true;
  timer_.cancel();
}

base::TimePoint Shell::now() const { return base::now(); }

std::uint64_t Shell::unix_ms() const {
  using std::chrono::milliseconds;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(since).count());
}

void Shell::open(ConnectionId id, const net::HostPort& address) {
  const auto socket = std::make_shared<Socket>(*this, id, address);
  sockets_[id] = socket;
  socket->start();
}

void Shell::write(ConnectionId id, FrameRef frame) {
  const auto found = sockets_.find(id);
  if (found != sockets_.end()) found->second->write(std::move(frame));
}

void Shell::close(ConnectionId id) {
  const auto found = sockets_.find(id);
  if (found == sockets_.end()) return;
  found->second->close();
  sockets_.erase(found);
}

void Shell::wake_at(base::TimePoint at) {
  if (!is_shut_down_ && at < timer_at_) arm_timer(at);
}

void Shell::arm_timer(base::TimePoint at) {
  timer_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->is_shut_down_) return;
    self->timer_at_ = base::TimePoint::max();
    self->client_.on_timer();
    const auto next = self->client_.timers().next();
    if (next) self->wake_at(*next);
  });
}

void Shell::wake_soon() {
  asio::post(io_.context(), [self = shared_from_this()] { self->client_.on_turn(); });
}

void Event::set() {
  is_set_ = true;
  timer_.cancel();
}

net::Task<bool> Event::wait(std::shared_ptr<Event> event, base::TimePoint deadline) {
  if (!event->is_set_) {
    event->timer_.expires_at(deadline);
    co_await event->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return event->is_set_;
}

}  // namespace flow::streaming::pulsar
