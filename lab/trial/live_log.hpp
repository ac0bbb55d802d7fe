// intervals.jsonl while a trial runs: what generator, shop and auditor say about each second,
// merged into one line per wall second and written as it happens, and lines of other kinds between
// them. A crash loses at most the last second.
// Thread: one IoThread; others post() to it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

class LiveLog {
 public:
  static base::Result<std::unique_ptr<LiveLog>> create(const std::string& path);

  void set_phase(std::string_view phase) { phase_ = phase; }

  // Adds keys to the line of a second. A second is written when one two seconds later arrives, so
  // that all three tellers have spoken.
  void add(std::int64_t unix_s, const base::json::object& keys);

  // Writes a line of another kind now.
  void tell(std::string_view kind, const base::json::object& keys);

  // The newest value that was told under a key, for the progress line; 0 when none.
  double latest(std::string_view key) const;

  // Writes what is open.
  void finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit LiveLog(std::FILE* file) : file_(file) {}
  void write(std::int64_t unix_s, const base::json::object& keys);
  void write(const base::json::object& line);

  std::unique_ptr<std::FILE, Close> file_;
  std::string phase_ = "registration";
  std::map<std::int64_t, base::json::object> open_;
  base::json::object latest_;
};

}  // namespace flow::lab
