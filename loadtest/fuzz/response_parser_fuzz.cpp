// Any bytes, cut in two where the first byte says: no crash, and the same verdict as in one piece.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "loadtest/response_parser.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using flow::loadtest::ResponseParser;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = text.empty() ? 0 : data[0] % (text.size() + 1);
  ResponseParser whole;
  ResponseParser in_two;
  for (ResponseParser* parser : {&whole, &in_two}) parser->expect((data[0] & 1) != 0);
  const std::size_t taken = whole.push(text);
  std::size_t taken_in_two = in_two.push(text.substr(0, cut));
  if (in_two.state() == ResponseParser::State::reading) {
    FLOW_CHECK(taken_in_two == cut);
    taken_in_two += in_two.push(text.substr(cut));
  }
  FLOW_CHECK(whole.state() == in_two.state());
  FLOW_CHECK(whole.status() == in_two.status());
  if (whole.state() == ResponseParser::State::complete) FLOW_CHECK(taken == taken_in_two);
  whole.push_end();
  in_two.push_end();
  FLOW_CHECK(whole.state() == in_two.state());
  return 0;
}
