// SPDX-License-Identifier: Apache-2.0
#include "base/stamp.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/random.hpp"

namespace flow::base {
namespace {

// The specification asks to propagate 512 bytes; "flow=" with 19 digits and a comma takes 25.
constexpr std::size_t other_state_bytes_max = 512 - 25;
constexpr std::size_t tracestate_read_max = 8192;

// Lower case only, as the specification demands.
std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<UnixNanos> parse_intended(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return UnixNanos{value};
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' ||
         c == '/' || c == '@';
}

// A list member "key=value" as the specification has it: no control characters, so that a hostile
// state cannot end a header line.
bool is_member(std::string_view member) {
  const std::size_t equals = member.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals > 256) return false;
  const std::string_view value = member.substr(equals + 1);
  if (value.empty() || value.size() > 256) return false;
  return std::ranges::all_of(member.substr(0, equals), is_key_character) &&
         std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7e && c != '='; });
}

// Takes the members of a state that is well formed as a whole; else leaves `stamp` as it is.
// Members that would make the state of the next hop too long are left out, as the specification
// allows.
void parse_tracestate(std::string_view text, Stamp& stamp) {
  if (text.size() > tracestate_read_max) return;
  std::optional<UnixNanos> intended;
  bool has_flow = false;
  std::string others;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view member = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    if (member.empty()) continue;  // Allowed.
    if (!is_member(member)) return;
    if (member.starts_with("flow=")) {
      if (!has_flow) intended = parse_intended(member.substr(5));
      has_flow = true;
    } else if (others.size() + member.size() + 1 <= other_state_bytes_max) {
      if (!others.empty()) others += ',';
      others += member;
    }
  }
  stamp.intended = intended;
  stamp.other_state = std::move(others);
}

}  // namespace

std::string format_trace_id(std::uint64_t trial, std::uint64_t request) {
  return fmt::format("{:016x}{:016x}", trial, request);
}

std::string format_traceparent(const Stamp& stamp) {
  return fmt::format("00-{}-{:016x}-01", format_trace_id(stamp.trial, stamp.request), stamp.parent);
}

std::string format_tracestate(const Stamp& stamp) {
  if (!stamp.intended) return stamp.other_state;
  const char* comma = stamp.other_state.empty() ? "" : ",";
  return fmt::format("flow={}{}{}", count(*stamp.intended), comma, stamp.other_state);
}

std::optional<Stamp> parse_stamp(std::string_view traceparent, std::string_view tracestate) {
  constexpr std::size_t length = 55;  // "00-" + 32 + "-" + 16 + "-" + 2
  if (traceparent.size() < length) return std::nullopt;
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') {
    return std::nullopt;
  }
  const auto version = parse_hex(traceparent.substr(0, 2));
  if (!version || *version == 0xff) return std::nullopt;
  if (traceparent.size() > length && (*version == 0 || traceparent[length] != '-')) {
    return std::nullopt;
  }
  const auto trial = parse_hex(traceparent.substr(3, 16));
  const auto request = parse_hex(traceparent.substr(19, 16));
  const auto parent = parse_hex(traceparent.substr(36, 16));
  if (!trial || !request || !parent || !parse_hex(traceparent.substr(53, 2))) return std::nullopt;
  if ((*trial == 0 && *request == 0) || *parent == 0) return std::nullopt;
  Stamp stamp{
      .trial = *trial, .request = *request, .parent = *parent, .intended = {}, .other_state = {}};
  parse_tracestate(tracestate, stamp);
  return stamp;
}

Stamp next_hop(const Stamp& stamp) {
  Stamp next = stamp;
  next.parent = derive_seed(stamp.parent, stamp.request);
  if (next.parent == 0) next.parent = 1;
  return next;
}

}  // namespace flow::base
