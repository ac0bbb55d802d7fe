// JSON, read with errors that name the place: Boost.JSON values behind accessors that return a
// Result whose text has the path ("trial.json: /hops/0/count: expected a whole number, found a
// string"). Writing uses boost::json::serialize directly.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/result.hpp"

namespace flow::base {

namespace json = boost::json;

// The whole text must be one JSON value; `name` stands in the error.
Result<json::value> parse_json(std::string_view text, std::string_view name);
Result<json::value> read_json_file(const std::string& path);

// Pretty: two spaces, one key per line, arrays of plain values on one line, 0.705 and not 7.05E-1;
// NaN and infinities, which JSON has not, as null. Ends in a newline.
std::string pretty_json(const json::value& value);

// A value together with the path that led to it.
class JsonView {
 public:
  JsonView(const json::value& value, std::string path) : value_(&value), path_(std::move(path)) {}

  const json::value& value() const { return *value_; }
  const std::string& path() const { return path_; }

  Result<JsonView> at(std::string_view key) const;  // Missing key or no object: an error.
  Result<std::string_view> text() const;
  Result<std::int64_t> whole_number() const;
  Result<double> number() const;  // A whole number will do.
  Result<bool> boolean() const;
  Result<const json::array*> array() const;
  Result<const json::object*> object() const;

 private:
  std::unexpected<Error> expected(std::string_view what) const;

  const json::value* value_;
  std::string path_;
};

}  // namespace flow::base
