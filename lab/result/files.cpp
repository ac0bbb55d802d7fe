// SPDX-License-Identifier: Apache-2.0
#include "lab/result/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

namespace flow::lab {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::io, "{}: {}", path.string(), std::strerror(errno));
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

Result<void> write_file(const fs::path& path, std::string_view content) {
  const fs::path part = path.string() + ".part";
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(part.c_str(), "wbe"),
                                                               &std::fclose);
    const bool is_written =
        file && std::fwrite(content.data(), 1, content.size(), file.get()) == content.size() &&
        std::fflush(file.get()) == 0;
    if (!is_written) {
      const int cause = errno;
      std::error_code ignored;
      fs::remove(part, ignored);
      return fail(Errc::io, "{}: {}", path.string(), std::strerror(cause));
    }
  }
  std::error_code error;
  fs::rename(part, path, error);
  if (error) return fail(Errc::io, "{}: {}", path.string(), error.message());
  return {};
}

Result<void> write_json(const fs::path& path, const base::json::value& value) {
  return write_file(path, base::pretty_json(value));
}

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(Errc::io, "{}: {}", path.string(), error.message());
  return {};
}

}  // namespace flow::lab
