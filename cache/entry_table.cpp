#include "cache/entry_table.h"

#include <utility>

#include "base/assert.h"

namespace cairn {

CacheIndex EntryTable::insert(std::uint32_t tag, Block block, std::size_t charge_bytes,
                              CacheList list, std::uint32_t now_ms) {
  CAIRN_ASSERT(charge_bytes <= kMaxChargeBytes && size_ < kNoIndex - 1);
  const CacheIndex i = size_;
  entries_.reach(std::size_t{size_} + 1);
  ++size_;
  CacheEntry& entry = entries_[i];
  entry.block = std::move(block);
  entry.tag = tag;
  entry.placed_ms = now_ms;
  entry.charge_words = static_cast<std::uint32_t>((charge_bytes + 7) / 8) & 0xffffffU;
  entry.count = 0;
  entry.read = 0;
  index_.add(entries_, i);
  link_front(list, i);
  return i;
}

Block EntryTable::erase(CacheIndex i) {
  CAIRN_ASSERT(i < size_);
  unlink(i);
  index_.remove(entries_, i);
  Block block = std::move(entries_[i].block);
  const CacheIndex last = size_ - 1;
  if (i != last) {
    // Entries stay dense, so that chunks can be given back when there are fewer of them.
    CacheEntry& from = entries_[last];
    CacheEntry& to = entries_[i];
    to.block = std::move(from.block);
    to.chain = from.chain;
    to.prev = from.prev;
    to.next = from.next;
    to.tag = from.tag;
    to.placed_ms = from.placed_ms;
    to.charge_words = from.charge_words;
    to.list = from.list;
    to.count = from.count;
    to.read = from.read;
    index_.renumber(entries_, last, i);
    relink(i);
  }
  size_ = last;
  entries_.release_behind(size_);
  return block;
}

void EntryTable::link_front(CacheList name, CacheIndex i) {
  List& list = list_of(name);
  CacheEntry& entry = entries_[i];
  entry.list = static_cast<std::uint32_t>(name) & 3U;
  entry.prev = kNoIndex;
  entry.next = list.front;
  if (list.front != kNoIndex) {
    entries_[list.front].prev = i;
  } else {
    list.back = i;
  }
  list.front = i;
  list.bytes += entry.charge_bytes();
}

void EntryTable::unlink(CacheIndex i) {
  const CacheEntry& entry = entries_[i];
  List& list = lists_[entry.list];
  (entry.prev != kNoIndex ? entries_[entry.prev].next : list.front) = entry.next;
  (entry.next != kNoIndex ? entries_[entry.next].prev : list.back) = entry.prev;
  list.bytes -= entry.charge_bytes();
}

void EntryTable::relink(CacheIndex i) {
  const CacheEntry& entry = entries_[i];
  List& list = lists_[entry.list];
  (entry.prev != kNoIndex ? entries_[entry.prev].next : list.front) = i;
  (entry.next != kNoIndex ? entries_[entry.next].prev : list.back) = i;
}

}  // namespace cairn
