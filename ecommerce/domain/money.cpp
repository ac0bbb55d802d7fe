// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/money.hpp"

#include <algorithm>
#include <charconv>

namespace flow::ecommerce {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// An exponent beyond any that matters is clamped, so that "1e999999999999" costs nothing.
std::optional<long> take_exponent(std::string_view& text) {
  constexpr long clamp = 1'000'000;
  if (!take(text, 'e') && !take(text, 'E')) return 0;
  const bool negative = take(text, '-');
  if (!negative) take(text, '+');
  std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  long value = clamp;
  if (digits.size() < 7) std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return negative ? -value : value;
}

// A decimal number as its digits without leading zeros; the point stands before digits[point].
struct Digits {
  bool negative = false;
  std::string digits;
  long point = 0;

  int at(long index) const {
    const bool inside = index >= 0 && index < static_cast<long>(digits.size());
    return inside ? digits[static_cast<std::size_t>(index)] - '0' : 0;
  }
  // The digits before `end`, zeros included, as a number; the caller bounds `end`.
  Int128 value_before(long end) const {
    Int128 value = 0;
    for (long i = 0; i < end; ++i) value = value * 10 + at(i);
    return value;
  }
};

std::optional<Digits> parse_digits(std::string_view text) {
  Digits number;
  number.negative = take(text, '-');
  if (!number.negative) take(text, '+');
  const std::string_view whole = take_digits(text);
  const std::string_view fraction = take(text, '.') ? take_digits(text) : std::string_view{};
  if (whole.empty() && fraction.empty()) return std::nullopt;
  const auto exponent = take_exponent(text);
  if (!exponent || !text.empty()) return std::nullopt;
  number.digits = whole;
  number.digits += fraction;
  const std::size_t zeros = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  number.digits.erase(0, zeros);
  number.point = static_cast<long>(whole.size()) + *exponent - static_cast<long>(zeros);
  if (number.digits.empty()) number.point = 0;
  return number;
}

constexpr Int128 power_of_ten(int exponent) {
  Int128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

}  // namespace

std::optional<Money> Money::parse(std::string_view text) {
  const auto number = parse_digits(text);
  if (!number || number->point > integer_digits_max) return std::nullopt;
  Int128 hundredths = number->value_before(number->point + 2);
  if (number->at(number->point + 2) >= 5) ++hundredths;
  // Rounding up may have made one digit more.
  if (hundredths >= power_of_ten(integer_digits_max + 2)) return std::nullopt;
  return Money(number->negative ? -hundredths : hundredths);
}

std::optional<std::int64_t> parse_whole_part(std::string_view text) {
  const auto number = parse_digits(text);
  if (!number || number->point > 19) return std::nullopt;
  const Int128 whole = number->value_before(number->point) * (number->negative ? -1 : 1);
  if (whole < INT64_MIN || whole > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(whole);
}

void Money::append_to(std::string& out) const {
  char buffer[48];
  char* const end = buffer + sizeof(buffer);
  char* begin = end;
  __extension__ using UInt128 = unsigned __int128;
  UInt128 rest =
      hundredths_ < 0 ? -static_cast<UInt128>(hundredths_) : static_cast<UInt128>(hundredths_);
  for (int written = 0; rest != 0 || written < 3; ++written) {
    if (written == 2) *--begin = '.';
    *--begin = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (hundredths_ < 0) *--begin = '-';
  out.append(begin, end);
}

std::string Money::text() const {
  std::string out;
  append_to(out);
  return out;
}

}  // namespace flow::ecommerce
