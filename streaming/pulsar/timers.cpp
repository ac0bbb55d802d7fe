// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/timers.hpp"

namespace flow::streaming::pulsar {

std::optional<base::TimePoint> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->at_;
}

void TimerQueue::run(base::TimePoint now) {
  while (!heap_.empty() && heap_.front()->at_ <= now) {
    Timer& due = *heap_.front();
    remove(due);
    const auto on_due = due.on_due_;  // A copy: it may destroy any timer, this one too.
    on_due(now);
  }
}

void TimerQueue::place(std::size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

void TimerQueue::sift_up(std::size_t index) {
  Timer* const moved = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->at_ <= moved->at_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moved);
}

void TimerQueue::sift_down(std::size_t index) {
  Timer* const moved = heap_[index];
  for (std::size_t child = 2 * index + 1; child < heap_.size(); child = 2 * index + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ < heap_[child]->at_) ++child;
    if (moved->at_ <= heap_[child]->at_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moved);
}

void TimerQueue::insert(Timer& timer) {
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
  if (heap_.front() == &timer) on_earlier_(timer.at_);
}

void TimerQueue::remove(Timer& timer) {
  const std::size_t index = timer.index_;
  Timer* const last = heap_.back();
  heap_.pop_back();
  timer.index_ = Timer::unarmed;
  if (last == &timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

void Timer::arm(base::TimePoint at) {
  cancel();
  at_ = at;
  queue_.insert(*this);
}

void Timer::cancel() {
  if (is_armed()) queue_.remove(*this);
}

}  // namespace flow::streaming::pulsar
