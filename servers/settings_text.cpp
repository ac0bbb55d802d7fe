// SPDX-License-Identifier: Apache-2.0
#include "servers/settings_text.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

namespace flow::servers {

using base::Errc;
using base::fail;
using base::Result;

const std::string* find_setting(const Settings& settings, std::string_view key) {
  const auto at = std::ranges::find(settings, key, &Settings::value_type::first);
  return at == settings.end() ? nullptr : &at->second;
}

void put_setting(Settings& settings, std::string_view key, std::string_view value) {
  const auto at = std::ranges::find(settings, key, &Settings::value_type::first);
  if (at == settings.end()) {
    settings.emplace_back(key, value);
  } else {
    at->second = value;
  }
}

std::string properties_text(const Settings& settings) {
  std::string text;
  for (const auto& [key, value] : settings) text += fmt::format("{}={}\n", key, value);
  return text;
}

base::json::object settings_object(const Settings& settings) {
  base::json::object object;
  for (const auto& [key, value] : settings) object[key] = value;
  return object;
}

Result<void> write_text_file(const std::filesystem::path& file, std::string_view text) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(Errc::io, "{}: cannot be written", file.string());
  return {};
}

Result<void> check_in_force(std::string_view role, const Settings& wanted,
                            const base::json::object& reported) {
  for (const auto& [key, value] : wanted) {
    const auto* found = reported.if_contains(key);
    std::string text;
    if (found)
      text = found->is_string() ? std::string(found->get_string()) : base::json::serialize(*found);
    if (found && text == value) continue;
    return fail(Errc::io, "{}: the level asks for {}={}, the server reports {}", role, key, value,
                found ? text : "no such setting");
  }
  return {};
}

}  // namespace flow::servers
