// WhatIf: what more or less memory would bring, and what the other policy would. A sample of the
// ids is played through miniature tiers of a range of budgets under each policy. The sample halves
// itself when it grows past its bound or is asked too often, so that memory and time stay small
// whatever is asked. Any thread; requests outside the sample cost a comparison and a count.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/block.h"
#include "base/clock.h"
#include "cache/mini_cache.h"
#include "cache/sharded_counter.h"

namespace cairn {

class WhatIf {
 public:
  struct Point {
    std::size_t budget_bytes = 0;
    double hits = 0;       ///< Share of the requests answered from memory, 0 to 1.
    double hit_bytes = 0;  ///< Share of the bytes asked for.
  };
  struct Curve {
    PolicyKind policy = PolicyKind::lru;
    std::vector<Point> points;  ///< By budget, ascending.
  };
  struct Report {
    std::vector<Curve> curves;  ///< One a policy.
    double window_s = 0;        ///< The time that it tells of, older requests counting less.
    double requests = 0;        ///< Asked for in it, and their bytes; both weighted like that.
    double bytes = 0;
    std::uint32_t one_in = 1;  ///< Of how many ids the sample has one.
    std::size_t sampled_ids = 0;
    std::size_t overhead_bytes = 0;
  };

  /// Budgets as eighths of the present one.
  static constexpr std::array<std::size_t, 10> kEighths{1, 2, 4, 6, 8, 12, 16, 24, 32, 64};

  /// `clock` outlives this. With a budget of 0 nothing is sampled.
  WhatIf(std::size_t budget_bytes, const Clock& clock);

  /// A block was found for a request. `tag`: 32 bits of a hash that nobody can aim.
  void asked(std::uint32_t tag, const Block& block) {
    requests_.add(1);
    bytes_.add(block.size_bytes());
    if (in_sample(tag)) play(tag, block);
  }
  void stored(std::uint32_t tag, const Block& block) {
    if (in_sample(tag)) place(tag, block);
  }
  void erased(std::uint32_t tag, const BlockId& id);

  void set_budget(std::size_t budget_bytes);

  Report report();

 private:
  struct Mini {
    MiniCache cache;
    std::size_t eighths;
    PolicyKind policy;
    double hits = 0;
    double hit_bytes = 0;
  };

  bool in_sample(std::uint32_t tag) const {
    // Of the tag's high bits: the low ones choose its bucket in a table.
    return (tag & mask_.load(std::memory_order_relaxed)) == 0;
  }
  void play(std::uint32_t tag, const Block& block);
  void place(std::uint32_t tag, const Block& block);
  // With mutex_ held:
  Block name_of(std::uint32_t tag, const Block& block) const;
  void thin_out();
  void fade();
  void keep_pace(std::size_t weight);
  std::size_t scaled(std::size_t bytes) const { return bytes >> bits_; }
  std::size_t entries() const;

  const Clock& clock_;
  ShardedCounter requests_;
  ShardedCounter bytes_;
  std::atomic<std::uint32_t> mask_;
  std::mutex mutex_;
  std::size_t budget_bytes_;
  unsigned bits_;  ///< The sample has one id in 2^bits_.
  std::vector<Mini> minis_;
  MonoTime faded_at_;
  MonoTime second_began_;
  std::size_t in_second_ = 0;
  double window_s_ = 0;
  double sampled_ = 0;  ///< Requests of the sample, older ones weighing less.
  double sampled_bytes_ = 0;
  double requests_before_ = 0;  ///< What the counters stood at, so that the rest is the window's.
  double bytes_before_ = 0;
};

}  // namespace cairn
