// SPDX-License-Identifier: Apache-2.0
#include "analytics/rest.hpp"

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t words_bytes_max = 300;

bool is_good(int status) { return status >= 200 && status < 300; }

// Cut between two characters of UTF-8.
std::string shortened(std::string text) {
  if (text.size() <= words_bytes_max) return text;
  std::size_t end = words_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

std::string_view trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

// "Caused by: java.lang.NumberFormatException: For input string" without the two beginnings.
std::string_view without_class(std::string_view line) {
  constexpr std::string_view cause = "Caused by: ";
  if (line.starts_with(cause)) line.remove_prefix(cause.size());
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return line;
  const std::string_view name = line.substr(0, colon);
  const bool is_class =
      name.find('.') != std::string_view::npos && name.find(' ') == std::string_view::npos;
  return is_class ? line.substr(colon + 2) : line;
}

}  // namespace

std::string without_stack(std::string_view text) {
  std::string words;
  std::string_view last;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = without_class(trimmed(text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    // A cause often repeats what the exception around it said.
    if (line.empty() || line.starts_with("at ") || line.starts_with("...") || line == last)
      continue;
    if (!words.empty()) words += words.ends_with(':') ? " " : "; ";
    words += line;
    last = line;
    if (words.size() > words_bytes_max) break;
  }
  return shortened(std::move(words));
}

std::string words_of(const RestAnswer& answer) {
  if (const auto* object = answer.body.if_object()) {
    for (const std::string_view key : {"error", "message"}) {
      const auto* member = object->if_contains(key);
      if (member && member->is_string()) return without_stack(member->get_string());
    }
  }
  return answer.body.is_null() ? "no words" : shortened(base::json::serialize(answer.body));
}

std::unexpected<base::Error> refused(std::string_view call, const RestAnswer& answer) {
  const bool is_login = answer.status == 401 || answer.status == 403;
  return fail(is_login ? Errc::config : Errc::refused, "pinot: {}: HTTP {}: {}", call,
              answer.status, words_of(answer));
}

std::unexpected<base::Error> malformed(std::string_view subject, const base::Error& error) {
  return fail(Errc::protocol, "pinot: {}: {}", subject, error.what);
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

net::Task<Result<RestAnswer>> Rest::call(std::string method, std::string target, std::string body,
                                         base::TimePoint deadline) {
  net::HttpRequest request{
      .method = method, .target = target, .headers = {}, .body = std::move(body)};
  request.headers.add("Accept", "application/json");
  request.headers.add("Content-Type", "application/json");
  if (!authorization_.empty()) request.headers.add("Authorization", authorization_);
  const Result<net::HttpResponse> response = co_await http_.request(std::move(request), deadline);
  if (!response) co_return base::with_context("pinot", response.error());
  RestAnswer answer{.status = response->status, .body = nullptr};
  if (response->body.empty()) co_return answer;
  auto parsed = base::parse_json(response->body, method + " " + target);
  if (parsed) {
    answer.body = std::move(*parsed);
  } else if (is_good(answer.status)) {
    co_return malformed(server().authority(), parsed.error());
  } else {
    answer.body = base::json::string(shortened(response->body));  // A proxy's page, say.
  }
  co_return answer;
}

net::Task<Result<base::json::value>> Rest::call_well(std::string method, std::string target,
                                                     std::string body, base::TimePoint deadline) {
  Result<RestAnswer> answer = co_await call(method, target, std::move(body), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  if (!is_good(answer->status)) co_return refused(method + " " + target, *answer);
  co_return std::move(answer->body);
}

}  // namespace flow::analytics
