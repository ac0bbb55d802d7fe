// What of a server's configuration is not its vendor's default: the vendor's own files and answers
// read, and compared with what Flow sets. Whatever Flow does not set stays as the vendor ships it.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/json.hpp"
#include "servers/level.hpp"

namespace flow::servers {

// "key=value" lines of a .conf or .properties file that a vendor ships. Comments and lines without
// "=" are skipped; of a key that occurs twice the last counts, as java.util.Properties has it.
Settings parse_properties(std::string_view text);

// The defaults in what Kafka's own `kafka-configs --describe --all` prints of a broker: of each key
// the synonym DEFAULT_CONFIG of the same name. A key without one has no default.
Settings parse_kafka_defaults(std::string_view described);

// [{"key", "default", "value"}] of the settings whose value is another than the default, in their
// order. "default" is null where the vendor sets none: neither in the file nor in its answer.
base::json::array differences_from(const Settings& defaults, const Settings& set);

// The same for a configuration file that is written in place of the vendor's: a key that only the
// vendor's has comes last, its "value" null.
base::json::array replaced_differences_from(const Settings& defaults, const Settings& set);

}  // namespace flow::servers
