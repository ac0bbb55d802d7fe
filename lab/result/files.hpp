// Reading and writing the files of a result folder. A write goes to a temporary name and is
// renamed, so that a reader, or a run resumed after a crash, never sees half a file.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

base::Result<std::string> read_file(const std::filesystem::path& path);
base::Result<void> write_file(const std::filesystem::path& path, std::string_view content);
base::Result<void> write_json(const std::filesystem::path& path, const base::json::value& value);
base::Result<void> make_folder(const std::filesystem::path& path);

}  // namespace flow::lab
