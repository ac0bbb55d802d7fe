// Result<T> carries an operating error: what can go wrong in a correct program. A broken
// invariant is not one: FLOW_CHECK stops the process, because no number beats a wrong number.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace flow::base {

enum class Errc : std::uint8_t {
  config,     // The operator's mistake: a flag, a file, a URL.
  io,         // The machine or a peer: a port taken, a disk full, a connection gone.
  timed_out,  // A deadline passed.
  protocol,   // A peer sent what its protocol forbids.
  refused,    // A peer understood and said no.
  cancelled,  // The caller stopped it.
};

std::string_view name_of(Errc code);

struct Error {
  Errc code = Errc::io;
  std::string what;  // Subject, then cause: "kafka 127.0.0.1:9092: connect: refused".
};

template <class T>
using Result = std::expected<T, Error>;

// `return fail(Errc::config, "--rate {}: expected a number above 0", text);`
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> format,
                                          Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// The same error with the subject put in front: "shop: " + what.
[[nodiscard]] std::unexpected<Error> with_context(std::string_view subject, const Error& error);

// The exit code of the program for an error that ends it: 2 the operator's mistake, 3 a server or
// the machine.
int exit_code_of(Errc code);

}  // namespace flow::base
