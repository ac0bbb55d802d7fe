// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/fault.hpp"

namespace flow::lab {

base::json::object describe(const Fault& fault) {
  return {{"what", fault.what},
          {"role", fault.role},
          {"at_seconds", fault.at_seconds},
          {"for_seconds", fault.for_seconds}};
}

}  // namespace flow::lab
