// Lists of settings as text files, JSON and lookups: what Kafka's and Pulsar's starts share.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "servers/level.hpp"

namespace flow::servers {

// Nullptr when there is none.
const std::string* find_setting(const Settings& settings, std::string_view key);

// Replaces the value of the key, or appends it.
void put_setting(Settings& settings, std::string_view key, std::string_view value);

std::string properties_text(const Settings& settings);  // "key=value" a line.
base::json::object settings_object(const Settings& settings);

base::Result<void> write_text_file(const std::filesystem::path& file, std::string_view text);

// Errc::io when the server reports another value than `wanted` for one of its keys, or none: a
// level that is not in force would make every number below it a lie.
base::Result<void> check_in_force(std::string_view role, const Settings& wanted,
                                  const base::json::object& reported);

}  // namespace flow::servers
