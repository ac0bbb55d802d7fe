// The lines that a file gains while somebody else appends to it, in the order written. Only whole
// lines are given; a line that was cut by a crash and is never ended is never given. A file that is
// another one than before (replaced, cut short) is read from its beginning.
// Thread: one.
// Invariant: one call reads and holds at most bytes_at_once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/result/bounded_file.hpp"

namespace flow::lab {

struct LineTailOptions {
  std::size_t bytes_at_once = 256 * 1024;
  std::size_t line_bytes_max = 64 * 1024;  // A longer line is left out.
  // Who is further behind leaves out what is older: a file of gigabytes is not read to its end.
  std::uint64_t bytes_behind_max = 8 * 1024 * 1024;
};

struct TailedLines {
  std::vector<std::string> lines;  // Without their ends.
  bool is_new = false;             // Another file than at the last call, or the first call.
  bool has_more = false;           // Another call will find more at once.
  std::size_t left_out = 0;        // Lines that were too long, and gaps.
};

class LineTail {
 public:
  explicit LineTail(std::filesystem::path path, LineTailOptions options = {})
      : path_(std::move(path)), options_(options) {}

  const std::filesystem::path& path() const { return path_; }

  // Errc::io: there is no such file (any more), or it is none to be read.
  base::Result<TailedLines> read();

 private:
  void begin_again();
  void split(std::string_view bytes, TailedLines& out);
  void end_line(TailedLines& out);

  std::filesystem::path path_;
  LineTailOptions options_;
  std::optional<FileIdentity> file_;
  std::uint64_t offset_ = 0;
  std::string open_line_;      // Its end is not yet written.
  bool is_line_void_ = false;  // The open line is too long, or its beginning is not known.
};

}  // namespace flow::lab
