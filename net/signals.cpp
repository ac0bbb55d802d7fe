// SPDX-License-Identifier: Apache-2.0
#include "net/signals.hpp"

#include <csignal>

#include <boost/asio/signal_set.hpp>

namespace flow::net {

class StopSignals::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, std::function<void(int)> on_signal)
      : signals_(context, SIGINT, SIGTERM), on_signal_(std::move(on_signal)) {}

  void wait() {
    signals_.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
      if (error) return;
      self->on_signal_(++self->received_);
      self->wait();
    });
  }
  void cancel() {
    boost::system::error_code ignored;
    signals_.cancel(ignored);
  }

 private:
  asio::signal_set signals_;
  std::function<void(int)> on_signal_;
  int received_ = 0;
};

StopSignals::StopSignals(IoThread& io, std::function<void(int)> on_signal)
    : io_(io), impl_(std::make_shared<Impl>(io.context(), std::move(on_signal))) {
  std::signal(SIGPIPE, SIG_IGN);
  io_.post([impl = impl_] { impl->wait(); });
}

StopSignals::~StopSignals() {
  io_.run([impl = std::move(impl_)] { impl->cancel(); });
}

}  // namespace flow::net
