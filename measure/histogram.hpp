// Latencies in constant memory with bounded relative error: HdrHistogram's bucketing, so that its
// tools read our files. 3 significant digits: a quantile is within 0.1 % of a true sample.
// Thread: one writer. Other threads read copies handed over by IntervalRecorder.
// Invariant: count() = sum of the buckets + overflow(). Nothing is allocated after construction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"

namespace flow::measure {

using base::Nanos;

class Histogram {
 public:
  struct Options {
    Nanos lowest{1};                        // Values below share one bucket with it; from 1 ns.
    Nanos highest = std::chrono::hours(1);  // At least 2 * lowest.
    int significant_digits = 3;             // 1 to 5.

    bool operator==(const Options&) const = default;
  };

  // Values lower..upper (both included, in units of 1 ns) were recorded `count` times.
  struct Bucket {
    Nanos lower;
    Nanos upper;
    std::uint64_t count;
  };

  Histogram() : Histogram(Options{}) {}
  explicit Histogram(Options options);  // FLOW_CHECK(are_valid(options)).

  // Whether a histogram can be built: bounds in order, digits 1 to 5, at most 2^22 buckets.
  static bool are_valid(const Options& options);
  const Options& options() const noexcept { return options_; }

  // Above `highest`: counted as overflow, never clamped. Below 0 (two hosts' clocks): counted at 0
  // and in negative(), and min() tells how far.
  void record(Nanos value) noexcept { record_n(value, 1); }
  void record_n(Nanos value, std::uint64_t times) noexcept {
    if (times == 0) return;
    const std::int64_t raw = value.count();
    count_ += times;
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
    if (raw > options_.highest.count()) {
      overflow_ += times;
      return;
    }
    if (raw < 0) negative_ += times;
    const std::int64_t tracked = raw < 0 ? 0 : raw;
    sum_ += static_cast<Sum>(tracked) * times;
    counts_[index_of(static_cast<std::uint64_t>(tracked))] += times;
  }

  void merge(const Histogram& other);  // FLOW_CHECK: the options are equal.
  void reset() noexcept;

  std::uint64_t count() const noexcept { return count_; }               // Overflow included.
  std::uint64_t overflow() const noexcept { return overflow_; }         // Subset of count().
  std::uint64_t negative() const noexcept { return negative_; }         // Subset of count().
  Nanos min() const noexcept { return count_ == 0 ? Nanos{0} : min_; }  // Exact; 0 when empty.
  Nanos max() const noexcept { return count_ == 0 ? Nanos{0} : max_; }  // Exact; 0 when empty.

  // Exact arithmetic mean (to bucket width after decoding). 0 when empty; Nanos::max() with any
  // overflow, because a mean without its largest values is none.
  Nanos mean() const noexcept;

  // The order statistic of rank ceil(q * count()), q in [0, 1]: the highest value that shares its
  // bucket, at most max(). Nanos::max() when the rank falls into the overflow; 0 when empty.
  Nanos quantile(double q) const;
  // The same for a rank from 1 to count().
  Nanos value_at_rank(std::uint64_t rank) const;

  // Calls visit(Bucket) for every bucket with a count, in ascending order; overflow has no bucket.
  void for_each_bucket(auto&& visit) const {
    const Range used = used_range();
    for (std::size_t i = used.first; i < used.last; ++i) {
      if (counts_[i] != 0) visit(Bucket{lower_of(i), upper_of(i), counts_[i]});
    }
  }

  // What HdrHistogram's encoding does not carry, for a histogram that was just decoded. False, and
  // nothing changed, when the values contradict the buckets.
  [[nodiscard]] bool restore(std::uint64_t overflow, Nanos min, Nanos max);

  // Equal buckets, overflow and extremes.
  bool operator==(const Histogram& other) const;

  // The bucket layout, for the codec.
  std::size_t bucket_count() const noexcept { return counts_.size(); }
  // One after the last bucket with a count.
  std::size_t used_bucket_count() const noexcept { return used_range().last; }
  std::uint64_t bucket(std::size_t index) const { return counts_[index]; }
  // For decoding: adds `times` at the middle of a bucket; false when count() would overflow.
  [[nodiscard]] bool add_to_bucket(std::size_t index, std::uint64_t times);

 private:
  __extension__ using Sum = unsigned __int128;
  struct Range {
    std::size_t first;
    std::size_t last;
  };

  // Bucket b holds values of 2^b * unit width; its upper half of sub-buckets is stored, for bucket
  // 0 both halves. HdrHistogram, AbstractHistogram.countsArrayIndex().
  std::size_t index_of(std::uint64_t value) const noexcept {
    const int bucket = leading_zeros_base_ - std::countl_zero(value | sub_bucket_mask_);
    const std::uint64_t sub_bucket = value >> (bucket + unit_magnitude_);
    return (static_cast<std::size_t>(bucket) << half_magnitude_) + sub_bucket;
  }
  Nanos lower_of(std::size_t index) const noexcept;
  Nanos upper_of(std::size_t index) const noexcept;
  Range used_range() const noexcept;

  Options options_;
  int unit_magnitude_ = 0;
  int half_magnitude_ = 0;
  int leading_zeros_base_ = 0;
  std::uint64_t sub_bucket_mask_ = 0;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t overflow_ = 0;
  std::uint64_t negative_ = 0;
  Sum sum_ = 0;
  Nanos min_ = Nanos::max();
  Nanos max_ = Nanos::min();
};

// ceil(q * count) for q in [0, 1], at least 1 and at most count; steps over the rounding error of
// decimal fractions (0.07 * 100 is rank 7).
std::uint64_t rank_of(double q, std::uint64_t count);

}  // namespace flow::measure
