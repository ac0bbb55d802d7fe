// SPDX-License-Identifier: Apache-2.0
#include "servers/ports.hpp"

#include <fstream>
#include <set>
#include <unistd.h>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace flow::servers {
namespace {

// Ports that outgoing connections can get, from this one on.
int first_outgoing_port() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  int first = 0;
  file >> first;
  return first;
}

TEST(Ports, AreNeverThoseOfOutgoingConnections) {
  if (first_outgoing_port() < 12'288) GTEST_SKIP() << "outgoing connections may have any port here";

  const auto ports = pick_ports(20);

  ASSERT_TRUE(ports) << ports.error().what;
  for (const auto port : *ports) EXPECT_LT(port, first_outgoing_port());
}

TEST(Ports, AreOthersInEachCallThoughNobodyHasTakenThemYet) {
  std::set<std::uint16_t> all;

  for (int call = 0; call < 5; ++call) {
    const auto ports = pick_ports(10);
    ASSERT_TRUE(ports) << ports.error().what;
    all.insert(ports->begin(), ports->end());
  }

  EXPECT_EQ(all.size(), 50U);
}

TEST(Ports, AreFree) {
  const auto ports = pick_ports(1);
  ASSERT_TRUE(ports) << ports.error().what;

  EXPECT_FALSE(accepts_connections(ports->front()));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(ports->front());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::listen(socket, 1);
  EXPECT_TRUE(accepts_connections(ports->front()));
  ::close(socket);
}

}  // namespace
}  // namespace flow::servers
