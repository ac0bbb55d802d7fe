// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/live_log.hpp"

#include <cerrno>
#include <cstring>

namespace flow::lab {

using base::Errc;
using base::fail;
using base::Result;

Result<std::unique_ptr<LiveLog>> LiveLog::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (!file) return fail(Errc::io, "{}: {}", path, std::strerror(errno));
  return std::unique_ptr<LiveLog>(new LiveLog(file));
}

void LiveLog::add(std::int64_t unix_s, const base::json::object& keys) {
  auto [line, is_new] = open_.try_emplace(unix_s);
  if (is_new) line->second["phase"] = phase_;
  for (const auto& [key, value] : keys) {
    line->second[key] = value;
    latest_[key] = value;
  }
  while (!open_.empty() && open_.begin()->first <= unix_s - 2) {
    write(open_.begin()->first, open_.begin()->second);
    open_.erase(open_.begin());
  }
}

double LiveLog::latest(std::string_view key) const {
  const auto* value = latest_.if_contains(key);
  return value && value->is_number() ? value->to_number<double>() : 0;
}

void LiveLog::finish() {
  for (const auto& [unix_s, keys] : open_) write(unix_s, keys);
  open_.clear();
}

void LiveLog::write(std::int64_t unix_s, const base::json::object& keys) {
  base::json::object line{{"kind", "live"}, {"phase", keys.at("phase")}, {"unix_s", unix_s}};
  for (const auto& [key, value] : keys) {
    if (key != "phase") line[key] = value;
  }
  write(line);
}

void LiveLog::tell(std::string_view kind, const base::json::object& keys) {
  base::json::object line{{"kind", kind}};
  for (const auto& [key, value] : keys) line[key] = value;
  write(line);
}

void LiveLog::write(const base::json::object& line) {
  fmt::print(file_.get(), "{}\n", base::json::serialize(line));
  std::fflush(file_.get());
}

}  // namespace flow::lab
