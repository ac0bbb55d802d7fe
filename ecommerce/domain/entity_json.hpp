// The JSON of users, products and orders: the body of an answer and, byte for byte, the value of an
// event. Fixed field order, nulls written, times in integer milliseconds, money with two decimals.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ecommerce/domain/entities.hpp"

namespace flow::ecommerce {

void append_json(std::string& out, const User& user);
void append_json(std::string& out, const Product& product);
void append_json(std::string& out, const Order& order);

// A JSON string with its quotes; `text` is UTF-8. Escaped: quote, backslash, control characters.
void append_json_text(std::string& out, std::string_view text);

template <class Entity>
std::string to_json(const Entity& entity) {
  std::string out;
  out.reserve(320);
  append_json(out, entity);
  return out;
}

}  // namespace flow::ecommerce
