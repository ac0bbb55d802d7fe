// Asks a ZooKeeper of our own in its four-letter words: which sessions hold which ephemeral nodes.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace flow::servers {

// The answer of 127.0.0.1:port to "ruok", "dump" and so on (which its whitelist must name). Blocks;
// Errc::io when nobody answers, Errc::timed_out when the answer does not end `within`.
base::Result<std::string> ask_zookeeper(std::uint16_t port, std::string_view word,
                                        base::Nanos within = std::chrono::seconds(2));

// True when an answer to "dump" lists the ephemeral node `path`: its owner's session is alive.
bool lists_ephemeral(std::string_view dump, std::string_view path);

}  // namespace flow::servers
