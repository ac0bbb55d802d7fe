// SPDX-License-Identifier: Apache-2.0
#include "lab/result/line_tail.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace flow::lab {

using base::Errc;
using base::fail;
using base::Result;

Result<TailedLines> LineTail::read() {
  auto opened = open_regular(path_);
  if (!opened) {
    file_.reset();
    return std::unexpected(opened.error());
  }
  const auto& [file, identity] = *opened;
  TailedLines out;
  if (!file_ || !file_->is_same_file(identity) || identity.bytes < offset_) {
    begin_again();
    out.is_new = true;
  }
  file_ = identity;
  if (identity.bytes - offset_ > options_.bytes_behind_max) {
    offset_ = identity.bytes - options_.bytes_behind_max;
    open_line_.clear();
    is_line_void_ = true;
  }
  std::string bytes(std::min<std::uint64_t>(options_.bytes_at_once, identity.bytes - offset_), 0);
  const auto got = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset_));
  if (got < 0) return fail(Errc::io, "{}: {}", path_.string(), std::strerror(errno));
  offset_ += static_cast<std::uint64_t>(got);
  split(std::string_view(bytes).substr(0, static_cast<std::size_t>(got)), out);
  out.has_more = got > 0 && offset_ < identity.bytes;
  return out;
}

void LineTail::begin_again() {
  offset_ = 0;
  open_line_.clear();
  is_line_void_ = false;
}

void LineTail::split(std::string_view bytes, TailedLines& out) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (open_line_.size() + part.size() > options_.line_bytes_max) is_line_void_ = true;
    if (!is_line_void_) open_line_ += part;
    if (end == std::string_view::npos) return;
    end_line(out);
    bytes.remove_prefix(end + 1);
  }
}

void LineTail::end_line(TailedLines& out) {
  if (is_line_void_) {
    ++out.left_out;
  } else if (!open_line_.empty()) {
    out.lines.push_back(std::move(open_line_));
  }
  open_line_.clear();
  is_line_void_ = false;
}

}  // namespace flow::lab
