// SPDX-License-Identifier: Apache-2.0
#include "net/http_stream.hpp"

#include <utility>

namespace flow::net {

bool HttpStream::offer(std::string_view piece) {
  if (!is_open()) return false;
  if (waiting_.size() + piece.size() > options_.queue_bytes_max) {
    drop();
    return false;
  }
  waiting_ += piece;
  tell();
  return true;
}

void HttpStream::finish() { become(State::finished); }

void HttpStream::drop() {
  waiting_ = {};
  become(State::dropped);
}

std::string HttpStream::take() { return std::exchange(waiting_, {}); }

void HttpStream::become(State next) {
  if (state_ == State::dropped || state_ == next) return;
  state_ = next;
  tell();
}

void HttpStream::tell() const {
  if (on_change_) on_change_();
}

}  // namespace flow::net
