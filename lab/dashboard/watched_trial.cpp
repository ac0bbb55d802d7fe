// SPDX-License-Identifier: Apache-2.0
#include "lab/dashboard/watched_trial.hpp"

#include "lab/result/lenient_json.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;

constexpr int reads_at_once = 4;  // Of LineTailOptions::bytes_at_once each.

void add_bounded(std::deque<value>& lines, const value& line, std::size_t most) {
  lines.push_back(line);
  if (lines.size() > most) lines.pop_front();
}

array to_array(const std::deque<value>& lines) { return array(lines.begin(), lines.end()); }

}  // namespace

WatchedTrial::Change WatchedTrial::poll() {
  Change change;
  for (int nth = 0; nth < reads_at_once; ++nth) {
    auto read = tail_.read();
    if (!read) break;  // Not there yet, or gone with its folder.
    if (read->is_new) {
      forget();
      change.is_reset = true;
      change.lines.clear();
    }
    left_out_ += read->left_out;
    for (const auto& text : read->lines) {
      auto line = base::parse_json(text, "intervals.jsonl");
      if (line && keep(*line)) {
        change.lines.push_back(std::move(*line));
      } else if (!line) {
        ++left_out_;
      }
    }
    if (!read->has_more) break;
  }
  return change;
}

bool WatchedTrial::keep(const value& line) {
  const auto kind = text_in(as_object_or_empty(line), "kind");
  if (kind == "live") {
    add_bounded(seconds_, line, limits_.seconds_max);
  } else if (kind == "resources") {
    add_bounded(resources_, line, limits_.seconds_max);
  } else if (kind == "step") {
    add_bounded(steps_, line, limits_.steps_max);
  } else if (kind == "gates") {
    gates_ = line;
  } else {
    return false;  // by_intended, and what a later version may add.
  }
  return true;
}

void WatchedTrial::forget() {
  steps_.clear();
  seconds_.clear();
  resources_.clear();
  gates_ = nullptr;
  left_out_ = 0;
}

object WatchedTrial::describe() const {
  return {{"id", id_},
          {"steps", to_array(steps_)},
          {"seconds", to_array(seconds_)},
          {"resources", to_array(resources_)},
          {"gates", gates_},
          {"lines_left_out", left_out_}};
}

}  // namespace flow::lab
