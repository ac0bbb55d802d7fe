// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/json_input.hpp"

#include <algorithm>
#include <cstdint>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace flow::ecommerce {
namespace {

using boost::system::error_code;
using View = boost::json::string_view;

// Builds the tree; `open_` is the path from the root to the container that is being filled.
class Builder {
 public:
  static constexpr std::size_t max_object_size = json_values_max;
  static constexpr std::size_t max_array_size = json_values_max;
  static constexpr std::size_t max_key_size = 64 * 1024;
  static constexpr std::size_t max_string_size = 1024 * 1024;

  JsonInput take() { return std::move(root_); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code& error) { return open(JsonInput::Kind::array, error); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_object_begin(error_code& error) { return open(JsonInput::Kind::object, error); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(View part, std::size_t, error_code&) { return collect(part); }
  bool on_key(View part, std::size_t, error_code&) {
    collect(part);
    key_ = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(View part, std::size_t, error_code&) { return collect(part); }
  bool on_string(View part, std::size_t, error_code& error) {
    collect(part);
    return add(JsonInput::Kind::text, error);
  }
  bool on_number_part(View part, error_code&) { return collect(part); }
  bool on_int64(std::int64_t, View part, error_code& error) { return number(part, error); }
  bool on_uint64(std::uint64_t, View part, error_code& error) { return number(part, error); }
  bool on_double(double, View part, error_code& error) { return number(part, error); }
  bool on_bool(bool value, error_code& error) {
    text_ = value ? "true" : "false";
    return add(JsonInput::Kind::boolean, error);
  }
  bool on_null(error_code& error) { return add(JsonInput::Kind::null, error); }
  bool on_comment_part(View, error_code&) { return true; }
  bool on_comment(View, error_code&) { return true; }

 private:
  bool collect(View part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool number(View part, error_code& error) {
    collect(part);
    return add(JsonInput::Kind::number, error);
  }

  // The place for the next value: the root, a new item, or the member `key_`.
  JsonInput* place(error_code& error) {
    if (++values_ > json_values_max) {
      error = boost::json::error::array_too_large;
      return nullptr;
    }
    if (open_.empty()) return &root_;
    JsonInput& parent = *open_.back();
    if (parent.kind == JsonInput::Kind::array) return &parent.items.emplace_back();
    return &parent.members.emplace_back(std::move(key_), JsonInput{}).second;
  }
  bool add(JsonInput::Kind kind, error_code& error) {
    JsonInput* value = place(error);
    if (value == nullptr) return false;
    value->kind = kind;
    value->text = std::exchange(text_, {});
    return true;
  }
  // A pointer into a vector of the parent stays valid while its child is open: the parent only
  // grows after the child is closed.
  bool open(JsonInput::Kind kind, error_code& error) {
    if (!add(kind, error)) return false;
    if (open_.empty()) {
      open_.push_back(&root_);
    } else {
      JsonInput& parent = *open_.back();
      open_.push_back(parent.kind == JsonInput::Kind::array ? &parent.items.back()
                                                            : &parent.members.back().second);
    }
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  JsonInput root_;
  std::vector<JsonInput*> open_;
  std::string key_;
  std::string text_;
  std::size_t values_ = 0;
};

}  // namespace

const JsonInput* JsonInput::find(std::string_view key) const {
  const auto found = std::find_if(members.rbegin(), members.rend(),
                                  [&](const auto& member) { return member.first == key; });
  return found == members.rend() ? nullptr : &found->second;
}

std::expected<JsonInput, std::string> parse_json_input(std::string_view body) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::basic_parser<Builder> parser(options);
  error_code error;
  const std::size_t read = parser.write_some(false, body.data(), body.size(), error);
  if (error == boost::json::error::incomplete) {
    return std::unexpected(std::string("the JSON value ends too early"));
  }
  if (error) return std::unexpected(fmt::format("{} near byte {}", error.message(), read));
  return parser.handler().take();
}

}  // namespace flow::ecommerce
