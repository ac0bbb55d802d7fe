// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::net {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(HttpUrl, ReadsHostPortAndPath) {
  EXPECT_EQ(parse_http_url("http://127.0.0.1:8082/api/v1").value(),
            (HttpUrl{"127.0.0.1", 8082, "/api/v1"}));
  EXPECT_EQ(parse_http_url("http://shop").value(), (HttpUrl{"shop", 80, ""}));
}

TEST(HttpUrl, LeavesOffTheSlashAtTheEnd) {
  EXPECT_EQ(parse_http_url("http://shop/").value().path, "");
  EXPECT_EQ(parse_http_url("http://shop/api//").value().path, "/api");
}

TEST(HttpUrl, ReadsAnIpv6HostAndBracketsItAgain) {
  const HttpUrl url = parse_http_url("http://[::1]:8080").value();

  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.authority(), "[::1]:8080");
}

// Each of these would otherwise run against something else than the operator meant.
TEST(HttpUrl, RefusesWhatItCannotMean) {
  for (const std::string_view text : {"", "shop:8082", "https://shop", "http://", "http://shop:0",
                                      "http://shop:65536", "http://shop:http", "http://me@shop",
                                      "http://shop/?a=b", "http://shop/#top", "http:// shop"}) {
    SCOPED_TRACE(text);
    const auto url = parse_http_url(text);
    ASSERT_FALSE(url.has_value());
    EXPECT_EQ(url.error().code, Errc::config);
    EXPECT_THAT(url.error().what, HasSubstr(std::string(text)));
    EXPECT_THAT(url.error().what, HasSubstr("expected http://host"));
  }
}

TEST(HostPorts, ReadsAListAndKeepsItsOrder) {
  EXPECT_THAT(parse_host_ports("b:9092,a:9093,[::1]:9094").value(),
              ElementsAre(HostPort{"b", 9092}, HostPort{"a", 9093}, HostPort{"::1", 9094}));
}

TEST(HostPorts, NamesThePartThatIsWrong) {
  for (const std::string_view part :
       {"", "b", ":9092", "b:", "b:0", "b:65536", "b:-1", "b:9092x", "b: 9092"}) {
    SCOPED_TRACE(part);
    const auto parsed = parse_host_ports("a:1," + std::string(part));
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::config);
    EXPECT_THAT(parsed.error().what, HasSubstr("'" + std::string(part) + "'"));
  }
}

}  // namespace
}  // namespace flow::net
