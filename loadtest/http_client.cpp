// SPDX-License-Identifier: Apache-2.0
#include "loadtest/http_client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>

#include <sys/socket.h>

namespace flow::loadtest {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t body_bytes_max = 1024 * 1024;

}  // namespace

Result<void> HttpClient::connect_within(base::TimePoint deadline) {
  char byte = 0;
  // Nothing to read on a connection that is still good; 0 or an error on one that is not.
  if (fd_ && ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) return {};
  auto fd = connect(url_, deadline);
  if (!fd) return std::unexpected(fd.error());
  fd_ = std::move(*fd);
  return {};
}

Result<Answer> HttpClient::ask(std::string_view request, base::TimePoint deadline) {
  if (const auto connected = connect_within(deadline); !connected) {
    return std::unexpected(connected.error());
  }
  Answer answer;
  parser_.expect(/*to_head=*/false);
  parser_.collect_body(&answer.body, body_bytes_max);
  auto done = send_all(request, deadline);
  if (done) {
    answer.sent = base::now();
    done = read_answer(answer, deadline);
  }
  parser_.collect_body(nullptr, 0);
  if (!done || !parser_.keeps_alive()) fd_.reset();
  if (!done) return std::unexpected(done.error());
  return answer;
}

Result<void> HttpClient::send_all(std::string_view request, base::TimePoint deadline) {
  while (!request.empty()) {
    const ssize_t count = ::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (count > 0) {
      request.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail(Errc::io, "sending: {}", std::strerror(errno));
    } else if (!wait_for(fd_, POLLOUT, deadline)) {
      return fail(Errc::timed_out, "the server took no bytes in time");
    }
  }
  return {};
}

Result<void> HttpClient::read_answer(Answer& answer, base::TimePoint deadline) {
  std::array<char, 16 * 1024> buffer;
  while (parser_.state() == ResponseParser::State::reading) {
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count > 0) {
      parser_.push({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count == 0) {
      parser_.push_end();
      if (parser_.state() == ResponseParser::State::malformed) {
        return fail(Errc::io, "the server closed the connection before the answer was whole");
      }
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail(Errc::io, "reading the answer: {}", std::strerror(errno));
    } else if (!wait_for(fd_, POLLIN, deadline)) {
      return fail(Errc::timed_out, "no answer in time");
    }
  }
  if (parser_.state() == ResponseParser::State::malformed) {
    return fail(Errc::protocol, "the answer is no HTTP");
  }
  answer.answered = base::now();
  answer.status = parser_.status();
  return {};
}

}  // namespace flow::loadtest
