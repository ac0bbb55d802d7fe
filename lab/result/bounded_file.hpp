// Opening and reading files of a result folder that somebody else wrote, is writing, or put there
// to do harm: only regular files, no link at the end of the path, never more than a bound.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/result.hpp"

namespace flow::lab {

// A descriptor that closes itself.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;

  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Which file a path led to, and how much of it there was.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;  // Modification time, Unix.

  bool is_same_file(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
  bool operator==(const FileIdentity&) const = default;
};

// Errc::io with path and cause: not there, a link, a folder, a pipe.
base::Result<std::pair<OpenFile, FileIdentity>> open_regular(const std::filesystem::path& path);

// Errc::io also for a file of more than `bytes_max`.
base::Result<std::string> read_bounded(const std::filesystem::path& path, std::size_t bytes_max);

}  // namespace flow::lab
