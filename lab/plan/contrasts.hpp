// Which cells of a plan are compared with which: the two platforms at the same level, workload and
// varied settings; with one platform, each value of what is varied with the first one. Levels are
// never compared: they promise different things.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace flow::lab {

// A cell as experiment.json names it.
struct PlainCell {
  std::string id;
  std::string platform;  // "kafka"
  std::string level;
  std::string workload;
  std::vector<std::pair<std::string, std::string>> settings;  // What is varied, and its value.
};

struct Contrast {
  std::string first_cell;
  std::string second_cell;
  std::string level;
  std::string workload;
  std::string name;   // "fsync-1", "fsync-1, bursts, linger_ms 5": what a verdict is about.
  std::string first;  // "Kafka", "Kafka (broker_cpus all)"
  std::string second;
  bool is_one_platform = false;
  // They differ in a setting that can change what an acknowledgement means.
  bool differs_in_promise = false;
};

// In the order of the cells.
std::vector<Contrast> contrasts_of(const std::vector<PlainCell>& cells);

}  // namespace flow::lab
