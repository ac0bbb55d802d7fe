// Which partition a key belongs to: Kafka's murmur2 as the Java client computes it
// (org.apache.kafka.common.utils.Utils.murmur2, partition = (hash & 0x7fffffff) % partitions), on
// every platform, so that both brokers carry the same load per partition.
// With 6 partitions: key "1" -> 3, "2" -> 2, "3" -> 5, "4" -> 1, "5" -> 0, "6" -> 4, "7" -> 3.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace flow::streaming {

std::uint32_t murmur2(std::string_view key);

inline std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) %
                                   static_cast<std::uint32_t>(partitions));
}

}  // namespace flow::streaming
