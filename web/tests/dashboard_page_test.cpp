// SPDX-License-Identifier: Apache-2.0
#include "web/dashboard_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::web {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(DashboardPage, LoadsItsOwnScriptAndStyleAndNothingElse) {
  const std::string_view page = dashboard_html();

  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("src=\"/dashboard.js\""));
  EXPECT_THAT(page, HasSubstr("href=\"/dashboard.css\""));
  EXPECT_THAT(page, Not(HasSubstr("http")));
}

// The server forbids script and style inside the page.
TEST(DashboardPage, HoldsNoScriptOrStyleOfItsOwn) {
  const std::string_view page = dashboard_html();

  EXPECT_THAT(page, Not(HasSubstr("<style")));
  EXPECT_THAT(page, Not(HasSubstr("style=")));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

TEST(DashboardPage, IsSmall) {
  EXPECT_GT(dashboard_script().size(), 10'000u);
  EXPECT_LT(dashboard_script().size(), 100'000u);
  EXPECT_GT(dashboard_style().size(), 1'000u);
}

}  // namespace
}  // namespace flow::web
