// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/entity_json.hpp"

#include <charconv>

namespace flow::ecommerce {
namespace {

void append_number(std::string& out, std::int64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  out.append(buffer, end);
}

void append_text_or_null(std::string& out, const std::optional<std::string>& text) {
  if (text) {
    append_json_text(out, *text);
  } else {
    out += "null";
  }
}

void append_times(std::string& out, EpochMillis created_at, EpochMillis updated_at) {
  out += ",\"createdAt\":";
  append_number(out, created_at);
  out += ",\"updatedAt\":";
  append_number(out, updated_at);
}

void append_escape(std::string& out, char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto value = static_cast<unsigned char>(c);
  out += "\\u00";
  out += digits[value >> 4];
  out += digits[value & 15];
}

void append_json(std::string& out, const OrderItem& item) {
  out += "{\"id\":";
  append_number(out, item.id);
  out += ",\"productId\":";
  append_number(out, item.product_id);
  out += ",\"quantity\":";
  append_number(out, item.quantity);
  out += ",\"pricePerUnit\":";
  item.price_per_unit.append_to(out);
  out += ",\"currency\":";
  append_json_text(out, item.currency);
  append_times(out, item.created_at, item.updated_at);
  out += '}';
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, copied, i - copied);
    append_escape(out, c);
    copied = i + 1;
  }
  out.append(text, copied);
  out += '"';
}

void append_json(std::string& out, const User& user) {
  out += "{\"id\":";
  append_number(out, user.id);
  out += ",\"email\":";
  append_json_text(out, user.email);
  out += ",\"firstName\":";
  append_json_text(out, user.first_name);
  out += ",\"lastName\":";
  append_text_or_null(out, user.last_name);
  append_times(out, user.created_at, user.updated_at);
  out += ",\"enabled\":true,\"authorities\":[],\"username\":";
  append_json_text(out, user.email);
  out += ",\"accountNonExpired\":true,\"accountNonLocked\":true,\"credentialsNonExpired\":true}";
}

void append_json(std::string& out, const Product& product) {
  out += "{\"id\":";
  append_number(out, product.id);
  out += ",\"name\":";
  append_json_text(out, product.name);
  out += ",\"price\":";
  product.price.append_to(out);
  out += ",\"currency\":";
  append_json_text(out, product.currency);
  out += ",\"category\":";
  append_text_or_null(out, product.category);
  out += ",\"description\":";
  append_text_or_null(out, product.description);
  append_times(out, product.created_at, product.updated_at);
  out += '}';
}

void append_json(std::string& out, const Order& order) {
  out += "{\"id\":";
  append_number(out, order.id);
  out += ",\"userId\":";
  append_number(out, order.user_id);
  out += ",\"orderItems\":[";
  for (const OrderItem& item : order.items) {
    if (&item != &order.items.front()) out += ',';
    append_json(out, item);
  }
  out += "],\"totalAmount\":";
  order.total_amount.append_to(out);
  out += ",\"currency\":";
  append_json_text(out, order.currency);
  out += ",\"currentStatus\":";
  append_number(out, static_cast<std::int32_t>(order.status));
  append_times(out, order.created_at, order.updated_at);
  out += '}';
}

}  // namespace flow::ecommerce
