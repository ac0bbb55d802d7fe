// SPDX-License-Identifier: Apache-2.0
#include "lab/result/result_name.hpp"

#include <gtest/gtest.h>

namespace flow::lab {
namespace {

TEST(ResultName, TakesWhatAPersonMayCallAFolder) {
  for (const auto* name :
       {"20261123T101500Z-demo", "a b", "…", "größer", "日本", "a%2fb", "<b>", "...", "😀"}) {
    EXPECT_TRUE(can_be_shown(name)) << name;
  }
}

TEST(ResultName, RefusesWhatAPageCannotSendBack) {
  for (const auto* name :
       {"", ".", "..", "a/b", "/", "a\nb", "\x7f", "\xff", "a\xc3", "\xc0\x80", "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf", "\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(can_be_shown(name)) << name;
  }
}

}  // namespace
}  // namespace flow::lab
