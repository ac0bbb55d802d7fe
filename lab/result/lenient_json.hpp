// Looking into JSON that another version of Flow, or a crash, may have left incomplete: what is not
// there, or not of that kind, reads as empty.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/json.hpp"

namespace flow::lab {

inline const base::json::object& as_object_or_empty(const base::json::value& value) {
  static const base::json::object empty;
  const auto* object = value.if_object();
  return object ? *object : empty;
}

inline const base::json::object& object_in(const base::json::object& from, std::string_view key) {
  static const base::json::value nothing;
  const auto* value = from.if_contains(key);
  return as_object_or_empty(value ? *value : nothing);
}

inline const base::json::array& array_in(const base::json::object& from, std::string_view key) {
  static const base::json::array empty;
  const auto* value = from.if_contains(key);
  const auto* array = value ? value->if_array() : nullptr;
  return array ? *array : empty;
}

inline std::string_view text_in(const base::json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

inline bool bool_in(const base::json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value && value->is_bool() && value->as_bool();
}

inline double number_in(const base::json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value && value->is_number() ? value->to_number<double>() : 0;
}

// What stands at "hops/publish_response/p99_ns"; null pointer where nothing does.
inline const base::json::value* find_at(const base::json::value& from, std::string_view path) {
  boost::system::error_code error;
  return from.find_pointer(fmt::format("/{}", path), error);
}

inline std::string text_at(const base::json::value& from, std::string_view path) {
  const auto* at = find_at(from, path);
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}

inline bool is_true_at(const base::json::value& from, std::string_view path) {
  const auto* at = find_at(from, path);
  return at && at->is_bool() && at->as_bool();
}

// The other way: what is not known is written as null.
template <class Plain>
base::json::value or_null(const std::optional<Plain>& known) {
  return known ? base::json::value(*known) : base::json::value();
}

// The value as it is, null where there is none.
inline base::json::value value_in(const base::json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value ? *value : base::json::value();
}

}  // namespace flow::lab
