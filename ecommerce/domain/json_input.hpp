// A request's JSON as it was sent: numbers keep their text, so that money never passes through a
// floating-point value. Bounded in depth and number of values; invalid UTF-8 is refused; text after
// the value is ignored; of a repeated key the last one counts.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::ecommerce {

struct JsonInput {
  enum class Kind : unsigned char { null, boolean, number, text, array, object };

  Kind kind = Kind::null;
  std::string text;  // Of a text, a number as sent, or "true"/"false".
  std::vector<JsonInput> items;
  std::vector<std::pair<std::string, JsonInput>> members;

  // nullptr when there is no such member or this is no object.
  const JsonInput* find(std::string_view key) const;
};

inline constexpr std::size_t json_depth_max = 16;
inline constexpr std::size_t json_values_max = 20'000;

// The error is what a client may read: "unexpected character at byte 12".
std::expected<JsonInput, std::string> parse_json_input(std::string_view body);

}  // namespace flow::ecommerce
