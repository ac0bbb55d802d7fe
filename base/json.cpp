// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

namespace flow::base {
namespace {

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "a whole number";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "?";
}

bool is_scalar(const json::value& value) { return !value.is_object() && !value.is_array(); }

// Boost.JSON writes 0.705 as 7.05E-1; people read this. Shortest text that reads back the same.
std::string number_text(double number) {
  if (!std::isfinite(number)) return "null";
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void write_scalar(std::string& out, const json::value& value) {
  const auto* number = value.if_double();
  out += number ? number_text(*number) : json::serialize(value);
}

void write_pretty(std::string& out, const json::value& value, std::size_t depth) {
  const std::string indent(2 * (depth + 1), ' ');
  if (const auto* object = value.if_object(); object && !object->empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ",\n";
      first = false;
      out += indent + json::serialize(json::string(key)) + ": ";
      write_pretty(out, member, depth + 1);
    }
    out += "\n" + indent.substr(2) + "}";
  } else if (const auto* array = value.if_array();
             array && !std::ranges::all_of(*array, is_scalar)) {
    out += "[\n";
    bool first = true;
    for (const auto& member : *array) {
      if (!first) out += ",\n";
      first = false;
      out += indent;
      write_pretty(out, member, depth + 1);
    }
    out += "\n" + indent.substr(2) + "]";
  } else if (const auto* scalars = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < scalars->size(); ++i) {
      if (i > 0) out += ", ";
      write_scalar(out, (*scalars)[i]);
    }
    out += ']';
  } else {
    write_scalar(out, value);
  }
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::string_view name) {
  boost::system::error_code error;
  json::stream_parser parser;
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size() &&
      text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
    error = json::error::extra_data;
  }
  if (!error) parser.finish(error);
  if (error) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(used), '\n');
    return fail(Errc::config, "{}: line {}: not JSON: {}", name, line, error.message());
  }
  return parser.release();
}

Result<json::value> read_json_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::config, "{}: cannot be opened", path);
  std::stringstream text;
  text << file.rdbuf();
  return parse_json(text.str(), path);
}

std::string pretty_json(const json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  out += '\n';
  return out;
}

std::unexpected<Error> JsonView::expected(std::string_view what) const {
  return fail(Errc::config, "{}: expected {}, found {}", path_, what, kind_name(*value_));
}

Result<JsonView> JsonView::at(std::string_view key) const {
  const auto* object = value_->if_object();
  if (!object) return expected("an object");
  const auto* member = object->if_contains(key);
  if (!member) return fail(Errc::config, "{}: the key '{}' is missing", path_, key);
  return JsonView(*member, path_ + "/" + std::string(key));
}

Result<std::string_view> JsonView::text() const {
  const auto* text = value_->if_string();
  if (!text) return expected("a string");
  return std::string_view(*text);
}

Result<std::int64_t> JsonView::whole_number() const {
  if (const auto* number = value_->if_int64()) return *number;
  if (const auto* number = value_->if_uint64(); number && *number <= INT64_MAX) {
    return static_cast<std::int64_t>(*number);
  }
  return expected("a whole number below 2^63");
}

Result<double> JsonView::number() const {
  if (const auto* number = value_->if_double()) return *number;
  if (const auto* number = value_->if_int64()) return static_cast<double>(*number);
  if (const auto* number = value_->if_uint64()) return static_cast<double>(*number);
  return expected("a number");
}

Result<bool> JsonView::boolean() const {
  if (const auto* boolean = value_->if_bool()) return *boolean;
  return expected("true or false");
}

Result<const json::array*> JsonView::array() const {
  if (const auto* array = value_->if_array()) return array;
  return expected("an array");
}

Result<const json::object*> JsonView::object() const {
  if (const auto* object = value_->if_object()) return object;
  return expected("an object");
}

}  // namespace flow::base
