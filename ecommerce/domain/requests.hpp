// What clients may ask for, read from JSON and checked completely: either a request in which every
// bound holds, or the list of everything that is wrong with it.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ecommerce/domain/entities.hpp"

namespace flow::ecommerce {

struct FieldError {
  std::string field;    // "orderItems[0].quantity"; "body" for the request as a whole.
  std::string message;  // "must be at least 1"
  bool operator==(const FieldError&) const = default;
};

struct Invalid {
  // No JSON, or a value of a type that does not fit; else a value outside its bounds.
  bool unreadable = false;
  std::vector<FieldError> errors;
};

template <class T>
using Input = std::expected<T, Invalid>;

struct RegisterRequest {
  std::string email;
  std::string password;
  std::string first_name;
  std::optional<std::string> last_name;
};

struct SigninRequest {  // A missing field is a wrong one, not an invalid request.
  std::string email;
  std::string password;
};

struct NewProduct {
  std::string name;
  Money price;
  std::string currency;
  std::optional<std::string> category;
  std::optional<std::string> description;
};

struct ProductPatch {  // Only what is set changes.
  std::optional<std::string> name;
  std::optional<Money> price;
  std::optional<std::string> currency;
  std::optional<std::string> category;
  std::optional<std::string> description;
};

struct NewOrderItem {
  Id product_id = 0;
  std::int32_t quantity = 0;
};

struct NewOrder {
  std::vector<NewOrderItem> items;  // May be empty.
};

inline constexpr std::size_t password_bytes_max = 72;  // bcrypt reads no more.
inline constexpr std::size_t order_items_max = 1000;

Input<RegisterRequest> read_register(std::string_view body);
Input<SigninRequest> read_signin(std::string_view body);
Input<NewProduct> read_new_product(std::string_view body);
Input<ProductPatch> read_product_patch(std::string_view body);
Input<NewOrder> read_new_order(std::string_view body);
Input<void> read_cancel(std::string_view body);  // {"reason"?}, which is kept nowhere.

// Shared with the flags that name the first admin.
std::optional<FieldError> check_email(std::string_view email);
std::optional<FieldError> check_password(std::string_view password);

}  // namespace flow::ecommerce
