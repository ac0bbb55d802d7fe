// SPDX-License-Identifier: Apache-2.0
#include "servers/vendor_defaults.hpp"

#include <functional>
#include <string>

#include "servers/settings_text.hpp"

namespace flow::servers {
namespace {

using base::json::array;
using base::json::value;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

void for_each_line(std::string_view text, const std::function<void(std::string_view)>& use) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    use(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

}  // namespace

Settings parse_properties(std::string_view text) {
  Settings settings;
  for_each_line(text, [&](std::string_view line) {
    line = trimmed(line);
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) return;
    const std::string_view key = trimmed(line.substr(0, equals));
    if (!key.empty()) put_setting(settings, key, trimmed(line.substr(equals + 1)));
  });
  return settings;
}

// "  KEY=VALUE sensitive=false synonyms={STATIC_BROKER_CONFIG:KEY=VALUE, DEFAULT_CONFIG:KEY=VALUE}"
Settings parse_kafka_defaults(std::string_view described) {
  constexpr std::string_view marker = " sensitive=";
  Settings defaults;
  for_each_line(described, [&](std::string_view line) {
    line = trimmed(line);
    const std::size_t equals = line.find('=');
    if (line.find(marker) == std::string_view::npos || !line.ends_with('}')) return;
    const std::string key(line.substr(0, equals));
    const std::string synonym = "DEFAULT_CONFIG:" + key + "=";
    const std::size_t at = line.rfind(synonym);  // It is the last of the synonyms.
    if (at == std::string_view::npos) return;
    const std::size_t from = at + synonym.size();
    defaults.emplace_back(key, line.substr(from, line.size() - 1 - from));
  });
  return defaults;
}

array differences_from(const Settings& defaults, const Settings& set) {
  array differences;
  for (const auto& [key, text] : set) {
    const std::string* standard = find_setting(defaults, key);
    if (standard && *standard == text) continue;
    differences.push_back(
        {{"key", key}, {"default", standard ? value(*standard) : value(nullptr)}, {"value", text}});
  }
  return differences;
}

array replaced_differences_from(const Settings& defaults, const Settings& set) {
  array differences = differences_from(defaults, set);
  for (const auto& [key, text] : defaults) {
    if (find_setting(set, key)) continue;
    differences.push_back({{"key", key}, {"default", text}, {"value", nullptr}});
  }
  return differences;
}

}  // namespace flow::servers
