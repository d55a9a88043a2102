// TopList: the ids that were asked for most lately, found in one pass with room for few (Metwally
// et al., "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005:
// Space-Saving). Counts fade, so that yesterday's favourites make room. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/block_store.h"
#include "base/clock.h"
#include "base/ids.h"

namespace cairn {

class TopList {
 public:
  static constexpr std::size_t kEntries = 1'024;

  struct Entry {
    BlockId id;
    double per_second = 0;
    /// By how much per_second may be too high: the id may have taken another's place.
    double error_per_second = 0;
    std::uint32_t size_bytes = 0;
    Source source = Source::storage;  ///< Where its last answer came from.
  };

  /// One request in `one_in` is told to count(). `clock` outlives this.
  TopList(double one_in, const Clock& clock);

  void count(const BlockId& id, std::uint32_t size_bytes, Source source);

  /// The first `most`, hottest first.
  std::vector<Entry> top(std::size_t most) const;
  /// What is known of one id; per_second is 0 when it is not on the list.
  Entry find(const BlockId& id) const;

 private:
  struct Slot {
    BlockId id;
    std::uint64_t count = 0;
    std::uint64_t error = 0;
    std::uint32_t size_bytes = 0;
    Source source = Source::storage;
  };

  // With mutex_ held:
  void fade();
  void sink(std::size_t at);
  void rise(std::size_t at);
  void place(std::size_t at, Slot slot);
  Entry entry_of(const Slot& slot) const;
  double window_s() const;

  const double one_in_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Slot> heap_;  ///< Least count first.
  std::unordered_map<BlockId, std::size_t> places_;
  MonoTime faded_at_;
  double window_before_s_ = 0;
};

}  // namespace cairn
