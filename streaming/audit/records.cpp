// SPDX-License-Identifier: Apache-2.0
#include "streaming/audit/records.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace flow::streaming::audit {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::uint32_t version = 1;
constexpr std::size_t header_bytes = 16;

std::array<char, header_bytes> header_of(RecordKind kind, std::uint32_t record_bytes) {
  std::array<char, header_bytes> header{'F', 'L', 'O', 'W', 'R', 'E', 'C', static_cast<char>(kind)};
  std::memcpy(header.data() + 8, &record_bytes, 4);
  std::memcpy(header.data() + 12, &version, 4);
  return header;
}

}  // namespace

std::uint64_t key_hash(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

Result<RecordFile> RecordFile::create(const std::string& path, RecordKind kind,
                                      std::uint32_t record_bytes) {
  RecordFile file;
  file.path_ = path;
  file.file_.reset(std::fopen(path.c_str(), "wbe"));
  if (!file.file_) return fail(Errc::io, "{}: {}", path, std::strerror(errno));
  const auto header = header_of(kind, record_bytes);
  std::fwrite(header.data(), 1, header.size(), file.file_.get());
  if (auto flushed = file.flush(); !flushed) return std::unexpected(flushed.error());
  return file;
}

void RecordFile::append(const void* record, std::size_t bytes) {
  if (std::fwrite(record, 1, bytes, file_.get()) != bytes && error_ == 0) error_ = errno;
  ++written_;
}

Result<void> RecordFile::flush() {
  if (std::fflush(file_.get()) != 0 && error_ == 0) error_ = errno;
  if (error_ != 0) return fail(Errc::io, "{}: {}", path_, std::strerror(error_));
  return {};
}

Result<std::vector<std::byte>> read_record_bytes(const std::string& path, RecordKind kind,
                                                 std::uint32_t record_bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return fail(Errc::io, "{}: {}", path, std::strerror(errno));
  std::array<char, header_bytes> header{};
  if (std::fread(header.data(), 1, header.size(), file.get()) != header.size() ||
      header != header_of(kind, record_bytes)) {
    return fail(Errc::config, "{}: not a record file of kind '{}', {} bytes a record, version {}",
                path, static_cast<char>(kind), record_bytes, version);
  }
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> chunk{};
  for (std::size_t got = 1; got > 0;) {
    got = std::fread(chunk.data(), 1, chunk.size(), file.get());
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got));
  }
  if (std::ferror(file.get())) return fail(Errc::io, "{}: read error", path);
  return bytes;
}

}  // namespace flow::streaming::audit
