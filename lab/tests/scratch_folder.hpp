// A folder of its own for a test, removed at the end.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/check.hpp"

namespace flow::lab::test {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "flow-lab-XXXXXX").string();
    FLOW_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  // Adds to the end of a file, made with its folders where it is missing.
  std::filesystem::path append(std::string_view name, std::string_view text) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary | std::ios::app) << text;
    return file;
  }
  std::filesystem::path write(std::string_view name, std::string_view text) const {
    std::error_code ignored;
    std::filesystem::remove(path_ / name, ignored);
    return append(name, text);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace flow::lab::test
