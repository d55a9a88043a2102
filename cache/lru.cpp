#include "cache/lru.h"

namespace cairn {

void LruPolicy::hit(EntryTable& table, CacheIndex i, std::uint32_t now_ms) {
  table[i].placed_ms = now_ms;
  table.move_to_front(CacheList::main, i);
}

CacheIndex LruPolicy::victim(EntryTable& table, std::uint32_t) {
  const CacheIndex leftover = table.back(CacheList::small);
  return leftover != kNoIndex ? leftover : table.back(CacheList::main);
}

}  // namespace cairn
