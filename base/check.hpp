// FLOW_CHECK(condition): an invariant of the program, checked in every build. When it is broken
// the process prints where and aborts: a measurement that goes on after that is worth nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flow::base {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace flow::base

#define FLOW_CHECK(condition)                          \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::flow::base::check_failed(#condition, __FILE__, __LINE__))
