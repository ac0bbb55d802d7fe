// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

namespace flow::base {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::config:
      return "config";
    case Errc::io:
      return "io";
    case Errc::timed_out:
      return "timed out";
    case Errc::protocol:
      return "protocol";
    case Errc::refused:
      return "refused";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::unexpected<Error> with_context(std::string_view subject, const Error& error) {
  return std::unexpected(Error{error.code, fmt::format("{}: {}", subject, error.what)});
}

int exit_code_of(Errc code) { return code == Errc::config ? 2 : 3; }

}  // namespace flow::base
