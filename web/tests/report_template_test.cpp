// SPDX-License-Identifier: Apache-2.0
#include "web/report_template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::web {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ReportTemplate, HoldsTheMarkerOnceAsTheWholeTextOfItsScript) {
  const std::string_view page = report_template();

  const std::string_view marker = "/*FLOW_DATA*/";
  const std::string_view element =
      "<script type=\"application/json\" id=\"flow-data\">/*FLOW_DATA*/</script>";
  EXPECT_THAT(page, HasSubstr(element));
  EXPECT_EQ(page.find(marker), page.rfind(marker));
}

TEST(ReportTemplate, IsOneWholeDocumentThatLoadsNothing) {
  const std::string_view page = report_template();

  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, EndsWith("</html>\n"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("src=\"")));
  EXPECT_GT(page.size(), 100'000u);  // Script and style are inside.
}

}  // namespace
}  // namespace flow::web
