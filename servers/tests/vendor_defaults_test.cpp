// SPDX-License-Identifier: Apache-2.0
#include "servers/vendor_defaults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::servers {
namespace {

using base::json::array;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(VendorDefaults, ReadsAPropertiesFileWithoutItsComments) {
  const auto settings = parse_properties(
      "# journalSyncData=false is a comment\n\njournalSyncData=true\n  spaced = a b \r\nempty=\n"
      "twice=1\nno equals sign\n=no key\ntwice=2");

  EXPECT_THAT(settings, ElementsAre(Pair("journalSyncData", "true"), Pair("spaced", "a b"),
                                    Pair("empty", ""), Pair("twice", "2")));
  EXPECT_THAT(parse_properties(""), IsEmpty());
}

// Lines of kafka-configs of Kafka 4.3.1.
TEST(VendorDefaults, ReadsKafkasDefaultsFromItsSynonyms) {
  const auto defaults = parse_kafka_defaults(
      "All configs for broker 1 are:\n"
      "  log.dirs=/x sensitive=false synonyms={STATIC_BROKER_CONFIG:log.dirs=/x}\n"
      "  num.network.threads=5 sensitive=false "
      "synonyms={STATIC_BROKER_CONFIG:num.network.threads=5, "
      "DEFAULT_CONFIG:num.network.threads=3}\n"
      "  compression.type=producer sensitive=false "
      "synonyms={DEFAULT_CONFIG:compression.type=producer}\n"
      "  process.roles=broker,controller sensitive=false "
      "synonyms={STATIC_BROKER_CONFIG:process.roles=broker,controller, "
      "DEFAULT_CONFIG:process.roles=}\n"
      "  log.retention.ms=null sensitive=false synonyms={DEFAULT_CONFIG:log.retention.hours=168}\n"
      "  ssl.key.password=null sensitive=true synonyms={}\n");

  EXPECT_THAT(defaults,
              ElementsAre(Pair("num.network.threads", "3"), Pair("compression.type", "producer"),
                          Pair("process.roles", "")));
}

TEST(VendorDefaults, ListsWhatDiffersAndNothingElse) {
  const Settings defaults = {{"num.io.threads", "8"}, {"auto.create.topics.enable", "true"}};

  const auto found = differences_from(
      defaults,
      {{"num.io.threads", "8"}, {"auto.create.topics.enable", "false"}, {"log.dirs", "/x"}});

  EXPECT_EQ(found,
            (array{{{"key", "auto.create.topics.enable"}, {"default", "true"}, {"value", "false"}},
                   {{"key", "log.dirs"}, {"default", nullptr}, {"value", "/x"}}}));
}

TEST(VendorDefaults, ListsWhatAFileInPlaceOfTheVendorsLeavesOut) {
  const auto found = replaced_differences_from({{"tickTime", "2000"}, {"initLimit", "10"}},
                                               {{"tickTime", "2000"}, {"maxClientCnxns", "0"}});

  EXPECT_EQ(found, (array{{{"key", "maxClientCnxns"}, {"default", nullptr}, {"value", "0"}},
                          {{"key", "initLimit"}, {"default", "10"}, {"value", nullptr}}}));
}

}  // namespace
}  // namespace flow::servers
