// SPDX-License-Identifier: Apache-2.0
#include "streaming/settings.hpp"

namespace flow::streaming {

base::Result<std::int64_t> parse_whole_number(std::string_view subject, std::string_view key,
                                              std::string_view text, Bounds bounds) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < bounds.lowest ||
      value > bounds.highest) {
    return base::fail(base::Errc::config, "{} setting {}={}: expected a whole number from {} to {}",
                      subject, key, text, bounds.lowest, bounds.highest);
  }
  return value;
}

base::Result<bool> parse_boolean(std::string_view subject, std::string_view key,
                                 std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return base::fail(base::Errc::config, "{} setting {}={}: expected true or false", subject, key,
                    text);
}

}  // namespace flow::streaming
