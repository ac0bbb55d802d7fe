// SPDX-License-Identifier: Apache-2.0
#include "loadtest/request_writer.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/random.hpp"

namespace flow::loadtest {
namespace {

constexpr std::string_view api = "/api/v1";

void append_number(std::string& out, auto value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_hex(std::string& out, std::uint64_t value) {
  char digits[16];
  for (int i = 15; i >= 0; --i, value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
  out.append(digits, sizeof digits);
}

void append_body(std::string& out, std::string_view body) {
  out += "content-type: application/json\r\ncontent-length: ";
  append_number(out, body.size());
  out += "\r\n\r\n";
  out += body;
}

}  // namespace

std::uint64_t parent_of(std::uint64_t trial, std::uint64_t request) {
  const std::uint64_t parent = base::derive_seed(trial, request);
  return parent != 0 ? parent : 1;
}

RequestWriter::RequestWriter(const net::HttpUrl& base, std::uint64_t trial) : trial_(trial) {
  FLOW_CHECK(trial != 0);
  root_ = base.path.ends_with(api) ? base.path.substr(0, base.path.size() - api.size()) : base.path;
  list_head_ = fmt::format("GET {}{}/products", root_, api);
  view_head_ = fmt::format("GET {}{}/products/", root_, api);
  order_head_ = fmt::format("POST {}{}/orders", root_, api);
  post_head_ = fmt::format("POST {}{}", root_, api);
  fields_ = fmt::format(
      " HTTP/1.1\r\nhost: {}\r\nuser-agent: flow\r\naccept: */*\r\n"
      "traceparent: 00-{:016x}",
      base.authority(), trial);
}

void RequestWriter::write_list_products(std::string& out, RequestStamp stamp,
                                        std::string_view token) const {
  out = list_head_;
  write_tail(out, stamp, token);
  out += "\r\n";
}

void RequestWriter::write_view_product(std::string& out, RequestStamp stamp, std::string_view token,
                                       unsigned product) const {
  out = view_head_;
  append_number(out, product);
  write_tail(out, stamp, token);
  out += "\r\n";
}

void RequestWriter::write_place_order(std::string& out, RequestStamp stamp, std::string_view token,
                                      unsigned product, unsigned quantity) const {
  constexpr std::string_view before = R"({"orderItems":[{"productId":)";
  constexpr std::string_view between = R"(,"quantity":)";
  char body[96];
  char* end = before.copy(body, before.size()) + body;
  end = std::to_chars(end, body + sizeof body, product).ptr;
  end += between.copy(end, between.size());
  end = std::to_chars(end, body + sizeof body, quantity).ptr;
  for (const char c : {'}', ']', '}'}) *end++ = c;
  out = order_head_;
  write_tail(out, stamp, token);
  append_body(out, {body, static_cast<std::size_t>(end - body)});
}

void RequestWriter::write_post(std::string& out, RequestStamp stamp, std::string_view token,
                               std::string_view path, std::string_view body) const {
  out = post_head_;
  out += path;
  write_tail(out, stamp, token);
  append_body(out, body);
}

void RequestWriter::write_get(std::string& out, RequestStamp stamp, std::string_view target) const {
  out = "GET ";
  out += root_;
  out += target;
  write_tail(out, stamp, {});
  out += "\r\n";
}

// Everything between the target and the end of the header.
void RequestWriter::write_tail(std::string& out, RequestStamp stamp, std::string_view token) const {
  out += fields_;
  append_hex(out, stamp.request);
  out += '-';
  append_hex(out, parent_of(trial_, stamp.request));
  out += "-01\r\ntracestate: flow=";
  append_number(out, base::count(stamp.intended));
  out += "\r\n";
  if (token.empty()) return;
  out += "authorization: Bearer ";
  out += token;
  out += "\r\n";
}

}  // namespace flow::loadtest
