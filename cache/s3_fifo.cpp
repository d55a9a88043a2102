#include "cache/s3_fifo.h"

namespace cairn {
namespace {

constexpr std::uint32_t kMaxCount = 3;
/// Hits in the small queue that move an entry to the main one instead of out.
constexpr std::uint32_t kPromoteCount = 2;
/// The small queue gives when it has at least one byte in this many.
constexpr std::size_t kSmallShare = 10;
/// Entries looked at in one search, which the stripe's lock is held for.
constexpr int kSearchSteps = 64;

}  // namespace

CacheList S3FifoPolicy::list_for(std::uint32_t tag) {
  return ghosts_.take(tag) ? CacheList::main : CacheList::small;
}

void S3FifoPolicy::hit(EntryTable& table, CacheIndex i, std::uint32_t) {
  CacheEntry& entry = table[i];
  if (entry.count < kMaxCount) ++entry.count;
}

CacheIndex S3FifoPolicy::victim(EntryTable& table, std::uint32_t now_ms) {
  for (int step = 0; step < kSearchSteps; ++step) {
    const CacheIndex oldest_main = table.back(CacheList::main);
    const bool from_small = table.bytes(CacheList::small) * kSmallShare >= table.bytes();
    const CacheIndex i =
        from_small || oldest_main == kNoIndex ? table.back(CacheList::small) : oldest_main;
    if (i == kNoIndex) return kNoIndex;
    CacheEntry& entry = table[i];
    const bool promote = from_small && entry.count >= kPromoteCount;
    const bool reinsert = !from_small && entry.count > 0;
    if (!promote && !reinsert) return i;
    entry.count = promote ? 0 : (entry.count - 1) & kMaxCount;
    entry.placed_ms = now_ms;
    table.move_to_front(CacheList::main, i);
  }
  return kNoIndex;
}

void S3FifoPolicy::evicted(std::uint32_t tag, CacheList list, std::size_t left) {
  if (list == CacheList::small) ghosts_.add(tag, left);
}

}  // namespace cairn
