// SPDX-License-Identifier: Apache-2.0
#include "lab/dashboard/event_log.hpp"

#include <charconv>

#include <fmt/format.h>

namespace flow::lab {

std::string EventLog::id_of(std::uint64_t number) const {
  return fmt::format("{}-{}", epoch_, number);
}

Event EventLog::add(std::string_view type, std::string data) {
  events_.push_back({id_of(++newest_), std::string(type), std::move(data)});
  bytes_ += events_.back().data.size();
  Event event = events_.back();
  while (events_.size() > limits_.events_max || bytes_ > limits_.bytes_max) {
    bytes_ -= events_.front().data.size();
    events_.pop_front();
  }
  return event;
}

std::optional<std::vector<Event>> EventLog::after(std::string_view id) const {
  if (!id.starts_with(epoch_ + "-")) return std::nullopt;
  const auto digits = id.substr(epoch_.size() + 1);
  std::uint64_t seen = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seen);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  const std::uint64_t oldest = newest_ + 1 - events_.size();
  if (seen > newest_ || seen + 1 < oldest) return std::nullopt;
  const auto from = static_cast<std::ptrdiff_t>(seen + 1 - oldest);
  return std::vector<Event>(events_.begin() + from, events_.end());
}

}  // namespace flow::lab
