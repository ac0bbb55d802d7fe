// SPDX-License-Identifier: Apache-2.0
#include "lab/result/running_mark.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "base/json.hpp"

namespace flow::lab {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

namespace {

// The whole file. Of the open file and not of the process (fcntl(2), F_OFD_SETLK), so that closing
// another descriptor of the same file does not give it back.
struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

Result<void> write_all(int file, std::string_view text, const fs::path& path) {
  const bool is_written =
      ::ftruncate(file, 0) == 0 &&
      ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  if (!is_written) return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
  return {};
}

}  // namespace

Result<std::unique_ptr<RunningMark>> RunningMark::create(const fs::path& folder,
                                                         base::Nanos estimated_duration) {
  const fs::path path = folder / running_mark_name;
  OpenFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (file.get() < 0) return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
  auto lock = whole_file();
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    return fail(Errc::config, "{}: another flow process runs this experiment; expected none",
                folder.string());
  }
  const base::json::object document{
      {"format", "flow-running/1"},
      {"pid", ::getpid()},
      {"since_unix_ns", base::count(base::ClockAnchor::take().to_unix(base::now()))},
      {"estimated_seconds", static_cast<double>(estimated_duration.count()) / 1e9}};
  auto written = write_all(file.get(), base::pretty_json(document), path);
  if (!written) return std::unexpected(written.error());
  return std::unique_ptr<RunningMark>(new RunningMark(path, std::move(file)));
}

RunningMark::~RunningMark() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

bool is_running(const fs::path& folder) {
  const auto opened = open_regular(folder / running_mark_name);
  if (!opened) return false;
  auto lock = whole_file();
  return ::fcntl(opened->first.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace flow::lab
