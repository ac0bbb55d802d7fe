// SPDX-License-Identifier: Apache-2.0
#include "lab/result/seal.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/bytes.hpp"
#include "lab/result/files.hpp"
#include "lab/result/running_mark.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view sums_name = "SHA256SUMS";

// Not what is made from the sealed files at any time, nor what is there only while it runs.
bool is_sealed(const std::string& path) {
  return path != sums_name && path != "report.html" && path != running_mark_name &&
         !path.starts_with("export/");
}

Result<std::map<std::string, std::string>> sums_of(const fs::path& folder) {
  std::map<std::string, std::string> sums;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (!at->is_regular_file()) continue;
    const std::string path = fs::relative(at->path(), folder).generic_string();
    if (!is_sealed(path)) continue;
    auto content = read_file(at->path());
    if (!content) return std::unexpected(content.error());
    sums[path] = base::sha256_hex(base::as_bytes(*content));
  }
  if (error) return fail(Errc::io, "{}: {}", folder.string(), error.message());
  return sums;
}

Result<std::map<std::string, std::string>> parse_sums(const fs::path& file) {
  auto text = read_file(file);
  if (!text) {
    return fail(Errc::config, "{}: no seal here; expected a folder written by flow run",
                file.string());
  }
  std::map<std::string, std::string> sums;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 67 || line.substr(64, 2) != "  ") {
      return fail(Errc::config, "{}: line '{}': expected a sum, two spaces, a path", file.string(),
                  line);
    }
    sums[line.substr(66)] = line.substr(0, 64);
  }
  return sums;
}

}  // namespace

Result<void> seal(const fs::path& folder) {
  auto sums = sums_of(folder);
  if (!sums) return std::unexpected(sums.error());
  std::string text;
  for (const auto& [path, sum] : *sums) text += fmt::format("{}  {}\n", sum, path);
  return write_file(folder / sums_name, text);
}

Result<SealCheck> check_seal(const fs::path& folder) {
  auto expected = parse_sums(folder / sums_name);
  if (!expected) return std::unexpected(expected.error());
  auto found = sums_of(folder);
  if (!found) return std::unexpected(found.error());
  SealCheck check;
  check.files = expected->size();
  for (const auto& [path, sum] : *expected) {
    const auto at = found->find(path);
    if (at == found->end()) {
      check.problems.push_back(path + ": missing");
    } else if (at->second != sum) {
      check.problems.push_back(path + ": changed since it was sealed");
    }
  }
  for (const auto& [path, sum] : *found) {
    if (!expected->contains(path)) check.problems.push_back(path + ": added after the seal");
  }
  return check;
}

}  // namespace flow::lab
