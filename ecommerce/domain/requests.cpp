// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/requests.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "ecommerce/domain/json_input.hpp"

namespace flow::ecommerce {
namespace {

using Kind = JsonInput::Kind;

constexpr std::size_t long_text_max = 255;  // Characters, as the tables' columns count them.
constexpr std::size_t name_max = 50;
constexpr std::size_t currency_length = 3;

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// A whole number as a client may send it: a JSON number, whose fraction is cut, or text with one.
std::optional<std::int64_t> to_whole(const JsonInput& value) {
  std::string_view text = trim(value.text);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, whole);
  if (error == std::errc{} && stop == end) return whole;
  return value.kind == Kind::number ? parse_whole_part(text) : std::nullopt;
}

// Reads the members of one JSON object and collects what is wrong with them.
class Reader {
 public:
  explicit Reader(std::string_view body) {
    auto parsed = parse_json_input(body);
    if (!parsed) {
      unreadable("body", parsed.error());
      return;
    }
    root_ = std::move(*parsed);
    if (root_.kind != Kind::object) unreadable("body", "must be a JSON object");
  }

  const JsonInput& root() const { return root_; }
  bool failed() const { return !invalid_.errors.empty(); }
  std::size_t error_count() const { return invalid_.errors.size(); }
  Invalid take_invalid() { return std::move(invalid_); }

  void unreadable(std::string field, std::string message) {
    invalid_.unreadable = true;
    reject(std::move(field), std::move(message));
  }
  void reject(std::string field, std::string message) {
    invalid_.errors.push_back({std::move(field), std::move(message)});
  }

  // null and absent are the same. Numbers and booleans are taken as their text.
  std::optional<std::string> text(const JsonInput& object, std::string_view key,
                                  const std::string& prefix = {}) {
    const JsonInput* value = object.find(key);
    if (value == nullptr || value->kind == Kind::null) return std::nullopt;
    if (value->kind == Kind::array || value->kind == Kind::object) {
      unreadable(prefix + std::string(key), "must be text");
      return std::nullopt;
    }
    if (value->text.find('\0') != std::string::npos) {
      reject(prefix + std::string(key), "must not contain the character U+0000");
      return std::nullopt;
    }
    return value->text;
  }

  std::optional<Money> money(const JsonInput& object, std::string_view key) {
    const JsonInput* value = scalar(object, key, {});
    if (value == nullptr) return std::nullopt;
    const std::string_view sent = trim(value->text);
    const auto amount = Money::parse(sent);
    if (amount) return amount;
    const bool is_number = value->kind == Kind::number ||
                           sent.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_number) {
      reject(std::string(key), fmt::format("must have at most {} digits before the point",
                                           Money::integer_digits_max));
    } else {
      unreadable(std::string(key), "must be a number");
    }
    return std::nullopt;
  }

  std::optional<std::int64_t> whole(const JsonInput& object, std::string_view key,
                                    const std::string& prefix, std::int64_t lowest,
                                    std::int64_t highest) {
    const JsonInput* value = scalar(object, key, prefix);
    if (value == nullptr) return std::nullopt;
    const auto number = to_whole(*value);
    if (number && *number >= lowest && *number <= highest) return number;
    unreadable(prefix + std::string(key),
               fmt::format("must be a whole number from {} to {}", lowest, highest));
    return std::nullopt;
  }

 private:
  // nullptr for what counts as absent (null, empty text) and for what was rejected here.
  const JsonInput* scalar(const JsonInput& object, std::string_view key,
                          const std::string& prefix) {
    const JsonInput* value = object.find(key);
    if (value == nullptr || value->kind == Kind::null) return nullptr;
    const bool fits = value->kind == Kind::number || value->kind == Kind::text;
    if (!fits) unreadable(prefix + std::string(key), "must be a number");
    return fits && !trim(value->text).empty() ? value : nullptr;
  }

  JsonInput root_;
  Invalid invalid_;
};

// A text of one to `longest` characters that is not only space.
std::string required(Reader& reader, const char* field, std::size_t longest) {
  const std::size_t errors = reader.error_count();
  const auto text = reader.text(reader.root(), field);
  if (reader.error_count() > errors) return {};
  if (!text || is_blank(*text)) {
    reader.reject(field, "must not be blank");
    return {};
  }
  if (characters(*text) > longest) {
    reader.reject(field, fmt::format("must have at most {} characters", longest));
  }
  return *text;
}

std::optional<std::string> optional_text(Reader& reader, const char* field, std::size_t longest) {
  auto text = reader.text(reader.root(), field);
  if (text && characters(*text) > longest) {
    reader.reject(field, fmt::format("must have at most {} characters", longest));
  }
  return text;
}

void check_currency(Reader& reader, const std::string& currency) {
  if (!is_blank(currency) && characters(currency) != currency_length) {
    reader.reject("currency", "must have exactly 3 characters");
  }
}

void check_price(Reader& reader, const std::optional<Money>& price) {
  if (price && price->is_negative()) reader.reject("price", "must not be negative");
}

std::optional<NewOrderItem> read_item(Reader& reader, const JsonInput& value, std::size_t index) {
  const std::string path = fmt::format("orderItems[{}]", index);
  if (value.kind != Kind::object) {
    reader.unreadable(path, "must be a JSON object");
    return std::nullopt;
  }
  const std::string prefix = path + ".";
  const auto read = [&](const char* key, std::int64_t lowest, std::int64_t highest) {
    const std::size_t errors = reader.error_count();
    const auto number = reader.whole(value, key, prefix, lowest, highest);
    if (!number && reader.error_count() == errors) reader.reject(prefix + key, "must not be null");
    return number;
  };
  const auto product = read("productId", INT64_MIN, INT64_MAX);
  const auto quantity = read("quantity", INT32_MIN, INT32_MAX);
  if (quantity && *quantity < 1) reader.reject(prefix + "quantity", "must be at least 1");
  if (!product || !quantity) return std::nullopt;
  return NewOrderItem{*product, static_cast<std::int32_t>(*quantity)};
}

}  // namespace

std::optional<FieldError> check_email(std::string_view email) {
  if (is_blank(email)) return FieldError{"email", "must not be blank"};
  if (characters(email) > long_text_max) {
    return FieldError{"email", "must have at most 255 characters"};
  }
  return std::nullopt;
}

std::optional<FieldError> check_password(std::string_view password) {
  if (is_blank(password)) return FieldError{"password", "must not be blank"};
  if (password.size() > password_bytes_max) {
    return FieldError{"password", "must have at most 72 bytes"};
  }
  return std::nullopt;
}

Input<RegisterRequest> read_register(std::string_view body) {
  Reader reader(body);
  RegisterRequest request;
  if (!reader.failed()) {
    request.email = required(reader, "email", long_text_max);
    request.password = required(reader, "password", SIZE_MAX);
    if (request.password.size() > password_bytes_max) {
      reader.reject("password", "must have at most 72 bytes");
    }
    request.first_name = required(reader, "firstName", name_max);
    request.last_name = optional_text(reader, "lastName", name_max);
  }
  if (reader.failed()) return std::unexpected(reader.take_invalid());
  return request;
}

Input<SigninRequest> read_signin(std::string_view body) {
  Reader reader(body);
  SigninRequest request;
  if (!reader.failed()) {
    request.email = reader.text(reader.root(), "email").value_or(std::string{});
    request.password = reader.text(reader.root(), "password").value_or(std::string{});
  }
  if (reader.failed()) return std::unexpected(reader.take_invalid());
  return request;
}

Input<NewProduct> read_new_product(std::string_view body) {
  Reader reader(body);
  NewProduct product;
  if (!reader.failed()) {
    product.name = required(reader, "name", long_text_max);
    const std::size_t errors = reader.error_count();
    const auto price = reader.money(reader.root(), "price");
    if (!price && reader.error_count() == errors) reader.reject("price", "must not be null");
    check_price(reader, price);
    product.price = price.value_or(Money{});
    product.currency = required(reader, "currency", long_text_max);
    check_currency(reader, product.currency);
    product.category = optional_text(reader, "category", long_text_max);
    product.description = optional_text(reader, "description", long_text_max);
  }
  if (reader.failed()) return std::unexpected(reader.take_invalid());
  return product;
}

Input<ProductPatch> read_product_patch(std::string_view body) {
  Reader reader(body);
  ProductPatch patch;
  if (!reader.failed()) {
    patch.name = optional_text(reader, "name", long_text_max);
    if (patch.name && is_blank(*patch.name)) reader.reject("name", "must not be blank");
    patch.price = reader.money(reader.root(), "price");
    check_price(reader, patch.price);
    patch.currency = optional_text(reader, "currency", long_text_max);
    if (patch.currency && is_blank(*patch.currency)) reader.reject("currency", "must not be blank");
    if (patch.currency) check_currency(reader, *patch.currency);
    patch.category = optional_text(reader, "category", long_text_max);
    patch.description = optional_text(reader, "description", long_text_max);
  }
  if (reader.failed()) return std::unexpected(reader.take_invalid());
  return patch;
}

Input<NewOrder> read_new_order(std::string_view body) {
  Reader reader(body);
  NewOrder order;
  const JsonInput* items = reader.failed() ? nullptr : reader.root().find("orderItems");
  if (!reader.failed()) {
    if (items == nullptr || items->kind == Kind::null) {
      reader.reject("orderItems", "must not be null");
    } else if (items->kind != Kind::array) {
      reader.unreadable("orderItems", "must be a JSON array");
    } else if (items->items.size() > order_items_max) {
      reader.reject("orderItems", fmt::format("must have at most {} items", order_items_max));
    } else {
      for (std::size_t i = 0; i < items->items.size(); ++i) {
        if (auto item = read_item(reader, items->items[i], i)) order.items.push_back(*item);
      }
    }
  }
  if (reader.failed()) return std::unexpected(reader.take_invalid());
  return order;
}

Input<void> read_cancel(std::string_view body) {
  Reader reader(body);
  if (!reader.failed()) reader.text(reader.root(), "reason");
  if (reader.failed()) return std::unexpected(reader.take_invalid());
  return {};
}

}  // namespace flow::ecommerce
