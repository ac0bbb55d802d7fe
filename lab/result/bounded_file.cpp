// SPDX-License-Identifier: Apache-2.0
#include "lab/result/bounded_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

namespace flow::lab {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::pair<OpenFile, FileIdentity>> open_regular(const fs::path& path) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) {
    return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
  }
  if (!S_ISREG(facts.st_mode)) return fail(Errc::io, "{}: not a regular file", path.string());
  const FileIdentity identity{
      facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size),
      std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
  return std::pair{std::move(file), identity};
}

Result<std::string> read_bounded(const fs::path& path, std::size_t bytes_max) {
  auto opened = open_regular(path);
  if (!opened) return std::unexpected(opened.error());
  const auto too_large = [&] {
    return fail(Errc::io, "{}: larger than {} bytes", path.string(), bytes_max);
  };
  if (opened->second.bytes > bytes_max) return too_large();
  std::string content;
  char piece[65536];
  while (true) {
    const auto got = ::read(opened->first.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
    if (got == 0) return content;
    content.append(piece, static_cast<std::size_t>(got));
    if (content.size() > bytes_max) return too_large();  // It grew meanwhile.
  }
}

}  // namespace flow::lab
