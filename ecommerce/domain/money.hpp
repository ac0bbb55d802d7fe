// Amounts of money as the database keeps them: whole hundredths in 128 bits, so that numeric(38,2)
// fits exactly. No floating point comes near an amount.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow::ecommerce {

__extension__ using Int128 = __int128;

class Money {
 public:
  static constexpr int integer_digits_max = 36;  // numeric(38,2)

  constexpr Money() = default;
  static constexpr Money from_hundredths(Int128 hundredths) { return Money(hundredths); }

  // A decimal number as JSON and PostgreSQL write them ("10.50", "-3", "1e3", "1.005"), rounded to
  // hundredths half away from zero, as PostgreSQL rounds. nullopt: not such a number, or more than
  // 36 digits before the point.
  static std::optional<Money> parse(std::string_view text);

  constexpr Int128 hundredths() const { return hundredths_; }
  constexpr bool is_negative() const { return hundredths_ < 0; }

  // Always two decimals: "10.50", "-0.05".
  void append_to(std::string& out) const;
  std::string text() const;

  constexpr auto operator<=>(const Money&) const = default;

 private:
  explicit constexpr Money(Int128 hundredths) : hundredths_(hundredths) {}
  Int128 hundredths_ = 0;
};

// The digits before the point of a decimal number ("1.999" is 1, "-0.5" is 0, "1e2" is 100);
// nullopt: no number, or out of range.
std::optional<std::int64_t> parse_whole_part(std::string_view text);

}  // namespace flow::ecommerce
