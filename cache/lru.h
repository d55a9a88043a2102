// LruPolicy: what was not asked for longest leaves first; strict within a stripe. Guarded by the
// stripe's lock.
#pragma once

#include "cache/policy.h"

namespace cairn {

class LruPolicy final : public CachePolicy {
 public:
  CacheList list_for(std::uint32_t) override { return CacheList::main; }
  void hit(EntryTable& table, CacheIndex i, std::uint32_t now_ms) override;
  /// Entries that another policy left on the small list go before all others.
  CacheIndex victim(EntryTable& table, std::uint32_t now_ms) override;
  void evicted(std::uint32_t, CacheList, std::size_t) override {}
  std::size_t overhead_bytes() const override { return sizeof *this; }
  Balance balance() const override { return Balance::oldest; }
};

}  // namespace cairn
