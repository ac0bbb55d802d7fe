// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/http/negotiation.hpp"

#include <string>

#include "net/http.hpp"

namespace flow::ecommerce {
namespace {

using net::equal_ignoring_case;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before `separator` off the front of `text`.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = trim(text.substr(0, at));
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return part;
}

bool is_json_name(std::string_view type) {
  constexpr std::string_view application = "application/";
  constexpr std::string_view suffix = "+json";
  if (equal_ignoring_case(type, "application/json")) return true;
  return type.size() > application.size() + suffix.size() &&
         equal_ignoring_case(type.substr(0, application.size()), application) &&
         equal_ignoring_case(type.substr(type.size() - suffix.size()), suffix);
}

bool is_range_over_json(std::string_view type) {
  return type == "*/*" || equal_ignoring_case(type, "application/*") || is_json_name(type) ||
         equal_ignoring_case(type, "application/*+json");
}

// "q=0", "q=0.0", …: not wanted.
bool is_zero_weight(std::string_view parameter) {
  if (parameter.size() < 3 || !equal_ignoring_case(parameter.substr(0, 2), "q=")) return false;
  return parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool is_json_type(std::string_view content_type) {
  if (!is_json_name(take_part(content_type, ';'))) return false;
  while (!content_type.empty()) {
    std::string_view parameter = take_part(content_type, ';');
    constexpr std::string_view charset = "charset=";
    if (parameter.size() < charset.size()) continue;
    if (!equal_ignoring_case(parameter.substr(0, charset.size()), charset)) continue;
    parameter.remove_prefix(charset.size());
    if (!equal_ignoring_case(parameter, "utf-8") && !equal_ignoring_case(parameter, "\"utf-8\"")) {
      return false;
    }
  }
  return true;
}

bool accepts_json(std::string_view accept) {
  if (trim(accept).empty()) return true;
  // The most specific range decides: a refusal of application/json beats a welcome to anything.
  bool accepted = false;
  while (!accept.empty()) {
    std::string_view range = take_part(accept, ',');
    const std::string_view type = take_part(range, ';');
    if (!is_range_over_json(type)) continue;
    bool is_refused = false;
    while (!range.empty()) is_refused = is_zero_weight(take_part(range, ';')) || is_refused;
    if (equal_ignoring_case(type, "application/json")) return !is_refused;
    if (!is_refused) accepted = true;
  }
  return accepted;
}

}  // namespace flow::ecommerce
