// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/clients.hpp"

#include "lab/plan/plan.hpp"

namespace flow::lab {

streaming::DriverChoice clients_of(std::string_view platform, const servers::Level& level) {
  streaming::DriverChoice choice;
  choice.platform = platform == null_platform ? "fake" : platform;
  const auto take = [&choice](const auto& settings) {
    choice.producer = settings.producer;
    choice.consumer = settings.consumer;
    choice.topic = settings.topic;
  };
  if (platform == "kafka") take(level.kafka);
  if (platform == "pulsar") take(level.pulsar);
  return choice;
}

}  // namespace flow::lab
