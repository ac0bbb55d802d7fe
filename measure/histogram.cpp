// SPDX-License-Identifier: Apache-2.0
#include "measure/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"

namespace flow::measure {
namespace {

constexpr std::size_t bucket_count_max = std::size_t{1} << 22;

int bits_of(std::uint64_t value) { return static_cast<int>(std::bit_width(value)); }

// How HdrHistogram derives its layout from the options (AbstractHistogram.init()).
struct Layout {
  int unit_magnitude;        // log2 of the width of the narrowest bucket.
  int sub_bucket_magnitude;  // log2 of the linear steps in a bucket: 11 for 3 digits.
  std::size_t counts;
};

Layout layout_of(const Histogram::Options& options) {
  std::uint64_t single_unit_max = 2;
  for (int i = 0; i < options.significant_digits; ++i) single_unit_max *= 10;
  const auto lowest = static_cast<std::uint64_t>(options.lowest.count());
  const auto highest = static_cast<std::uint64_t>(options.highest.count());
  Layout layout{.unit_magnitude = bits_of(lowest) - 1,
                .sub_bucket_magnitude = bits_of(single_unit_max - 1),
                .counts = 0};
  const int covered = layout.unit_magnitude + layout.sub_bucket_magnitude;
  const int buckets = 1 + std::max(0, bits_of(highest) - covered);
  layout.counts = static_cast<std::size_t>(buckets + 1) << (layout.sub_bucket_magnitude - 1);
  return layout;
}

}  // namespace

bool Histogram::are_valid(const Options& options) {
  if (options.significant_digits < 1 || options.significant_digits > 5) return false;
  if (options.lowest.count() < 1) return false;
  if (options.highest.count() / 2 < options.lowest.count()) return false;
  const Layout layout = layout_of(options);
  // HdrHistogram's own limit: values beyond it would need more than 63 bits.
  return layout.unit_magnitude + layout.sub_bucket_magnitude <= 62 &&
         layout.counts <= bucket_count_max;
}

Histogram::Histogram(Options options) : options_(options) {
  FLOW_CHECK(are_valid(options));
  const Layout layout = layout_of(options);
  unit_magnitude_ = layout.unit_magnitude;
  half_magnitude_ = layout.sub_bucket_magnitude - 1;
  leading_zeros_base_ = 64 - layout.unit_magnitude - layout.sub_bucket_magnitude;
  sub_bucket_mask_ = ((std::uint64_t{1} << layout.sub_bucket_magnitude) - 1)
                     << layout.unit_magnitude;
  counts_.resize(layout.counts);
}

Histogram::Range Histogram::used_range() const noexcept {
  if (count_ == overflow_) return {0, 0};
  const std::int64_t low = std::clamp<std::int64_t>(min_.count(), 0, options_.highest.count());
  const std::int64_t high = std::clamp<std::int64_t>(max_.count(), 0, options_.highest.count());
  Range range{index_of(static_cast<std::uint64_t>(low)),
              index_of(static_cast<std::uint64_t>(high)) + 1};
  while (counts_[range.last - 1] == 0) --range.last;  // The maximum may lie in the overflow.
  return range;
}

void Histogram::merge(const Histogram& other) {
  FLOW_CHECK(options_ == other.options_);
  const Range used = other.used_range();
  for (std::size_t i = used.first; i < used.last; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  overflow_ += other.overflow_;
  negative_ += other.negative_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::reset() noexcept {
  const Range used = used_range();
  for (std::size_t i = used.first; i < used.last; ++i) counts_[i] = 0;
  count_ = overflow_ = negative_ = 0;
  sum_ = 0;
  min_ = Nanos::max();
  max_ = Nanos::min();
}

Nanos Histogram::mean() const noexcept {
  if (count_ == 0) return Nanos{0};
  if (overflow_ > 0) return Nanos::max();
  return Nanos{static_cast<std::int64_t>((sum_ + count_ / 2) / count_)};
}

Nanos Histogram::lower_of(std::size_t index) const noexcept {
  const std::size_t half = std::size_t{1} << half_magnitude_;
  if (index < 2 * half) return Nanos{static_cast<std::int64_t>(index) << unit_magnitude_};
  const auto bucket = static_cast<int>(index >> half_magnitude_) - 1;
  const std::size_t sub_bucket = (index & (half - 1)) + half;
  return Nanos{static_cast<std::int64_t>(sub_bucket) << (bucket + unit_magnitude_)};
}

Nanos Histogram::upper_of(std::size_t index) const noexcept {
  const std::size_t bucket = index >> half_magnitude_;
  const int magnitude = unit_magnitude_ + (bucket == 0 ? 0 : static_cast<int>(bucket) - 1);
  return Nanos{lower_of(index).count() + ((std::int64_t{1} << magnitude) - 1)};
}

Nanos Histogram::value_at_rank(std::uint64_t rank) const {
  FLOW_CHECK(rank >= 1 && rank <= count_);
  if (rank > count_ - overflow_) return Nanos::max();
  const Range used = used_range();
  std::size_t i = used.first;
  for (std::uint64_t seen = counts_[i]; seen < rank; seen += counts_[i]) {
    ++i;
    FLOW_CHECK(i < used.last);
  }
  return std::min({upper_of(i), max_, options_.highest});
}

Nanos Histogram::quantile(double q) const {
  FLOW_CHECK(q >= 0 && q <= 1);
  return count_ == 0 ? Nanos{0} : value_at_rank(rank_of(q, count_));
}

bool Histogram::restore(std::uint64_t overflow, Nanos min, Nanos max) {
  if (overflow_ != 0 || overflow > std::numeric_limits<std::uint64_t>::max() - count_) return false;
  const Range used = used_range();
  const bool has_buckets = used.first != used.last;
  if (!has_buckets && overflow == 0) return true;
  if (min > max || (overflow > 0) != (max > options_.highest)) return false;
  if (has_buckets) {
    const bool min_fits =
        min <= upper_of(used.first) && (min >= lower_of(used.first) || used.first == 0);
    const bool max_fits = overflow > 0 || (max <= upper_of(used.last - 1) &&
                                           (max >= lower_of(used.last - 1) || used.last == 1));
    if (!min_fits || !max_fits) return false;
  } else if (min <= options_.highest) {
    return false;
  }
  overflow_ = overflow;
  count_ += overflow;
  min_ = min;
  max_ = max;
  return true;
}

bool Histogram::operator==(const Histogram& other) const {
  return options_ == other.options_ && count_ == other.count_ && overflow_ == other.overflow_ &&
         min() == other.min() && max() == other.max() && counts_ == other.counts_;
}

bool Histogram::add_to_bucket(std::size_t index, std::uint64_t times) {
  FLOW_CHECK(index < counts_.size());
  if (times == 0) return true;
  if (times > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - count_) {
    return false;
  }
  const Nanos lower = lower_of(index);
  const Nanos upper = std::min(upper_of(index), options_.highest);
  if (lower > upper) return false;
  counts_[index] += times;
  count_ += times;
  sum_ += static_cast<Sum>(lower.count() + (upper - lower).count() / 2) * times;
  min_ = std::min(min_, lower);
  max_ = std::max(max_, upper);
  return true;
}

std::uint64_t rank_of(double q, std::uint64_t count) {
  // The double nearest to a decimal q may lie above it by half a unit in the last place; the one
  // below it never does, and is too small by less than 1/count for any count below 2^52.
  const auto below = static_cast<long double>(std::nextafter(q, 0.0));
  const auto rank = static_cast<std::uint64_t>(std::ceil(below * static_cast<long double>(count)));
  return std::clamp<std::uint64_t>(rank, 1, count);
}

}  // namespace flow::measure
