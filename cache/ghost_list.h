// GhostList: which entries were evicted lately, by the 32 bits of their hash alone: 12 bytes each,
// first in, first out. A wrong "yes" (two ids with one tag, about one in 2^32 a ghost) only places
// one block on the better list. Guarded by the stripe's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "cache/linear_index.h"

namespace cairn {

class GhostList {
 public:
  /// Remembers `tag`; of more than `limit` that were not taken, the oldest are forgotten. So are
  /// those older than the last 2 * `limit` added, which bounds what taken ones occupy.
  void add(std::uint32_t tag, std::size_t limit);

  /// True, once, for a tag that is remembered.
  bool take(std::uint32_t tag);

  /// Those that are remembered.
  std::size_t size() const { return live_; }
  std::size_t overhead_bytes() const {
    return ghosts_.chunks.size() * (sizeof(Chunk) + sizeof(void*)) + index_.footprint_bytes();
  }

 private:
  struct Ghost {
    std::uint32_t tag = 0;
    CacheIndex chain = kNoIndex;  ///< Its own number when it is in the index no more.
  };
  static constexpr std::uint32_t kPerChunk = 256;
  static_assert((std::uint64_t{1} << 32) % kPerChunk == 0);
  using Chunk = std::array<Ghost, kPerChunk>;

  /// Ghosts are numbered as they come, modulo 2^32; [first, next) are kept.
  struct Ghosts {
    Ghost& operator[](CacheIndex i) {
      // In the numbering's own arithmetic, so that it may wrap around.
      const std::uint32_t from_front = i - (first - first % kPerChunk);
      return (*chunks[from_front / kPerChunk])[i % kPerChunk];
    }
    CacheIndex& chain(CacheIndex i) { return (*this)[i].chain; }
    std::uint32_t tag(CacheIndex i) { return (*this)[i].tag; }

    std::deque<std::unique_ptr<Chunk>> chunks;
    std::uint32_t first = 0;
    std::uint32_t next = 0;
  };

  std::size_t kept() const { return ghosts_.next - ghosts_.first; }
  void push(std::uint32_t tag);
  void pop();

  Ghosts ghosts_;
  LinearIndex<Ghosts> index_;
  std::size_t live_ = 0;
};

}  // namespace cairn
