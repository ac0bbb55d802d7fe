// Topics and policies through Pulsar's REST interface (Pulsar 4.0, /admin/v2).
// Thread: the IoThread's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "net/url.hpp"
#include "streaming/pulsar/config.hpp"
#include "streaming/pulsar/shell.hpp"

namespace flow::streaming::pulsar {

// `shell` is for the question that only the binary protocol answers: whether a partition is served.
std::unique_ptr<Admin> make_admin(std::shared_ptr<Shell> shell, net::HttpUrl url,
                                  TopicConfig config, std::string token);

}  // namespace flow::streaming::pulsar
