// The dialogue with a broker on a virtual clock: handshake, keep-alive, lookups.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "streaming/pulsar/tests/virtual_world.hpp"

namespace flow::streaming::pulsar::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PulsarConnection : public ::testing::Test {
 protected:
  FakeBroker broker;
  VirtualWorld world{broker};
  std::optional<Client::Answer<std::shared_ptr<Connection>>> answer;
  const Address address{{"broker", 6650}, {"broker", 6650}};

  void connect() {
    world.client.connect(address, 0, [this](const auto& result) { answer = result; });
  }
  void TearDown() override { EXPECT_THAT(broker.client_errors(), IsEmpty()); }
};

TEST_F(PulsarConnection, SharesOneConnectionPerBrokerAndIndex) {
  connect();
  connect();
  world.settle();
  ASSERT_TRUE(answer && *answer);
  world.client.connect(address, 1, [](const auto&) {});
  world.settle();

  EXPECT_EQ(world.opened.size(), 2U);
  EXPECT_EQ(broker.count_of(command::connect), 2);
}

TEST_F(PulsarConnection, TellsWhyItIsRefused) {
  broker.token = "secret";
  connect();
  world.settle();

  ASSERT_TRUE(answer && !*answer);
  EXPECT_TRUE(answer->error().is_final);
  EXPECT_THAT(answer->error().error.what, HasSubstr("AuthenticationError"));
}

TEST_F(PulsarConnection, GivesUpAHandshakeAfterTenSeconds) {
  broker.on_command = [](int, int) { return FakeBroker::Verdict::swallow; };
  connect();
  world.run_for(9900ms);
  EXPECT_FALSE(answer);
  world.run_for(200ms);
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().error.code, base::Errc::timed_out);
}

TEST_F(PulsarConnection, ProbesASilentBrokerAndClosesWhenItStaysSilent) {
  connect();
  world.run_for(29s);
  EXPECT_EQ(broker.count_of(command::ping), 0);
  world.run_for(2s);
  EXPECT_EQ(broker.count_of(command::ping), 1);
  world.run_for(300s);
  EXPECT_EQ(broker.count_of(command::ping), 11);  // Answered: it lives on.
  EXPECT_EQ(world.client.counters().connections_lost, 0U);

  broker.on_command = [](int, int) { return FakeBroker::Verdict::swallow; };
  world.run_for(61s);
  EXPECT_EQ(world.client.counters().connections_lost, 1U);
}

TEST_F(PulsarConnection, ABrokerThatOnlyPingsIsNotAlive) {
  connect();
  world.settle();
  broker.on_command = [](int, int) { return FakeBroker::Verdict::swallow; };
  for (int i = 0; i < 70; ++i) {
    broker.send_all(encode_ping());
    world.run_for(1s);
  }

  EXPECT_GT(broker.count_of(command::pong), 50);  // Always answered.
  EXPECT_EQ(world.client.counters().connections_lost, 1U);
}

TEST_F(PulsarConnection, AnyOtherFrameProvesLife) {
  connect();
  world.settle();
  broker.on_command = [](int, int) { return FakeBroker::Verdict::swallow; };
  for (int i = 0; i < 200; ++i) {
    broker.send_all(receipt_frame(99, 0, 0));
    world.run_for(1s);
  }
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
}

TEST_F(PulsarConnection, IgnoresWhatItDoesNotKnow) {
  connect();
  world.settle();
  broker.send_all(encode_command(99, [](ProtoWriter& out) { out.varint(1, 5); }));
  broker.send_all(encode_close_consumer(77, no_id));
  broker.send_all(send_error_frame(77, 1, 2));
  broker.send_all(encode_command(command::success, [](ProtoWriter& out) { out.varint(1, 5); }));
  world.settle();

  EXPECT_EQ(world.client.counters().unknown_commands, 1U);
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
}

TEST_F(PulsarConnection, ClosesWithACountOverBrokenFrames) {
  const Bytes too_long = {std::byte{0x7f}, std::byte{0}, std::byte{0}, std::byte{0}};
  const Bytes no_type = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4},
                         std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}};
  std::uint64_t expected = 0;
  for (const Bytes& bad :
       {too_long, no_type, encode_command(command::send_receipt, [](auto&) {}),
        encode_command(command::connected, [](auto& out) { out.text(1, "x"); })}) {
    answer.reset();
    connect();
    world.settle();
    ASSERT_TRUE(answer && *answer);
    broker.send_all(bad);
    world.settle();
    EXPECT_EQ(world.client.counters().protocol_errors, ++expected);
    EXPECT_EQ(world.client.counters().connections_lost, expected);
  }
}

TEST_F(PulsarConnection, SendsTheTokenAndRefreshesIt) {
  connect();
  world.settle();
  broker.send_all(encode_command(command::auth_challenge, [](ProtoWriter&) {}));
  world.settle();
  EXPECT_EQ(broker.count_of(command::auth_response), 1);
}

class PulsarLookup : public ::testing::Test {
 protected:
  FakeBroker broker;
  VirtualWorld world{broker};
  std::optional<Client::Answer<Address>> answer;

  void look_up() {
    world.client.lookup(topic_name, [this](const auto& result) { answer = result; });
    world.settle();
  }
  // Redirects `count` times, to brokers of their own, then answers.
  void redirect(int count) {
    broker.redirect = [this, count, hop = 0](const std::string&) mutable {
      ++hop;
      return hop <= count ? std::optional(fmt::format("pulsar://hop-{}:1", hop)) : std::nullopt;
    };
    broker.url = "pulsar://owner:6650";
  }
};

TEST_F(PulsarLookup, FollowsTwentyRedirects) {
  redirect(20);
  look_up();

  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->logical, (net::HostPort{"owner", 6650}));
  EXPECT_EQ(world.opened.size(), 21U);
  EXPECT_EQ(world.opened.back(), (net::HostPort{"hop-20", 1}));
  std::vector<bool> expected(21, true);
  expected[0] = false;  // What a redirect says is repeated to where it leads.
  EXPECT_EQ(broker.authoritative_seen, expected);
}

TEST_F(PulsarLookup, RefusesTwentyOneRedirects) {
  redirect(21);
  look_up();

  ASSERT_TRUE(answer && !*answer);
  EXPECT_THAT(answer->error().error.what, HasSubstr("more than 20 redirects"));
}

TEST_F(PulsarLookup, TellsFinalErrorsFromPassingOnes) {
  for (const auto& [error, is_final] :
       {std::pair(server_error::service_not_ready, false), std::pair(server_error::metadata, false),
        std::pair(server_error::too_many_requests, false), std::pair(77, false),
        std::pair(server_error::topic_not_found, true),
        std::pair(server_error::authorization, true)}) {
    broker.lookup_error = [code = error](const std::string&) { return code; };
    look_up();
    ASSERT_TRUE(answer && !*answer);
    EXPECT_EQ(answer->error().server_error, error);
    EXPECT_EQ(answer->error().is_final, is_final) << error;
  }
  EXPECT_EQ(world.client.counters().connections_lost, 0U);  // The connection is kept.
}

TEST_F(PulsarLookup, RefusesAnAddressThatItCannotUse) {
  for (const auto* url : {"", "pulsar+ssl://owner:6651", "owner:6650", "pulsar://owner:99999"}) {
    broker.url = url;
    look_up();
    ASSERT_TRUE(answer && !*answer) << url;
  }
}

TEST_F(PulsarLookup, FailsWhenTheBrokerDoesNotAnswer) {
  broker.on_command = [](int, int type) {
    return type == command::lookup ? FakeBroker::Verdict::swallow : FakeBroker::Verdict::proceed;
  };
  look_up();
  EXPECT_FALSE(answer);
  world.run_for(31s);
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().error.code, base::Errc::timed_out);
}

}  // namespace
}  // namespace flow::streaming::pulsar::testing
