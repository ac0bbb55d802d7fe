// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/event_bridge.hpp"

#include <cstdint>
#include <unistd.h>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <sys/eventfd.h>

#include "base/check.hpp"

namespace flow::streaming::kafka {

namespace asio = boost::asio;

class EventBridge::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(net::IoThread& io, std::function<bool()> pull)
      : io_(io), descriptor_(io.context(), open_eventfd()), pull_(std::move(pull)) {}

  int fd() { return descriptor_.native_handle(); }

  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (error || self->stopped_) return;
                             self->acknowledge();
                             self->turn(true);
                           });
  }

  void wake() {
    asio::post(io_.context(), [self = shared_from_this()] { self->turn(false); });
  }

  void stop() {
    if (std::exchange(stopped_, true)) return;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }

 private:
  static int open_eventfd() {
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    FLOW_CHECK(fd >= 0);
    return fd;
  }

  void acknowledge() {
    std::uint64_t wakes = 0;
    const auto read = ::read(fd(), &wakes, sizeof wakes);  // EAGAIN: someone was faster; fine.
    static_cast<void>(read);
  }

  // One batch. `waits`: this turn came from the descriptor, so it goes on waiting there when the
  // queues are empty.
  void turn(bool waits) {
    if (stopped_) return;
    const bool more = pull_();
    if (stopped_) return;
    if (more) {
      asio::post(io_.context(), [self = shared_from_this(), waits] { self->turn(waits); });
    } else if (waits) {
      wait();
    }
  }

  net::IoThread& io_;
  asio::posix::stream_descriptor descriptor_;
  std::function<bool()> pull_;
  bool stopped_ = false;
};

EventBridge::EventBridge(net::IoThread& io, std::function<bool()> pull)
    : impl_(std::make_shared<Impl>(io, std::move(pull))) {
  impl_->wait();
}

int EventBridge::fd() const { return impl_->fd(); }
void EventBridge::wake() { impl_->wake(); }
void EventBridge::stop() { impl_->stop(); }

}  // namespace flow::streaming::kafka
