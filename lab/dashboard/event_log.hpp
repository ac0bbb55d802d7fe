// The newest events of a stream, numbered, for a client that was away: it names the event that it
// saw last and gets what followed, or learns that this is no longer known and needs the whole
// state.
// Thread: one.
// Invariant: bounded in number and in bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flow::lab {

struct Event {
  std::string id;    // "<epoch>-<number>"
  std::string type;  // "lines"
  std::string data;  // JSON, one line.
};

struct EventLogLimits {
  std::size_t events_max = 2000;
  std::size_t bytes_max = 2 * 1024 * 1024;
};

class EventLog {
 public:
  // `epoch` differs from start to start of the program, so that an id of an earlier one is not
  // taken for one of this.
  explicit EventLog(std::string epoch, EventLogLimits limits = {})
      : epoch_(std::move(epoch)), limits_(limits) {}

  Event add(std::string_view type, std::string data);
  std::string newest_id() const { return id_of(newest_); }

  // What followed the event `id`; nullopt when that is not known.
  std::optional<std::vector<Event>> after(std::string_view id) const;

 private:
  std::string id_of(std::uint64_t number) const;

  std::string epoch_;
  EventLogLimits limits_;
  std::deque<Event> events_;  // The last has the number newest_.
  std::size_t bytes_ = 0;
  std::uint64_t newest_ = 0;
};

}  // namespace flow::lab
