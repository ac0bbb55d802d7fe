// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gmock/gmock.h>

namespace flow::base {
namespace {

using std::chrono::seconds;

TEST(ClockAnchor, TranslatesBothWays) {
  const auto anchor = ClockAnchor::from_offset(Nanos{1'000'000'000'000'000'007});
  const TimePoint at{Nanos{123'456'789}};

  EXPECT_EQ(count(anchor.to_unix(at)), 1'000'000'000'123'456'796);
  EXPECT_EQ(anchor.from_unix(anchor.to_unix(at)), at);
  EXPECT_EQ(anchor.offset(), Nanos{1'000'000'000'000'000'007});
}

TEST(ClockAnchor, KeepsDifferencesWhateverTheOffset) {
  const TimePoint first{seconds(5)};
  const TimePoint second{seconds(7)};
  for (const std::int64_t offset : {-5LL, 0LL, 1'700'000'000'000'000'000LL}) {
    const auto anchor = ClockAnchor::from_offset(Nanos{offset});
    EXPECT_EQ(anchor.to_unix(second) - anchor.to_unix(first), second - first);
  }
}

TEST(UnixNanos, AddsAndSubtracts) {
  const UnixNanos at{100};
  EXPECT_EQ((at + Nanos{5}) - at, Nanos{5});
  EXPECT_EQ(at - (at + Nanos{5}), Nanos{-5});
}

}  // namespace
}  // namespace flow::base
